"""Stores of thumbnails: each picture a file that leads back to its bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping

import pytest

from kaval.containers import CONTAINERS
from kaval.core.errors import KavalError
from kaval.core.records import ContentState, Entry, EntryState, NoticeCode
from kaval.core.sources import ByteSource, BytesSource
from tests.containers.contract import check_tree, entries_of, no_siblings, notices_of, read_all
from tests.spoilt import SECTOR, SpoiltSource

JPEG = b"\xff\xd8\xff\xe0" + b"tarn" * 20 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + b"osk" * 40
LARGE = b"\xff\xd8\xff\xe1" + bytes(range(256)) * 20


def _cache(version: int, pictures: list[tuple[int, str, bytes]]) -> bytes:
    """Return a thumbnail cache of a version of Windows."""
    parts = [b"CMMM" + struct.pack("<IIII", version, 1, 24, 0) + bytes(4)]
    for number, name, content in pictures:
        stored = name.encode("utf-16-le")
        padding = -len(stored) % 8
        sizes = struct.pack("<III", len(stored), padding, len(content))
        if version == 20:
            head = struct.pack("<Q", number) + "jpg".encode("utf-16-le").ljust(8, b"\0") + sizes + bytes(4 + 16)
        elif version == 21:
            head = struct.pack("<Q", number) + sizes + bytes(4 + 16)
        else:
            head = struct.pack("<Q", number) + sizes + struct.pack("<III", 96, 96, 0) + bytes(16)
        body = head + stored + bytes(padding) + content
        parts.append(b"CMMM" + struct.pack("<I", 8 + len(body)) + body)
    return b"".join(parts)


def _open(content: bytes, name: str) -> Mapping[str, bytes]:
    source = BytesSource(content)
    capability = next(one for one in CONTAINERS.available() if one.probe(source, name))
    tree = capability.open(source, name, no_siblings).tree
    assert tree is not None
    return {entry.path: read_all(tree, entry, source) for entry in entries_of(tree)}


@pytest.mark.parametrize("version", [20, 21, 30, 32])
def test_a_cache_lists_its_pictures_whatever_the_version_of_windows(version: int) -> None:
    content = _cache(version, [(7, "0000000000000007", JPEG), (8, "", b""), (9, "", PNG)])

    assert _open(content, "thumbcache_96.db") == {"0000000000000007.jpg": JPEG, "0000000000000009.png": PNG}


def test_damage_in_a_cache_costs_one_picture_and_is_told() -> None:
    content = bytearray(_cache(32, [(1, "", JPEG), (2, "", JPEG), (3, "", PNG)]))
    second = content.index(b"CMMM", content.index(b"CMMM", 8) + 4)
    content[second + 24 : second + 28] = b"\xff" * 4
    source = BytesSource(bytes(content))
    tree = CONTAINERS.get("thumbcache").open(source, "t.db", no_siblings).tree

    assert [entry.path[-5:] for entry in entries_of(tree)] == ["1.jpg", "3.png"]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]


def test_a_bad_sector_in_a_cache_is_told_and_costs_the_pictures_that_begin_in_it() -> None:
    content = _cache(32, [(number, "", JPEG.ljust(3000, b"\1")) for number in range(40)])
    head = content.index((3).to_bytes(8, "little"), 24) // SECTOR
    container = CONTAINERS.get("thumbcache")
    whole = container.open(BytesSource(content), "t.db", no_siblings).tree
    tree = container.open(SpoiltSource(content, {head}), "t.db", no_siblings).tree

    assert [entry for entry in entries_of(whole) if entry not in entries_of(tree)] == [entries_of(whole)[3]]
    assert {(notice.code, (notice.offset or 0) // SECTOR) for notice in notices_of(tree)} == {
        (NoticeCode.UNREADABLE, head)
    }


def _thumbdata(pictures: Mapping[int, bytes], unused: frozenset[int] = frozenset()) -> bytes:
    content = bytearray(10_000 * (max(pictures) + 1))
    for number, picture in pictures.items():
        block = struct.pack(">BqI", number not in unused, 77, len(picture)) + picture
        content[number * 10_000 : number * 10_000 + len(block)] = block
    return bytes(content)


def test_thumbnails_of_android_are_listed_by_their_number() -> None:
    content = _thumbdata({1: JPEG, 3: JPEG[:-5], 600: LARGE}, unused=frozenset({3}))
    source = BytesSource(content)
    tree = CONTAINERS.get("thumbdata").open(source, ".thumbdata3--1967290299", no_siblings).tree
    first, gone, last = entries_of(tree)

    assert (first.path, first.state, read_all(tree, first, source)) == ("1.jpg", EntryState.ALLOCATED, JPEG)
    assert gone.state is EntryState.DELETED
    assert read_all(tree, last, source) == LARGE


def test_a_bad_sector_among_thumbnails_of_android_costs_one_of_them() -> None:
    content = _thumbdata(dict.fromkeys(range(5), LARGE))
    container = CONTAINERS.get("thumbdata")
    head, body = (3 * 10_000) // SECTOR, 12_000 // SECTOR
    tree = container.open(SpoiltSource(content, {head, body}), ".thumbdata3", no_siblings).tree

    assert [entry.path for entry in entries_of(tree)] == ["0.jpg", "1.jpg", "2.jpg", "4.jpg"]
    assert [(notice.code, notice.offset) for notice in notices_of(tree)] == [(NoticeCode.UNREADABLE, 30_000)]


def test_a_thumbnail_longer_than_its_block_is_said_to_be_partial() -> None:
    content = bytearray(_thumbdata({0: JPEG}))
    content[9:13] = struct.pack(">I", 20_000)
    tree = CONTAINERS.get("thumbdata").open(BytesSource(bytes(content)), ".thumbdata3", no_siblings).tree
    (entry,) = entries_of(tree)

    assert (entry.content, entry.size) == (ContentState.PARTIAL, 10_000 - 13)


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file of version 3 with these streams, small ones inside the root's stream."""
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    sectors: list[bytes] = []
    fat: list[int] = []

    def place(content: bytes) -> int:
        first = len(sectors)
        count = -(-len(content) // 512)
        for number in range(count):
            sectors.append(content[number * 512 : number * 512 + 512].ljust(512, b"\0"))
            fat.append(len(fat) + 1 if number < count - 1 else end)
        return first if count else end

    mini, records = b"", []
    mini_fat: list[int] = []
    for name, content in streams.items():
        if len(content) < 4096:
            first = len(mini_fat)
            count = -(-len(content) // 64)
            mini_fat += [first + step + 1 for step in range(count - 1)] + ([end] if count else [])
            mini += content.ljust(count * 64, b"\0")
        else:
            first = place(content)
        records.append((name, 2, first, len(content)))
    records.insert(0, ("Root Entry", 5, place(mini), len(mini)))
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HBB", len(name) * 2 + 2, kind, 1)
        + struct.pack("<III", free, free, free) + bytes(36) + struct.pack("<IQ", first, size)
        for name, kind, first, size in records
    )  # fmt: skip
    directory_at = place(directory.ljust(-(-len(directory) // 512) * 512, b"\0"))
    mini_fat_at = place(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(512, b"\xff"))
    fat_at = len(sectors)
    fat.append(0xFFFFFFFD)
    sectors.append(struct.pack(f"<{len(fat)}I", *fat).ljust(512, b"\xff"))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIIII", 0, 1, directory_at, 0, 4096, mini_fat_at, 1, end, 0, fat_at)
    return head.ljust(512, b"\xff") + b"".join(sectors)


def _catalog(names: Mapping[int, str]) -> bytes:
    records = b""
    for number, name in names.items():
        stored = name.encode("utf-16-le") + b"\0\0\0\0"
        records += struct.pack("<IIQ", 16 + len(stored), number, 132_539_328_000_000_000) + stored
    return struct.pack("<HHIII", 16, 7, len(names), 96, 96) + records


def _thumbs() -> bytes:
    def old(content: bytes) -> bytes:
        return struct.pack("<III", 12, 1, len(content)) + content

    return compound(
        {"1": old(JPEG), "21": old(LARGE), "Catalog": _catalog({1: "lopel.jpg", 12: "vindra.jpg"}),
         "96_1a2b": struct.pack("<IIQQ", 24, 1, 0, 0) + PNG, "Other": b"no picture"}
    )  # fmt: skip


def test_thumbs_db_names_the_files_its_pictures_were_made_of() -> None:
    assert _open(_thumbs(), "Thumbs.db") == {"lopel.jpg": JPEG, "vindra.jpg": LARGE, "96_1a2b.png": PNG}


def test_thumbs_db_tells_when_the_files_were_changed() -> None:
    tree = CONTAINERS.get("thumbsdb").open(BytesSource(_thumbs()), "Thumbs.db", no_siblings).tree
    first = entries_of(tree)[0]

    assert (first.times.modified, first.times.zone) == (1_609_459_200_000_000_000, "utc")


@pytest.mark.parametrize(
    ("name", "content", "file"),
    [
        ("thumbcache", _cache(32, [(1, "x", JPEG), (2, "", PNG)]), "thumbcache_96.db"),
        ("thumbdata", _thumbdata({1: JPEG, 2: PNG}), ".thumbdata3--1967290299"),
        ("thumbsdb", _thumbs(), "Thumbs.db"),
    ],
)
def test_every_store_of_thumbnails_keeps_the_contract(name: str, content: bytes, file: str) -> None:
    check_tree(CONTAINERS.get(name).open, content, file)
    chance = random.Random(name)
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 4, 16))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        _list(name, BytesSource(bytes(damaged[: chance.randrange(1, len(damaged))])), file)
        _list(name, BytesSource(bytes(damaged)), file)


def _list(name: str, source: ByteSource, file: str) -> None:
    try:
        tree = CONTAINERS.get(name).open(source, file, no_siblings).tree
        assert tree is not None
        for record in tree.entries():
            if isinstance(record, Entry):
                assert len(read_all(tree, record, source)) == record.size
    except KavalError:
        return
