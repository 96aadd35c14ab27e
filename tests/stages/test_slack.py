"""Slack is searched where it is asked for, each run by itself, and what is found there says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kaval.core.keys import Keyring
from kaval.examination import Request, examine
from kaval.folder.views import load_manifest, open_folder
from kaval.stages.plan import Plan
from kaval.stages.verification import verify_source
from tests.filesystems.ntfs_image import CLUSTER, SECTOR, NtfsImage, mapped, named, times
from tests.recovery.samples import picture

SMALL = picture("PNG", 1, (24, 16))
LATER = picture("PNG", 2, (60, 40))
REST = picture("PNG", 3, (30, 20))
CUT = picture("JPEG", 4, (200, 150), quality=92)
LIVE = picture("PNG", 5, (60, 40))


def _disk(folder: Path) -> Path:
    """A picture behind a file, one in what a file was given and never wrote, one that is cut off, one at the end."""
    assert len(SMALL) <= CLUSTER - 2 * SECTOR
    assert max(map(len, (LATER, LIVE))) <= 2 * CLUSTER
    assert CLUSTER - SECTOR < len(CUT) <= 2 * (CLUSTER - SECTOR)
    image = NtfsImage()
    short = b"osk " * 25
    image.put(80, short.ljust(SECTOR, b"\0") + SMALL)
    image.add(30, times(), named("short.txt"), mapped(0x80, [(80, 1)], len(short)))
    image.put(90, b"benta " * 600)
    image.contents[92] = LATER
    image.used.update(range(90, 96))
    image.add(31, times(), named("given.bin"), mapped(0x80, [(90, 6)], 5 * CLUSTER, valid=3600))
    room = CLUSTER - SECTOR
    image.put(100, short.ljust(SECTOR, b"\0") + CUT[:room])
    image.put(101, bytes(SECTOR) + CUT[room:])
    for number, cluster in ((32, 100), (33, 101)):
        image.add(number, times(), named(f"next-{number}.txt"), mapped(0x80, [(cluster, 1)], len(short)))
    image.put(110, LIVE)
    image.add(34, times(), named("live.png"), mapped(0x80, [(110, 2)], len(LIVE)))
    path = folder / "disk.dd"
    path.write_bytes(image.build() + REST.ljust(4 * CLUSTER, b"\0"))
    return path


def _examined(folder: Path, name: str, *, slack: bool) -> Path:
    plan = Plan(exhibit="MO-7", source_name="disk.dd", media=False, thumbnails=False, strict=True, slack=slack)
    request = Request(source=_disk(folder), folder=folder / name, plan=plan, authority="A", operator="Inga")
    with ThreadPoolExecutor(1) as executor:
        examine(request, executor=executor)
    return folder / name


def test_slack_is_left_alone_unless_it_is_asked_for(tmp_path: Path) -> None:
    folder = _examined(tmp_path, "without", slack=False)
    manifest, connection = open_folder(folder)

    assert connection.execute("SELECT count(*) FROM entries WHERE locator LIKE '%/slack:%'").fetchone() == (0,)
    assert manifest["plan"]["slack"] is False


def test_what_lies_in_slack_is_found_and_says_where(tmp_path: Path) -> None:
    folder = _examined(tmp_path, "with", slack=True)
    _, connection = open_folder(folder)
    rows = connection.execute(
        "SELECT locator, state, content, size, sha256 FROM entries WHERE locator LIKE '%/slack:%' ORDER BY entry_id"
    ).fetchall()
    at = [80 * CLUSTER + SECTOR, 92 * CLUSTER, 100 * CLUSTER + SECTOR, 256 * CLUSTER + SECTOR]
    sizes = [len(SMALL), len(LATER), CLUSTER - SECTOR, len(REST)]

    assert [row[0] for row in rows] == [
        f"MO-7/raw/slack:{offset}+{size}" for offset, size in zip(at, sizes, strict=True)
    ]
    assert {row[1] for row in rows} == {"carved"}
    assert [row[2] for row in rows] == ["intact", "intact", "partial", "intact"]
    assert load_manifest(folder)["plan"]["slack"] is True
    beyond = -len(LIVE) % CLUSTER // SECTOR * SECTOR
    size = 3 * (CLUSTER - SECTOR) + (6 * CLUSTER - 8 * SECTOR) + beyond + 4 * CLUSTER
    assert connection.execute("SELECT sum(length) FROM unallocated WHERE source = 'MO-7/raw/slack'").fetchone() == (
        size,
    )


@pytest.mark.parametrize("slack", [True, False])
def test_every_locator_leads_back_to_its_bytes(tmp_path: Path, slack: bool) -> None:
    folder = _examined(tmp_path, "checked", slack=slack)
    checks = list(verify_source(folder, tmp_path / "disk.dd", Keyring(), everything=True))

    assert [check for check in checks if check.passed is not True] == []
    assert any("/slack:" in check.what for check in checks) is slack
