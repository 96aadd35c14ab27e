"""XFS: what lives is listed whole, and of what was deleted, all that inodes and directories still hold."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaval.core.errors import CorruptStructureError, LocatorError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.xfs.directories import block_names
from kaval.filesystems.xfs.inodes import parse_inode
from kaval.filesystems.xfs.tree import XfsTree, open_tree
from tests.filesystems.kept import check_damage, check_free_space, check_living, kept_image, read, split
from tests.testdata import shared

CONTENT, TRUTH = kept_image(Path(__file__).parent / "images" / "xfs.img.xz")


def opened(content: bytes = CONTENT) -> XfsTree:
    return open_tree(BytesSource(content))


def patched(offset: int, part: bytes) -> bytes:
    return CONTENT[:offset] + part + CONTENT[offset + len(part) :]


def test_everything_that_lives_is_listed_with_its_facts_and_bytes() -> None:
    entries = check_living(opened(), CONTENT, TRUTH["live"], (NoticeCode.SKIPPED,))

    assert entries["farrow.txt"].address != entries["bralo/farrow-too.txt"].address
    assert any(extent.sparse for extent in entries["holes.bin"].extents or ())
    assert [extent.sparse for extent in entries["reserved.bin"].extents or ()] == [True, False, True]


def test_the_capability_opens_what_it_probes() -> None:
    xfs = FILESYSTEMS.get("xfs")

    assert xfs.probe(BytesSource(CONTENT))
    assert not xfs.probe(BytesSource(bytes(4096)))
    assert xfs.open(BytesSource(CONTENT), Keyring()).facts["label"] == "BRALO"


def test_deleted_files_come_back_where_inode_and_directory_still_tell() -> None:
    tree = opened()
    lost = [entry for entry in split(tree)[0].values() if entry.state is not EntryState.ALLOCATED]
    whole = {
        hashlib.sha256(read(tree, BytesSource(CONTENT), entry)).hexdigest(): entry for entry in lost if entry.extents
    }
    with_content = [true for true in TRUTH["deleted"] if true["size"]]

    assert len(with_content) == 15
    for true in with_content:
        entry = whole[true["sha256"]]
        assert entry.address == str(true["inode"])
        assert entry.content is ContentState.ASSUMED
        assert entry.assumed_size == entry.size == true["size"]
    named = {entry.path for entry in lost if entry.state is EntryState.DELETED}
    assert len(named & {true["path"] for true in TRUTH["deleted"]}) >= 12
    assert not named & {"bralo/timpa05.txt"}


def test_a_deleted_file_whose_blocks_are_in_use_says_so() -> None:
    tree = opened()
    entries = split(tree)[0]
    living = entries["miskel-b.bin"]
    lost = next(entry for entry in entries.values() if entry.size == 3600 and entry.content is ContentState.ASSUMED)
    block = (living.extents or ())[0].offset // 4096
    record = struct.pack(">QQ", 0, block << 21 | 1)
    offset = tree._volume.inode_place(int(lost.address)) + 0xB0
    again = {entry.address: entry for entry in split(opened(patched(offset, record)))[0].values()}[lost.address]

    assert again.content is ContentState.GONE
    assert again.overlap_size == again.size


def test_a_stream_is_opened_by_its_address() -> None:
    tree = opened()
    entry = split(tree)[0]["farrow.txt"]

    assert tree.open_stream(entry.address).read_at(0, entry.size) == read(tree, BytesSource(CONTENT), entry)
    for address in ("x", "12~3", "²"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_free_space_holds_no_living_file() -> None:
    assert check_free_space(opened()) > 1 << 20


def test_a_superblock_that_contradicts_itself_is_told() -> None:
    with pytest.raises(CorruptStructureError, match="contradict"):
        opened(patched(4, struct.pack(">I", 3000)))


def test_a_cut_image_tells_what_it_lacks() -> None:
    entries, notices = split(opened(CONTENT[: 8 << 20]))

    assert notices[0].code is NoticeCode.TRUNCATED
    assert len(entries) > 50


def test_a_directory_that_leads_back_to_itself_is_told_as_a_loop() -> None:
    tree = opened()
    directory = split(tree)[0]["bralo"]
    block = (directory.extents or ())[0].offset
    place = CONTENT.index(b"timpa01.txt", block) - 9
    root = tree._volume.superblock.root_inode
    _, notices = split(opened(patched(place, struct.pack(">Q", root))))

    assert [notice.code for notice in notices].count(NoticeCode.LOOP) == 1


def test_a_map_that_makes_no_sense_costs_one_file() -> None:
    tree = opened()
    entry = split(tree)[0]["bralo/timpa22.txt"]
    offset = tree._volume.inode_place(int(entry.address)) + 0xB0
    content = patched(offset, b"\xff" * 16)
    entries, notices = split(opened(content))

    assert (NoticeCode.DAMAGED, entry.address) in [(notice.code, notice.address) for notice in notices]
    assert entries["bralo/timpa22.txt"].content is ContentState.PARTIAL
    with pytest.raises(UnreadableError):
        read(tree, BytesSource(content), entries["bralo/timpa22.txt"])


def test_times_before_1970_and_beyond_2038_are_read() -> None:
    raw = bytearray(256)
    raw[:6] = b"IN\x81\xa4\x02\x02"
    raw[40:48] = struct.pack(">iI", -5, 7)
    old = parse_inode(bytes(raw), 1, 0)
    raw[4] = 3
    raw[40:48] = struct.pack(">Q", (3 * 2**31) * 10**9)
    raw[120:128] = struct.pack(">Q", 8)

    assert old.times.modified == -5 * 10**9 + 7
    assert parse_inode(bytes(raw), 1, 0).times.modified == 2**32 * 10**9


def test_unused_space_still_names_what_was_there() -> None:
    def entry(place: int, number: int, name: bytes) -> bytes:
        body = struct.pack(">QB", number, len(name)) + name + b"\1"
        size = (len(body) + 2 + 7) & ~7
        return body.ljust(size - 2, b"\0") + struct.pack(">H", place)

    first = entry(64, 131, b"velk.txt")
    second = entry(64 + len(first), 132, b"dast.txt")
    third = entry(64 + len(first) + len(second), 133, b"rilp.txt")
    unused = bytearray(first + second)
    unused[:4] = struct.pack(">HH", 0xFFFF, len(unused))
    unused[-2:] = struct.pack(">H", 64)
    rest = 1024 - 64 - len(unused) - len(third)
    block = b"XDD3".ljust(64, b"\0") + bytes(unused) + third + struct.pack(">HH", 0xFFFF, rest).ljust(rest, b"\0")
    names = list(block_names(block, True, 0))

    assert [(name.inode, name.name, name.lost) for name in names] == [
        (133, b"rilp.txt", False),
        (131, b"velk.txt", True),
        (132, b"dast.txt", True),
    ]


@pytest.mark.parametrize("seed", range(50))
def test_a_damaged_volume_is_examined_to_the_end(seed: int) -> None:
    tree = opened()
    directory = (split(tree)[0]["bralo"].extents or ())[0]
    inodes = tree._volume.inode_place(tree._volume.superblock.root_inode)
    ranges = [range(264), range(512, 2048), range(4096, 40_000), range(inodes, inodes + 40_000)]
    ranges.append(range(directory.offset, directory.offset + directory.length))
    check_damage(open_tree, CONTENT, ranges, seed)


@pytest.mark.parametrize("name", ["xfs", "xfs_bigtime", "xfs_sparse", "xfs_symlink_long", "xfs_symlink_test"])
def test_dissect_sees_the_same_tree_with_the_same_bytes(name: str) -> None:
    content = gzip.decompress(shared(f"engine/dissect/xfs/{name}.bin.gz").read_bytes())

    _compare_with_dissect(content)


def test_dissect_sees_a_kernels_own_volume_the_same() -> None:
    _compare_with_dissect(CONTENT, but={"reserved.bin"})


def _compare_with_dissect(content: bytes, but: frozenset[str] | set[str] = frozenset()) -> None:
    """Compare with dissect.xfs, which takes reserved blocks for written ones (``but``)."""
    from dissect.xfs import XFS

    tree = opened(content)
    entries = {path: entry for path, entry in split(tree)[0].items() if entry.state is EntryState.ALLOCATED}
    seen = dict(_walk(XFS(io.BytesIO(content)).root, ""))

    assert set(entries) == set(seen)
    for path, inode in seen.items():
        entry = entries[path]
        assert (entry.mode, entry.times.modified) == (inode.inode.di_mode, inode.mtime_ns)
        if entry.kind is EntryKind.SYMLINK:
            assert entry.link_target == inode.link
        elif entry.kind is EntryKind.FILE and path not in but:
            assert read(tree, BytesSource(content), entry) == inode.open().read()


def _walk(directory: Any, above: str) -> Iterator[tuple[str, Any]]:
    for inode in directory.iterdir():
        if inode.filename not in (".", ".."):
            path = f"{above}/{inode.filename}" if above else inode.filename
            yield path, inode
            if inode.filetype == 0x4000:
                yield from _walk(inode, path)
