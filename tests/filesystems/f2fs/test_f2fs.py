"""F2FS: what lives is listed whole, and a deleted file comes back from its old inode."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, LocatorError, UnreadableError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.f2fs import volume as tables
from kaval.filesystems.f2fs.directories import slot_names
from kaval.filesystems.f2fs.nodes import parse_inode, stream_extents
from kaval.filesystems.f2fs.tree import F2fsTree, open_tree, read_node
from kaval.filesystems.f2fs.volume import BLOCK, Volume
from tests.filesystems.kept import check_damage, check_free_space, check_living, kept_image, read, split

CONTENT, TRUTH = kept_image(Path(__file__).parent / "images" / "f2fs.img.xz")


def opened(content: bytes = CONTENT) -> F2fsTree:
    return open_tree(BytesSource(content))


class Volatile:
    """The kept volume, changed as a kernel changes it when it deletes a file."""

    def __init__(self) -> None:
        self.content = bytearray(CONTENT)
        self.volume = Volume(BytesSource(CONTENT))
        self.entries = split(opened())[0]

    def number(self, path: str) -> int:
        return int(self.entries[path].address)

    def forget_node(self, number: int) -> None:
        """Take a node out of the address table, or out of the journal that overrides it."""
        superblock, checkpoint = self.volume.superblock, self.volume.checkpoint
        index, within = divmod(number, 455)
        block = superblock.nat + 2 * index - index % superblock.segment_blocks
        if tables.test_bit(checkpoint.bitmap(superblock, nat=True), index):
            block += superblock.segment_blocks
        struct.pack_into("<I", self.content, block * BLOCK + within * 9 + 5, 0)
        start = (checkpoint.block + checkpoint.summaries) * BLOCK
        for entry in range(struct.unpack_from("<H", self.content, start)[0]):
            if struct.unpack_from("<I", self.content, start + 2 + 13 * entry)[0] == number:
                struct.pack_into("<I", self.content, start + 2 + 13 * entry + 9, 0)

    def mark(self, block: int, *, used: bool) -> None:
        """Set or clear the bit of a block in the map of blocks in use."""
        superblock, checkpoint = self.volume.superblock, self.volume.checkpoint
        segment, within = divmod(block - superblock.main, superblock.segment_blocks)
        starts = [superblock.sit * BLOCK + segment * 74]
        if tables.test_bit(checkpoint.bitmap(superblock, nat=False), segment // 55):
            starts[0] += superblock.sit_segments // 2 * superblock.segment_blocks * BLOCK
        journal = (checkpoint.block + checkpoint.summaries) * BLOCK + 507
        for entry in range(struct.unpack_from("<H", self.content, journal)[0]):
            if struct.unpack_from("<I", self.content, journal + 2 + 78 * entry)[0] == segment:
                starts.append(journal + 6 + 78 * entry)
        for start in starts:
            place, bit = start + 2 + (within >> 3), 0x80 >> (within & 7)
            self.content[place] = self.content[place] | bit if used else self.content[place] & ~bit

    def free_name(self, directory: str, name: bytes) -> None:
        """Clear the bits of a name's slots; the slots stay as they are."""
        for extent in self.entries[directory].extents or ():
            for start in range(extent.offset, extent.offset + extent.length, BLOCK):
                place = self.content.find(name, start + 27 + 3 + 214 * 11, start + BLOCK)
                if place >= 0:
                    slot = (place - start - 27 - 3 - 214 * 11) // 8
                    for taken in range(slot, slot + -(-len(name) // 8)):
                        self.content[start + (taken >> 3)] &= ~(1 << (taken & 7))

    def delete(self, path: str) -> None:
        entry = self.entries[path]
        number = self.number(path)
        inode = parse_inode(read_node(self.volume, number), self.volume.node_block(number), 0)
        for node in (number, *(node for node in inode.nodes if node)):
            self.mark(self.volume.node_block(node), used=False)
            self.forget_node(node)
        if not inode.has_inline_data:
            for extent in entry.extents or ():
                for block in range(extent.offset // BLOCK, -(-(extent.offset + extent.length) // BLOCK)):
                    self.mark(block, used=False)
        directory, _, name = path.rpartition("/")
        self.free_name(directory, name.encode())


@cache
def deleted() -> bytes:
    volatile = Volatile()
    for path in ("bralo/timpa30.txt", "bralo/timpa01.txt", "sunder/velk/oporim.txt"):
        volatile.delete(path)
    return bytes(volatile.content)


def test_everything_that_lives_is_listed_with_its_facts_and_bytes() -> None:
    entries = check_living(opened(), CONTENT, TRUTH["live"])

    assert entries["farrow.bin"].size == 13_000_000
    assert entries["sunder/kettim-with-a-longer-name-007.txt"].kind is EntryKind.FILE


def test_the_capability_opens_what_it_probes() -> None:
    f2fs = FILESYSTEMS.get("f2fs")

    assert f2fs.probe(BytesSource(CONTENT))
    assert not f2fs.probe(BytesSource(bytes(16384)))
    assert f2fs.open(BytesSource(CONTENT), Keyring()).facts["label"] == "BRALO"


def test_a_deleted_file_comes_back_from_its_old_inode() -> None:
    content = deleted()
    entries, notices = split(opened(content))
    before = split(opened())[0]

    assert notices == []
    for path in ("bralo/timpa30.txt", "bralo/timpa01.txt"):
        entry = entries[path]
        assert (entry.state, entry.content, entry.overlap_size) == (EntryState.DELETED, ContentState.INTACT, 0)
        assert entry.times == before[path].times
        assert read(opened(content), BytesSource(content), entry) == read(opened(), BytesSource(CONTENT), before[path])
    assert len([entry for entry in entries.values() if entry.state is not EntryState.ALLOCATED]) == 3


def test_a_deleted_file_whose_blocks_are_in_use_says_so() -> None:
    volatile = Volatile()
    volatile.delete("bralo/timpa30.txt")
    block = (volatile.entries["bralo/timpa30.txt"].extents or ())[0].offset // BLOCK
    volatile.mark(block, used=True)
    entry = split(opened(bytes(volatile.content)))[0]["bralo/timpa30.txt"]

    assert (entry.content, entry.overlap_size) == (ContentState.OVERLAPS_ALLOCATED, BLOCK)


def test_an_inode_that_was_written_over_leaves_its_name() -> None:
    volatile = Volatile()
    volatile.delete("bralo/timpa30.txt")
    block = volatile.volume.node_block(volatile.number("bralo/timpa30.txt"))
    volatile.content[block * BLOCK : (block + 1) * BLOCK] = bytes(BLOCK)
    entry = split(opened(bytes(volatile.content)))[0]["bralo/timpa30.txt"]

    assert (entry.state, entry.content, entry.extents) == (EntryState.DELETED, ContentState.GONE, ())


def test_a_freed_name_whose_inode_lives_is_no_deletion() -> None:
    volatile = Volatile()
    volatile.free_name("bralo", b"timpa30.txt")
    entries, notices = split(opened(bytes(volatile.content)))

    assert "bralo/timpa30.txt" not in entries
    assert [notice.code for notice in notices] == [NoticeCode.SKIPPED]


def test_a_stream_is_opened_by_its_address() -> None:
    tree = opened()
    entry = split(tree)[0]["farrow.bin"]

    assert (
        tree.open_stream(entry.address).read_at(5_000_000, 100)
        == read(tree, BytesSource(CONTENT), entry)[5_000_000:][:100]
    )
    for address in ("x", "5~3", "5-0000"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_free_space_holds_no_living_file() -> None:
    assert check_free_space(opened()) > 1 << 20


def test_a_destroyed_superblock_is_replaced_by_its_copy_and_told() -> None:
    _, notices = split(opened(CONTENT[:1024] + bytes(3072) + CONTENT[4096:]))

    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.DAMAGED, 1024)]
    with pytest.raises(CorruptStructureError):
        opened(bytes(1024) + b"\x10\x20\xf5\xf2" + bytes(20000))


def test_a_damaged_checkpoint_gives_way_to_the_other_or_is_told() -> None:
    content = bytearray(CONTENT)
    newest = Volume(BytesSource(CONTENT)).checkpoint
    first = Volume(BytesSource(CONTENT)).superblock.checkpoint
    other = first + 512 if newest.block == first else first
    content[other * BLOCK : (other + newest.total) * BLOCK] = content[newest.block * BLOCK :][: newest.total * BLOCK]
    content[newest.block * BLOCK + 20] ^= 1
    entries, notices = split(opened(bytes(content)))

    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.DAMAGED, newest.block * BLOCK)]
    assert "farrow.bin" in entries
    content[other * BLOCK + 20] ^= 1
    with pytest.raises(CorruptStructureError, match="neither of the two"):
        opened(bytes(content))


def test_a_cut_image_tells_what_it_lacks() -> None:
    size = max(extent.offset for extent in split(opened())[0]["farrow.bin"].extents or ())
    content = CONTENT[:size]
    entries, notices = split(opened(content))

    assert notices[0].code is NoticeCode.TRUNCATED
    with pytest.raises(UnreadableError):
        read(opened(content), BytesSource(content), entries["farrow.bin"])


def test_an_encrypted_or_compressed_file_is_not_passed_off_as_read() -> None:
    volatile = Volatile()
    encrypted, packed = volatile.number("bralo/timpa30.txt"), volatile.number("bralo/timpa31.txt")
    volatile.content[volatile.volume.node_block(encrypted) * BLOCK + 2] |= 4
    place = volatile.volume.node_block(packed) * BLOCK
    volatile.content[place + 3] |= 0x20
    volatile.content[place + 80] |= 4
    struct.pack_into("<H", volatile.content, place + 360, 36)
    tree = opened(bytes(volatile.content))
    entries, _ = split(tree)

    assert entries["bralo/timpa30.txt"].content is ContentState.ENCRYPTED
    assert entries["bralo/timpa31.txt"].extents is None
    with pytest.raises(UnsupportedError):
        tree.open_stream(entries["bralo/timpa31.txt"].address)


def test_a_map_outside_the_main_area_makes_the_file_partial() -> None:
    volatile = Volatile()
    number = volatile.number("bralo/timpa30.txt")
    struct.pack_into("<I", volatile.content, volatile.volume.node_block(number) * BLOCK + 360, 3)
    entries, notices = split(opened(bytes(volatile.content)))

    assert entries["bralo/timpa30.txt"].content is ContentState.PARTIAL
    assert (NoticeCode.DAMAGED, str(number)) in [(notice.code, notice.address) for notice in notices]


def test_nodes_that_lead_back_to_themselves_end() -> None:
    volume = Volume(BytesSource(CONTENT))
    number = int(split(opened())[0]["farrow.bin"].address)
    raw = bytearray(read_node(volume, number))
    struct.pack_into("<3I", raw, 4052, 0, 0, 77)
    inode = parse_inode(bytes(raw), volume.node_block(number), 0)
    loop = struct.pack("<I", 77).ljust(BLOCK - 24, b"\0") + struct.pack("<II", 77, number).ljust(24, b"\0")

    with pytest.raises(CorruptStructureError, match="twice"):
        stream_extents(inode, volume, lambda _: loop)


def test_a_freed_slot_still_names_what_was_there() -> None:
    slots = [(7, b"velk.txt", True), (8, b"timpa-with-a-long-name.txt", False), (9, b"dast", True)]
    bitmap, table, names = 0, b"", b""
    for number, name, used in slots:
        for part in range(-(-len(name) // 8)):
            bitmap |= used << len(table) // 11
            table += struct.pack("<IIHB", 0, number, len(name), 1) if not part else bytes(11)
        names += name.ljust(-(-len(name) // 8) * 8, b"\0")
    content = bitmap.to_bytes(27, "little") + bytes(3) + table.ljust(214 * 11, b"\0") + names.ljust(214 * 8, b"\0")

    assert [(name.inode, name.name, name.lost) for name in slot_names(content, 214, 27, 3)] == [
        (7, b"velk.txt", False),
        (8, b"timpa-with-a-long-name.txt", True),
        (9, b"dast", False),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_volume_is_examined_to_the_end(seed: int) -> None:
    volume = Volume(BytesSource(CONTENT))
    superblock = volume.superblock
    blocks = [superblock.sit, superblock.sit + 1, superblock.nat]
    blocks += [volume.checkpoint.block + index for index in range(volume.checkpoint.total)]
    blocks += [superblock.summaries + index for index in range(superblock.main_segments)]
    blocks += [volume.node_block(number) for number in range(3, 60) if volume.node_block(number)]
    ranges = [range(1024, 4096), *(range(block * BLOCK, (block + 1) * BLOCK) for block in blocks)]
    check_damage(open_tree, CONTENT, ranges, seed)
