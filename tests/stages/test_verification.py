"""What was recovered opens again from its locator: something of every kind is tried; what fails is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kaval.core.keys import Keyring
from kaval.core.locators import Locator
from kaval.examination import Request, examine
from kaval.folder.views import open_folder
from kaval.stages import verification
from kaval.stages.opening import Opener
from kaval.stages.plan import Plan
from kaval.stages.verification import Check, check_stream, verify_source
from tests.filesystems.ntfs_image import CLUSTER, mapped, named, resident, times
from tests.recovery.ntfs_traces import add_change_journal, add_log, change, pages
from tests.recovery.samples import picture
from tests.recovery.test_ntfs_logfile import life, tarn

LOG = 140 * CLUSTER


@pytest.fixture(name="examined", scope="module")
def _examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with files of every origin: living, deleted, told by log and journal, carved, in slack."""
    folder = tmp_path_factory.mktemp("verified")
    image = tarn()
    add_log(image, life())
    add_change_journal(image, pages(change(40, 7, "quor.bin", 30, reason=0x200)))
    image.add(41, times(), named("silde.txt", 30, 1), resident(0x80, b"silde"), flags=0, sequence=2)
    for number, cluster in ((1, 200), (2, 210)):
        image.put(cluster, picture("PNG", number, (60, 40)), used=False)
    image.put(220, (b"osk " * 25).ljust(512, b"\0") + picture("PNG", 3, (24, 16)))
    image.add(42, times(), named("short.txt", 30, 1), mapped(0x80, [(220, 1)], 100))
    (folder / "disk.dd").write_bytes(image.build())
    plan = Plan(exhibit="MO-7", source_name="disk.dd", media=False, thumbnails=False, slack=True, strict=True)
    request = Request(source=folder / "disk.dd", folder=folder / "out", plan=plan, authority="A", operator="Inga")
    with ThreadPoolExecutor(1) as executor:
        examine(request, executor=executor)
    return folder


def _checks(folder: Path, image: Path, *, everything: bool = False) -> list[Check]:
    return list(verify_source(folder / "out", image, Keyring(), everything=everything))


def test_every_kind_of_recovered_stream_is_in_the_sample(examined: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SAMPLE", 1)
    monkeypatch.setattr(verification, "A_KIND", 1)
    checks = _checks(examined, examined / "disk.dd")
    streams = [check.what for check in checks if not check.what.startswith("what ")]

    assert [check for check in checks if check.passed is not True] == []
    assert len(streams) < len(_checks(examined, examined / "disk.dd", everything=True)) - 4
    for layer in ("/carve:", "/slack:", "/ntfs-logfile:", "/ntfs:41-"):
        assert any(layer in stream for stream in streams), layer


def test_what_logs_and_journals_told_is_asked_of_them_again(examined: Path) -> None:
    told = [check.what for check in _checks(examined, examined / "disk.dd") if check.what.startswith("what ")]

    assert told == ["what ntfs-logfile told of MO-7/raw", "what ntfs-usn told of MO-7/raw"]


def test_what_a_log_does_not_tell_any_more_fails(examined: Path, tmp_path: Path) -> None:
    content = bytearray((examined / "disk.dd").read_bytes())
    content[LOG : LOG + 24 * CLUSTER] = bytes(24 * CLUSTER)
    (tmp_path / "disk.dd").write_bytes(content)
    failed = {check.what: check.reason for check in _checks(examined, tmp_path / "disk.dd") if check.passed is False}

    assert failed["what ntfs-logfile told of MO-7/raw"] == "of 1 entries on record 1 are not told now"
    assert "what ntfs-usn told of MO-7/raw" not in failed


def test_a_recovered_stream_opens_by_its_locator_alone(examined: Path) -> None:
    _, connection = open_folder(examined / "out")
    rows = connection.execute(
        "SELECT locator, sha256, read_size FROM entries WHERE recovered_by IS NOT NULL AND sha256 IS NOT NULL"
    ).fetchall()
    opener = Opener(examined / "disk.dd", "MO-7", Keyring())
    checks = [
        check_stream(locator, sha256, size, lambda text: opener.source(Locator.parse(text)))
        for locator, sha256, size in rows
    ]

    assert len(checks) >= 4
    assert [check for check in checks if not check.passed] == []
