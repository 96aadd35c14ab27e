"""Damaged volumes end in records, notices or our own errors; never in a hang, a crash or a claim that cannot hold."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.core.errors import KavalError
from kaval.core.records import ContentState, Entry
from kaval.core.sources import BytesSource, ExtentSource
from tests.filesystems.ext.volumes import kept_image, open_tree, split

BLOCK = 1024


def metadata_of(content: bytes) -> list[tuple[int, int]]:
    """Return the ranges that hold what the reader believes in."""
    tree = open_tree(content)
    groups = tree.volume.groups
    ranges = [(BLOCK, 5 * BLOCK)]
    for columns in (groups.block_bitmap, groups.inode_bitmap):
        ranges += [(block * BLOCK, (block + 1) * BLOCK) for block in columns.tolist()]
    ranges += [(block * BLOCK, (block + 12) * BLOCK) for block in groups.inode_table.tolist()]
    for record in tree.entries():
        if isinstance(record, Entry) and (record.kind == "directory" or record.path == "$journal"):
            ranges += [(extent.offset, extent.offset + extent.length) for extent in record.extents or ()]
    return ranges


def damaged(content: bytes, seed: int) -> bytes:
    chosen = random.Random(seed)
    ranges = metadata_of(content)
    changed = bytearray(content)
    for _ in range(chosen.choice([1, 5, 50, 400])):
        place = chosen.randrange(*chosen.choice(ranges))
        size = chosen.choice([1, 2, 4])
        changed[place : place + size] = chosen.choice([bytes(size), b"\xff" * size, chosen.randbytes(size)])
    if chosen.random() < 0.1:
        del changed[chosen.randrange(len(changed)) :]
    return bytes(changed)


def examine(content: bytes) -> None:
    """List everything and read a little of everything; only our own errors may come."""
    source = BytesSource(content)
    try:
        tree = open_tree(content)
    except KavalError:
        return
    entries, _ = split([*tree.entries(), *tree.deleted_in_journal()])
    for entry in entries.values():
        assert 0 <= entry.overlap_size <= entry.size
        if entry.content is ContentState.INTACT and entry.extents is not None:
            assert sum(extent.length for extent in entry.extents) == entry.size
        try:
            opened = ExtentSource(source, entry.extents, entry.size) if entry.extents is not None else None
            (opened or tree.open_stream(entry.address)).read_at(0, 5000)
        except KavalError:
            continue
    assert all(extent.length > 0 for extent in tree.unallocated())


@pytest.mark.parametrize("name", ["ext4", "ext3-unclean"])
@pytest.mark.parametrize("seed", range(40))
def test_a_volume_with_damaged_metadata_is_examined_to_the_end(name: str, seed: int) -> None:
    examine(damaged(kept_image(name), seed))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1024, max_size=1024), st.integers(0, 1023))
def test_a_superblock_of_any_bytes_ends_well(noise: bytes, kept: int) -> None:
    content = bytearray(kept_image("ext4"))
    content[1024 + kept : 2048] = noise[kept:]
    content[1024 + 0x38 : 1024 + 0x3A] = b"\x53\xef"
    examine(bytes(content))
