"""APFS: volumes of a container as one tree, and what dissect.apfs and damage say to that."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, LockedError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.core.sources import BytesSource, ExtentSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.apfs.objects import checksum_fits
from kaval.filesystems.apfs.tree import ApfsTree, open_tree
from tests.filesystems.apfs.container_builder import (
    BLOCK,
    CHECKPOINT,
    FIRST_DATA,
    OBJECT_MAP,
    RECORDS,
    VOLUME_MAP_TREE,
    attribute,
    container,
    extent,
    inode,
    key,
    node,
    with_checksum,
)
from tests.testdata import shared

TEXT = b"timpa sunder " * 700
NO_KEYS = Keyring()


def sample() -> bytearray:
    """A directory, a file in two pieces with a hole, a link, an unlinked file, a file with two names."""
    second = key(20, 5, struct.pack("<Q", 31)), struct.pack("<QH", 16, 6) + b"dast2\0"
    first = key(20, 5, struct.pack("<Q", 30)), struct.pack("<QH", 2, 5) + b"dast\0"
    return container(
        [
            inode(2, 1, b"root", 0x41ED),
            inode(16, 2, b"sunder", 0x41ED),
            inode(17, 16, b"timpa.txt", 0x81A4, 20_000),
            extent(17, 0, 2 * BLOCK, FIRST_DATA),
            extent(17, 3 * BLOCK, 2 * BLOCK, FIRST_DATA + 4),
            inode(18, 2, b"link", 0xA1FF),
            attribute(18, b"com.apple.fs.symlink", b"sunder/timpa.txt\0"),
            inode(19, 3, b"0x13-dead", 0x81A4, 3),
            extent(19, 0, BLOCK, FIRST_DATA + 6),
            inode(20, 2, b"dast", 0x81A4),
            first,
            second,
        ],
        {
            FIRST_DATA: TEXT[:BLOCK],
            FIRST_DATA + 1: TEXT[BLOCK : 2 * BLOCK],
            FIRST_DATA + 4: b"velk" * 1024,
            FIRST_DATA + 5: b"rilp" * 1024,
            FIRST_DATA + 6: b"end",
        },
    )


def listed(tree: ApfsTree) -> tuple[dict[str, Entry], list[Notice]]:
    records = list(tree.entries())
    entries = [record for record in records if isinstance(record, Entry)]
    assert len({entry.address for entry in entries}) == len(entries)
    return {entry.path: entry for entry in entries}, [record for record in records if isinstance(record, Notice)]


def opened(content: bytes | bytearray, keyring: Keyring = NO_KEYS) -> ApfsTree:
    return open_tree(BytesSource(bytes(content)), keyring)


def read(content: bytes | bytearray, entry: Entry) -> bytes:
    assert entry.extents is not None
    return ExtentSource(BytesSource(bytes(content)), entry.extents, entry.size).read_at(0, entry.size)


def test_a_container_built_by_the_book_is_listed() -> None:
    content = sample()
    entries, notices = listed(opened(content))

    assert notices == []
    assert set(entries) == {
        "Velk/sunder",
        "Velk/sunder/timpa.txt",
        "Velk/link",
        "Velk/private-dir/0x13-dead",
        "Velk/dast",
        "Velk/sunder/dast2",
    }
    file = entries["Velk/sunder/timpa.txt"]
    assert (file.address, file.parent, file.kind, file.size) == ("0.17", "0.16", EntryKind.FILE, 20_000)
    assert (file.mode, file.owner, file.group) == (0x81A4, "501", "20")
    assert (file.times.created, file.times.modified, file.times.zone) == (10**18, 10**18 + 1, "utc")
    assert (
        read(content, file)
        == TEXT[: 2 * BLOCK] + bytes(BLOCK) + b"velk" * 1024 + (b"rilp" * 1024)[: 20_000 - 4 * BLOCK]
    )
    assert entries["Velk/link"].link_target == "sunder/timpa.txt"
    assert entries["Velk/private-dir/0x13-dead"].state is EntryState.ORPHAN
    assert {entries["Velk/dast"].address, entries["Velk/sunder/dast2"].address} == {"0.20@30", "0.20@31"}


def test_the_capability_opens_what_it_probes() -> None:
    apfs = FILESYSTEMS.get("apfs")
    source = BytesSource(bytes(sample()))

    assert apfs.probe(source)
    assert not apfs.probe(BytesSource(bytes(BLOCK)))
    assert apfs.open(source, NO_KEYS).facts["volume Velk"] == "12 files, 1 directories"


def test_a_stream_is_opened_by_its_address() -> None:
    tree = opened(sample())

    assert tree.open_stream("0.19").read_at(0, 10) == b"end"
    for address in ("0.99", "1.19", "19", "0.x", "0.²"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_an_older_checkpoint_is_used_where_the_newest_is_damaged() -> None:
    content = sample()
    content[CHECKPOINT * BLOCK + 200] ^= 1
    _, notices = listed(opened(content))

    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED]
    assert "state of block zero" in notices[0].message


def test_a_directory_in_itself_ends_and_is_told_as_lost() -> None:
    content = container([inode(16, 17, b"a", 0x41ED), inode(17, 16, b"b", 0x41ED)])
    entries, _ = listed(opened(content))

    assert {entry.address for entry in entries.values()} == {"0.16", "0.17"}
    assert all(entry.state is EntryState.ORPHAN for entry in entries.values())


def test_a_map_of_objects_that_leads_back_to_itself_ends() -> None:
    content = sample()
    loop = node(9, [(struct.pack("<QQ", 0, 0), struct.pack("<Q", VOLUME_MAP_TREE))], level=1, fixed=True)
    content[VOLUME_MAP_TREE * BLOCK : (VOLUME_MAP_TREE + 1) * BLOCK] = loop
    entries, notices = listed(opened(content))

    assert entries == {}
    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED]


def test_extents_that_go_backwards_cost_one_file() -> None:
    content = container(
        [
            inode(16, 2, b"a", 0x81A4, 9000),
            extent(16, 0, 8192, 8),
            extent(16, 4096, 8192, 10),
            inode(17, 2, b"b", 0x81A4),
        ]
    )
    entries, notices = listed(opened(content))

    assert set(entries) == {"Velk/b"}
    assert [(notice.code, notice.address) for notice in notices] == [(NoticeCode.DAMAGED, "0.16")]


def test_a_node_that_does_not_fit_its_checksum_is_told() -> None:
    content = sample()
    content[RECORDS * BLOCK + BLOCK - 50] ^= 1
    _, notices = listed(opened(content))

    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.DAMAGED, RECORDS * BLOCK)]


def test_a_cut_container_tells_what_it_lacks() -> None:
    content = sample()[: (FIRST_DATA + 5) * BLOCK]
    entries, notices = listed(opened(content))

    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.TRUNCATED, len(content))]
    with pytest.raises(UnreadableError):
        read(content, entries["Velk/sunder/timpa.txt"])


def test_no_superblock_is_no_container() -> None:
    with pytest.raises(CorruptStructureError):
        opened(bytes(32) + b"NXSB" + bytes(8192))


def test_the_checksum_is_the_one_summed_word_by_word() -> None:
    block = with_checksum(random.Random(1).randbytes(BLOCK))

    assert checksum_fits(block)
    assert not checksum_fits(block[:-1] + bytes([block[-1] ^ 1]))
    assert checksum_fits(with_checksum(b"\xff" * BLOCK))


def image(name: str) -> bytes:
    if name == "dfvfs":
        return shared("engine/dfvfs/apfs.raw").read_bytes()
    return gzip.decompress(shared(f"engine/dissect/apfs/{name}.bin.gz").read_bytes())


SAMPLES = ["case_insensitive", "case_sensitive", "corrupt", "encrypted", "jhfs_converted", "snapshot", "dfvfs"]


@pytest.mark.parametrize("name", SAMPLES)
def test_dissect_sees_the_same_tree_with_the_same_bytes(name: str) -> None:
    from dissect.apfs import APFS

    content = image(name)
    tree = opened(content, Keyring(passphrases=("wrong", "password")))
    entries, _ = listed(tree)
    seen = 0
    for volume in APFS(io.BytesIO(content)).volumes:
        if volume.is_encrypted:
            volume.unlock("password")
        for path, node_seen in _walk(volume.root, volume.name):
            entry = entries[path]
            seen += 1
            assert (entry.mode, entry.owner) == (node_seen.mode, str(node_seen.uid))
            if entry.kind is EntryKind.SYMLINK:
                assert entry.link_target == node_seen.readlink()
            elif entry.kind is EntryKind.FILE:
                ours = read(content, entry) if entry.extents is not None else _stream(tree, entry)
                assert hashlib.sha256(ours).digest() == hashlib.sha256(node_seen.open().read()).digest()

    assert seen == sum(
        entry.kind is not EntryKind.STREAM and "private-dir" not in path for path, entry in entries.items()
    )


def _walk(directory: Any, above: str) -> Iterator[tuple[str, Any]]:
    for found in directory.iterdir():
        path = f"{above}/{found.name}"
        yield path, found.inode
        if found.inode.is_dir():
            yield from _walk(found.inode, path)


def _stream(tree: ApfsTree, entry: Entry) -> bytes:
    source = tree.open_stream(entry.address)
    assert source.size == entry.size
    return b"".join(source.read_at(offset, 3000) for offset in range(0, entry.size, 3000))


def test_a_locked_volume_says_what_is_needed() -> None:
    with pytest.raises(LockedError, match="passphrase or its recovery key"):
        opened(image("encrypted"), Keyring(passphrases=("wrong",)))


def test_an_unlocked_file_is_not_told_by_extents_that_hold_cipher_text() -> None:
    entries, _ = listed(opened(image("encrypted"), Keyring(passphrases=("password",))))
    files = [entry for entry in entries.values() if entry.kind is EntryKind.FILE]

    assert files
    assert all(entry.extents is None and entry.content is ContentState.INTACT for entry in files)


def test_snapshots_are_told_as_facts() -> None:
    tree = opened(image("snapshot"))

    assert tree.facts["snapshots of Snapshots"].startswith("Snapshot 0 (2025-10-17T10:55:35+00:00), Snapshot 1 (")
    assert tree.facts["snapshots of Snapshots"].endswith("and 492 more")


@pytest.mark.parametrize("name", ["case_insensitive", "snapshot", "jhfs_converted"])
def test_no_file_lies_in_free_space(name: str) -> None:
    tree = opened(image(name))
    free = [range(extent.offset, extent.offset + extent.length) for extent in tree.unallocated()]
    entries, _ = listed(tree)

    assert sum(map(len, free)) > 1 << 20
    for entry in entries.values():
        for stored in entry.extents or ():
            assert stored.sparse or not any(stored.offset in part for part in free)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_container_is_examined_to_the_end(seed: int) -> None:
    chosen = random.Random(seed)
    content = sample()
    for _ in range(chosen.choice([1, 4, 20])):
        block = chosen.randrange(FIRST_DATA)
        place = block * BLOCK + chosen.choice([chosen.randrange(300), chosen.randrange(BLOCK)])
        size = chosen.choice([1, 2, 8])
        content[place : place + size] = chosen.choice([bytes(size), b"\xff" * size, chosen.randbytes(size)])
        if chosen.random() < 0.7:
            content[block * BLOCK : (block + 1) * BLOCK] = with_checksum(
                bytes(content[block * BLOCK : (block + 1) * BLOCK])
            )
    _examine(bytes(content))


def _examine(content: bytes) -> None:
    try:
        tree = opened(content)
        entries, _ = listed(tree)
    except KavalError:
        return
    for entry in entries.values():
        if entry.kind is not EntryKind.FILE:
            continue
        try:
            assert len(read(content, entry) if entry.extents is not None else _stream(tree, entry)) == entry.size
        except KavalError:
            continue


def test_the_object_map_is_where_the_builder_says() -> None:
    content = sample()
    content[OBJECT_MAP * BLOCK + 48 : OBJECT_MAP * BLOCK + 56] = struct.pack("<Q", 1 << 60)
    content[OBJECT_MAP * BLOCK : (OBJECT_MAP + 1) * BLOCK] = with_checksum(
        bytes(content[OBJECT_MAP * BLOCK : (OBJECT_MAP + 1) * BLOCK])
    )
    entries, notices = listed(opened(content))

    assert entries == {}
    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED]
