"""Time stamps of daily heads, given by an authority made of openssl on this machine, without any network."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from casework.audit import api as audit
from casework.audit import triggers
from casework.audit.models import DailyHead, HeadStamp
from casework.lib import clock
from casework.unit import stamping

OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed"),
]
DAY = date(2026, 11, 24)
SETTINGS = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
certs = {folder}/root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


class Authority:
    """A time stamping authority of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "settings").write_text(SETTINGS.format(folder=folder), encoding="ascii")
        (folder / "serial").write_text("01\n", encoding="ascii")
        made = ["-newkey", "rsa:2048", "-nodes", "-days", "30"]
        self.run("req", "-x509", *made, "-subj", "/CN=Nonsense root", "-keyout", "root.key", "-out", "root.pem")
        self.run("req", *made[:3], "-subj", "/CN=Nonsense stamps", "-keyout", "signer.key", "-out", "signer.csr")
        (folder / "purpose").write_text("extendedKeyUsage=critical,timeStamping\n", encoding="ascii")
        signed = ["-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "7", "-days", "30", "-extfile", "purpose"]
        self.run("x509", "-req", "-in", "signer.csr", *signed, "-out", "signer.pem")

    def run(self, *words: str) -> None:
        assert OPENSSL
        subprocess.run([OPENSSL, *words], cwd=self.folder, check=True, capture_output=True)

    def ask(self, request: bytes) -> bytes:
        (self.folder / "request").write_bytes(request)
        self.run("ts", "-reply", "-queryfile", "request", "-config", "settings", "-out", "answer")
        return (self.folder / "answer").read_bytes()

    @property
    def known_by(self) -> list[Any]:
        return audit.read_authorities(self.folder / "root.pem")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stamps") / "one")


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stamps") / "another")


@pytest.fixture
def lifted() -> Iterator[None]:
    """Lift the triggers, as an intruder would."""
    triggers.remove(connection)
    yield
    triggers.install(connection)


def test_a_head_is_stamped_once_and_the_stamp_holds(authority: Authority) -> None:
    before = clock.now().replace(microsecond=0)
    head = audit.close_day(DAY)
    kept = audit.stamp(head, authority.known_by, authority.ask)

    assert before <= kept.stamped_at <= clock.now()
    assert audit.stamp(head, authority.known_by, authority.ask) == kept
    assert audit.verify_stamps(authority.known_by) == audit.Stamped(heads=1, stamps=1, broken=None)
    # A public tool says the same.
    (authority.folder / "line").write_text(audit.line_of(head), encoding="ascii")
    (authority.folder / "kept").write_bytes(bytes(kept.answer))
    authority.run("ts", "-verify", "-data", "line", "-in", "kept", "-CAfile", "root.pem")


def test_the_authority_learns_a_hash_only(authority: Authority) -> None:
    asked: list[bytes] = []

    def listening(request: bytes) -> bytes:
        asked.append(request)
        return authority.ask(request)

    head = audit.close_day(DAY)
    audit.stamp(head, authority.known_by, listening)

    assert len(asked[0]) < 200
    assert head.digest.encode() not in asked[0]


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"0\x03\x02\x01\x02"])
def test_an_answer_that_does_not_hold_is_not_kept(authority: Authority, answer: bytes) -> None:
    head = audit.close_day(DAY)

    with pytest.raises(audit.StampError):
        audit.stamp(head, authority.known_by, lambda _request: answer)
    assert HeadStamp.objects.count() == 0
    assert audit.unstamped() == [head]


def test_the_answer_to_another_question_is_not_kept(authority: Authority, another: Authority) -> None:
    first, second = audit.close_day(DAY), audit.close_day(DAY + timedelta(days=1))
    answer = bytes(audit.stamp(first, authority.known_by, authority.ask).answer)

    with pytest.raises(audit.StampError, match="does not hold"):
        audit.stamp(second, authority.known_by, lambda _request: answer)
    with pytest.raises(audit.StampError, match="does not hold"):
        audit.stamp(second, authority.known_by, another.ask)
    with pytest.raises(audit.StampError, match="no certificates"):
        audit.stamp(second, [], authority.ask)


def test_a_stamp_is_never_changed_and_a_changed_one_is_found(authority: Authority, another: Authority) -> None:
    head = audit.close_day(DAY)
    audit.stamp(head, authority.known_by, authority.ask)
    for act in (HeadStamp.objects.all().delete, lambda: HeadStamp.objects.update(authority="other")):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()

    assert audit.verify_stamps(another.known_by).broken is not None
    assert audit.verify_stamps([]).broken is not None


@pytest.mark.usefixtures("lifted")
def test_a_head_put_in_the_place_of_another_is_found_by_its_stamp(authority: Authority) -> None:
    audit.stamp(audit.close_day(DAY), authority.known_by, authority.ask)
    DailyHead.objects.update(digest="1" * 64)
    changed = audit.verify_stamps(authority.known_by).broken
    DailyHead.objects.all().delete()

    assert changed is not None
    assert changed[0] == DAY
    assert audit.verify_stamps(authority.known_by).broken == (DAY, "its head is missing")


def test_the_newest_heads_are_stamped_and_told_of(authority: Authority, settings: Any) -> None:
    settings.TIMESTAMP_AUTHORITIES = authority.folder / "root.pem"
    for days in range(3):
        audit.close_day(DAY + timedelta(days=days))

    assert stamping.tell_of_stamps() == ""
    assert stamping.stamp_heads(authority.ask) == 3
    assert stamping.stamp_heads(authority.ask) == 0
    assert stamping.tell_of_stamps() == "Time stamps hold: 3 of 3 daily heads carry one"
    settings.TIMESTAMP_AUTHORITIES = None
    with pytest.raises(audit.StampError, match="KAVAL_TIMESTAMP_AUTHORITIES"):
        stamping.tell_of_stamps()


def test_the_clock_of_the_stamp_is_the_authoritys(authority: Authority) -> None:
    with clock.stopped_at(datetime(2020, 1, 1, tzinfo=UTC)):
        kept = audit.stamp(audit.close_day(DAY), authority.known_by, authority.ask)

    assert kept.stamped_at.year > 2020
