"""Deleted files of ext3 and ext4 come back from the journal, and nothing that lives is called deleted."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from tests.filesystems.ext.journal_writer import CHECKED_3, JournalWriter
from tests.filesystems.ext.volumes import digest, kept_image, listed, make_volume, open_tree, split, truth_of

IMAGES = ["ext4", "ext3-unclean"]


def recovered(content: bytes) -> tuple[dict[str, Entry], list[Notice]]:
    """Return what the capability finds, by address."""
    source = BytesSource(content)
    tree = FILESYSTEMS.get("ext").open(source, Keyring())
    return split(list(RECOVERIES.get("ext-journal").recover(source, tree)))


@pytest.mark.parametrize("name", IMAGES)
def test_every_deleted_file_whose_bytes_are_whole_comes_back(name: str) -> None:
    content = kept_image(name)
    entries, notices = recovered(content)
    by_path = {entry.path: entry for entry in entries.values()}

    assert notices == []
    assert len(by_path) == len(entries)
    for true in truth_of(name)["deleted"]:
        entry = by_path[true["path"]]
        assert entry.address.startswith(f"journal-{true['inode']}-")
        assert entry.recovered_by == "ext-journal"
        assert entry.state is EntryState.DELETED
        assert (entry.size, entry.times.modified) == (true["size"], true["modified"])
        assert entry.times.deleted is not None
        if true["whole"]:
            assert entry.content is ContentState.INTACT
            assert digest(BytesSource(content), entry) == true["sha256"]


@pytest.mark.parametrize("name", IMAGES)
def test_a_file_whose_blocks_are_in_use_again_says_how_many_bytes(name: str) -> None:
    entries, _ = recovered(kept_image(name))
    taken = {entry.path: entry for entry in entries.values() if entry.content is ContentState.OVERLAPS_ALLOCATED}

    assert set(taken) == {true["path"] for true in truth_of(name)["deleted"] if not true["whole"]}
    assert all(0 < entry.overlap_size < entry.size for entry in taken.values())


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_that_lives_is_called_deleted(name: str) -> None:
    content = kept_image(name)
    entries, _ = recovered(content)
    inodes = open_tree(content).volume.inodes
    living = {true["inode"] for true in truth_of(name)["live"].values()}
    for entry in entries.values():
        number, generation = entry.address.removeprefix("journal-").split("-")
        if int(number) in living:
            assert inodes.get(int(number)).generation != int(generation, 16)

    assert not {entry.path for entry in entries.values()} & set(truth_of(name)["live"])
    assert not {entry.path for entry in entries.values()} & {"quenli.txt", "farrow.txt"}


def test_a_deleted_directory_comes_back_with_its_path() -> None:
    entries, _ = recovered(kept_image("ext4"))
    directory = next(entry for entry in entries.values() if entry.kind is EntryKind.DIRECTORY)

    assert (directory.path, directory.state, directory.content) == (
        "sunder/velk",
        EntryState.DELETED,
        ContentState.NONE,
    )


def test_an_inode_used_twice_gives_two_deleted_files() -> None:
    entries, _ = recovered(kept_image("ext4"))
    numbers = [address.split("-")[1] for address in entries]
    twice = {number for number in numbers if numbers.count(number) == 2}

    assert {entry.path for address, entry in entries.items() if address.split("-")[1] in twice} == {
        "sorvane/kettim1.txt",
        "bralo/timpa06.txt",
    }


def test_the_same_bytes_give_the_same_records() -> None:
    assert recovered(kept_image("ext4")) == recovered(kept_image("ext4"))


def test_a_tree_without_a_journal_gives_nothing(tmp_path: Path) -> None:
    entries, notices = recovered(make_volume(tmp_path / "volume", "-t", "ext2"))

    assert (entries, notices) == ({}, [])


class Past:
    """A volume whose journal is given old copies of its own metadata blocks, before and after a deletion."""

    def __init__(self, path: Path, *options: str) -> None:
        self.folder = path / "folder"
        self.folder.mkdir()
        (self.folder / "velk").mkdir()
        for index in range(8):
            (self.folder / f"velk/timpa{index}.txt").write_text(f"timpa {index} " * 2000)
        base = ("-t", "ext4", "-b", "1024", "-J", "size=1", "-O", "^metadata_csum,^64bit", *options)
        self.content = make_volume(path / "volume", *base, size="6M", content=self.folder)
        self.writer = JournalWriter(self.content, CHECKED_3)
        self.volume = open_tree(self.content).volume
        entries, _ = listed(self.content)
        self.numbers = {path: int(entry.address) for path, entry in entries.items() if path.startswith("velk/")}
        self.directory = (entries["velk"].extents or ())[0].offset // 1024

    def commit(self, sequence: int, *, names: bool = True) -> None:
        """Put the present state of inodes, bitmaps and the directory into the journal."""
        groups = self.volume.groups
        first = int(groups.inode_table[0])
        blocks = [int(groups.block_bitmap[0]), *range(first, first + 8)]
        blocks += [self.directory] if names else []
        self.writer.transaction(sequence, [(block, self.writer.block(block)) for block in blocks])

    def delete(self, path: str) -> None:
        """Do to the metadata what a kernel does as it deletes a file."""
        number = self.numbers[path]
        content = self.writer.content
        offset = self.volume.inodes.offset(number)
        extents = self.volume.extents(self.volume.map(self.volume.inodes.get(number)), 1 << 20) or ()
        for extent in extents:
            if not extent.sparse:
                self._clear(int(self.volume.groups.block_bitmap[0]), extent.offset // 1024 - 1, extent.length // 1024)
        self._clear(int(self.volume.groups.inode_bitmap[0]), number - 1, 1)
        struct.pack_into("<I", content, offset + 4, 0)
        struct.pack_into("<I", content, offset + 0x14, 1_700_000_000)
        struct.pack_into("<H", content, offset + 0x1A, 0)
        struct.pack_into("<I", content, offset + 0x1C, 0)
        struct.pack_into("<H", content, offset + 0x2A, 0)
        content[offset + 0x34 : offset + 0x64] = bytes(0x30)
        place = content.index(path.rpartition("/")[2].encode(), self.directory * 1024) - 8
        content[place : place + 4] = bytes(4)
        content[place + 6 : place + 8 + len(path.rpartition("/")[2])] = bytes(2 + len(path.rpartition("/")[2]))

    def _clear(self, bitmap: int, bit: int, count: int) -> None:
        for place in range(bit, bit + count):
            self.writer.content[bitmap * 1024 + (place >> 3)] &= ~(1 << (place & 7))

    def end(self, sequence: int) -> bytes:
        return self.writer.finish(start=0, sequence=sequence)


def test_copies_written_by_hand_give_the_file_back(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(1)
    past.delete("velk/timpa3.txt")
    past.commit(2)
    content = past.end(3)
    entries, notices = recovered(content)
    (entry,) = entries.values()

    assert notices == []
    assert (entry.path, entry.content) == ("velk/timpa3.txt", ContentState.INTACT)
    assert entry.times.deleted == 1_700_000_000 * 10**9
    assert digest(BytesSource(content), entry) == digest(BytesSource(past.content), listed(past.content)[0][entry.path])


def test_a_name_that_the_journal_does_not_hold_makes_an_orphan(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(1, names=False)
    past.delete("velk/timpa3.txt")
    past.commit(2, names=False)
    (entry,) = recovered(past.end(3))[0].values()

    assert (entry.state, entry.content) == (EntryState.ORPHAN, ContentState.INTACT)
    assert entry.path == f"$OrphanFiles/OrphanFile-{past.numbers['velk/timpa3.txt']}"


def test_blocks_that_were_given_away_and_freed_again_are_not_called_intact(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(1)
    bitmap = int(past.volume.groups.block_bitmap[0])
    before = past.writer.block(bitmap)
    past.delete("velk/timpa3.txt")
    past.commit(2)
    past.writer.transaction(3, [(bitmap, before)])
    past.writer.transaction(4, [(bitmap, past.writer.block(bitmap))])
    (entry,) = recovered(past.end(5))[0].values()

    assert entry.content is ContentState.OVERLAPS_DELETED
    assert entry.overlap_size == entry.size


def test_a_block_that_held_metadata_since_is_not_called_intact(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(1)
    number = past.numbers["velk/timpa3.txt"]
    block = past.volume.map(past.volume.inodes.get(number)).runs[0].physical
    past.delete("velk/timpa3.txt")
    past.commit(2)
    past.writer.transaction(3, [(block, b"dast".ljust(1024, b"."))])
    (entry,) = recovered(past.end(4))[0].values()

    assert (entry.content, entry.overlap_size) == (ContentState.OVERLAPS_DELETED, 1024)


def test_a_rename_is_no_deletion(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(1)
    place = past.writer.content.index(b"timpa3.txt", past.directory * 1024)
    past.writer.content[place : place + 10] = b"renamed.on"
    past.commit(2)

    assert recovered(past.end(3)) == ({}, [])


def test_a_version_that_does_not_fit_its_checksum_is_not_believed(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(1)
    past.delete("velk/timpa3.txt")
    past.commit(2)
    content = bytearray(past.end(3))
    log = open_tree(bytes(content)).volume.log
    assert log is not None
    table = past.volume.inodes.offset(past.numbers["velk/timpa3.txt"]) // 1024
    for index in range(len(log)):
        if log.blocks[index] == table and log.sequences[index] == 1:
            content[int(log.places[index]) + 5] ^= 1
    (entry,) = recovered(bytes(content))[0].values()

    assert (entry.path, entry.content, entry.size) == ("velk/timpa3.txt", ContentState.GONE, 0)
