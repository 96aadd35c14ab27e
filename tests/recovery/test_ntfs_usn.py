"""The change journal names deleted files and says when they were made and deleted; none of them lives."""

from __future__ import annotations

import pytest

from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, NoticeCode
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from kaval.recovery.ntfs import usn as reader
from tests.filesystems.contract import GuardedSource, mutations
from tests.filesystems.ntfs_image import CLUSTER, EPOCH, FILETIME, NtfsImage, mapped, named, resident, times
from tests.recovery.ntfs_traces import (
    add_change_journal,
    add_directory,
    change,
    found,
    index_block,
    index_entry,
    key,
    pages,
)

CREATE, DELETE, OLD_NAME, NEW_NAME, CLOSE = 0x100, 0x200, 0x1000, 0x2000, 0x80000000
LATER = FILETIME + 90_000_000


def tarn(*records: bytes, slack: bytes = b"") -> NtfsImage:
    """A directory with one living file, and a change journal."""
    image = NtfsImage()
    add_directory(image, 30, "Tarn", 60, [index_block([index_entry(31, 3, key("osk.txt", 30))], slack)])
    image.add(31, times(), named("osk.txt", 30, 1), resident(0x80, b"osk"), sequence=3)
    add_change_journal(image, pages(*records))
    return image


@pytest.mark.parametrize("version", [2, 3])
def test_a_deleted_file_has_its_name_and_when_it_was_made_and_deleted(version: int) -> None:
    records = [
        change(31, 2, "മിരുൽ.bin", 30, reason=CREATE, version=version),
        change(31, 2, "മിരുൽ.bin", 30, reason=CREATE | CLOSE, at=FILETIME + 7, version=version),
        change(31, 2, "മിരുൽ.bin", 30, reason=DELETE | CLOSE, at=LATER, version=version),
    ]

    entries, notices = found(tarn(*records).build())
    (entry,) = entries.values()

    assert notices == []
    assert (entry.address, entry.path, entry.size, entry.extents) == ("usn-31-2", "Tarn/മിരുൽ.bin", 0, ())
    assert (entry.kind, entry.state, entry.content) == (EntryKind.FILE, EntryState.DELETED, ContentState.GONE)
    assert (entry.times.created, entry.times.deleted) == ((FILETIME - EPOCH) * 100, (LATER - EPOCH) * 100)
    assert (entry.times.modified, entry.times.zone, entry.recovered_by) == (None, "utc", "ntfs-usn")


def test_a_renamed_file_that_lives_is_not_called_deleted() -> None:
    records = [
        change(31, 3, "former.txt", 30, reason=OLD_NAME),
        change(31, 3, "osk.txt", 30, reason=NEW_NAME | CLOSE),
    ]

    assert found(tarn(*records).build()) == ({}, [])


def test_a_file_that_was_renamed_before_it_was_deleted_has_its_last_name() -> None:
    records = [
        change(31, 2, "first.txt", 30, reason=OLD_NAME),
        change(31, 2, "last.txt", 30, reason=NEW_NAME | CLOSE, at=FILETIME + 1),
        change(31, 2, "last.txt", 30, reason=DELETE | CLOSE, at=LATER),
    ]

    entries, _ = found(tarn(*records).build())

    assert [entry.path for entry in entries.values()] == ["Tarn/last.txt"]


def test_a_deleted_file_that_the_table_still_has_is_not_repeated() -> None:
    image = tarn(change(32, 4, "benta.txt", 30, reason=DELETE | CLOSE))
    image.add(32, times(), named("benta.txt", 30, 1), resident(0x80, b"benta"), flags=0, sequence=5)

    assert found(image.build()) == ({}, [])


def test_a_file_that_an_index_knows_too_is_told_once_with_what_both_say() -> None:
    slack = index_entry(31, 2, key("quor.bin", 30, size=321))
    image = tarn(change(31, 2, "quor.bin", 30, reason=DELETE | CLOSE, at=LATER), slack=slack)

    entries, _ = found(image.build())
    (entry,) = entries.values()

    assert (entry.address, entry.size) == ("index-31-2", 321)
    assert (entry.times.created, entry.times.deleted) == ((FILETIME - EPOCH) * 100, (LATER - EPOCH) * 100)


def test_an_index_entry_without_its_reference_is_joined_by_the_moment_it_was_made() -> None:
    made = FILETIME + 5_000_000
    records = [
        change(31, 2, "quor.bin", 30, reason=CREATE, at=made + 100),
        change(31, 2, "quor.bin", 30, reason=DELETE | CLOSE, at=LATER),
    ]

    entries, _ = found(tarn(*records, slack=key("quor.bin", 30, at=made, size=321)).build())
    (entry,) = entries.values()

    assert (entry.address, entry.size, entry.times.created) == ("index-31-2", 321, (made - EPOCH) * 100)


def test_a_path_leads_through_a_directory_that_is_gone_too() -> None:
    records = [
        change(41, 1, "Velt", 30, reason=CREATE | CLOSE, attributes=0x10),
        change(31, 2, "deep.txt", 41, reason=DELETE | CLOSE),
        change(41, 1, "Velt", 30, reason=DELETE | CLOSE, attributes=0x10),
        change(31, 1, "lost.txt", 41, parent_sequence=9, reason=DELETE | CLOSE),
    ]
    image = tarn(*records)
    image.add(41, times(), named("other.txt"), resident(0x80, b"other"), sequence=2)

    entries, _ = found(image.build())

    assert {entry.path: (entry.kind, entry.state) for entry in entries.values()} == {
        "Tarn/Velt": (EntryKind.DIRECTORY, EntryState.DELETED),
        "Tarn/Velt/deep.txt": (EntryKind.FILE, EntryState.DELETED),
        "$OrphanFiles/lost.txt": (EntryKind.FILE, EntryState.ORPHAN),
    }


def test_what_has_no_readable_record_is_deleted_only_where_the_journal_says_so() -> None:
    records = [
        change(90, 1, "unsaid.txt", 30, reason=CREATE | CLOSE),
        change(91, 1, "said.txt", 30, reason=DELETE | CLOSE),
    ]

    entries, _ = found(tarn(*records).build())

    assert [entry.path for entry in entries.values()] == ["Tarn/said.txt"]


def test_pages_behind_one_that_is_damaged_are_read() -> None:
    first, second = (change(31, number, f"{number}.txt", 30, reason=DELETE | CLOSE) for number in (1, 2))
    content = b"\xff" * 100 + bytes(CLUSTER - 100) + pages(first, second)
    image = tarn()
    add_change_journal(image, content)

    entries, _ = found(image.build())

    assert {entry.path for entry in entries.values()} == {"Tarn/1.txt", "Tarn/2.txt"}


def test_a_journal_in_several_records_of_the_table_is_read_whole() -> None:
    image = tarn()
    one, two = (pages(change(31, number, f"{number}.txt", 30, reason=DELETE | CLOSE)) for number in (1, 2))
    add_change_journal(image, one, hole=1)

    part = mapped(0x80, image.put(110, two), 0, name="$J", ident=1, first=2)
    image.add(27, part, base=26 | 1 << 48)

    entries, _ = found(image.build(), "ntfs-usn")

    assert {entry.path for entry in entries.values()} == {"Tarn/1.txt", "Tarn/2.txt"}


def test_of_a_large_journal_the_last_part_is_read_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAXIMUM_BYTES", 4096)
    one, two = (pages(change(31, number, f"{number}.txt", 30, reason=DELETE | CLOSE)) for number in (1, 2))
    image = tarn()
    add_change_journal(image, one + two)

    entries, notices = found(image.build())

    assert [entry.path for entry in entries.values()] == ["Tarn/2.txt"]
    assert [notice.code for notice in notices] == [NoticeCode.COUNT_LIMIT]


def test_damaged_journals_end_in_records_or_our_own_errors() -> None:
    records = [
        change(31, sequence, f"n{sequence}.txt", 30, reason=DELETE | CLOSE, version=2 + sequence % 2)
        for sequence in range(4, 40)
    ]
    content = tarn(*records).build()
    several = 0
    for damaged in mutations(content, 300, 11, [(100 * CLUSTER, 4000), (4 * CLUSTER + 26 * 1024, 1024)]):
        try:
            source = GuardedSource(damaged)
            tree = FILESYSTEMS.get("ntfs").open(source, Keyring())
            told = list(RECOVERIES.get("ntfs-usn").recover(source, tree))
        except KavalError:
            continue
        entries = [record for record in told if isinstance(record, Entry)]
        several += len(entries) > 1
        assert len(told) < 100
        assert all(entry.state is not EntryState.ALLOCATED for entry in entries)

    assert several > 100
