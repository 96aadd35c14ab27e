from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, LockedError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource, FileSource, iterate_blocks
from kaval.filesystems.ntfs import NtfsFileSystem
from kaval.filesystems.ntfs.lznt1 import decompress
from kaval.filesystems.ntfs.segments import decode_runs
from tests.filesystems.contract import READ_KINDS, digests, listing, mutations, stream_of, survives
from tests.filesystems.ntfs_image import (
    CLUSTER,
    DIRECTORY,
    EPOCH,
    FILETIME,
    IN_USE,
    RECORD,
    NtfsImage,
    mapped,
    named,
    resident,
    times,
)
from tests.testdata import shared

NTFS = NtfsFileSystem()
DATA = 0x80


def content(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries}


def users(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.kind is not EntryKind.SYSTEM]


def simple() -> NtfsImage:
    """A directory, a resident file with a stream, a file in two runs with a hole."""
    image = NtfsImage()
    image.add(30, times(), named("Tarn"), flags=IN_USE | DIRECTORY)
    image.add(
        31, times(), named("മഴ.txt", 30, 1), resident(DATA, b"osk mirul"), resident(DATA, b"benta", "quor", ident=7)
    )
    body = content(1, 3 * CLUSTER)
    runs = [*image.put(60, body[: 2 * CLUSTER]), (-1, 2), *image.put(80, body[2 * CLUSTER :])]
    image.add(32, times(), named("pieces.bin", 30, 1), mapped(DATA, runs, 5 * CLUSTER - 100, flags=0x8000))
    return image


def test_living_files_come_with_streams_runs_and_times() -> None:
    image = simple().build()
    tree, entries, notices = listing(NTFS, image)
    found = by_path(entries)
    source = BytesSource(image)

    assert [entry.path for entry in users(entries)] == ["Tarn", "Tarn/മഴ.txt", "Tarn/മഴ.txt:quor", "Tarn/pieces.bin"]
    assert stream_of(tree, source, found["Tarn/മഴ.txt"]) == b"osk mirul"
    assert stream_of(tree, source, found["Tarn/മഴ.txt:quor"]) == b"benta"
    assert (found["Tarn/മഴ.txt:quor"].kind, found["Tarn/മഴ.txt:quor"].address) == (EntryKind.STREAM, "31-1-7")
    pieces = found["Tarn/pieces.bin"]
    body = content(1, 3 * CLUSTER)
    assert stream_of(tree, source, pieces) == body[: 2 * CLUSTER] + bytes(2 * CLUSTER) + body[2 * CLUSTER :][:-100]
    assert pieces.extents is not None
    assert [extent.sparse for extent in pieces.extents] == [False, True, False]
    assert (pieces.times.zone, pieces.times.resolution) == ("utc", "100ns")
    assert pieces.times.created == (FILETIME - EPOCH) * 100
    assert pieces.times.changed == (FILETIME + 20 - EPOCH) * 100
    assert pieces.parent == "30-1"
    assert tree.facts["label"] == "Vindra"
    assert not notices


def test_system_files_are_told_from_others() -> None:
    image = NtfsImage()
    image.add(8, times(), named("$BadClus"), mapped(DATA, [(-1, 256)], 256 * CLUSTER, name="$Bad", ident=1), sequence=8)
    tree, entries, _ = listing(NTFS, image.build())
    found = by_path(entries)

    assert found["$MFT"].kind is EntryKind.SYSTEM
    assert found["$BadClus:$Bad"].content is ContentState.NONE
    assert "$BadClus:$Bad" not in digests(tree, image.build(), entries)


def test_what_lies_behind_the_valid_length_reads_as_zeros() -> None:
    image = NtfsImage()
    body = content(2, 2 * CLUSTER)
    image.add(30, times(), named("valid.bin"), mapped(DATA, image.put(60, body), 2 * CLUSTER, valid=5000))

    built = image.build()
    tree, entries, _ = listing(NTFS, built)

    assert stream_of(tree, BytesSource(built), users(entries)[0]) == body[:5000] + bytes(2 * CLUSTER - 5000)


def test_resident_bytes_at_the_end_of_a_sector_come_from_the_update_sequence() -> None:
    image = NtfsImage()
    body = content(3, 600)
    image.add(30, times(), named("across.bin"), resident(DATA, body))

    built = image.build()
    tree, entries, _ = listing(NTFS, built)
    entry = users(entries)[0]

    assert entry.extents is not None
    assert len(entry.extents) == 3
    assert stream_of(tree, BytesSource(built), entry) == body
    assert tree.open_stream(entry.address).read_at(0, 600) == body


def test_a_deleted_file_with_free_clusters_is_intact_and_keeps_its_path() -> None:
    image = NtfsImage()
    body = content(4, 3 * CLUSTER - 5)
    image.add(30, times(), named("folder"), flags=DIRECTORY, sequence=2)
    image.add(
        31,
        times(),
        named("gone.bin", 30, 1),
        mapped(DATA, image.put(60, body, used=False), len(body)),
        flags=0,
        sequence=2,
    )
    image.add(32, times(), named("small.txt", 30, 1), resident(DATA, b"silde"), flags=0, sequence=2)

    built = image.build()
    tree, entries, _ = listing(NTFS, built)
    found = by_path(entries)

    assert [found[path].state for path in ("folder", "folder/gone.bin", "folder/small.txt")] == [EntryState.DELETED] * 3
    assert found["folder/gone.bin"].content is ContentState.INTACT
    assert stream_of(tree, BytesSource(built), found["folder/gone.bin"]) == body
    assert stream_of(tree, BytesSource(built), found["folder/small.txt"]) == b"silde"


def test_a_deleted_file_whose_directory_is_another_by_now_is_an_orphan() -> None:
    image = NtfsImage()
    image.add(30, times(), named("new folder"), flags=IN_USE | DIRECTORY, sequence=7)
    image.add(31, times(), named("lost.txt", 30, 3), resident(DATA, b"osk"), flags=0, sequence=2)
    image.add(32, times(), named("lost folder", 30, 3), flags=DIRECTORY, sequence=2)
    image.add(33, times(), named("below.txt", 32, 1), resident(DATA, b"osk"), flags=0, sequence=2)

    _, entries, _ = listing(NTFS, image.build())
    states = {entry.path: entry.state for entry in users(entries)}

    assert states == {
        "new folder": EntryState.ALLOCATED,
        "$OrphanFiles/lost.txt": EntryState.ORPHAN,
        "$OrphanFiles/lost folder": EntryState.ORPHAN,
        "$OrphanFiles/lost folder/below.txt": EntryState.ORPHAN,
    }


def test_clusters_in_use_again_are_told_as_overlap() -> None:
    image = NtfsImage()
    body = content(5, 4 * CLUSTER)
    deleted = mapped(DATA, image.put(60, body, used=False), len(body))
    image.add(30, times(), named("older.bin"), deleted, flags=0, sequence=2)
    image.add(31, times(), named("living.bin"), mapped(DATA, image.put(61, content(6, CLUSTER)), CLUSTER))
    image.add(32, times(), named("covered.bin"), mapped(DATA, [(61, 1)], CLUSTER), flags=0, sequence=2)

    _, entries, _ = listing(NTFS, image.build())
    found = by_path(entries)

    assert (found["older.bin"].content, found["older.bin"].overlap_size) == (ContentState.OVERLAPS_ALLOCATED, CLUSTER)
    assert (found["covered.bin"].content, found["covered.bin"].overlap_size) == (ContentState.GONE, CLUSTER)


def test_of_two_deleted_files_the_one_changed_last_had_the_cluster_last() -> None:
    image = NtfsImage()
    body = content(7, 4 * CLUSTER)
    image.add(
        30, times(changed=FILETIME + 10**9), named("later.bin"), mapped(DATA, [(62, 1)], CLUSTER), flags=0, sequence=2
    )
    image.add(
        31, times(), named("older.bin"), mapped(DATA, image.put(60, body, used=False), len(body)), flags=0, sequence=2
    )

    _, entries, _ = listing(NTFS, image.build())
    found = by_path(entries)

    assert found["later.bin"].content is ContentState.INTACT
    assert (found["older.bin"].content, found["older.bin"].overlap_size) == (ContentState.OVERLAPS_DELETED, CLUSTER)


def test_further_names_of_a_file_are_listed_without_bytes_of_their_own() -> None:
    image = NtfsImage()
    image.add(30, times(), named("folder"), flags=IN_USE | DIRECTORY)
    image.add(
        31, times(), named("LONGNA~1.TXT", namespace=2), named("long name.txt", ident=2),
        named("second.txt", 30, 1, ident=3), resident(DATA, b"vindra", ident=4),
    )  # fmt: skip

    _, entries, _ = listing(NTFS, image.build())
    found = by_path(users(entries))

    assert list(found) == ["folder", "long name.txt", "folder/second.txt"]
    assert (found["folder/second.txt"].content, found["folder/second.txt"].link_target) == (
        ContentState.NONE,
        "long name.txt",
    )


def list_item(kind: int, segment: int, first: int = 0) -> bytes:
    return struct.pack("<IHBBQQH6x", kind, 32, 0, 26, first, segment | 1 << 48, 0)


def test_a_file_that_goes_on_in_other_records_is_put_together() -> None:
    image = NtfsImage()
    body = content(8, 4 * CLUSTER)
    first, second = image.put(60, body[: 2 * CLUSTER]), image.put(90, body[2 * CLUSTER :])
    items = list_item(0x10, 30) + list_item(0x30, 31) + list_item(DATA, 30) + list_item(DATA, 31, 2)
    image.add(30, times(), resident(0x20, items, ident=1), mapped(DATA, first, 4 * CLUSTER, ident=2))
    image.add(31, named("long.bin"), mapped(DATA, second, 0, first=2, ident=3), base=30 | 1 << 48)

    built = image.build()
    tree, entries, notices = listing(NTFS, built)

    assert [entry.path for entry in users(entries)] == ["long.bin"]
    assert stream_of(tree, BytesSource(built), users(entries)[0]) == body
    assert not notices


def test_a_continuation_that_belongs_to_another_file_leaves_a_partial_one() -> None:
    image = NtfsImage()
    first = image.put(60, content(8, 2 * CLUSTER), used=False)
    items = list_item(0x10, 30) + list_item(DATA, 30) + list_item(DATA, 31, 2)
    image.add(
        30, times(), named("long.bin"), resident(0x20, items, ident=1), mapped(DATA, first, 4 * CLUSTER, ident=2),
        flags=0, sequence=2,
    )  # fmt: skip
    image.add(31, times(), named("other.bin"), resident(DATA, b"osk"))

    _, entries, _ = listing(NTFS, image.build())

    assert by_path(entries)["long.bin"].content is ContentState.PARTIAL


def test_a_fragmented_table_is_read_whole() -> None:
    image = NtfsImage(clusters=512, table_runs=[(4, 8), (300, 8), (200, 8)])
    for number in range(24, 96):
        image.add(number, times(), named(f"file {number}.txt"), resident(DATA, f"osk {number}".encode()))

    built = image.build()
    tree, entries, _ = listing(NTFS, built)

    assert len(users(entries)) == 72
    assert all(
        stream_of(tree, BytesSource(built), entry) == f"osk {number}".encode()
        for number, entry in enumerate(users(entries), 24)
    )


def test_encrypted_streams_are_told_and_not_opened() -> None:
    image = NtfsImage()
    image.add(
        30, times(), named("locked.bin"), mapped(DATA, image.put(60, content(9, 900)), 900, flags=0x4000, ident=3)
    )

    tree, entries, _ = listing(NTFS, image.build())
    entry = users(entries)[0]

    assert (entry.content, entry.extents) == (ContentState.ENCRYPTED, None)
    with pytest.raises(LockedError, match="EFS"):
        tree.open_stream(entry.address)


def lznt1(block: bytes) -> bytes:
    """Pack bytes in the simplest way: one reference where a run of one byte allows it."""
    out = b""
    for start in range(0, len(block), 4096):
        chunk = block[start : start + 4096]
        if chunk == chunk[:1] * 4096:
            packed = bytes((2,)) + chunk[:1] + struct.pack("<H", 0xFFC)
            out += struct.pack("<H", 0xB000 | len(packed) - 1) + packed
        else:
            out += struct.pack("<H", 0x3000 | len(chunk) - 1) + chunk
    return out


def test_compressed_streams_are_read_unit_by_unit() -> None:
    image = NtfsImage()
    unit = 16 * CLUSTER
    body = b"a" * unit + content(10, unit) + bytes(unit) + b"b" * 9000
    packed = lznt1(b"a" * unit)
    tail = lznt1(b"b" * 8192) + lznt1(b"b" * 808)
    runs = [
        *image.put(60, packed.ljust(CLUSTER, b"\0")), (-1, 15), *image.put(70, body[unit : 2 * unit]), (-1, 16),
        *image.put(100, tail.ljust(CLUSTER, b"\0")), (-1, 15),
    ]  # fmt: skip
    image.add(30, times(), named("packed.bin"), mapped(DATA, runs, len(body), flags=1, unit=4, ident=3))

    built = image.build()
    tree, entries, _ = listing(NTFS, built)
    entry = users(entries)[0]
    stream = tree.open_stream(entry.address)

    assert entry.extents is None
    assert b"".join(iterate_blocks(stream)) == body
    assert stream.read_at(unit - 5, 10) == body[unit - 5 : unit + 5]
    assert stream.read_at(len(body), 10) == b""


def test_references_behind_the_start_of_a_chunk_are_damage() -> None:
    with pytest.raises(CorruptStructureError):
        decompress(struct.pack("<H", 0xB003) + b"\x02a\xff\xff", 4096)


def reparse(tag: int, value: bytes) -> bytes:
    return resident(0xC0, struct.pack("<IHH", tag, len(value), 0) + value, ident=9)


def test_links_name_their_target_and_hollow_files_say_that_they_are() -> None:
    image = NtfsImage()
    target = "C:\\Tarn".encode("utf-16-le")
    link = struct.pack("<HHHHI", 0, len(target), 0, len(target), 0) + target
    image.add(30, times(), named("link"), reparse(0xA000000C, link))
    overlay = struct.pack("<IIII", 1, 2, 1, 0)
    hollow = mapped(DATA, [(-1, 4)], 4 * CLUSTER, flags=0x8000)
    image.add(31, times(), named("packed.exe"), hollow, reparse(0x80000017, overlay))

    _, entries, notices = listing(NTFS, image.build())
    found = by_path(entries)

    assert (found["link"].kind, found["link"].link_target) == (EntryKind.SYMLINK, "C:\\Tarn")
    assert found["packed.exe"].content is ContentState.NONE
    assert [notice.code for notice in notices] == [NoticeCode.SKIPPED]


def test_a_torn_record_is_listed_with_a_notice_that_names_its_place() -> None:
    image = simple()
    built = bytearray(image.build())
    place = 4 * CLUSTER + 32 * RECORD
    built[place + 1022] ^= 0xFF

    _, entries, notices = listing(NTFS, bytes(built))

    assert by_path(entries)["Tarn/pieces.bin"].content is ContentState.PARTIAL
    assert [(notice.code, notice.address, notice.offset) for notice in notices] == [(NoticeCode.DAMAGED, "32-1", place)]


def test_directories_that_lead_back_to_themselves_are_orphans_with_a_notice() -> None:
    image = NtfsImage()
    image.add(30, times(), named("one", 31, 1), flags=IN_USE | DIRECTORY)
    image.add(31, times(), named("two", 30, 1), flags=IN_USE | DIRECTORY)

    _, entries, notices = listing(NTFS, image.build())

    assert all(entry.path.startswith("$OrphanFiles/") for entry in users(entries))
    assert NoticeCode.LOOP in {notice.code for notice in notices}


def test_absurd_runs_claim_nothing_outside_the_volume() -> None:
    runs, problem = decode_runs(bytes((0x18,)) + b"\xff" * 8 + b"\x05\0", 100)

    assert runs == []
    assert problem == "a run of 18446744073709551615 clusters at 5 does not lie inside the volume"
    assert decode_runs(b"\x11\x05\x80\0", 100)[0] == []
    assert decode_runs(b"\x11\x05\x10\x11\x05\xf8\0", 100) == ([(16, 5), (8, 5)], "")
    assert decode_runs(b"\xff", 100)[1]


def test_boot_sector_and_first_record_are_replaced_by_their_copies() -> None:
    built = bytearray(simple().build())
    built[:512] = bytes(512)
    built[4 * CLUSTER : 4 * CLUSTER + 4] = b"GONE"

    _, entries, notices = listing(NTFS, bytes(built))

    assert "Tarn/pieces.bin" in by_path(entries)
    assert {notice.code for notice in notices} == {NoticeCode.DAMAGED}


def test_a_cut_image_says_what_is_missing() -> None:
    built = simple().build()[: 70 * CLUSTER]

    _, entries, notices = listing(NTFS, built)

    assert by_path(entries)["Tarn/pieces.bin"].content is ContentState.PARTIAL
    assert notices[0].code is NoticeCode.TRUNCATED


def test_free_space_is_what_the_bitmap_calls_free() -> None:
    image = simple()
    tree, _, _ = listing(NTFS, image.build())

    assert sum(extent.length for extent in tree.unallocated()) == (image.clusters - len(image.used)) * CLUSTER


def test_addresses_that_lead_nowhere_are_refused() -> None:
    tree = NTFS.open(BytesSource(simple().build()), Keyring())

    for address in ("31-2", "31", "osk", "9999-1"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_other_bytes_are_no_ntfs() -> None:
    assert not NTFS.probe(BytesSource(b""))
    assert not NTFS.probe(BytesSource(bytes(4096)))
    with pytest.raises(KavalError):
        NTFS.open(BytesSource(bytes(4096)), Keyring())


@pytest.mark.parametrize("seed", range(12))
def test_damage_ends_in_records_notices_or_our_own_errors(seed: int) -> None:
    image = simple()
    image.add(
        33, times(), named("gone.bin", 30, 1), mapped(DATA, [(100, 3), (110, 2)], 5 * CLUSTER), flags=0, sequence=2
    )
    image.add(34, times(), named("packed.bin"), mapped(DATA, [(120, 1), (-1, 15)], CLUSTER, flags=1, unit=4, ident=3))
    built = image.build()
    table = 4 * CLUSTER
    places = [(0, 84), (table, 400), (table + 30 * RECORD, 5 * RECORD), (table + 6 * RECORD, 400), (2 * CLUSTER, 32)]

    for damaged in mutations(built, 40, seed, places):
        survives(NTFS, damaged)


@pytest.mark.parametrize("name", ["ntfs.bin.gz"])
def test_the_tree_agrees_with_an_independent_reader(name: str, tmp_path: Path) -> None:
    import gzip

    pyfsntfs = pytest.importorskip("pyfsntfs")
    path = tmp_path / "ntfs.dd"
    path.write_bytes(gzip.decompress(shared(f"engine/dissect/ntfs/{name}").read_bytes()))
    tree = NTFS.open(FileSource(path), Keyring())
    mine = {
        entry.path: hashlib.md5(stream_of(tree, FileSource(path), entry)).hexdigest()
        for entry in tree.entries()
        if isinstance(entry, Entry) and entry.kind in READ_KINDS and entry.content is ContentState.INTACT and entry.size
    }
    volume = pyfsntfs.volume()
    volume.open(str(path))
    theirs: dict[str, str] = {}
    pending = [(volume.get_root_directory(), "")]
    while pending:
        directory, above = pending.pop()
        for number in range(directory.number_of_sub_file_entries):
            item = directory.get_sub_file_entry(number)
            here = f"{above}/{item.name}" if above else item.name
            if item.has_default_data_stream() and item.size:
                item.seek(0)
                theirs[here] = hashlib.md5(item.read(item.size)).hexdigest()
            if item.has_directory_entries_index():
                pending.append((item, here))

    assert {path: digest for path, digest in mine.items() if ":" not in path} == theirs
    assert len(theirs) > 15
