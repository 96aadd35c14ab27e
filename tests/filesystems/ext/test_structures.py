"""The parts of the ext reader, each against a plain model of what it does."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kaval.filesystems.checksums.crc32c import crc32c, crc32c_rows
from kaval.filesystems.deleted.claims import Claims
from kaval.filesystems.ext.attributes import inline_ranges
from kaval.filesystems.ext.bitmaps import true_runs
from kaval.filesystems.ext.directories import is_index_block, read_names, self_number
from kaval.filesystems.ext.inodes import EXTENTS_FLAG, Inode
from kaval.filesystems.ext.mapping import Layout, Run, map_blocks, stream_extents
from kaval.filesystems.ext.superblock import Superblock, group_has_superblock, parse_superblock
from tests.filesystems.ext.volumes import kept_image


def superblock_with(**fields: int) -> Superblock:
    from dataclasses import replace

    found = parse_superblock(kept_image("ext4")[1024:2048], 1024)
    assert found is not None
    return replace(found, **fields)  # type: ignore[arg-type]


def inode_with(block_map: bytes, *, size: int, flags: int = 0) -> Inode:
    return Inode(11, 0x81A4, 0, 0, size, 1, 0, flags, block_map.ljust(60, b"\0"), 0, 0, 0, 0, 0, None, 0, b"")


def mapped(inode: Inode, blocks: dict[int, bytes] | None = None) -> Layout:
    return map_blocks(inode, (blocks or {}).__getitem__, 1024, 1, 10_000)


def test_the_checksum_is_that_of_rfc_3720() -> None:
    assert crc32c(0xFFFFFFFF, b"123456789") ^ 0xFFFFFFFF == 0xE3069283
    assert crc32c(0xFFFFFFFF, bytes(32)) ^ 0xFFFFFFFF == 0x8A9136AA


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_many_checksums_at_once_are_those_one_by_one(noise: list[int], seed: int) -> None:
    parts = [Random(number).randbytes(8192) for number in noise]
    rows = np.frombuffer(b"".join(parts), np.uint8).reshape(len(parts), -1)
    sums = crc32c_rows(np.full(len(parts), seed, np.uint32), rows)

    assert [int(value) for value in sums] == [crc32c(crc32c(seed, part[:4000]), part[4000:]) for part in parts]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=30))
def test_claims_are_a_set_of_blocks(runs: list[tuple[int, int]]) -> None:
    claims, model = Claims(), set[int]()
    for first, count in runs:
        assert claims.among(first, count).tolist() == [block in model for block in range(first, first + count)]
        claims.add(first, count)
        model |= set(range(first, first + count))


@given(st.lists(st.booleans(), max_size=50))
def test_runs_of_bits_cover_the_bits(bits: list[bool]) -> None:
    found = [False] * len(bits)
    for start, length in true_runs(np.array(bits, np.bool_)):
        assert not any(found[start : start + length])
        found[start : start + length] = [True] * length

    assert found == bits


def test_a_block_map_is_followed_through_three_levels() -> None:
    pointers = 256
    blocks = {
        100: struct.pack(f"<{pointers}I", *range(500, 500 + pointers)),
        101: struct.pack("<I", 102).ljust(1024, b"\0"),
        102: struct.pack("<2I", 2000, 0).ljust(1024, b"\0"),
        103: struct.pack("<I", 104).ljust(1024, b"\0"),
        104: struct.pack("<I", 105).ljust(1024, b"\0"),
        105: struct.pack("<I", 3000).ljust(1024, b"\0"),
    }
    block_map = struct.pack("<15I", *range(20, 32), 100, 101, 103)
    layout = mapped(inode_with(block_map, size=1024 * (12 + 256 + 65536 + 1)), blocks)

    assert layout.problem is None
    assert layout.runs == [Run(0, 20, 12), Run(12, 500, 256), Run(268, 2000, 1), Run(65804, 3000, 1)]
    assert sorted(layout.tree_blocks) == [100, 101, 102, 103, 104, 105]


def test_a_block_map_that_leads_back_to_itself_ends() -> None:
    blocks = {101: struct.pack("<I", 101).ljust(1024, b"\0")}
    layout = mapped(inode_with(struct.pack("<15I", *[0] * 13, 101, 0), size=1 << 30), blocks)

    assert layout.problem == "the map leads to block 101 a second time"
    assert layout.problem_block == 101


def test_an_extent_tree_that_leads_back_to_itself_ends() -> None:
    node = struct.pack("<HHHHI", 0xF30A, 1, 84, 1, 0) + struct.pack("<IIHH", 0, 50, 0, 0)
    root = struct.pack("<HHHHI", 0xF30A, 1, 4, 2, 0) + struct.pack("<IIHH", 0, 50, 0, 0)
    layout = mapped(inode_with(root, size=1 << 20, flags=EXTENTS_FLAG), {50: node.ljust(1024, b"\0")})

    assert layout.runs == []
    assert layout.problem == "a node of the extent tree claims 1 of 84 entries at depth 1" or "second time" in (
        layout.problem or ""
    )


def test_extents_that_go_on_are_joined_and_reserved_ones_are_sparse() -> None:
    root = struct.pack("<HHHHI", 0xF30A, 3, 4, 0, 0)
    root += struct.pack("<IHHI", 0, 2, 0, 100) + struct.pack("<IHHI", 2, 3, 0, 102)
    root += struct.pack("<IHHI", 8, 0x8000 + 4, 0, 300)
    layout = mapped(inode_with(root, size=11_000, flags=EXTENTS_FLAG))
    extents = stream_extents(layout.runs, 11_000, 1024)

    assert layout.runs == [Run(0, 100, 5), Run(8, 300, 4, True)]
    assert [(extent.offset, extent.length, extent.sparse) for extent in extents] == [
        (102_400, 5120, False),
        (0, 3072, True),
        (0, 2808, True),
    ]


def entry(inode: int, length: int, name: bytes, kind: int = 1) -> bytes:
    return struct.pack("<IHBB", inode, length, len(name), kind) + name.ljust(length - 8, b"\0")


def test_names_in_slack_are_told_apart_from_names_in_use() -> None:
    hidden = entry(13, 20, b"dast.txt") + entry(14, 20, b"rilp.txt")
    block = entry(2, 12, b".", 2) + entry(2, 12, b"..", 2) + entry(12, 20 + len(hidden), b"velk.txt")[:20] + hidden
    block += entry(15, 1024 - len(block), b"timpa")
    names = read_names(block, has_types=True, inode_limit=100)

    assert names.problem is None
    assert [name.name for name in names.live] == [b".", b"..", b"velk.txt", b"timpa"]
    assert [(name.inode, name.name) for name in names.slack] == [(13, b"dast.txt"), (14, b"rilp.txt")]
    assert self_number(block) == 2


def test_a_name_whose_inode_was_wiped_is_still_a_name() -> None:
    block = entry(0, 1024, b"oporim.txt")
    names = read_names(block, has_types=True, inode_limit=100)

    assert names.live == []
    assert [(name.inode, name.name) for name in names.slack] == [(0, b"oporim.txt")]


def test_the_hash_tree_is_no_slack() -> None:
    root = entry(2, 12, b".", 2) + entry(2, 1012, b"..", 2)
    root = root[:24] + struct.pack("<IBBBBHH", 0, 1, 8, 0, 0, 123, 2) + root[36:]

    assert is_index_block(root)
    assert read_names(root, has_types=True, inode_limit=1 << 31).slack == []


def test_a_directory_block_that_makes_no_sense_says_where() -> None:
    block = entry(12, 20, b"velk.txt") + struct.pack("<IHBB", 13, 7, 4, 1)
    names = read_names(block.ljust(1024, b"\0"), has_types=True, inode_limit=100)

    assert [name.name for name in names.live] == [b"velk.txt"]
    assert names.problem == "an entry claims a length of 7 bytes"
    assert names.problem_offset == 20


def test_copies_of_the_superblock_lie_where_the_features_say() -> None:
    sparse = superblock_with(ro_compat=1)
    everywhere = superblock_with(ro_compat=0)

    assert [group for group in range(30) if group_has_superblock(sparse, group)] == [0, 1, 3, 5, 7, 9, 25, 27]
    assert all(group_has_superblock(everywhere, group) for group in range(30))


def test_inline_data_that_runs_past_the_inode_is_not_followed() -> None:
    raw = bytearray(256)
    raw[0x80:0x82] = struct.pack("<H", 32)
    raw[0xA0:0xA4] = struct.pack("<I", 0xEA020000)
    raw[0xA4:0xB8] = struct.pack("<BBHIII", 4, 7, 60, 0, 4000, 0) + b"data"
    inode = inode_with(b"", size=3000)._replace(raw=bytes(raw))

    assert inline_ranges(inode) == [(0x28, 60)]
