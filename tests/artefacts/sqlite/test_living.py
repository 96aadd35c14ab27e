"""Live rows agree with what SQLite itself gives, whatever the names, the encoding and the shape of the tree."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kaval.artefacts.sqlite import Database, open_bytes
from kaval.core.sources import FileSource
from tests.artefacts.sqlite.corpus import databases


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def assert_as_sqlite_reads(path: Path, database: Database) -> None:
    """Compare names, columns and rows of every table with SQLite's own."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table' AND rootpage")
        ]
        assert list(database.tables) == names
        for name in names:
            columns = [
                row[1] for row in connection.execute("SELECT * FROM pragma_table_xinfo(?)", (name,)) if row[6] != 2
            ]
            wanted = connection.execute(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(name)}").fetchall()
            found = [row.values for row in database.rows(name)]

            assert list(database.tables[name].columns) == columns
            assert [list(map(repr, row)) for row in found] == [list(map(repr, row)) for row in wanted]
    assert database.notices == []


@pytest.mark.parametrize("category", ["01", "02", "03", "04", "05", "06", "07", "08", "09", "0A", "0B", "0D"])
def test_the_corpus_reads_as_sqlite_reads_it(category: str) -> None:
    for path in databases(category):
        assert_as_sqlite_reads(path, Database.open(FileSource(path)))


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_every_kind_of_value_and_table_reads_as_sqlite_reads_it(tmp_path: Path, page_size: int, encoding: str) -> None:
    path = tmp_path / "all.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute(f"PRAGMA encoding='{encoding}'")
        connection.executescript(
            """CREATE TABLE keyed(word TEXT, number INTEGER, extra, PRIMARY KEY(number, word)) WITHOUT ROWID;
            CREATE TABLE plain(key INTEGER PRIMARY KEY, real REAL, text TEXT, any, number NUMERIC,
                twice GENERATED ALWAYS AS (key * 2) VIRTUAL, kept AS (key * 3) STORED);
            CREATE TABLE down(key INTEGER PRIMARY KEY DESC, x);"""
        )
        for at in range(400):
            long = "\u0d15\u0d47" * (at * 7 % 900)
            whole = (-1) ** at * (1 << (at % 63)) + at
            connection.execute("INSERT INTO keyed VALUES (?, ?, ?)", (f"w{at}", whole, long))
            connection.execute("INSERT INTO down VALUES (?, ?)", (at, bytes(at)))
            row = (whole - at * 3, float(at), long, [None, whole, 0.5 * at, b"\0\xff" * at, "x"][at % 5], str(at))
            connection.execute("INSERT OR REPLACE INTO plain(key, real, text, any, number) VALUES (?, ?, ?, ?, ?)", row)
        connection.execute("ALTER TABLE plain ADD COLUMN later INTEGER DEFAULT -7")
        connection.execute("ALTER TABLE down ADD COLUMN later TEXT DEFAULT 'it''s'")
        connection.commit()

    assert_as_sqlite_reads(path, open_bytes(path.read_bytes()))
