"""Btrfs: subvolumes and snapshots as one tree, and what dissect.btrfs and damage say to that."""

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
from kaval.core.records import EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.btrfs.inodes import Stored, gather
from kaval.filesystems.btrfs.space import Space, checksum_fits, find_superblock, parse_chunk
from kaval.filesystems.btrfs.streams import in_order
from kaval.filesystems.btrfs.tree import BtrfsTree, open_tree
from kaval.filesystems.btrfs.trees import Item
from tests.filesystems.kept import check_damage, check_free_space, check_living, kept_image, read, split
from tests.testdata import shared

CONTENT, TRUTH = kept_image(Path(__file__).parent / "images" / "btrfs.img.xz")
LIVING = {path: true for path, true in TRUTH["live"].items() if path != "quenli/sunder"}
"""What lives; of a subvolume in a snapshot the kernel shows an empty directory that is stored nowhere."""


def opened(content: bytes = CONTENT) -> BtrfsTree:
    return open_tree(BytesSource(content))


def test_everything_that_lives_is_listed_with_its_facts_and_bytes() -> None:
    entries = check_living(opened(), CONTENT, LIVING)

    assert entries["bralo/timpa30.txt"].extents is None
    assert entries["sunder/kettim.bin"].extents is not None
    assert {entries["dast.txt"].address.split("@")[0], entries["rilp.txt"].address.split("@")[0]} == {
        entries["bralo/timpa09.txt"].address.split("@")[0]
    }


def test_a_snapshot_still_holds_what_was_deleted_since() -> None:
    tree = opened()
    entries = split(tree)[0]

    assert "bralo/timpa20.txt" not in entries
    assert len(read(tree, BytesSource(CONTENT), entries["quenli/bralo/timpa20.txt"])) == 10_000
    assert any("read-only, as snapshots are" in fact for fact in tree.facts.values())


def test_the_capability_opens_what_it_probes() -> None:
    btrfs = FILESYSTEMS.get("btrfs")

    assert btrfs.probe(BytesSource(CONTENT))
    assert not btrfs.probe(BytesSource(bytes(1 << 17)))
    assert btrfs.open(BytesSource(CONTENT), Keyring()).facts["label"] == "BRALO"


def test_a_stream_is_opened_by_its_address() -> None:
    tree = opened()
    entry = split(tree)[0]["bralo/timpa30.txt"]

    assert tree.open_stream(entry.address).read_at(100, 50) == read(tree, BytesSource(CONTENT), entry)[100:150]
    for address in ("5", "5.x", "99.257", "5.99999"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_free_space_holds_no_living_file() -> None:
    assert check_free_space(opened()) > 8 << 20


def test_a_damaged_superblock_is_told() -> None:
    with pytest.raises(CorruptStructureError):
        opened(CONTENT[:0x10040] + bytes(8) + CONTENT[0x10048:])


def test_a_node_that_does_not_fit_its_checksum_is_told() -> None:
    tree = opened()
    top = tree._subvolumes[5].root
    offset = tree._forest.space.place(top, 1)[0]
    content = CONTENT[: offset + 40] + b"!" + CONTENT[offset + 41 :]
    _, notices = split(opened(content))

    assert (NoticeCode.DAMAGED, offset) in {(notice.code, notice.offset) for notice in notices}


def test_a_file_system_of_several_devices_is_told() -> None:
    content = bytearray(CONTENT)
    struct.pack_into("<Q", content, 0x10000 + 136, 2)
    _, notices = split(opened(bytes(content)))

    assert NoticeCode.UNAVAILABLE in [notice.code for notice in notices]


def test_a_chunk_on_another_device_is_unreadable_and_not_zeros() -> None:
    superblock = find_superblock(BytesSource(CONTENT))
    space = Space(BytesSource(CONTENT), superblock)
    stripe = struct.pack("<QQ16x", superblock.device + 1, 1 << 20)
    space.add(parse_chunk(1 << 40, struct.pack("<Q16xQ12xHH", 1 << 20, 1, 1, 0) + stripe, superblock.device))

    with pytest.raises(UnreadableError, match="another device"):
        space.read(1 << 40, 100)
    with pytest.raises(CorruptStructureError, match="no chunk"):
        space.read(1 << 41, 100)


def test_every_kind_of_checksum_is_computed_or_passed() -> None:
    content = b"velk" * 1000

    assert checksum_fits(hashlib.sha256(content).digest() + content, 2)
    assert checksum_fits(hashlib.blake2b(content, digest_size=32).digest() + content, 3)
    assert checksum_fits(bytes(32) + content, 1)
    assert not checksum_fits(bytes(32) + content, 0)
    assert not checksum_fits(bytes(32) + content, 2)


def test_extents_that_go_backwards_are_told() -> None:
    inode = next(gather([Item((257, 1, 0), struct.pack("<16xQ", 9000).ljust(160, b"\0"), 0)]))
    for start in (0, 2048):
        inode.extents.append(
            Stored(start=start, length=4096, kind=1, compression=0, encryption=0, address=1, stored_length=4096, skip=0)
        )

    with pytest.raises(CorruptStructureError, match="goes back"):
        list(in_order(inode))


@pytest.mark.parametrize("seed", range(50))
def test_a_damaged_file_system_is_examined_to_the_end(seed: int) -> None:
    tree = opened()
    split(tree)
    list(tree.unallocated())
    ranges = [range(0x10000, 0x10000 + 4096)]
    for address in tree._forest._kept:
        offset = tree._forest.space.place(address, 1)[0]
        ranges.append(range(offset, offset + 4096))
    check_damage(open_tree, CONTENT, ranges, seed)


def test_dissect_sees_a_kernels_own_file_system_the_same() -> None:
    _compare_with_dissect(CONTENT)


def test_dissect_sees_its_own_sample_the_same() -> None:
    _compare_with_dissect(gzip.decompress(shared("engine/dissect/btrfs/btrfs-default.bin.gz").read_bytes()))


def _compare_with_dissect(content: bytes) -> None:
    from dissect.btrfs import Btrfs

    tree = opened(content)
    entries = split(tree)[0]
    seen = dict(_walk(Btrfs(io.BytesIO(content)).fs_tree.root, ""))

    assert {path for path, entry in entries.items() if entry.state is EntryState.ALLOCATED} <= set(seen)
    for path, inode in seen.items():
        if path not in entries:
            assert path == "quenli/sunder"
            continue
        entry = entries[path]
        assert (entry.mode, entry.times.modified) == (inode.mode, inode.mtime_ns)
        if entry.kind is EntryKind.SYMLINK:
            assert entry.link_target == inode.link
        elif entry.kind is EntryKind.FILE and not path.endswith("reserved.bin"):
            assert read(tree, BytesSource(content), entry) == inode.open().read()


def _walk(directory: Any, above: str) -> Iterator[tuple[str, Any]]:
    for name, inode in directory.iterdir():
        if name in (".", ".."):
            continue
        path = f"{above}/{name}" if above else name
        yield path, inode
        if inode.is_dir() and path != "quenli/sunder":
            yield from _walk(inode, path)
