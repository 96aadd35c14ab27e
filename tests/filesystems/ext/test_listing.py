"""What lives on an ext volume is listed whole, and what speaks against it is told."""

from __future__ import annotations

import struct

import pytest

from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, NoticeCode
from kaval.core.sources import ByteSource, BytesSource
from kaval.filesystems import FILESYSTEMS
from tests.filesystems.ext.volumes import digest, kept_image, listed, open_tree, split, stream, truth_of

SUPERBLOCK = 1024


def patched(content: bytes, *changes: tuple[int, bytes]) -> bytes:
    changed = bytearray(content)
    for offset, part in changes:
        changed[offset : offset + len(part)] = part
    return bytes(changed)


def inode_offset(content: bytes, number: int) -> int:
    return open_tree(content).volume.inodes.offset(number)


@pytest.mark.parametrize("name", ["ext4", "ext3-unclean"])
def test_everything_that_lives_is_listed_with_its_facts_and_bytes(name: str) -> None:
    content = kept_image(name)
    entries, notices = listed(content)

    assert notices == []
    assert {path for path in entries if not path.startswith("$")} == set(truth_of(name)["live"])
    for path, true in truth_of(name)["live"].items():
        entry = entries[path]
        assert entry.state is EntryState.ALLOCATED
        assert entry.address.partition("@")[0] == str(true["inode"])
        assert (entry.mode, entry.size, entry.times.modified) == (true["mode"], true["size"], true["modified"])
        assert entry.link_target == true.get("target")
        if "sha256" in true:
            assert entry.content is ContentState.INTACT
            assert digest(BytesSource(content), entry) == true["sha256"]
            assert sum(extent.length for extent in entry.extents or ()) == entry.size


def test_the_capability_is_found_by_its_name_and_asks_for_no_key() -> None:
    ext = FILESYSTEMS.get("ext")
    source = BytesSource(kept_image("ext4"))

    assert ext.probe(source)
    tree = ext.open(source, Keyring())
    assert dict(tree.facts) | {"kind": "ext4", "label": "BRALO", "state": "clean"} == dict(tree.facts)


def test_the_same_bytes_give_the_same_records() -> None:
    content = kept_image("ext4")

    assert list(open_tree(content).entries()) == list(open_tree(content).entries())


def test_a_file_with_two_names_has_an_entry_for_each() -> None:
    entries, _ = listed(kept_image("ext4"))
    first, second = entries["farrow.txt"], entries["bralo/farrow-too.txt"]

    assert first.address == f"{truth_of('ext4')['live']['farrow.txt']['inode']}@2"
    assert first.address != second.address
    assert first.extents == second.extents


def test_a_link_says_where_it_leads() -> None:
    entries, _ = listed(kept_image("ext4"))
    short, long = entries["ubanto.link"], entries["rilp.link"]

    assert short.kind is EntryKind.SYMLINK
    assert short.link_target == "bralo/timpa03.txt"
    assert long.link_target == "sorvane/" * 20 + "kettim"


def test_holes_are_sparse_extents() -> None:
    entries, _ = listed(kept_image("ext4"))
    hole, data = entries["holes.bin"].extents or ()

    assert hole.sparse
    assert hole.length == 199_680
    assert not data.sparse
    assert hole.length + data.length == 203_000


def test_the_journal_is_listed_as_a_system_entry() -> None:
    entries, _ = listed(kept_image("ext4"))

    assert entries["$journal"].kind is EntryKind.SYSTEM
    assert entries["$journal"].size == 1 << 20


def test_unallocated_space_is_what_the_superblock_counts_as_free_and_no_file_owns() -> None:
    content = kept_image("ext4")
    tree = open_tree(content)
    free = [(extent.offset, extent.offset + extent.length) for extent in tree.unallocated()]

    assert sum(end - start for start, end in free) == 1024 * struct.unpack_from("<I", content, SUPERBLOCK + 12)[0]
    assert free == sorted(free)
    for entry in tree.entries():
        if isinstance(entry, Entry):
            for extent in entry.extents or ():
                inside = any(start < extent.offset + extent.length and extent.offset < end for start, end in free)
                assert extent.sparse or not inside


def test_a_journal_that_waits_to_be_replayed_is_laid_over_the_image() -> None:
    content = kept_image("ext3-unclean")
    incompat = struct.unpack_from("<I", content, SUPERBLOCK + 0x60)[0]
    as_it_lies, _ = listed(patched(content, (SUPERBLOCK + 0x60, struct.pack("<I", incompat & ~4))))
    as_committed, _ = listed(content)

    assert "late/rilp.txt" in as_committed
    assert "late/rilp.txt" not in as_it_lies
    assert "laid over the image" in open_tree(content).facts["journal"]


def test_open_stream_reads_what_the_extents_name() -> None:
    content = kept_image("ext3-unclean")
    tree = open_tree(content)
    for entry in tree.entries():
        if isinstance(entry, Entry) and entry.kind is EntryKind.FILE:
            opened = tree.open_stream(entry.address)

            assert opened.read_at(0, entry.size) == stream(BytesSource(content), entry)


def test_a_destroyed_superblock_is_replaced_by_its_copy_and_told() -> None:
    content = patched(kept_image("ext4"), (SUPERBLOCK, bytes(1024)))
    entries, notices = listed(content)

    assert {path for path in entries if not path.startswith("$")} == set(truth_of("ext4")["live"])
    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.DAMAGED, SUPERBLOCK)]


def test_without_any_superblock_there_is_no_file_system() -> None:
    source = BytesSource(bytes(1 << 20))

    assert not FILESYSTEMS.get("ext").probe(source)
    with pytest.raises(CorruptStructureError):
        FILESYSTEMS.get("ext").open(source, Keyring())


def test_an_external_journal_is_recognised_and_refused() -> None:
    content = patched(kept_image("ext4"), (SUPERBLOCK + 0x60, struct.pack("<I", 8)))

    with pytest.raises(UnsupportedError, match="external ext journal"):
        open_tree(content)


def test_a_cut_image_tells_what_it_lacks_and_lists_the_rest() -> None:
    content = kept_image("ext4")[: 7 << 20]
    records = list(open_tree(content).entries())
    entries, notices = split(records)

    assert notices[0].code is NoticeCode.TRUNCATED
    assert notices[0].offset == 7 << 20
    assert len(entries) > 20
    source: ByteSource = BytesSource(content)
    behind = [
        entry
        for entry in entries.values()
        if any(extent.offset + extent.length > len(content) for extent in entry.extents or ())
    ]
    for entry in behind:
        with pytest.raises(UnreadableError):
            stream(source, entry)


def test_a_directory_that_leads_back_to_itself_is_told_as_a_loop() -> None:
    content = kept_image("ext4")
    entries, _ = listed(content)
    block = (entries["sorvane"].extents or ())[0].offset
    root = struct.pack("<I", 2)
    offset = content.index(b"kettim0.txt", block) - 8
    bad = patched(content, (offset, root), (offset + 7, b"\2"))
    found, notices = split(list(open_tree(bad).entries()))

    assert [notice.code for notice in notices].count(NoticeCode.LOOP) == 1
    assert sum(entry.path == "sorvane/kettim0.txt" for entry in found.values()) == 1


def test_an_extent_outside_the_volume_makes_the_file_partial() -> None:
    content = kept_image("ext4")
    number = truth_of("ext4")["live"]["bralo/timpa22.txt"]["inode"]
    bad = patched(content, (inode_offset(content, number) + 0x28 + 12 + 8, struct.pack("<I", 0x7FFFFFF0)))
    entries, notices = listed(bad)

    assert entries["bralo/timpa22.txt"].content is ContentState.PARTIAL
    assert [(notice.code, notice.address) for notice in notices] == [(NoticeCode.DAMAGED, str(number))]
    with pytest.raises(UnreadableError):
        stream(BytesSource(bad), entries["bralo/timpa22.txt"])


def test_an_impossible_size_is_told_and_not_taken() -> None:
    content = kept_image("ext4")
    number = truth_of("ext4")["live"]["bralo/timpa22.txt"]["inode"]
    bad = patched(content, (inode_offset(content, number) + 0x6C, struct.pack("<I", 0xFFFFFFFF)))
    entries, notices = listed(bad)

    assert entries["bralo/timpa22.txt"].size == 16384
    assert entries["bralo/timpa22.txt"].content is ContentState.PARTIAL
    assert [(notice.code, notice.address) for notice in notices] == [(NoticeCode.ABSURD_SIZE, str(number))]


def test_an_encrypted_file_is_told_as_encrypted() -> None:
    content = kept_image("ext4")
    offset = inode_offset(content, truth_of("ext4")["live"]["bralo"]["inode"]) + 0x20
    flags = struct.unpack_from("<I", content, offset)[0] | 0x800
    number = truth_of("ext4")["live"]["bralo/timpa22.txt"]["inode"]
    file_offset = inode_offset(content, number) + 0x20
    file_flags = struct.unpack_from("<I", content, file_offset)[0] | 0x800
    bad = patched(content, (offset, struct.pack("<I", flags)), (file_offset, struct.pack("<I", file_flags)))
    entries, notices = listed(bad)

    assert entries["bralo"].content is ContentState.ENCRYPTED
    assert entries["bralo/timpa22.txt"].content is ContentState.ENCRYPTED
    assert [notice.code for notice in notices] == [NoticeCode.LOCKED]


def test_a_name_in_a_broken_encoding_is_kept_in_bytes_and_told() -> None:
    content = kept_image("ext4")
    entries, _ = listed(content)
    block = (entries["sorvane"].extents or ())[0].offset
    bad = patched(content, (content.index(b"kettim0.txt", block), b"\xff\xfe"))
    found, notices = listed(bad)
    entry = found["sorvane/\ufffd\ufffdttim0.txt"]

    assert entry.path_raw == b"sorvane/\xff\xfettim0.txt"
    assert [(notice.code, notice.address) for notice in notices] == [(NoticeCode.NAME_UNDECODABLE, entry.address)]


def test_an_inode_that_lost_its_name_is_an_orphan() -> None:
    content = kept_image("ext4")
    entries, _ = listed(content)
    block = (entries["sorvane"].extents or ())[0].offset
    offset = content.index(b"kettim0.txt", block) - 8
    bad = patched(content, (offset, bytes(4)))
    found, _ = listed(bad)
    number = truth_of("ext4")["live"]["sorvane/kettim0.txt"]["inode"]
    orphan = found[f"$OrphanFiles/OrphanFile-{number}"]

    assert orphan.state is EntryState.ORPHAN
    assert orphan.content is ContentState.INTACT
    assert digest(BytesSource(bad), orphan) == truth_of("ext4")["live"]["sorvane/kettim0.txt"]["sha256"]
