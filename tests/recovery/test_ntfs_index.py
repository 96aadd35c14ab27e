"""Names that directory indexes still hold are told once, and nothing that lives is called deleted."""

from __future__ import annotations

import pytest

from kaval.core.contracts import Tree
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from tests.filesystems.contract import GuardedSource, mutations
from tests.filesystems.ntfs_image import (
    CLUSTER,
    DIRECTORY,
    EPOCH,
    FILETIME,
    RECORD,
    NtfsImage,
    named,
    resident,
    times,
)
from tests.recovery.ntfs_traces import END, add_directory, add_record_slack, found, index_block, index_entry, key

INDEX = "ntfs-index"
MADE_LATER = FILETIME + 5_000_000


def tarn(slack: bytes, *, entries: list[bytes] | None = None) -> NtfsImage:
    """A directory with one living file, and something behind the end of its index block."""
    image = NtfsImage()
    living = index_entry(31, 3, key("osk.txt", 30))
    add_directory(image, 30, "Tarn", 60, [index_block([living] if entries is None else entries, slack)])
    image.add(31, times(), named("osk.txt", 30, 1), resident(0x80, b"osk"), sequence=3)
    return image


def test_an_entry_behind_the_end_of_a_block_is_a_deleted_file_with_its_times() -> None:
    slack = bytes(8) + index_entry(31, 2, key("മിരുൽ.bin", 30, at=MADE_LATER, size=4711))

    entries, notices = found(tarn(slack).build(), INDEX)
    (entry,) = entries.values()

    assert notices == []
    assert (entry.address, entry.path, entry.size) == ("index-31-2", "Tarn/മിരുൽ.bin", 4711)
    assert (entry.kind, entry.state, entry.content) == (EntryKind.FILE, EntryState.DELETED, ContentState.GONE)
    assert (entry.extents, entry.recovered_by) == ((), INDEX)
    made = (MADE_LATER - EPOCH) * 100
    assert (entry.times.created, entry.times.modified) == (made, made + 1000)
    assert (entry.times.changed, entry.times.accessed) == (made + 2000, made + 3000)
    assert (entry.times.zone, entry.times.deleted) == ("utc", None)


def test_the_former_name_of_a_living_file_is_no_deletion() -> None:
    slack = index_entry(31, 3, key("before.txt", 30))

    assert found(tarn(slack).build()) == ({}, [])


def test_a_deleted_file_that_the_table_still_has_is_not_repeated() -> None:
    image = tarn(index_entry(32, 4, key("benta.txt", 30)))
    image.add(32, times(), named("benta.txt", 30, 1), resident(0x80, b"benta"), flags=0, sequence=5)

    assert found(image.build()) == ({}, [])


def test_a_sequence_that_began_again_is_followed() -> None:
    image = tarn(index_entry(32, 0xFFFF, key("benta.txt", 30)))
    image.add(32, times(), named("benta.txt", 30, 1), resident(0x80, b"benta"), flags=0, sequence=1)

    assert found(image.build()) == ({}, [])


def test_one_file_is_told_once_by_its_newest_name() -> None:
    old = index_entry(31, 2, key("old.txt", 30, size=5))
    new = index_entry(31, 2, key("new.txt", 30, at=MADE_LATER, size=6))
    short = index_entry(31, 2, key("NEW~1.TXT", 30, at=MADE_LATER + 9)[:65] + b"\2" + "NEW~1.TXT".encode("utf-16-le"))

    entries, _ = found(tarn(old + new + short).build(), INDEX)

    assert [(entry.path, entry.address) for entry in entries.values()] == [("Tarn/new.txt", "index-31-2")]


def test_two_files_that_had_one_record_after_the_other_are_two() -> None:
    slack = index_entry(31, 1, key("first.txt", 30)) + index_entry(31, 2, key("second.txt", 30))

    entries, _ = found(tarn(slack).build(), INDEX)

    assert {entry.path for entry in entries.values()} == {"Tarn/first.txt", "Tarn/second.txt"}


def test_an_entry_without_its_reference_is_told_by_where_it_stood() -> None:
    bare = key("quor.bin", 30, at=MADE_LATER, size=12)

    entries, _ = found(tarn(bare).build(), INDEX)
    (entry,) = entries.values()

    assert entry.path == "Tarn/quor.bin"
    assert entry.address.startswith("index-30-1-at-")
    assert entry.size == 12


@pytest.mark.parametrize(
    "bare",
    [
        pytest.param(key("renamed.txt", 30), id="created at the same time as a file of the table"),
        pytest.param(key("osk.txt", 30, at=MADE_LATER), id="called as one in force"),
    ],
)
def test_an_entry_without_its_reference_that_a_living_file_explains_is_left_out(bare: bytes) -> None:
    assert found(tarn(bare).build()) == ({}, [])


def test_an_entry_without_its_reference_is_not_told_beside_one_with_it() -> None:
    whole = index_entry(31, 2, key("quor.bin", 30, at=MADE_LATER))
    bare = key("quor.bin", 30, at=MADE_LATER)

    entries, _ = found(tarn(bare.ljust(88, b"\0") + whole).build(), INDEX)

    assert list(entries) == ["index-31-2"]


def test_the_slack_of_a_record_holds_what_an_index_root_held() -> None:
    image = tarn(b"")
    add_record_slack(image, 30, index_entry(31, 1, key("root.txt", 30)) + END)

    entries, _ = found(image.build(), INDEX)

    assert [entry.path for entry in entries.values()] == ["Tarn/root.txt"]


def test_a_block_given_up_whole_tells_all_it_held() -> None:
    image = tarn(b"")
    gone = [index_entry(40, 1, key("sub.txt", 33, sequence=1)), index_entry(31, 3, key("osk.txt", 30))]
    image.add(40, times(), named("later.txt"), resident(0x80, b"later"), sequence=2)
    add_directory(image, 33, "Mirul", 70, [index_block(gone)], flags=DIRECTORY, sequence=2)

    entries, _ = found(image.build(), INDEX)

    assert [(entry.path, entry.state) for entry in entries.values()] == [("Mirul/sub.txt", EntryState.DELETED)]


def test_directories_known_by_traces_alone_make_paths() -> None:
    slack = index_entry(41, 1, key("Velt", 30, kind=0x10000000)) + index_entry(31, 2, key("deep.txt", 41))
    image = tarn(slack)
    image.add(41, times(), named("other.txt"), resident(0x80, b"other"), sequence=2)

    entries, _ = found(image.build(), INDEX)

    assert {entry.path: entry.kind for entry in entries.values()} == {
        "Tarn/Velt": EntryKind.DIRECTORY,
        "Tarn/Velt/deep.txt": EntryKind.FILE,
    }


def test_a_directory_whose_record_is_another_s_by_now_makes_an_orphan() -> None:
    slack = index_entry(31, 2, key("lost.txt", 41, sequence=7))

    entries, _ = found(tarn(slack).build(), INDEX)
    (entry,) = entries.values()

    assert (entry.path, entry.state) == ("$OrphanFiles/lost.txt", EntryState.ORPHAN)


def test_directories_that_lead_back_to_each_other_end() -> None:
    slack = index_entry(41, 1, key("Ring", 42, kind=0x10000000)) + index_entry(42, 1, key("Ring", 41, kind=0x10000000))
    slack += index_entry(31, 2, key("lost.txt", 42))
    image = tarn(slack)
    for number in (41, 42):
        image.add(number, times(), named(f"other-{number}"), resident(0x80, b"other"), sequence=2)

    entries, _ = found(image.build(), INDEX)

    assert {entry.state for entry in entries.values()} == {EntryState.ORPHAN}
    assert len(entries) == 3


def test_an_entry_in_force_whose_record_is_unreadable_is_not_called_deleted() -> None:
    image = tarn(b"", entries=[index_entry(45, 1, key("torn.txt", 30))])

    assert found(image.build()) == ({}, [])


def test_an_index_that_cannot_be_read_is_told() -> None:
    image = tarn(b"").build()[: 60 * CLUSTER + 100]

    _, notices = found(image, INDEX)

    assert [notice.code for notice in notices] == [NoticeCode.UNREADABLE]
    assert "directory indexes" in notices[0].message


def test_a_table_that_cannot_be_read_again_is_told() -> None:
    content = bytearray(tarn(b"").build())
    content[4 * CLUSTER : 4 * CLUSTER + 4] = b"BAAD"

    entries, notices = found(bytes(content), INDEX)

    assert entries == {}
    assert [notice.code for notice in notices] == [NoticeCode.UNREADABLE]


def test_damaged_volumes_end_in_records_or_our_own_errors() -> None:
    image = tarn(index_entry(31, 2, key("one.txt", 30)) + key("bare.bin", 30, at=MADE_LATER))
    add_record_slack(image, 30, index_entry(31, 1, key("root.txt", 30)))
    places = [(0, 512), (4 * CLUSTER, RECORD), (4 * CLUSTER + 30 * RECORD, 2 * RECORD), (60 * CLUSTER, CLUSTER)]
    several = 0
    for content in mutations(image.build(), 300, 7, places):
        source = GuardedSource(content)
        try:
            tree: Tree = FILESYSTEMS.get("ntfs").open(source, Keyring())
            records = list(RECOVERIES.get(INDEX).recover(source, tree))
        except KavalError:
            continue
        entries = [record for record in records if isinstance(record, Entry)]
        several += len(entries) > 1
        assert len(records) < 100
        assert all(entry.state is not EntryState.ALLOCATED for entry in entries)

    assert several > 100


def test_the_same_bytes_give_the_same_records() -> None:
    content = tarn(index_entry(31, 2, key("one.txt", 30)) + key("bare.bin", 30, at=MADE_LATER)).build()

    assert found(content) == found(content)
    assert len(found(content)[0]) == 2


def test_a_tree_of_bytes_without_a_table_is_told_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = BytesSource(tarn(b"").build())
    tree = FILESYSTEMS.get("ntfs").open(source, Keyring())
    monkeypatch.setattr(tree, "open_stream", lambda address: BytesSource(b"FILE" + bytes(100)))

    (notice,) = RECOVERIES.get(INDEX).recover(source, tree)

    assert notice.code is NoticeCode.DAMAGED  # type: ignore[union-attr]
