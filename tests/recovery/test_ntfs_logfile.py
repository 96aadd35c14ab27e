"""The transaction log gives back names and runs of files whose record was used again."""

from __future__ import annotations

import random
import struct

import pytest

from kaval.containers import CONTAINERS
from kaval.core.contracts import Volume as PartOfDisk
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryState, Extent, NoticeCode
from kaval.core.sources import BytesSource, ExtentSource, FileSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from kaval.recovery.ntfs import log as reader
from kaval.recovery.ntfs.log import put_in_place
from kaval.recovery.ntfs.owners import Claims, Ranges
from kaval.recovery.ntfs.structures import restored
from kaval.recovery.ntfs.table import Volume
from kaval.volumes import VOLUMES
from tests.filesystems.contract import GuardedSource, mutations
from tests.filesystems.ntfs_image import (
    CLUSTER,
    DIRECTORY,
    EPOCH,
    FILETIME,
    IN_USE,
    NtfsImage,
    mapped,
    named,
    pairs,
    record,
    resident,
    times,
)
from tests.recovery.ntfs_traces import LogWriter, add_change_journal, add_log, change, found, index_entry, key, pages
from tests.testdata import shared

LOG = "ntfs-logfile"
INITIALISE, DEALLOCATE, CREATE, DELETE, MAP, RESIZE = 2, 3, 5, 6, 9, 11
ADD, REMOVE = 12, 13
EMPTY = struct.pack("<IIBBHHHQQHH", 0x80, 72, 1, 0, 0, 0, 3, 0, 2**64 - 1, 64, 0).ljust(72, b"\0")
BODY = random.Random(5).randbytes(3 * CLUSTER - 77)
RUNS = [(80, 2), (90, 1)]
AT = 0x150


def tarn() -> NtfsImage:
    """A directory, and a file in the record that the deleted one had; its clusters are free, and hold its bytes yet."""
    image = NtfsImage()
    image.add(30, times(), named("Tarn"), flags=IN_USE | DIRECTORY)
    image.add(31, times(), named("osk.txt", 30, 1), resident(0x80, b"osk"), sequence=3)
    image.put(80, BODY[: 2 * CLUSTER], used=False)
    image.put(90, BODY[2 * CLUSTER :], used=False)
    return image


def life(
    *,
    log: LogWriter | None = None,
    named_in_log: bool = True,
    sized: bool = True,
    undone: bytes = bytes(8),
    sequence: int = 2,
    deleted: bool = True,
) -> LogWriter:
    """The life of one file as Windows writes it: made, extended, closed, deleted."""
    log = log or LogWriter()
    log.add(INITIALISE, 0, redo=record(31, [times(), named("first.bin", 30, 1)], sequence=sequence)[:472], number=31)
    entry = index_entry(31, sequence, key("mirul.bin", 30, at=FILETIME + 9, size=len(BODY)))
    if not named_in_log:
        log = LogWriter()
        log.add(INITIALISE, 0, redo=record(31, [times()], sequence=sequence)[:300], number=31)
    log.add(CREATE, DELETE, redo=EMPTY, number=31, place=AT)
    log.add(MAP, MAP, redo=pairs(RUNS).ljust(16, b"\0"), undo=undone, number=31, place=AT, inside=64)
    if sized:
        sizes = struct.pack("<QQQQ", 3 * CLUSTER, len(BODY), len(BODY), 3 * CLUSTER)
        log.add(RESIZE, RESIZE, redo=sizes, undo=bytes(32), number=31, place=AT)
    if named_in_log:
        log.add(ADD, REMOVE, redo=entry, number=30)
    if deleted:
        if named_in_log:
            log.add(REMOVE, ADD, undo=entry, number=30)
        head = struct.pack("<4sHHQHH", b"FILE", 48, 3, 0, sequence, 1)
        log.add(DEALLOCATE, INITIALISE, undo=head.ljust(24, b"\0"), number=31)
    return log


def built(log: LogWriter, image: NtfsImage | None = None) -> bytes:
    image = image or tarn()
    add_log(image, log)
    return image.build()


def bytes_of(content: bytes, entry: Entry) -> bytes:
    assert entry.extents is not None
    return ExtentSource(BytesSource(content), entry.extents, entry.size).read_at(0, entry.size)


def test_a_file_whose_record_was_used_again_comes_back_with_name_times_and_bytes() -> None:
    content = built(life())
    entries, notices = found(content)
    (entry,) = entries.values()

    assert notices == []
    assert (entry.address, entry.path, entry.recovered_by) == ("log-31-2", "Tarn/mirul.bin", LOG)
    assert (entry.state, entry.content) == (EntryState.DELETED, ContentState.INTACT)
    assert entry.times.created == (FILETIME + 9 - EPOCH) * 100
    assert bytes_of(content, entry) == BODY


def test_a_log_record_may_run_over_the_end_of_a_page() -> None:
    for gap in range(3400, 4032, 56):
        log = LogWriter()
        log.add(0, 0, gap=gap)
        content = built(life(log=log))
        entries, _ = found(content)

        assert [bytes_of(content, entry) == BODY for entry in entries.values()] == [True], gap


@pytest.mark.parametrize("copies", [(0,), (1,), (1, 0)])
def test_pages_of_which_there_are_but_copies_are_read(copies: tuple[int, ...]) -> None:
    log = LogWriter()
    log.add(0, 0, gap=3600)
    image = tarn()
    add_log(image, life(log=log), copies=copies)
    content = image.build()
    entries, _ = found(content)

    assert [bytes_of(content, entry) == BODY for entry in entries.values()] == [True]


def test_a_copy_older_than_the_page_in_its_place_is_left() -> None:
    content = bytearray(life().build())
    page = bytearray(content[4 * CLUSTER : 5 * CLUSTER])
    page[32] -= 1
    page[64 : 64 + 8 * 300] = bytes(8 * 300)
    content[2 * CLUSTER : 3 * CLUSTER] = page
    words, signed = restored(bytes(content), CLUSTER, b"RCRD")
    before = words[4].copy()
    put_in_place(words, signed, len(content))

    assert (words[4] == before).all()
    assert signed[2]
    words[2, 16] += 2
    put_in_place(words, signed, len(content))
    assert (words[4] == words[2]).all()


@pytest.mark.parametrize(
    ("used", "state", "overlap"),
    [
        ({91}, ContentState.INTACT, 0),
        ({80}, ContentState.OVERLAPS_ALLOCATED, CLUSTER),
        ({80, 81, 90}, ContentState.GONE, len(BODY)),
    ],
)
def test_content_is_judged_by_who_has_the_clusters_now(used: set[int], state: ContentState, overlap: int) -> None:
    image = tarn()
    image.used |= used
    entries, _ = found(built(life(), image))

    assert [(entry.content, entry.overlap_size) for entry in entries.values()] == [(state, overlap)]


def test_clusters_another_deleted_file_claims_are_told() -> None:
    image = tarn()
    image.add(32, times(), named("benta.bin", 30, 1), mapped(0x80, [(81, 1)], CLUSTER), flags=0, sequence=5)
    entries, _ = found(built(life(), image))

    assert [(entry.content, entry.overlap_size) for entry in entries.values()] == [
        (ContentState.OVERLAPS_DELETED, CLUSTER)
    ]


def test_of_two_files_of_the_log_in_the_same_clusters_only_the_newer_one_is_whole() -> None:
    image = tarn()
    image.add(31, times(), named("osk.txt", 30, 1), resident(0x80, b"osk"), sequence=9)
    content = built(life(log=life(sequence=2), sequence=5), image)
    entries, _ = found(content)

    assert {address: (entry.content, entry.overlap_size) for address, entry in entries.items()} == {
        "log-31-2": (ContentState.OVERLAPS_DELETED, len(BODY)),
        "log-31-5": (ContentState.INTACT, 0),
    }


def test_a_file_whose_making_was_taken_back_never_was_one() -> None:
    log = life(deleted=False)
    log.add(DEALLOCATE, 1, redo=bytes(8), number=31)

    assert found(built(log)) == ({}, [])


def test_a_file_that_nothing_names_is_called_by_its_record() -> None:
    content = built(life(named_in_log=False))
    entries, _ = found(content)
    (entry,) = entries.values()

    assert (entry.path, entry.state) == ("$OrphanFiles/record-31-2", EntryState.ORPHAN)
    assert bytes_of(content, entry) == BODY


def test_a_body_of_unknown_size_is_assumed_to_fill_its_runs() -> None:
    content = built(life(named_in_log=False, sized=False))
    entries, _ = found(content)
    (entry,) = entries.values()

    assert (entry.size, entry.content) == (3 * CLUSTER, ContentState.ASSUMED)
    assert [extent.assumed for extent in entry.extents or ()] == [True, True]


def test_the_size_may_come_from_the_index_entry() -> None:
    content = built(life(sized=False))
    (entry,) = found(content)[0].values()

    assert (entry.content, bytes_of(content, entry)) == (ContentState.INTACT, BODY)


def test_an_attribute_taken_out_tells_what_it_was() -> None:
    log = life(deleted=False)
    log.add(DELETE, CREATE, undo=mapped(0x80, [(90, 1)], 100), number=31, place=AT)
    content = built(log)
    (entry,) = found(content)[0].values()

    assert (entry.size, entry.extents) == (100, (Extent(offset=90 * CLUSTER, length=100),))


def test_runs_that_do_not_continue_what_is_known_are_not_taken() -> None:
    entries, _ = found(built(life(undone=b"\x11\x22\x33")))

    assert [(entry.content, entry.extents) for entry in entries.values()] == [(ContentState.GONE, ())]


def test_an_extension_record_is_no_file() -> None:
    log = LogWriter()
    part = record(31, [times(), named("part", 30, 1), mapped(0x80, RUNS, len(BODY))], sequence=2, base=44 | 1 << 48)
    log.add(INITIALISE, 0, redo=part[:400], number=31)

    assert found(built(log)) == ({}, [])


def test_a_living_file_is_not_told_by_what_the_log_says_of_it() -> None:
    assert found(built(life(sequence=3, deleted=False))) == ({}, [])


def test_a_file_newer_than_the_table_is_deleted_only_where_the_log_says_so() -> None:
    assert found(built(life(sequence=4, deleted=False))) == ({}, [])
    assert list(found(built(life(sequence=4)))[0]) == ["log-31-4"]


def test_the_change_journal_adds_when_it_was_deleted() -> None:
    image = tarn()
    add_change_journal(image, pages(change(31, 2, "mirul.bin", 30, reason=0x200, at=FILETIME + 500)))
    entries, _ = found(built(life(), image))
    (entry,) = entries.values()

    assert (entry.address, entry.times.deleted) == ("log-31-2", (FILETIME + 500 - EPOCH) * 100)


def test_of_a_large_log_only_a_part_is_read_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAXIMUM_BYTES", 4 * CLUSTER)

    entries, notices = found(built(life()))

    assert entries == {}
    assert [notice.code for notice in notices] == [NoticeCode.COUNT_LIMIT]


def test_a_log_that_cannot_be_read_is_told() -> None:
    _, notices = found(built(life())[: 140 * CLUSTER + 5], LOG)

    assert [notice.code for notice in notices] == [NoticeCode.UNREADABLE]


def test_damaged_logs_end_in_records_or_our_own_errors() -> None:
    content = built(life())
    used = 140 * CLUSTER + 4 * CLUSTER
    whole = 0
    for damaged in mutations(content, 300, 13, [(used, 2000), (4 * CLUSTER + 2 * 1024, 1024), (4 * CLUSTER, 1024)]):
        try:
            source = GuardedSource(damaged)
            tree = FILESYSTEMS.get("ntfs").open(source, Keyring())
            told = list(RECOVERIES.get(LOG).recover(source, tree))
        except KavalError:
            continue
        entries = [item for item in told if isinstance(item, Entry)]
        whole += any(entry.content is ContentState.INTACT for entry in entries)
        assert len(told) < 50
        assert all(entry.state is not EntryState.ALLOCATED for entry in entries)

    assert whole > 50


def test_ranges_tell_how_much_they_share() -> None:
    ranges = Ranges([Extent(offset=10, length=5), Extent(offset=15, length=5), Extent(offset=30, length=10)])

    shared = {place: ranges.shared(Extent(offset=place, length=10)) for place in (0, 5, 12, 20, 25, 35, 50)}

    assert shared == {0: 0, 5: 5, 12: 8, 20: 0, 25: 5, 35: 5, 50: 0}


def test_claims_tell_how_much_was_claimed_before() -> None:
    claims = Claims()
    asked = [(10, 10), (30, 10), (0, 5), (15, 20), (0, 50), (60, 5), (5, 1)]

    assert [claims.claim(Extent(offset=offset, length=length)) for offset, length in asked] == [0, 0, 0, 10, 35, 0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_claims_agree_with_counting_bytes(seed: int) -> None:
    chance = random.Random(seed)
    claims, seen = Claims(), set[int]()
    for _ in range(60):
        offset, length = chance.randrange(300), chance.randrange(1, 30)
        wanted = set(range(offset, offset + length))

        assert claims.claim(Extent(offset=offset, length=length)) == len(wanted & seen)

        seen |= wanted


def test_runs_in_a_log_of_windows_are_those_of_the_table() -> None:
    image = shared("engine/aff4/AFF4Std/Base-Linear.aff4")
    opened = CONTAINERS.get("aff4").open(FileSource(image), image.name, lambda name: None)
    assert opened.source is not None
    volume = next(iter(VOLUMES.get("mbr").open(opened.source, Keyring())))
    assert isinstance(volume, PartOfDisk)
    tree = FILESYSTEMS.get("ntfs").open(volume.source, Keyring())
    listed = {entry.address: entry for entry in tree.entries() if isinstance(entry, Entry)}
    table = Volume(tree, lambda number, sequence, name, active: None)
    assert table.read(volume.source.size)
    log = reader.LogReader(table)
    log.read(volume.source, table.extents(table.log))
    size = table.cluster_size
    agreeing = 0
    for (number, sequence), body in log.bodies.items():
        extents = listed[f"{number}-{sequence}"].extents or ()
        agreeing += [(e.offset // size, -(-e.length // size)) for e in extents] == body.runs

    assert (agreeing, len(log.bodies)) == (6, 6)
    assert list(RECOVERIES.get(LOG).recover(volume.source, tree)) == []
