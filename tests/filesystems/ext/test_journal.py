"""What a jbd2 log holds is read in every form, and nothing that was written over is taken for a copy."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from kaval.core.records import NoticeCode
from kaval.filesystems.ext.journal import Log
from tests.filesystems.ext.journal_writer import CHECKED_2, CHECKED_3, PLAIN, WIDE, JournalWriter
from tests.filesystems.ext.volumes import listed, make_volume, open_tree

FORMS = [PLAIN, WIDE, CHECKED_2, CHECKED_3]


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A volume with an empty journal of 1024 blocks and a directory of ten files."""
    folder = tmp_path_factory.mktemp("folder")
    for index in range(10):
        (folder / f"velk{index}.txt").write_text(f"velk {index}\n" * 100)
    path: Path = tmp_path_factory.mktemp("volume") / "volume"
    options = ("-t", "ext4", "-b", "1024", "-J", "size=1", "-O", "^metadata_csum")
    return make_volume(path, *options, size="6M", content=folder)


def log_of(content: bytes) -> Log:
    log = open_tree(content).volume.log
    assert log is not None
    return log


def copies_in(content: bytes) -> list[tuple[int, int, bytes]]:
    """Return sequence, block and content of each copy that is sound."""
    log = log_of(content)
    rows = log.read_rows(range(len(log)))
    sound = log.sound(range(len(log)), rows)
    for index in range(len(log)):
        assert rows[index].tobytes() == log.read(index)
    return [(int(log.sequences[i]), int(log.blocks[i]), log.read(i)) for i in range(len(log)) if sound[i]]


def blocks(seed: int, count: int) -> list[tuple[int, bytes]]:
    chosen = random.Random(seed)
    return [(2000 + chosen.randrange(1000), b"velk" + chosen.randbytes(1020)) for _ in range(count)]


@pytest.mark.parametrize("features", FORMS)
def test_every_form_of_tag_is_read(features: int, volume: bytes) -> None:
    writer = JournalWriter(volume, features)
    escaped = (2500, b"\xc0\x3b\x39\x98" + b"timpa" * 204)
    writer.transaction(7, [*blocks(1, 20), escaped])
    writer.transaction(8, blocks(2, 3), revoked=[2001])
    content = writer.finish(start=0, sequence=9)

    assert copies_in(content) == [(7, *copy) for copy in [*blocks(1, 20), escaped]] + [
        (8, *copy) for copy in blocks(2, 3)
    ]
    assert [(sequence, column.tolist()) for sequence, column in log_of(content).revoked] == [(8, [2001])]


@pytest.mark.parametrize("features", FORMS)
def test_a_log_that_went_round_keeps_what_was_not_written_over(features: int, volume: bytes) -> None:
    writer = JournalWriter(volume, features)
    written = {}
    for sequence in range(1, 40):
        written[sequence] = blocks(sequence, 50)
        writer.transaction(sequence, written[sequence])
    found = copies_in(writer.finish(start=0, sequence=40))
    latest = [copy for copy in found if copy[0] >= 22]

    assert latest == [(sequence, *copy) for sequence in range(22, 40) for copy in written[sequence]]
    assert all((block, copy) in written[sequence] for sequence, block, copy in found)


def test_a_transaction_without_its_commit_is_none(volume: bytes) -> None:
    writer = JournalWriter(volume, PLAIN)
    writer.transaction(1, blocks(1, 2))
    writer.transaction(2, blocks(2, 2), commit=False)

    assert {sequence for sequence, _, _ in copies_in(writer.finish(start=1, sequence=1))} == {1}


@pytest.mark.parametrize("features", [CHECKED_2, CHECKED_3])
def test_a_copy_that_does_not_fit_its_checksum_is_not_believed(features: int, volume: bytes) -> None:
    writer = JournalWriter(volume, features)
    first, second = (2000, b"velk".ljust(1024, b".")), (2001, b"timpa".ljust(1024, b"."))
    writer.transaction(1, [first, second])
    content = writer.finish(start=0, sequence=2).replace(second[1], second[1][:-1] + b"!")

    assert copies_in(content) == [(1, *first)]


def test_sequence_numbers_may_wrap(volume: bytes) -> None:
    writer = JournalWriter(volume, PLAIN)
    writer.transaction(0xFFFFFFFF, blocks(1, 2))
    writer.transaction(0, blocks(2, 2))
    found = copies_in(writer.finish(start=0, sequence=1))

    assert [(block, copy) for _, block, copy in found] == blocks(1, 2) + blocks(2, 2)


def renamed(writer: JournalWriter, content: bytes, old: bytes, new: bytes) -> tuple[int, bytes]:
    """Return the block of the root directory with one name changed, and its number."""
    root = open_tree(content).volume
    block = root.map(root.inodes.get(2)).runs[0].physical
    assert writer.block(block).count(old) == 1
    return block, writer.block(block).replace(old, new)


@pytest.mark.parametrize("features", FORMS)
def test_committed_transactions_are_replayed_in_memory(features: int, volume: bytes) -> None:
    writer = JournalWriter(volume, features)
    writer.transaction(5, [renamed(writer, volume, b"velk3.txt", b"rilp3.txt")])
    writer.transaction(6, [renamed(writer, volume, b"velk4.txt", b"rilp4.txt")], commit=False)
    entries, notices = listed(writer.finish(start=1, sequence=5))

    assert notices == []
    assert "rilp3.txt" in entries
    assert "velk4.txt" in entries


def test_a_revoked_block_is_not_replayed(volume: bytes) -> None:
    writer = JournalWriter(volume, WIDE)
    block, changed = renamed(writer, volume, b"velk3.txt", b"rilp3.txt")
    writer.transaction(5, [(block, changed)])
    writer.transaction(6, [], revoked=[block])
    entries, _ = listed(writer.finish(start=1, sequence=5))

    assert "velk3.txt" in entries


def test_replay_ends_at_a_copy_that_does_not_fit_its_checksum_and_tells(volume: bytes) -> None:
    writer = JournalWriter(volume, CHECKED_3)
    writer.transaction(5, [renamed(writer, volume, b"velk3.txt", b"rilp3.txt")])
    writer.transaction(6, [(2000, b"timpa".ljust(1024, b"."))])
    writer.transaction(7, [renamed(writer, volume, b"velk3.txt", b"dast3.txt")])
    content = writer.finish(start=1, sequence=5).replace(b"timpa".ljust(1024, b"."), b"timpo".ljust(1024, b"."))
    entries, notices = listed(content)

    assert "rilp3.txt" in entries
    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED]
    assert "transaction 6" in notices[0].message


def test_fast_commits_that_are_not_applied_are_told(volume: bytes) -> None:
    writer = JournalWriter(volume, WIDE | 0x20)
    writer.transaction(5, [renamed(writer, volume, b"velk3.txt", b"rilp3.txt")])
    place = writer._blocks[writer.length - 256] * 1024
    for transaction, expected in ((6, [NoticeCode.SKIPPED]), (5, [])):
        writer.content[place : place + 12] = struct.pack("<HHII", 9, 8, 0, transaction)
        entries, notices = listed(writer.finish(start=1, sequence=5))

        assert "rilp3.txt" in entries
        assert [notice.code for notice in notices] == expected


def test_a_journal_that_makes_no_sense_is_told_and_the_rest_listed(volume: bytes) -> None:
    writer = JournalWriter(volume, PLAIN)
    place = writer._blocks[0] * 1024
    content = volume[:place] + bytes(1024) + volume[place + 1024 :]
    entries, notices = listed(content[: 1024 + 0x60] + b"\x46" + content[1024 + 0x61 :])

    assert "velk3.txt" in entries
    assert [notice.code for notice in notices] == [NoticeCode.DAMAGED]
    assert "journal" in notices[0].message
