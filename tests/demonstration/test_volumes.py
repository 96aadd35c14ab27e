"""The volume writers: what they write is valid, read back by another reader, and deleted as they say."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from demonstration.exfat import ExfatWriter
from demonstration.ext4 import Ext4Writer
from demonstration.fat32 import Fat32Writer
from demonstration.life import BEGAN_AT
from demonstration.ntfs import NtfsWriter
from demonstration.programs import find_program, run_program
from demonstration.space import Fate, Placement, Run, Space, VolumeFullError
from demonstration.volumes import Placed, VolumeWriter, fragments

NAMES = (
    "DCIM/Camera/IMG_%04d.jpg", "Users/User/Downloads/മഴ പുഴ %d.png", "चित्र/पहाड़ %d और नदी.jpg", "A/B/C/%d.TXT",
    "top %d.bin",
)  # fmt: skip
SIZES = (0, 1, 100, 700, 3000, 9000, 60_000, 200_000)


def _ntfs(view: memoryview) -> VolumeWriter:
    return NtfsWriter.create(view, label="KAVAL", start_sector=2048, at=BEGAN_AT)


def _fat32(view: memoryview) -> VolumeWriter:
    return Fat32Writer(view, label="KAVAL", serial=1, at=BEGAN_AT)


def _exfat(view: memoryview) -> VolumeWriter:
    return ExfatWriter(view, label="KAVAL", serial=1, at=BEGAN_AT)


def _ext4(view: memoryview) -> VolumeWriter:
    return Ext4Writer.create(view, label="KAVAL", serial=1, at=BEGAN_AT)


@dataclass
class Lived:
    """A volume on which files came and went."""

    image: bytes
    writer: VolumeWriter
    live: dict[str, bytes] = field(default_factory=dict)
    deleted: dict[str, bytes] = field(default_factory=dict)
    placed: dict[str, tuple[int, Placed]] = field(default_factory=dict)


KINDS: dict[str, tuple[int, str, Callable[[memoryview], VolumeWriter]]] = {
    "ntfs": (24, "mkntfs", _ntfs),
    "fat32": (72, "", _fat32),
    "exfat": (20, "", _exfat),
    "ext4": (24, "mke2fs", _ext4),
}


def _live(name: str) -> Lived:
    size, maker, make = KINDS[name]
    if maker and find_program(maker) is None:
        pytest.skip(f"{maker} is absent (make system installs it)")
    buffer = bytearray(size << 20)
    writer = make(memoryview(buffer))
    chance = random.Random(11)
    lived = Lived(b"", writer)
    clock = iter(BEGAN_AT + timedelta(hours=hour) for hour in range(1, 10_000))
    for count, placement, goes in ((120, Placement.FIRST, 40), (50, Placement.SCATTERED, 30)):
        for _ in range(count):
            number = len(lived.placed)
            path, content = NAMES[number % 5] % number, chance.randbytes(chance.choice(SIZES))
            at: datetime = next(clock)
            lived.placed[path] = number, writer.write(path, content, at=at, writer=number, placement=placement)
            lived.live[path] = content
        for path in chance.sample(sorted(lived.live), goes):
            writer.delete(path, at=next(clock))
            lived.deleted[path] = lived.live.pop(path)
    writer.finish()
    lived.image = bytes(buffer)
    return lived


@pytest.fixture(name="lived", scope="module", params=sorted(KINDS))
def _lived(request: pytest.FixtureRequest) -> tuple[str, Lived]:
    return request.param, _live(request.param)


CHECKS = {
    "ntfs": ("ntfsfix", ("-n",), "ntfs-3g"),
    "fat32": ("fsck.fat", ("-n",), "dosfstools"),
    "exfat": ("fsck.exfat", ("-n",), "exfatprogs"),
    "ext4": ("e2fsck", ("-fn",), "e2fsprogs"),
}


def test_the_file_systems_own_checker_finds_nothing_to_mend(lived: tuple[str, Lived], tmp_path: Path) -> None:
    name, volume = lived
    program, arguments, package = CHECKS[name]
    if find_program(program) is None:
        pytest.skip(f"{program} is absent (make system installs it)")
    image = tmp_path / "volume.img"
    image.write_bytes(volume.image)

    told = run_program(program, *arguments, image, package=package)
    assert "corrupt" not in told.lower()
    if name == "ntfs":
        told = run_program("ntfsresize", "--info", "--force", image, package=package)
        assert "Collecting resizing constraints" in told
        assert "ERROR" not in told


def test_another_reader_gives_every_live_file_back(lived: tuple[str, Lived], tmp_path: Path) -> None:
    pytsk3 = pytest.importorskip("pytsk3")
    image = tmp_path / "volume.img"
    image.write_bytes(lived[1].image)
    file_system = pytsk3.FS_Info(pytsk3.Img_Info(str(image)))

    def read(path: str) -> bytes:
        file = file_system.open("/" + path)
        size = file.info.meta.size
        return bytes(file.read_random(0, size)) if size else b""

    assert {path: read(path) for path in lived[1].live} == lived[1].live


def _heap(volume: Lived) -> int:
    """Return where the first cluster of a FAT or exFAT volume lies, by its boot sector."""
    if volume.image[3:8] == b"EXFAT":
        return int(struct.unpack_from("<I", volume.image, 88)[0]) * 512
    reserved, tables, sectors = struct.unpack_from("<HB19xI", volume.image, 14)
    return int(reserved + tables * sectors) * 512


def test_what_the_truth_calls_whole_is_there_and_what_it_calls_overwritten_is_not(lived: tuple[str, Lived]) -> None:
    volume = lived[1]
    fates = dict.fromkeys(Fate, 0)
    for path, content in volume.deleted.items():
        number, placed = volume.placed[path]
        if not placed.runs:
            continue
        fate = volume.writer.space.fate(placed.runs, number)
        fates[fate] += 1
        stored = _stored(volume, placed)[: len(content)]
        assert (stored == content) is (fate is Fate.WHOLE), path

    assert fates[Fate.WHOLE] > 15
    assert fates[Fate.OVERWRITTEN] > 2


def _stored(volume: Lived, placed: Placed) -> bytes:
    first, size = volume.writer.space.first, volume.writer.cluster_size
    start = _heap(volume) if first else 0
    offsets = [(start + (run.start - first) * size, run.length * size) for run in placed.runs]
    return b"".join(volume.image[offset : offset + length] for offset, length in offsets)


def test_some_files_lie_in_pieces(lived: tuple[str, Lived]) -> None:
    pieces = [fragments(placed.runs) for _, placed in lived[1].placed.values()]

    assert max(pieces) > 1
    assert max(pieces) <= 4


def test_the_same_life_gives_the_same_bytes(lived: tuple[str, Lived]) -> None:
    name, volume = lived

    assert _live(name).image == volume.image


def test_the_journal_of_ext4_tells_the_whole_history(tmp_path: Path) -> None:
    """Replayed from its first transaction by ``e2fsck``, it leads to the very same volume."""
    if find_program("e2fsck") is None:
        pytest.skip("e2fsck is absent (make system installs it)")
    volume = bytearray(_live("ext4").image)
    table = struct.unpack_from("<I", volume, 4096 + 8)[0]
    journal = struct.unpack_from("<I", volume, table * 4096 + 7 * 256 + 40 + 12 + 8)[0] * 4096
    assert struct.unpack_from(">I", volume, journal)[0] == 0xC03B3998
    before = bytes(volume)
    struct.pack_into(">II", volume, journal + 24, 1, 1)
    features = struct.unpack_from("<I", volume, 1024 + 96)[0]
    struct.pack_into("<I", volume, 1024 + 96, features | 4)
    image = tmp_path / "volume.img"
    image.write_bytes(volume)

    told = run_program("e2fsck", "-fy", image, package="e2fsprogs")
    after = image.read_bytes()
    assert "recovering journal" in told
    blocks = {at // 4096 for at in range(0, len(after), 512) if before[at : at + 512] != after[at : at + 512]}
    assert blocks <= {0, journal // 4096}


def test_room_is_found_in_front_behind_or_in_pieces() -> None:
    space = Space(2, 20)
    first = space.allocate(4, 1)
    space.allocate(2, 2)
    space.release(first)

    assert space.allocate(2, 3, Placement.AFTER) == [Run(8, 2)]
    assert space.allocate(6, 4, Placement.SCATTERED) == [Run(2, 4), Run(10, 2)]
    assert space.fate(first, 1) is Fate.OVERWRITTEN
    assert space.fate([Run(6, 2)], 2) is Fate.WHOLE
    assert space.fate([Run(5, 2)], 2) is Fate.PARTLY
    assert not space.is_used(21)
    with pytest.raises(VolumeFullError):
        space.allocate(11, 5)
