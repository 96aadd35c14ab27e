from __future__ import annotations

import hashlib
import random
import struct
import zipfile
from collections.abc import Callable

import pytest

from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource, SliceSource
from kaval.filesystems.fat import FatFileSystem
from tests.filesystems.contract import digests, listing, mutations, stream_of, survives
from tests.filesystems.fat_disk import EPOCH_DAY, FatDisk, Node
from tests.testdata import shared

FAT = FatFileSystem()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries}


@pytest.fixture(params=[12, 16, 32])
def disk(request: pytest.FixtureRequest) -> FatDisk:
    clusters = {12: 1500, 16: 5000, 32: 70000}[request.param]
    return FatDisk(bits=request.param, clusters=clusters, cluster_size=512 if request.param == 32 else 1024)


def test_living_entries_come_with_names_sizes_times_and_bytes(disk: FatDisk) -> None:
    folder = disk.make_directory("Tarn of vindra")
    note = disk.create("മഴ note.txt", 3000, folder)
    plain = disk.create("PLAIN.BIN", 10)
    disk.create("EMPTY.TXT", 0)

    image = disk.build()
    tree, entries, notices = listing(FAT, image)
    found = by_path(entries)

    assert list(found) == ["Tarn of vindra", "PLAIN.BIN", "EMPTY.TXT", "Tarn of vindra/മഴ note.txt"]
    assert digests(tree, image, entries)["Tarn of vindra/മഴ note.txt"] == md5(note.content)
    assert digests(tree, image, entries)["PLAIN.BIN"] == md5(plain.content)
    assert tree.facts["type"] == f"FAT{disk.bits}"
    assert found["PLAIN.BIN"].times.zone == "unknown"
    assert found["PLAIN.BIN"].times.modified == 1076760000 * 10**9
    assert found["PLAIN.BIN"].address == str(plain.slot)
    assert found["Tarn of vindra/മഴ note.txt"].parent == str(folder.slot)
    assert not notices


def test_a_deleted_name_gets_its_first_character_back_from_the_long_one(disk: FatDisk) -> None:
    nodes = [disk.create("osk mirul benta quor.jpg", 900), disk.create("SHORT.TXT", 500)]
    for node in nodes:
        disk.delete(node)

    _, entries, _ = listing(FAT, disk.build())

    assert [entry.path for entry in entries] == ["osk mirul benta quor.jpg", "\N{REPLACEMENT CHARACTER}HORT.TXT"]
    assert entries[1].path_raw is not None
    assert entries[1].path_raw[1:5] == b"HORT"
    assert {entry.state for entry in entries} == {EntryState.DELETED}


def test_a_long_name_whose_beginning_was_used_again_shows_that_it_is_cut(disk: FatDisk) -> None:
    disk.delete(disk.create("osk mirul benta quor.jpg", 900))
    disk.create("A.TXT", 500)

    _, entries, _ = listing(FAT, disk.build())

    assert [entry.path for entry in entries] == ["A.TXT", "osk mirul ben\N{REPLACEMENT CHARACTER}"]


def test_a_deleted_file_of_one_cluster_is_intact_and_a_longer_one_assumed(disk: FatDisk) -> None:
    one = disk.create("one.dat", 400)
    many = disk.create("many.dat", 4000)
    disk.delete(one)
    disk.delete(many)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)
    found = by_path(entries)

    assert found["one.dat"].content is ContentState.INTACT
    assert found["many.dat"].content is ContentState.ASSUMED
    assert found["many.dat"].assumed_size == 4000 - disk.cluster_size
    assert found["many.dat"].extents is not None
    assert [extent.assumed for extent in found["many.dat"].extents] == [False, True]
    assert digests(tree, image, entries)["many.dat"] == md5(many.content)


def test_clusters_in_use_by_an_older_file_are_left_out(disk: FatDisk) -> None:
    first = disk.create("first.dat", 1000)
    disk.clock += 10
    disk.create("living.dat", 2000)
    disk.clock += 10
    disk.append(first, 2500)
    disk.delete(first)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)

    assert digests(tree, image, entries)["first.dat"] == md5(first.content)


def test_clusters_given_to_a_younger_file_are_told_as_overlap() -> None:
    disk = FatDisk(policy="first")
    folder = disk.make_directory("other")
    first = disk.create("first.dat", 5000)
    disk.clock += 60
    disk.delete(first)
    disk.create("younger.dat", 2000, folder)

    _, entries, _ = listing(FAT, disk.build())
    gone = by_path(entries)["first.dat"]

    assert gone.content is ContentState.OVERLAPS_ALLOCATED
    assert gone.overlap_size == 2048


def test_a_file_overwritten_whole_is_gone() -> None:
    disk = FatDisk(policy="first")
    folder = disk.make_directory("other")
    disk.delete(disk.create("first.dat", 3000))
    disk.clock += 60
    disk.create("younger.dat", 9000, folder)

    _, entries, _ = listing(FAT, disk.build())

    assert by_path(entries)["first.dat"].content is ContentState.GONE


def test_a_moved_file_is_not_listed_as_deleted_at_its_old_name(disk: FatDisk) -> None:
    folder = disk.make_directory("folder")
    moved = disk.create("moved file.dat", 3000)
    disk.clock += 100
    disk.rename(moved, "renamed file.dat", folder)

    _, entries, notices = listing(FAT, disk.build())

    assert [entry.path for entry in entries] == ["folder", "folder/renamed file.dat"]
    assert [notice.code for notice in notices] == [NoticeCode.SKIPPED]


def test_a_file_renamed_and_then_deleted_is_found_under_both_names(disk: FatDisk) -> None:
    folder = disk.make_directory("folder")
    moved = disk.create("moved file.dat", 3000)
    disk.rename(moved, "renamed file.dat", folder)
    disk.delete(moved)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)

    assert digests(tree, image, entries) == {
        "moved file.dat": md5(moved.content),
        "folder/renamed file.dat": md5(moved.content),
    }


def test_deleted_directories_are_walked(disk: FatDisk) -> None:
    outer = disk.make_directory("outer")
    inner = disk.make_directory("inner folder", outer)
    kept = disk.create("kept.dat", 2500, inner)
    for node in (kept, inner, outer):
        disk.delete(node)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)
    found = by_path(entries)

    assert digests(tree, image, entries) == {"outer/inner folder/kept.dat": md5(kept.content)}
    assert found["outer/inner folder"].state is EntryState.DELETED
    assert found["outer/inner folder/kept.dat"].parent == str(inner.slot)


def test_a_directory_nobody_names_is_found_by_its_own_entries(disk: FatDisk) -> None:
    lost = disk.make_directory("lost")
    child = disk.make_directory("child", lost)
    kept = disk.create("kept.dat", 700, child)
    for node in (kept, child, lost):
        disk.delete(node)
    disk.image[lost.slot - 32 * (lost.width - 1) : lost.slot + 32] = bytes(32 * lost.width)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)

    place = f"$OrphanFiles/cluster-{lost.chain[0]}"
    assert {entry.path: entry.state for entry in entries} == {
        place: EntryState.ORPHAN,
        f"{place}/child": EntryState.ORPHAN,
        f"{place}/child/kept.dat": EntryState.ORPHAN,
    }
    assert digests(tree, image, entries) == {f"{place}/child/kept.dat": md5(kept.content)}


def test_a_directory_whose_clusters_others_have_now_is_not_walked() -> None:
    disk = FatDisk(policy="first")
    other = disk.make_directory("other")
    old = disk.make_directory("old", other)
    disk.delete(disk.create("child.dat", 700, old))
    disk.delete(old)
    disk.clock += 60
    new = disk.make_directory("new")

    _, entries, _ = listing(FAT, disk.build())
    found = by_path(entries)

    assert new.chain == old.chain
    assert found["other/old"].content is ContentState.GONE
    assert "other/old/child.dat" not in found


def test_first_clusters_of_which_windows_left_half_are_restored() -> None:
    disk = FatDisk(bits=32, clusters=150000, cluster_size=512)
    folder = disk.make_directory("folder")
    nodes = []
    for hint in (700, 66000, 140000):
        disk.hint = hint
        disk.create(f"living at {hint}.dat", 5000)
        nodes.append(disk.create(f"file at {hint}.dat", 3000, folder))
        disk.clock += 60
    inner = disk.make_directory("inner", folder)
    nodes.append(disk.create("below.dat", 700, inner))
    for node in (*nodes, inner, folder):
        disk.delete(node, zero_high_word=True)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)
    deleted = [entry for entry in entries if entry.state is EntryState.DELETED]

    assert digests(tree, image, deleted) == {
        **{f"folder/{node.name}": md5(node.content) for node in nodes[:3]},
        "folder/inner/below.dat": md5(nodes[3].content),
    }
    assert {entry.content for entry in deleted if entry.kind is EntryKind.FILE} == {ContentState.ASSUMED}
    assert all(extent.assumed for extent in by_path(deleted)["folder/file at 66000.dat"].extents or ())


def test_what_lies_behind_the_end_mark_counts_as_deleted() -> None:
    disk = FatDisk()
    folder = disk.make_directory("folder")
    for name in ("first.dat", "second.dat", "third.dat"):
        disk.create(name, 300, folder)
    second = next(slot for slot in disk._slots(folder)[2:] if disk.image[slot + 11] != 0x0F)
    for slot in disk._slots(folder):
        if slot > second:
            disk.image[slot] = 0
            break

    _, entries, _ = listing(FAT, disk.build())
    states = {entry.path: entry.state for entry in entries}

    assert states["folder/first.dat"] is EntryState.ALLOCATED
    assert states["folder/third.dat"] is EntryState.DELETED


def interleaved(disk: FatDisk) -> list[Node]:
    """Two files written in turns, one in one piece between them, a deleted folder with a third pair."""
    one = disk.create("one.dat", 1000)
    disk.clock += 20
    two = disk.create("two.dat", 1000)
    disk.clock += 20
    disk.append(one, 700)
    disk.clock += 20
    disk.append(two, 2000)
    disk.clock += 20
    three = disk.create("three.dat", 3500)
    disk.clock += 20
    disk.append(two, 900)
    disk.clock += 20
    folder = disk.make_directory("folder")
    four = disk.create("four.dat", 800, folder)
    disk.clock += 20
    five = disk.create("five.dat", 1900, folder)
    disk.clock += 20
    disk.append(four, 1000)
    nodes = [one, two, three, four, five]
    disk.clock += 600
    for node in (four, five, folder, three, two, one):
        disk.delete(node)
    return nodes


def three_in_turns(disk: FatDisk) -> list[Node]:
    nodes = []
    for name in ("a.dat", "b.dat", "c.dat"):
        nodes.append(disk.create(name, 1024))
        disk.clock += 10
    for node in (nodes[0], nodes[2], nodes[1]):
        disk.append(node, 1500)
        disk.clock += 10
    return nodes


def around_a_living_file(disk: FatDisk) -> list[Node]:
    node = disk.create("a.dat", 2048)
    disk.clock += 10
    disk.create("living.dat", 4096)
    disk.clock += 10
    disk.append(node, 2048)
    disk.clock += 10
    other = disk.create("b.dat", 3000)
    return [node, other]


def into_a_hole(disk: FatDisk) -> list[Node]:
    """A file fills the hole of one deleted before, and goes on behind a neighbour deleted after."""
    hole = disk.create("hole.dat", 2048)
    disk.clock += 10
    neighbour = disk.create("neighbour.dat", 3072)
    disk.clock += 10
    disk.delete(hole)
    disk.hint = 2
    disk.clock += 60
    filler = disk.create("filler.dat", 4096)
    return [neighbour, filler]


def one_after_the_other(disk: FatDisk) -> list[Node]:
    nodes = []
    for number in range(12):
        nodes.append(disk.create(f"n{number}.dat", 300 + 700 * (number % 5)))
        disk.clock += 3
    return nodes


def two_logs(disk: FatDisk) -> list[Node]:
    """Two files that grow by a cluster each in turn, the way logs do, closed one after the other."""
    one, two = disk.create("one.log", 1024), disk.create("two.log", 1024)
    disk.clock += 4
    disk.append(one, 1024)
    disk.clock += 4
    disk.append(two, 2048)
    return [one, two]


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize(
    "story", [three_in_turns, around_a_living_file, into_a_hole, one_after_the_other, two_logs, interleaved]
)
def test_stories_of_drivers_are_read_back(bits: int, story: Callable[[FatDisk], list[Node]]) -> None:
    disk = FatDisk(bits=bits, clusters=1500 if bits == 12 else 5000)
    nodes = story(disk)
    disk.clock += 600
    for node in nodes:
        if disk.image[node.slot] != 0xE5:
            disk.delete(node)

    image = disk.build()
    tree, entries, _ = listing(FAT, image)
    deleted = [entry for entry in entries if entry.state is not EntryState.ALLOCATED]

    assert sorted(digests(tree, image, deleted).values()) == sorted(md5(node.content) for node in nodes)


def test_the_image_of_2004_gives_all_six_files() -> None:
    with zipfile.ZipFile(shared("engine/dftt/6-undel-fat.zip")) as packed:
        image = next(packed.read(name) for name in packed.namelist() if name.endswith(".dd"))

    tree, entries, _ = listing(FAT, image)

    assert set(digests(tree, image, entries).values()) >= {
        "59b20779f69ff9f0ac5fcd2c38835a79", "ffd27bd782bdce67750b6b9ee069d2ef", "7a3bc5b763bef201202108f4ba128149",
        "0e80ab84ef0087e60dfc67b88a1cf13e", "59cf0e9cd107bc1e75afb7374f6e05bb", "21121699487f3fbbdb9a4b3391b6d3e0",
    }  # fmt: skip


def test_a_label_that_owns_clusters_is_listed() -> None:
    with zipfile.ZipFile(shared("engine/dftt/9-fat-label.zip")) as packed:
        image = next(packed.read(name) for name in packed.namelist() if name.endswith(".dd"))

    tree, entries, notices = listing(FAT, image)

    assert set(digests(tree, image, entries).values()) == {
        "8071eeaa52cd372a9bbb093e348e605c", "8aeca328aa6fbb7d2ec01f8c2f3e4bbd",
    }  # fmt: skip
    assert tree.facts["label"] == "LABEL2"
    assert [notice.code for notice in notices].count(NoticeCode.TYPE_MISMATCH) == 2


def test_free_space_is_exactly_what_no_chain_holds(disk: FatDisk) -> None:
    kept = disk.create("kept.dat", 3000)
    disk.delete(disk.create("struck.dat", 3000))

    tree, _, _ = listing(FAT, disk.build())
    free = list(tree.unallocated())

    used = {cluster for cluster, value in enumerate(disk.table) if value and cluster >= 2}
    assert set(kept.chain) <= used
    assert sum(extent.length for extent in free) == (disk.clusters - len(used)) * disk.cluster_size
    assert all(
        (extent.offset - disk.heap) // disk.cluster_size + 2 + k not in used
        for extent in free
        for k in range(extent.length // disk.cluster_size)
    )


def test_a_chain_that_returns_ends_with_a_notice_that_names_its_place(disk: FatDisk) -> None:
    node = disk.create("loop.dat", 6000)
    disk.table[node.chain[-1]] = node.chain[1]

    _, entries, notices = listing(FAT, disk.build())

    assert entries[0].content is ContentState.INTACT
    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.LOOP, node.slot)]


def test_a_short_chain_leaves_a_partial_file_and_a_notice(disk: FatDisk) -> None:
    node = disk.create("short.dat", 6000)
    disk.table[node.chain[2]] = disk.end_mark

    _, entries, notices = listing(FAT, disk.build())

    assert by_path(entries)["short.dat"].content is ContentState.PARTIAL
    assert NoticeCode.DAMAGED in {notice.code for notice in notices}
    assert any(entry.path.startswith("$LostChains/") for entry in entries)


def test_chains_that_cross_are_told_with_the_overlap(disk: FatDisk) -> None:
    one = disk.create("one.dat", 4000)
    two = disk.create("two.dat", 4000)
    disk.table[two.chain[0]] = one.chain[1]

    _, entries, notices = listing(FAT, disk.build())

    assert by_path(entries)["two.dat"].content is ContentState.OVERLAPS_ALLOCATED
    assert by_path(entries)["two.dat"].overlap_size > 0
    assert NoticeCode.OVERLAP in {notice.code for notice in notices}


def test_a_directory_that_holds_itself_is_walked_once(disk: FatDisk) -> None:
    outer = disk.make_directory("outer")
    inner = disk.make_directory("inner", outer)
    struct.pack_into("<H", disk.image, inner.slot + 26, outer.chain[0])

    _, entries, notices = listing(FAT, disk.build())

    assert [entry.path for entry in entries if entry.kind is EntryKind.DIRECTORY][:2] == ["outer", "outer/inner"]
    assert NoticeCode.LOOP in {notice.code for notice in notices}


def test_a_cut_image_is_told_and_what_is_left_is_listed(disk: FatDisk) -> None:
    whole = disk.create("whole.dat", 3000)
    cut = disk.create("cut.dat", 9000)
    image = disk.build()[: disk.place(cut.chain[3])]

    tree, entries, notices = listing(FAT, image)
    found = by_path(entries)

    assert stream_of(tree, BytesSource(image), found["whole.dat"]) == whole.content
    assert found["cut.dat"].content is ContentState.PARTIAL
    assert [notice.code for notice in notices] == [NoticeCode.TRUNCATED, NoticeCode.TRUNCATED]
    assert notices[0].offset == len(image)


def test_a_deleted_entry_of_absurd_size_claims_nothing() -> None:
    disk = FatDisk()
    node = disk.create("absurd.dat", 3000)
    disk.delete(node)
    struct.pack_into("<I", disk.image, node.slot + 28, 0xFFFFFFF0)

    _, entries, notices = listing(FAT, disk.build())

    assert (entries[0].content, entries[0].extents) == (ContentState.GONE, ())
    assert notices[0].code is NoticeCode.ABSURD_SIZE


def test_tables_that_differ_are_told() -> None:
    disk = FatDisk()
    disk.create("a.dat", 3000)
    image = bytearray(disk.build())
    image[disk.table_offset + disk.table_size + 4] ^= 0xFF

    _, _, notices = listing(FAT, bytes(image))

    assert [(notice.code, notice.offset) for notice in notices] == [
        (NoticeCode.DAMAGED, disk.table_offset + disk.table_size + 4)
    ]


def test_a_damaged_boot_sector_of_fat32_is_replaced_by_its_copy() -> None:
    disk = FatDisk(bits=32, clusters=70000, cluster_size=512)
    node = disk.create("kept.dat", 3000)
    image = bytearray(disk.build())
    image[:512] = bytes(512)

    tree, entries, notices = listing(FAT, bytes(image))

    assert digests(tree, bytes(image), entries) == {"kept.dat": md5(node.content)}
    assert notices[0].code is NoticeCode.DAMAGED


def test_an_impossible_time_is_left_empty_and_told() -> None:
    disk = FatDisk()
    node = disk.create("odd.dat", 300)
    struct.pack_into("<H", disk.image, node.slot + 24, EPOCH_DAY | 15 << 5)

    _, entries, notices = listing(FAT, disk.build())

    assert entries[0].times.modified is None
    assert notices[0].code is NoticeCode.TIME_IMPOSSIBLE


def test_other_systems_are_not_taken_for_a_fat() -> None:
    boot = bytearray(FatDisk().build()[:1024])
    for signature in (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-"):
        boot[3:11] = signature
        assert not FAT.probe(BytesSource(bytes(boot)))
    assert not FAT.probe(BytesSource(b""))
    assert not FAT.probe(BytesSource(random.Random(3).randbytes(4096)))


def test_a_volume_inside_a_disk_has_offsets_of_the_volume() -> None:
    disk = FatDisk()
    node = disk.create("kept.dat", 300)
    inside = SliceSource(BytesSource(bytes(1 << 20) + disk.build()), 1 << 20, len(disk.image))

    entry = next(record for record in FAT.open(inside, Keyring()).entries() if isinstance(record, Entry))

    assert entry.extents is not None
    assert entry.extents[0].offset == disk.place(node.chain[0])


@pytest.mark.parametrize("seed", range(8))
def test_damage_ends_in_records_notices_or_our_own_errors(disk: FatDisk, seed: int) -> None:
    interleaved(disk)
    folder = disk.make_directory("living folder")
    for number in range(5):
        disk.create(f"living file {number}.dat", 3000, folder)
    image = disk.build()
    roots = (disk.heap - max(disk.root_size, 1), 4096)
    places = [(0, 90), (disk.table_offset, 200), roots, (disk.heap, 30 * disk.cluster_size)]

    for damaged in mutations(image, 12 if disk.bits == 32 else 40, seed, places):
        survives(FAT, damaged)
