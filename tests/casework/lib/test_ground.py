"""The ground: no key no start, sealed columns, configuration that does not forgive, log lines without values."""

from __future__ import annotations

import base64
import io
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from casework.accounts.models import Totp
from casework.lib import clock
from casework.lib.configuration import read_configuration
from casework.lib.errors import ConfigurationError, MissingKeyError, WrongKeyError
from casework.lib.keys import KeyRing, read_key_file, write_new_key_file
from casework.lib.logs import ValuelessFormatter
from casework.lib.sealed import seal, unseal
from tests.casework.conftest import Cast

RING = KeyRing((b"a" * 32,))


def test_without_a_key_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match="does not start without its key"):
        read_key_file(tmp_path / "key")


def test_a_new_key_is_for_its_owner_only_and_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "key"
    write_new_key_file(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path).current("x").secret
    with pytest.raises(FileExistsError):
        write_new_key_file(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize(
    "text", ["", "k1 short", "k1", "k1 !!!!", f"k1 {base64.b64encode(b'k' * 31).decode()}", "k1 a b", "\u0d15 x"]
)
def test_a_key_file_with_a_fault_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError):
        read_key_file(path)


def test_purposes_do_not_share_keys_and_old_keys_are_found_by_id() -> None:
    ring = KeyRing((b"b" * 32, b"a" * 32))
    old = RING.current("x")

    assert ring.current("x").secret != ring.current("y").secret
    assert ring.by_id("x", old.key_id) == old
    assert RING.by_id("x", ring.current("x").key_id) is None


@given(st.text())
def test_what_is_sealed_comes_back(text: str) -> None:
    assert unseal(RING, "a.b", seal(RING, "a.b", text)) == text


@given(st.binary(max_size=80))
def test_bytes_that_were_not_sealed_here_are_refused(stored: bytes) -> None:
    with pytest.raises(WrongKeyError):
        unseal(RING, "a.b", stored)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_found(place: int, change: int) -> None:
    stored = bytearray(seal(RING, "a.b", "nonsense"))
    stored[place % len(stored)] ^= change

    with pytest.raises(WrongKeyError):
        unseal(RING, "a.b", bytes(stored))


def test_a_value_moved_to_another_column_or_key_does_not_open() -> None:
    stored = seal(RING, "a.b", "nonsense")

    with pytest.raises(WrongKeyError, match="moved here"):
        unseal(RING, "a.c", stored)
    with pytest.raises(WrongKeyError, match="not in the key file"):
        unseal(KeyRing((b"z" * 32,)), "a.b", stored)
    assert unseal(KeyRing((b"z" * 32, b"a" * 32)), "a.b", stored) == "nonsense"


def test_a_sealed_column_cannot_be_searched(cast: Cast) -> None:
    with pytest.raises(TypeError, match="sealed"):
        Totp.objects.filter(secret="x").exists()
    assert not Totp.objects.filter(secret__isnull=True).exists()
    Totp.objects.create(account=cast.inga, secret="nonsense")
    assert Totp.objects.get().secret == "nonsense"
    assert connection.vendor in ("sqlite", "postgresql")


def test_a_slip_in_the_configuration_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAVAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KAVAL_HTTPS", "Ture")
    monkeypatch.setenv("KAVAL_IDLE_MINUTES", "600")

    with pytest.raises(ConfigurationError) as refusal:
        read_configuration()

    assert "KAVAL_HTTPS" in str(refusal.value)
    assert "KAVAL_IDLE_MINUTES" in str(refusal.value)


def test_a_word_nobody_knows_in_unit_env_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAVAL_DATA_DIR", str(tmp_path))
    (tmp_path / "unit.env").write_text("KAVAL_HOTS=example\n", encoding="ascii")

    with pytest.raises(ConfigurationError, match="HOTS"):
        read_configuration()


def test_the_database_is_named_by_one_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAVAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KAVAL_DATABASE_URL", "postgresql://kaval:p%40ss@%2Frun%2Fpg:5433/unit")
    named = read_configuration().database()
    monkeypatch.setenv("KAVAL_DATABASE_URL", "")
    embedded = read_configuration().database()
    monkeypatch.setenv("KAVAL_DATABASE_URL", "mysql://x/y")

    assert (named["NAME"], named["PASSWORD"], named["HOST"], named["PORT"]) == ("unit", "p@ss", "/run/pg", "5433")
    assert embedded["NAME"] == str(tmp_path / "kaval.sqlite3")
    with pytest.raises(ConfigurationError, match="postgresql://"):
        read_configuration().database()


def test_the_key_of_systemd_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAVAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KAVAL_KEY_FILE", str(tmp_path / "elsewhere"))
    before = read_configuration().key_path()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "kaval-key").touch()

    assert before == tmp_path / "elsewhere"
    assert read_configuration().key_path() == tmp_path / "kaval-key"


def test_the_clock_stands_only_inside_the_block() -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.stopped_at(instant):
        assert clock.now() == instant

    assert clock.now() > instant
    with pytest.raises(ValueError, match="aware"), clock.stopped_at(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass


def test_a_log_line_carries_the_sentence_and_no_value() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(ValuelessFormatter())
    logger = logging.Logger("trial")
    logger.addHandler(handler)

    logger.warning("The exhibit %s cannot be read", "Nila")
    try:
        raise KeyError("Nila")
    except KeyError:
        logger.exception("It went wrong")

    assert "The exhibit %s cannot be read" in written.getvalue()
    assert '"exception": "KeyError"' in written.getvalue()
    assert "Nila" not in written.getvalue()
