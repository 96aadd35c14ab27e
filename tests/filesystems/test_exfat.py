from __future__ import annotations

import hashlib
import struct

import pytest

from kaval.core.records import ContentState, Entry, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems.exfat import ExfatFileSystem
from tests.filesystems.contract import digests, listing, mutations, stream_of, survives
from tests.filesystems.exfat_disk import CLUSTER, HEAP, TABLE, ExfatDisk, Node

EXFAT = ExfatFileSystem()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries}


def in_turns(disk: ExfatDisk) -> list[Node]:
    """Two files written in turns, a third between them."""
    one = disk.create("one.dat", 5000)
    disk.clock += 20
    two = disk.create("two.dat", 5000)
    disk.clock += 20
    disk.append(one, 9000)
    disk.clock += 20
    three = disk.create("three.dat", 20000)
    disk.clock += 20
    disk.append(two, 6000)
    disk.clock += 600
    return [one, two, three]


def test_living_entries_come_with_names_sizes_zoned_times_and_bytes() -> None:
    disk = ExfatDisk()
    folder = disk.make_directory("Tarn of vindra")
    note = disk.create("മഴ a name that takes more than one entry.txt", 9000, folder)
    nodes = in_turns(disk)

    image = disk.build()
    tree, entries, notices = listing(EXFAT, image)
    found = by_path(entries)
    path = f"Tarn of vindra/{note.name}"

    assert list(found) == ["$Bitmap", "$UpCase", "Tarn of vindra", "one.dat", "two.dat", "three.dat", path]
    assert {digests(tree, image, entries)[name] for name in (path, "one.dat", "two.dat", "three.dat")} == {
        md5(node.content) for node in (note, *nodes)
    }
    assert (found[path].times.zone, found[path].times.resolution) == ("+05:30", "m=10ms a=2s b=10ms")
    assert found[path].times.created == 1715947200 * 10**9
    assert found[path].parent == str(folder.places[0])
    assert tree.facts["label"] == "Vindra"
    assert not notices


def test_a_deleted_contiguous_file_is_intact_by_its_own_word() -> None:
    disk = ExfatDisk()
    node = disk.create("whole.dat", 30000)
    disk.delete(node)

    image = disk.build()
    tree, entries, _ = listing(EXFAT, image)
    entry = by_path(entries)["whole.dat"]

    assert (entry.state, entry.content, entry.assumed_size) == (EntryState.DELETED, ContentState.INTACT, 0)
    assert digests(tree, image, [entry]) == {"whole.dat": md5(node.content)}


@pytest.mark.parametrize(("clears", "content"), [(False, ContentState.INTACT), (True, ContentState.ASSUMED)])
def test_pieces_are_followed_by_a_chain_that_survived_and_concluded_without(
    clears: bool, content: ContentState
) -> None:
    disk = ExfatDisk(clears_chains=clears)
    nodes = in_turns(disk)
    for node in nodes:
        disk.delete(node)

    image = disk.build()
    tree, entries, _ = listing(EXFAT, image)
    deleted = [entry for entry in entries if entry.state is EntryState.DELETED]

    assert digests(tree, image, deleted) == {node.name: md5(node.content) for node in nodes}
    assert {entry.path: entry.content for entry in deleted} == {
        "one.dat": content,
        "two.dat": content,
        "three.dat": ContentState.INTACT,
    }


def test_what_lies_behind_the_valid_length_reads_as_zeros() -> None:
    disk = ExfatDisk()
    node = disk.create("set aside.dat", 10000)
    node.valid = 4500
    disk._write_entries(node)

    image = disk.build()
    tree, entries, _ = listing(EXFAT, image)
    entry = by_path(entries)["set aside.dat"]

    assert stream_of(tree, BytesSource(image), entry) == node.content[:4500] + bytes(5500)
    assert entry.extents is not None
    assert [extent.sparse for extent in entry.extents] == [False, True]


def test_overlap_with_younger_files_is_told() -> None:
    disk = ExfatDisk(policy="first")
    folder = disk.make_directory("folder")
    older = disk.create("older.dat", 20000)
    disk.delete(older)
    disk.clock += 60
    disk.create("living.dat", 4000, folder)
    younger = disk.create("younger.dat", 4000, folder)
    disk.delete(younger)

    _, entries, _ = listing(EXFAT, disk.build())
    found = by_path(entries)

    assert found["older.dat"].content is ContentState.OVERLAPS_ALLOCATED
    assert found["older.dat"].overlap_size == CLUSTER
    assert found["folder/younger.dat"].content is ContentState.INTACT


def test_overlap_with_a_deleted_file_is_told() -> None:
    disk = ExfatDisk(policy="first")
    folder = disk.make_directory("folder")
    disk.delete(disk.create("older.dat", 20000))
    disk.clock += 60
    disk.delete(disk.create("younger.dat", 4000, folder))

    _, entries, _ = listing(EXFAT, disk.build())
    found = by_path(entries)

    assert found["older.dat"].content is ContentState.OVERLAPS_DELETED
    assert found["folder/younger.dat"].content is ContentState.INTACT


def test_a_moved_file_is_not_listed_as_deleted_at_its_old_name() -> None:
    disk = ExfatDisk()
    folder = disk.make_directory("folder")
    moved = disk.create("moved.dat", 9000)
    disk.clock += 60
    disk.rename(moved, "renamed.dat", folder)

    _, entries, notices = listing(EXFAT, disk.build())

    assert [entry.path for entry in entries][2:] == ["folder", "folder/renamed.dat"]
    assert [notice.code for notice in notices] == [NoticeCode.SKIPPED]


def test_deleted_and_lost_directories_are_read() -> None:
    disk = ExfatDisk()
    outer = disk.make_directory("outer")
    named = disk.create("named.dat", 5000, outer)
    lost = disk.make_directory("lost")
    hidden = disk.create("hidden.dat", 5000, lost)
    for node in (named, outer, hidden, lost):
        disk.delete(node)
    for place in lost.places:
        disk.image[place : place + 32] = b"\x01".ljust(32, b"\0")

    image = disk.build()
    tree, entries, _ = listing(EXFAT, image)
    found = by_path(entries)
    orphan = f"$OrphanFiles/cluster-{lost.chain[0]}/hidden.dat"

    assert found["outer/named.dat"].state is EntryState.DELETED
    assert found[orphan].state is EntryState.ORPHAN
    assert digests(tree, image, [found["outer/named.dat"], found[orphan]]) == {
        "outer/named.dat": md5(named.content),
        orphan: md5(hidden.content),
    }


def test_a_set_whose_head_was_used_again_is_still_a_file() -> None:
    disk = ExfatDisk()
    node = disk.create("headless.dat", 9000)
    disk.delete(node)
    disk.image[node.places[0] : node.places[0] + 32] = b"\x01".ljust(32, b"\0")

    image = disk.build()
    tree, entries, _ = listing(EXFAT, image)
    entry = by_path(entries)["headless.dat"]

    assert entry.times.created is None
    assert digests(tree, image, [entry]) == {"headless.dat": md5(node.content)}


def test_damage_to_living_entries_is_told_with_its_place() -> None:
    disk = ExfatDisk()
    torn = disk.create("torn.dat", 5000)
    node = disk.create("loop.dat", 5000)
    disk.create("between.dat", 100)
    disk.append(node, 9000)
    disk.table[node.chain[-1]] = node.chain[0]
    disk.image[torn.places[0] + 4] ^= 0x01

    _, entries, notices = listing(EXFAT, disk.build())

    assert {(notice.code, notice.offset) for notice in notices} == {
        (NoticeCode.DAMAGED, torn.places[0]),
        (NoticeCode.LOOP, node.places[0]),
    }
    assert by_path(entries)["torn.dat"].state is EntryState.ALLOCATED


def test_a_cut_image_and_a_damaged_boot_sector_are_told() -> None:
    disk = ExfatDisk()
    whole = disk.create("whole.dat", 5000)
    cut = disk.create("cut.dat", 50000)
    image = bytearray(disk.build()[: disk.place(cut.chain[2])])
    image[:512] = bytes(512)

    tree, entries, notices = listing(EXFAT, bytes(image))
    found = by_path(entries)

    assert found["cut.dat"].content is ContentState.PARTIAL
    assert stream_of(tree, BytesSource(bytes(image)), found["whole.dat"]) == whole.content
    assert [notice.code for notice in notices] == [
        NoticeCode.DAMAGED, NoticeCode.TRUNCATED, NoticeCode.TRUNCATED,
    ]  # fmt: skip


def test_zones_that_differ_are_brought_to_utc_and_a_missing_one_leaves_it_open() -> None:
    disk = ExfatDisk()
    node = disk.create("zones.dat", 100)
    open_zone = disk.create("open.dat", 100)
    disk.image[node.places[0] + 22] = 0x80
    disk.image[open_zone.places[0] + 22] = 0

    _, entries, _ = listing(EXFAT, disk.build())
    found = by_path(entries)

    assert found["zones.dat"].times.zone == "utc"
    assert found["zones.dat"].times.created == 1715947200 * 10**9
    assert found["zones.dat"].times.modified == (1715947200 - 19800) * 10**9
    assert found["open.dat"].times.zone == "unknown"


def test_free_space_is_what_the_bitmap_calls_free() -> None:
    disk = ExfatDisk()
    disk.create("kept.dat", 30000)
    disk.delete(disk.create("struck.dat", 9000))

    tree, _, _ = listing(EXFAT, disk.build())

    assert sum(extent.length for extent in tree.unallocated()) == (disk.clusters - len(disk.used)) * CLUSTER


def test_a_directory_that_holds_itself_is_walked_once() -> None:
    disk = ExfatDisk()
    outer = disk.make_directory("outer")
    inner = disk.make_directory("inner", outer)
    struct.pack_into("<I", disk.image, inner.places[1] + 20, outer.chain[0])

    _, entries, notices = listing(EXFAT, disk.build())

    assert [entry.path for entry in entries if entry.state is EntryState.ALLOCATED][2:] == ["outer", "outer/inner"]
    assert NoticeCode.LOOP in {notice.code for notice in notices}


@pytest.mark.parametrize("seed", range(10))
def test_damage_ends_in_records_notices_or_our_own_errors(seed: int) -> None:
    disk = ExfatDisk(clusters=300)
    folder = disk.make_directory("folder")
    for number in range(4):
        disk.create(f"living {number}.dat", 6000, folder)
    for node in (*in_turns(disk), disk.create("deleted.dat", 9000, folder)):
        disk.delete(node)
    image = disk.build()
    root = disk.place(disk.root.chain[0])
    places = [(64, 56), (TABLE, 200), (root, 700), (disk.place(folder.chain[0]), 700), (HEAP, 64)]

    for damaged in mutations(image, 40, seed, places):
        survives(EXFAT, damaged)
