"""Deleted rows come back whole, none that never was, and no live one; hostile databases end soon, in notices."""

from __future__ import annotations

import random
import sqlite3
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from kaval.artefacts.sqlite import Database, RecoveredRow, open_bytes
from kaval.core.errors import KavalError
from kaval.core.sources import FileSource
from tests.artefacts.sqlite.corpus import databases
from tests.artefacts.sqlite.makers import MESSAGES, Rows, fill_messages, persons, word
from tests.artefacts.test_damage import mutated

SECONDS = 10


def _plain(value: object) -> str:
    """Return a value as the answer keys of the corpus compare: numbers to ten digits."""
    if value is None:
        return ""
    try:
        return f"{float(value):.10g}"  # type: ignore[arg-type]
    except ValueError:
        return str(value)


def _whole(rows: list[RecoveredRow]) -> Counter[tuple[object, ...]]:
    return Counter(row.values for row in rows if row.complete)


def _opened(path: Path) -> Database:
    return Database.open(FileSource(path))


@pytest.mark.parametrize(("rows", "gone", "tables"), [(10, 1, 1), (10, 5, 1), (20, 20, 1), (10, 10, 2), (300, 150, 1)])
def test_records_deleted_with_nothing_written_after_come_back(
    tmp_path: Path, rows: int, gone: int, tables: int
) -> None:
    deleted, found, wrong = 0, 0, 0
    for seed in range(5):
        path = tmp_path / f"{seed}.db"
        missing, live = persons(path, random.Random(seed), rows=rows, gone=gone, tables=tables)
        given = _whole(list(_opened(path).recovered()))
        deleted += len(missing)
        found += (given & Counter(missing)).total()
        wrong += (given - Counter(missing)).total()
        assert not given & Counter(live)

    assert found >= 0.85 * deleted
    assert wrong <= 0.04 * (found + wrong)


def _answer_key(path: Path) -> list[tuple[str, ...]]:
    """Return the rows an answer key of the corpus calls deleted."""
    deleted = []
    for element in ElementTree.parse(path).getroot().iter("element"):
        dropped = (element.findtext("meta/deleted") or "").strip() == "True"
        for row in element.iter("row"):
            if dropped or row.get("deleted") == "1":
                deleted.append(tuple(_plain(column.findtext("content")) for column in row.iter("column")))
    return deleted


@pytest.mark.parametrize(("category", "recall"), [("0A", 1.0), ("0B", 0.4), ("0D", 0.42)])
def test_the_corpus_gives_back_what_is_still_whole_in_it(category: str, recall: float) -> None:
    deleted, found, wrong = 0, 0, 0
    for path in databases(category):
        missing = _answer_key(path.with_suffix(".xml"))
        database = _opened(path)
        live = {tuple(map(_plain, row.values)) for name in database.tables for row in database.rows(name)}
        given = Counter(tuple(map(_plain, row.values)) for row in database.recovered() if row.complete)
        deleted += len(missing)
        found += (given & Counter(missing)).total()
        wrong += (given - Counter(missing)).total()
        assert not live & given.keys()

    assert found >= recall * deleted
    assert wrong <= 0.04 * (found + wrong)


@pytest.mark.parametrize("category", ["11", "12"])
def test_databases_made_to_mislead_end_soon(category: str) -> None:
    for path in databases(category):
        started = time.process_time()
        database = _opened(path)
        list(database.recovered())

        assert time.process_time() - started < SECONDS


def test_declarations_of_dropped_tables_are_not_taken_for_rows_of_a_table_like_them(tmp_path: Path) -> None:
    path, chance = tmp_path / "x.db", random.Random(2)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF;")
        connection.execute("CREATE TABLE log(kind TEXT, name TEXT, place TEXT, number INT, body TEXT)")
        for at in range(60):
            connection.execute(f"CREATE TABLE t{at}(key INTEGER PRIMARY KEY, a TEXT /* {word(chance) * 20} */)")
        rows: Rows = [(word(chance), word(chance), word(chance), at, word(chance) * 30) for at in range(300)]
        connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("DELETE FROM log WHERE number % 3 = 0")
        for at in range(10, 60):
            connection.execute(f"DROP TABLE t{at}")
    given = [row for row in _opened(path).recovered() if row.table == "log"]

    assert _whole(given).total() > 90
    assert set(_whole(given)) <= {row for row in rows if isinstance(row[3], int) and row[3] % 3 == 0}


@pytest.mark.parametrize("journal", ["delete", "persist", "wal"])
def test_nine_of_ten_messages_come_back_whatever_the_journal(tmp_path: Path, journal: str) -> None:
    path, chance = tmp_path / "x.db", random.Random(journal)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"PRAGMA synchronous = OFF; PRAGMA journal_mode = {journal}; PRAGMA secure_delete = OFF;")
    connection.executescript(MESSAGES)
    made = fill_messages(connection, chance, 1500)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    gone = chance.sample(made, 220)
    connection.execute("BEGIN")
    connection.executemany("DELETE FROM message WHERE _id = ?", [(row[0],) for row in gone])
    connection.execute("COMMIT")
    content, log = path.read_bytes(), tmp_path / "x.db-wal"
    database = open_bytes(content, log.read_bytes() if log.exists() else None)
    connection.close()
    given: Counter[tuple[object, ...]] = Counter(
        (row["key_id"], row["timestamp"], row["text_data"]) for row in database.recovered(["message"])
    )

    wanted: Counter[tuple[object, ...]] = Counter((row[3], row[4], row[5]) for row in gone)
    assert (given & wanted).total() >= 0.9 * len(gone)
    assert not set(given) & ({(row[3], row[4], row[5]) for row in made} - set(wanted))


def _read_all(content: bytes, log: bytes | None, journal: bytes | None) -> None:
    try:
        database = open_bytes(content, log, journal)
        for name in database.tables:
            list(database.rows(name))
        list(database.recovered())
    except KavalError:
        return


@pytest.mark.parametrize("mode", ["wal", "persist"])
def test_damaged_databases_with_damaged_logs_end_soon_in_rows_or_notices(tmp_path: Path, mode: str) -> None:
    path, chance = tmp_path / "x.db", random.Random(mode)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA synchronous = OFF; PRAGMA page_size = 1024; PRAGMA auto_vacuum = 1;")
    connection.executescript(f"PRAGMA journal_mode = {mode}; PRAGMA wal_autocheckpoint = 0; {MESSAGES}")
    fill_messages(connection, chance, 120)
    connection.execute("DELETE FROM message WHERE _id % 3 = 0")
    whole = path.read_bytes()
    beside = (tmp_path / f"x.db-{'wal' if mode == 'wal' else 'journal'}").read_bytes()
    connection.close()
    for number in range(60):
        content = mutated(whole, chance) if number % 3 else whole
        other = mutated(beside, chance) if number % 3 != 1 else beside
        started = time.process_time()
        _read_all(content, other if mode == "wal" else None, other if mode != "wal" else None)

        assert time.process_time() - started < SECONDS


def _tampered(content: bytes, chance: random.Random) -> bytes:
    """Return a database whose chains, pointers, counts and sizes were set to mislead."""
    damaged = bytearray(content)
    size = int.from_bytes(content[16:18], "big")
    pages = len(content) // size
    page = chance.randrange(1, pages) * size
    within = chance.randrange(16, size - 8)
    loop = within.to_bytes(2, "big")
    changes: list[list[tuple[int, bytes]]] = [
        [(page + 1, loop), (page + within, loop + b"\x00\x04")],
        [(page + 3, b"\xff\xff"), (page + 8, loop * ((size - 8) // 2))],
        [(page, bytes([chance.choice((2, 5, 10, 13))])), (page + 8, (page // size + 1).to_bytes(4, "big"))],
        [(32, (page // size + 1).to_bytes(4, "big")), (page, (page // size + 1).to_bytes(4, "big") + b"\xff" * 4)],
        [(16, chance.choice((b"\x00\x01", b"\x02\x00", b"\x20\x00")))],
        [(28, b"\xff\xff\xff\xff"), (page + within, b"\xff" * 9)],
        [(page + 200, (b"\x1e\x01\x08\x00\x01\x01\x15\x04\x07\x00" * size)[: size - 200])],
        [(page + 8, b"\x00\x00\x00\x04" * ((size - 8) // 4))],
    ]
    for change in chance.sample(changes, 2):
        for place, part in change:
            damaged[place : place + len(part)] = part
    return bytes(damaged[: len(content)])


@pytest.mark.parametrize("page_size", [1024, 4096, 32768])
def test_chains_and_counts_set_to_mislead_end_soon(tmp_path: Path, page_size: int) -> None:
    path, chance = tmp_path / "x.db", random.Random(page_size)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; PRAGMA page_size = {page_size}; {MESSAGES}")
        fill_messages(connection, chance, 600)
        connection.execute("DELETE FROM message WHERE _id % 3 = 0")
    content = path.read_bytes()
    for _ in range(20):
        started = time.process_time()
        _read_all(_tampered(content, chance), None, None)

        assert time.process_time() - started < SECONDS
