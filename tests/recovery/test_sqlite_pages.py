"""Leaf pages that stand alone are found by their account of every byte, of every size, and nothing else is."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from kaval.recovery.carvers.sqlite_pages import LeafPage, PageRuns, leaf_pages, page_size
from tests.artefacts.sqlite.makers import MESSAGES, fill_messages, word


def _database(path: Path, size: int) -> bytes:
    """Return a database with tables of both kinds, an index, long rows and free blocks."""
    chance = random.Random(size)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA page_size = {size}; PRAGMA secure_delete = OFF; {MESSAGES}")
        connection.execute("CREATE TABLE keyed(word TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID")
        fill_messages(connection, chance, 400)
        for number in range(60):
            connection.execute("INSERT INTO keyed VALUES (?, ?)", (f"{word(chance)}{number}", bytes(number * 97)))
            connection.execute(
                "INSERT INTO message VALUES (?, 1, 1, 'k', 1, ?, 0)", (9000 + number, "lo" * number * 99)
            )
        connection.execute("DELETE FROM message WHERE _id % 3 = 0")
    return path.read_bytes()


def _found(block: bytes) -> list[LeafPage]:
    return list(leaf_pages(block, lambda offset, length: block[offset : offset + length]))


@pytest.mark.parametrize("size", [512, 1024, 4096, 65536])
def test_every_leaf_of_a_database_is_found_and_nothing_else(tmp_path: Path, size: int) -> None:
    content = _database(tmp_path / "x.db", size)
    leaves = [
        offset
        for offset in range(size, len(content), size)
        if content[offset] in (0x0A, 0x0D) and content[offset + 3 : offset + 5] != b"\0\0"
    ]
    # Pages do not stand at places that are a multiple of their size where a file is in pieces.
    shifted = random.Random(1).randbytes(512) + content[size:]

    assert len(leaves) > 4
    assert _found(content) == [LeafPage(offset, size) for offset in leaves]
    assert [page.offset for page in _found(shifted)] == [offset - size + 512 for offset in leaves]


def test_a_page_that_runs_over_the_end_of_a_block_is_read_to_its_end(tmp_path: Path) -> None:
    content = _database(tmp_path / "x.db", 4096)
    (first, *_) = _found(content)
    short = content[: first.offset + 512]

    assert list(leaf_pages(short, lambda offset, length: content[offset : offset + length])) == [first]
    assert list(leaf_pages(short, lambda offset, length: short[offset : offset + length])) == []


def test_a_page_of_which_a_part_is_lost_is_none(tmp_path: Path) -> None:
    content = _database(tmp_path / "x.db", 4096)
    (first, *_) = _found(content)
    page = content[first.offset : first.offset + 4096]

    assert page_size(page) == 4096
    assert page_size(page[:2048] + bytes(2048)) == 0
    assert page_size(page[:8] + bytes(100) + page[108:]) == 0


def test_text_zeros_and_noise_are_no_pages() -> None:
    text = (b"\n" + b"lopel vindra mirul benta " * 20 + b"\r")[:512] * 512

    assert _found(text) == []
    assert _found(bytes(1 << 18)) == []
    assert _found(random.Random(4).randbytes(4 << 20)) == []


def test_pages_side_by_side_are_told_as_one_run() -> None:
    runs = PageRuns()
    for position, size in ((0, 512), (512, 512), (1024, 1024), (2048, 1024), (8192, 1024)):
        runs.note(position, size)

    assert runs.told() == [[0, 512, 2], [1024, 1024, 2], [8192, 1024, 1]]


def test_mutated_and_hostile_pages_end_soon_in_an_answer(tmp_path: Path) -> None:
    content = bytearray(_database(tmp_path / "x.db", 1024))
    chance = random.Random(9)
    started = time.process_time()
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(200):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        for page in _found(bytes(damaged[: len(damaged) // 512 * 512])):
            assert page.offset + page.size <= len(damaged)
    # Heads that look right, thousands of pointers to one cell, and free blocks that name one another.
    hostile = b"\x0d\x02\x00\x00\xfa\x02\x00\x00" + b"\x02\x00" * 250 + b"\x02\x00\x00\x04"
    assert _found((hostile.ljust(512, b"\0") + b"\x02\x00\x00\x04" * 128) * 2048) == []

    assert time.process_time() - started < 10


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_pages_of_deleted_logs_and_journals_are_found_between_their_headers(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "x.db"
    before = _database(path, 1024)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"PRAGMA synchronous = OFF; PRAGMA journal_mode = {mode}; PRAGMA wal_autocheckpoint = 0;")
    connection.execute("BEGIN")
    connection.execute("DELETE FROM message WHERE _id % 5 = 1")
    # What the journal holds at the end is in it before the transaction is.
    log = (tmp_path / "x.db-journal").read_bytes() if mode == "delete" else b""
    connection.execute("COMMIT")
    log = log or (tmp_path / "x.db-wal").read_bytes()
    connection.close()
    block = b"\x81" * 1536 + log + bytes(-len(log) % 512) + b"\x81" * 512
    after = path.read_bytes()
    known = before if mode == "delete" else after
    pages = [block[page.offset : page.offset + page.size] for page in _found(block)]

    assert len(pages) > 20
    assert sum(page in known for page in pages) >= 0.9 * len(pages)
    assert len({page.offset for page in _found(block)}) == len(pages)


def test_a_damaged_log_ends_soon(tmp_path: Path) -> None:
    chance = random.Random(6)
    heads = (
        b"\x37\x7f\x06\x82" + bytes(4) + (512).to_bytes(4, "big") + bytes(20),
        b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(12) + (512).to_bytes(4, "big") * 2 + bytes(484),
    )
    started = time.process_time()
    for number in range(60):
        body = bytes(1 << 16) if number % 2 else chance.randbytes(1 << 16)
        _found((heads[number % 2] + body)[: 1 << 16])
        _found(b"".join(head.ljust(512, b"\1") for head in heads) * 60)

    assert time.process_time() - started < 10
