from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems.iso9660 import IsoFileSystem
from kaval.filesystems.udf import UdfFileSystem
from tests.filesystems.contract import digests, listing, mutations, stream_of, survives

UDF = UdfFileSystem()
SIZE = 2048
START = 300
STAMP = struct.pack("<HhBBBBBBBB", 1 << 12 | 330, 2024, 5, 17, 12, 0, 0, 25, 0, 0)


def tagged(kind: int, body: bytes) -> bytes:
    """Return a descriptor with its tag."""
    head = bytearray(struct.pack("<HHBBHHHI", kind, 2, 0, 0, 1, 0, 0, 0))
    head[4] = sum(head) & 0xFF
    return bytes(head) + body


def wide(block: int, length: int = SIZE, partition: int = 0) -> bytes:
    return struct.pack("<IIH6x", length, block, partition)


def entry(kind: int, size: int, area: bytes, form: int = 0) -> bytes:
    """Return a file entry with its allocation descriptors, or its content, in ``area``."""
    icb = struct.pack("<IHHHBBIHH", 0, 4, 0, 1, 0, kind, 0, 0, form)
    body = icb + struct.pack("<III", 1000, 0xFFFFFFFF, 0) + struct.pack("<HBBI", 1, 0, 0, 0)
    body += struct.pack("<QQ", size, 0) + STAMP * 3 + bytes(60) + struct.pack("<II", 0, len(area))
    return tagged(261, body + area)


def identifier(name: str, block: int, characteristics: int = 0) -> bytes:
    raw = b"" if not name else b"\x10" + name.encode("utf-16-be")
    body = struct.pack("<HBB", 1, characteristics, len(raw)) + wide(block) + struct.pack("<H", 0) + raw
    return tagged(257, body).ljust((38 + len(raw) + 3) // 4 * 4, b"\0")


def image(
    blocks: dict[int, bytes], maps: bytes | None = None, *, count: int = 1, file_set: bytes | None = None
) -> bytes:
    """Return an image: ``blocks`` are those of the partition, which starts at block 300."""
    sectors: dict[int, bytes] = {
        16: b"\0BEA01\x01", 17: b"\0NSR02\x01", 18: b"\0TEA01\x01",
        256: tagged(2, struct.pack("<IIII", 16 * SIZE, 32, 16 * SIZE, 32)),
    }  # fmt: skip
    partition = struct.pack("<IHH", 1, 1, 0).ljust(40, b"\0") + bytes(8) + struct.pack("<II", SIZE, 1)
    partition = partition.ljust(172, b"\0") + struct.pack("<II", 100, 0)
    partition = partition[:172] + struct.pack("<II", START, 100)
    sectors[32] = tagged(5, partition)
    maps = struct.pack("<BBHH", 1, 6, 1, 0) if maps is None else maps
    label = b"\x08VINDRA".ljust(127, b"\0") + b"\x07"
    logical = (
        struct.pack("<I", 1).ljust(68, b"\0") + label + struct.pack("<I", SIZE) + bytes(32) + (file_set or wide(0))
    )
    logical += struct.pack("<II", len(maps), count) + bytes(168) + maps
    sectors[33] = tagged(6, logical)
    sectors[34] = tagged(8, bytes(496))
    free = bytearray(13)
    for block in range(60, 80):
        free[block >> 3] |= 1 << (block & 7)
    whole = {0: tagged(256, bytes(384) + wide(2)), 1: tagged(264, struct.pack("<II", 100, 13) + bytes(free)), **blocks}
    sectors.update({START + block: content for block, content in whole.items()})
    out = bytearray(420 * SIZE)
    for sector, content in sectors.items():
        out[sector * SIZE : sector * SIZE + len(content)] = content
    return bytes(out)


def short(*runs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<II", length, block) for length, block in runs)


def simple() -> bytes:
    names = (
        identifier("", 2, 0x0A)
        + identifier("തരുൺ", 4, 0x02)
        + identifier("osk.txt", 5)
        + identifier("gone.bin", 6, 0x04)
    )
    below = identifier("", 2, 0x0A) + identifier("pieces.bin", 7)
    return image(
        {
            2: entry(4, len(names), short((len(names), 3))),
            3: names,
            4: entry(4, len(below), below, form=3),
            5: entry(5, 9, b"osk mirul", form=3),
            6: entry(5, 3000, short((3000, 20))),
            7: entry(5, 2 * SIZE + 700, short((SIZE, 30), (SIZE | 1 << 30, 31), (700, 40))),
            20: b"g" * SIZE, 21: b"g" * 952, 30: b"a" * SIZE, 31: b"x" * SIZE, 40: b"b" * 700,
        }
    )  # fmt: skip


def by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {found.path: found for found in entries}


def test_living_names_come_first_then_those_marked_as_deleted() -> None:
    disc = simple()
    tree, entries, notices = listing(UDF, disc)
    found = by_path(entries)
    source = BytesSource(disc)

    assert list(found) == ["തരുൺ", "osk.txt", "തരുൺ/pieces.bin", "gone.bin"]
    assert stream_of(tree, source, found["osk.txt"]) == b"osk mirul"
    assert stream_of(tree, source, found["തരുൺ/pieces.bin"]) == b"a" * SIZE + bytes(SIZE) + b"b" * 700
    assert (found["gone.bin"].state, found["gone.bin"].content) == (EntryState.DELETED, ContentState.ASSUMED)
    assert stream_of(tree, source, found["gone.bin"]) == b"g" * 3000
    assert found["തരുൺ"].kind is EntryKind.DIRECTORY
    assert (found["osk.txt"].times.zone, found["osk.txt"].times.modified) == ("+05:30", 1715947200_250000000)
    assert (found["osk.txt"].owner, found["osk.txt"].group) == ("1000", None)
    assert tree.facts["label"] == "VINDRA"
    assert not notices


def test_free_space_is_what_the_space_bitmap_calls_free() -> None:
    tree, _, _ = listing(UDF, simple())

    assert [(extent.offset // SIZE, extent.length // SIZE) for extent in tree.unallocated()] == [(START + 60, 20)]


def test_a_directory_that_leads_back_is_walked_once() -> None:
    names = identifier("", 2, 0x0A) + identifier("again", 2, 0x02)
    disc = image({2: entry(4, len(names), names, form=3)})

    _, entries, notices = listing(UDF, disc)

    assert [found.path for found in entries] == ["again"]
    assert [notice.code for notice in notices] == [NoticeCode.LOOP]


def test_damaged_names_and_entries_are_told_with_their_place() -> None:
    names = identifier("", 2, 0x0A) + identifier("nothing.bin", 50) + b"\x99" * 60
    disc = image({2: entry(4, len(names), short((len(names), 3))), 3: names})

    _, entries, notices = listing(UDF, disc)

    assert [(found.path, found.content) for found in entries] == [("nothing.bin", ContentState.GONE)]
    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED, NoticeCode.DAMAGED]
    assert notices[1].offset == (START + 3) * SIZE + len(names) - 60


def test_a_metadata_partition_is_read_through_its_file() -> None:
    maps = struct.pack("<BBHH", 1, 6, 1, 0)
    maps += struct.pack(
        "<BB2xB23s8xHHIIIIHB5x", 2, 64, 0, b"*UDF Metadata Partition", 1, 0, 10, 11, 0xFFFFFFFF, 32, 1, 1
    )
    names = identifier("", 1, 0x0A) + tagged(
        257, struct.pack("<HBB", 1, 0, 4) + wide(2, partition=1) + struct.pack("<H", 0) + b"\x08osk"
    ).ljust(44, b"\0")
    disc = image(
        {
            11: entry(250, 3 * SIZE, short((2 * SIZE, 40), (SIZE, 50))),
            40: tagged(256, bytes(384) + wide(1, partition=1)),
            41: entry(4, len(names), names, form=3),
            50: entry(5, 700, wide(60, 700), form=1),
            60: b"b" * 700,
        },
        maps, count=2, file_set=wide(0, partition=1),
    )  # fmt: skip

    tree, entries, notices = listing(UDF, disc)

    assert [found.path for found in entries] == ["osk"]
    assert stream_of(tree, BytesSource(disc), entries[0]) == b"b" * 700
    assert not notices


def test_a_virtual_partition_is_refused_by_name() -> None:
    maps = struct.pack("<BB2xB23s8xHH24x", 2, 64, 0, b"*UDF Virtual Partition", 1, 0)

    with pytest.raises(UnsupportedError, match="Virtual"):
        UDF.open(BytesSource(image({}, maps)), Keyring())


def test_a_sequence_without_an_anchor_is_damage() -> None:
    disc = bytearray(simple())
    disc[256 * SIZE : 257 * SIZE] = bytes(SIZE)

    assert UDF.probe(BytesSource(bytes(disc)))
    with pytest.raises(CorruptStructureError, match="anchor"):
        UDF.open(BytesSource(bytes(disc)), Keyring())


def test_a_disc_made_by_another_tool_gives_its_files_and_one_beside_iso_9660_what_it_alone_has(tmp_path: Path) -> None:
    maker = shutil.which("genisoimage")
    if maker is None:
        pytest.skip("genisoimage is absent")
    folder = tmp_path / "tree" / "a folder"
    folder.mkdir(parents=True)
    wanted = {}
    for number in range(30):
        path = folder / f"file number {number} മഴ.txt"
        path.write_bytes(f"osk {number} ".encode() * (1 + 40 * number))
        wanted[str(path.relative_to(tmp_path / "tree"))] = hashlib.md5(path.read_bytes()).hexdigest()
    target = tmp_path / "disc.iso"
    subprocess.run(
        [maker, "-quiet", "-udf", "-R", "-o", str(target), str(tmp_path / "tree")], check=True, capture_output=True
    )
    disc = target.read_bytes()

    tree, entries, _ = listing(UDF, disc)
    assert digests(tree, disc, entries) == wanted

    tree, entries, _ = listing(IsoFileSystem(), disc)
    assert digests(tree, disc, entries) == wanted
    assert tree.facts["also"] == "UDF"


@pytest.mark.parametrize("seed", range(6))
def test_damage_ends_in_records_notices_or_our_own_errors(seed: int) -> None:
    places = [(256 * SIZE, 32), (32 * SIZE, 220), (33 * SIZE, 450)]
    places += [((START + block) * SIZE, 260) for block in (0, 1, 2, 3, 4, 5, 7)]

    for damaged in mutations(simple(), 50, seed, places):
        survives(UDF, damaged)
