"""Deleted entries that the file system itself still describes: maps that were not emptied, names in slack."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from kaval.core.errors import LocatorError
from kaval.core.records import ContentState, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from tests.filesystems.ext.make_images import words
from tests.filesystems.ext.volumes import digest, listed, make_volume, open_tree

EXT2 = ("-t", "ext2", "-b", "1024", "-I", "128")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "sunder/velk").mkdir(parents=True)
    for index in range(6):
        (root / f"sunder/timpa{index}.txt").write_bytes(words(index, 9000 * (index + 1)))
    (root / "sunder/velk/rilp.txt").write_bytes(words(50, 30_000))
    return root


@pytest.mark.parametrize("options", [EXT2, ("-t", "ext4", "-b", "1024")], ids=["ext2", "ext4"])
def test_a_deleted_file_whose_inode_keeps_its_map_is_whole(
    options: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    content = make_volume(tmp_path / "volume", *options, content=folder, commands="rm sunder/timpa3.txt\n")
    entries, notices = listed(content)
    entry = entries["sunder/timpa3.txt"]

    assert notices == []
    assert (entry.state, entry.content, entry.overlap_size) == (EntryState.DELETED, ContentState.INTACT, 0)
    assert entry.times.deleted
    assert digest(BytesSource(content), entry) == hashlib.sha256(words(3, 36_000)).hexdigest()


def test_a_deleted_file_whose_blocks_are_in_use_says_so(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(words(70, 40_000))
    commands = f"rm sunder/timpa1.txt\nrm sunder/timpa3.txt\nwrite {tmp_path / 'new'} new\n"
    content = make_volume(tmp_path / "volume", *EXT2, content=folder, commands=commands)
    source = BytesSource(content)
    entries, _ = listed(content)
    new, old = entries["new"], entries["sunder/timpa3.txt"]
    taken = {extent.offset + step for extent in new.extents or () for step in range(0, extent.length, 1024)}
    held = {extent.offset + step for extent in old.extents or () for step in range(0, extent.length, 1024)}

    assert digest(source, new) == hashlib.sha256(words(70, 40_000)).hexdigest()
    assert taken & held
    assert old.content is ContentState.OVERLAPS_ALLOCATED
    assert old.overlap_size == 1024 * len(taken & held)


def test_of_two_deleted_files_that_claim_the_same_blocks_the_later_is_believed(folder: Path, tmp_path: Path) -> None:
    plain = make_volume(tmp_path / "volume", *EXT2, content=folder)
    inodes = open_tree(plain).volume.inodes
    listing, _ = listed(plain)
    early, late = (int(listing[f"sunder/timpa{index}.txt"].address) for index in (1, 4))
    commands = f"rm sunder/timpa1.txt\nrm sunder/timpa4.txt\nsif <{early}> dtime 1000000\nsif <{late}> dtime 2000000\n"
    content = bytearray(make_volume(tmp_path / "volume", *EXT2, content=folder, commands=commands))
    for place in range(0x28, 0x28 + 60):
        content[inodes.offset(early) + place] = content[inodes.offset(late) + place]
    entries, _ = listed(bytes(content))

    assert entries["sunder/timpa4.txt"].content is ContentState.INTACT
    assert entries["sunder/timpa1.txt"].content is ContentState.OVERLAPS_DELETED
    assert entries["sunder/timpa1.txt"].overlap_size == entries["sunder/timpa1.txt"].size


def test_the_names_in_a_deleted_directory_are_found_below_it(folder: Path, tmp_path: Path) -> None:
    commands = "rm sunder/velk/rilp.txt\nrmdir sunder/velk\n"
    content = make_volume(tmp_path / "volume", *EXT2, content=folder, commands=commands)
    entries, _ = listed(content)

    assert entries["sunder/velk"].kind is EntryKind.DIRECTORY
    assert entries["sunder/velk"].state is EntryState.DELETED
    assert (
        digest(BytesSource(content), entries["sunder/velk/rilp.txt"]) == hashlib.sha256(words(50, 30_000)).hexdigest()
    )


def test_an_emptied_inode_leaves_a_name_whose_content_is_gone(folder: Path, tmp_path: Path) -> None:
    plain = make_volume(tmp_path / "volume", *EXT2, content=folder)
    number = int(listed(plain)[0]["sunder/timpa3.txt"].address)
    offset = open_tree(plain).volume.inodes.offset(number)
    content = bytearray(make_volume(tmp_path / "volume", *EXT2, content=folder, commands="rm sunder/timpa3.txt\n"))
    content[offset + 4 : offset + 8] = bytes(4)
    content[offset + 0x28 : offset + 0x64] = bytes(60)
    tree = open_tree(bytes(content))
    entries, _ = listed(bytes(content))
    entry = entries["sunder/timpa3.txt"]

    assert (entry.state, entry.content, entry.extents) == (EntryState.DELETED, ContentState.GONE, ())
    with pytest.raises(LocatorError):
        tree.open_stream(entry.address)


def test_a_renamed_file_is_not_listed_as_deleted(folder: Path, tmp_path: Path) -> None:
    commands = "ln sunder/timpa3.txt moved.txt\nunlink sunder/timpa3.txt\n"
    content = make_volume(tmp_path / "volume", *EXT2, content=folder, commands=commands)
    entries, notices = listed(content)

    assert "moved.txt" in entries
    assert "sunder/timpa3.txt" not in entries
    assert [notice.code for notice in notices] == [NoticeCode.SKIPPED]


def test_a_map_that_leads_outside_the_volume_makes_a_deleted_file_partial(folder: Path, tmp_path: Path) -> None:
    content = bytearray(make_volume(tmp_path / "volume", *EXT2, content=folder, commands="rm sunder/timpa3.txt\n"))
    number = int(listed(bytes(content))[0]["sunder/timpa3.txt"].address)
    offset = open_tree(bytes(content)).volume.inodes.offset(number) + 0x28
    content[offset + 20 : offset + 24] = struct.pack("<I", 0xFFFFFF0)
    entries, notices = listed(bytes(content))

    assert entries["sunder/timpa3.txt"].content is ContentState.PARTIAL
    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED]
