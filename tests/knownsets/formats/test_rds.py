"""NSRL RDSv3: pages are read as SQLite reads them, and a delta can do nothing but change the tables of the format."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, KavalError, UnsupportedError
from kaval.knownsets.sqlite_pages import NotPlainError, hex_columns
from tests.knownsets.making import rds, read, skipped_of, values_of
from tests.testdata import shared

INSERT = "INSERT INTO FILE(sha256,sha1,md5,crc32,file_name,file_size,package_id) VALUES('{}','{}','{}','00','x',1,1);"


def truth(path: Path) -> dict[str, set[bytes]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sha256, sha1, md5 FROM FILE").fetchall()
    return {name: {bytes.fromhex(row[place]) for row in rows} for place, name in enumerate(("sha256", "sha1", "md5"))}


def found(path: Path, scratch: Path, *deltas: Path) -> dict[str, set[bytes]]:
    return {name: set(values) for name, values in values_of(read(path, scratch, further=deltas)).items()}


@pytest.mark.parametrize("rows", [1, 30, 3000])
def test_the_pages_of_a_table_hold_what_sqlite_says(rows: int, tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", rows)

    assert found(path, tmp_path) == truth(path)


@pytest.mark.parametrize("size", [512, 1024, 8192, 65536])
def test_any_page_size_is_read(size: int, tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", 500)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {size}")
        connection.execute("VACUUM")

    assert found(path, tmp_path) == truth(path)


def test_a_view_is_read_by_asking(tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", 40, view=True)

    assert found(path, tmp_path) == truth(path)


def test_rows_laid_out_otherwise_are_read_all_the_same_and_bad_ones_counted(tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", 40)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE FILE SET file_name = ?, sha1 = lower(sha1) WHERE rowid % 5 = 0", ["n" * 9000])
        connection.execute("UPDATE FILE SET sha256 = 'zz' WHERE rowid = 7")
        connection.execute("UPDATE FILE SET md5 = substr(md5, 1, 31) || 'x' WHERE rowid = 8")
        connection.commit()
    batches = read(path, tmp_path)

    assert len(values_of(batches)["md5"]) == 38
    assert skipped_of(batches) == {"row without a digest": 2}


def test_an_earlier_release_without_all_columns_is_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rds.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE FILE (file_name TEXT, md5 TEXT); CREATE TABLE VERSION (version, build_set)"
        )
        connection.execute("INSERT INTO FILE VALUES ('osk', ?)", ["AB" * 16])
        connection.commit()

    assert found(path, tmp_path) == {"md5": {b"\xab" * 16}}


def test_a_table_without_rowids_is_left_to_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "rds.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE FILE (md5 TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE VERSION (version, build_set)"
        )
        connection.execute("INSERT INTO FILE VALUES (?)", ["AB" * 16])
        connection.commit()
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'FILE'").fetchone()[0]

    with pytest.raises(NotPlainError):
        list(hex_columns(path, root, [0], [16]))
    assert found(path, tmp_path) == {"md5": {b"\xab" * 16}}


def test_a_delta_adds_changes_and_takes_away(tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", 3)
    before = path.read_bytes()
    added = [hashlib.new(name, b"delta").hexdigest().upper() for name in ("sha256", "sha1", "md5")]
    gone = hashlib.md5(b"1").hexdigest().upper()
    delta = tmp_path / "delta.sql"
    delta.write_text(f"BEGIN TRANSACTION;\n{INSERT.format(*added)}\nDELETE FROM FILE WHERE md5 = '{gone}';\nCOMMIT;\n")
    after = found(path, tmp_path, delta)

    assert bytes.fromhex(added[2]) in after["md5"]
    assert bytes.fromhex(gone) not in after["md5"]
    assert len(after["md5"]) == 3
    assert path.read_bytes() == before
    assert sorted(left.name for left in tmp_path.iterdir()) == ["delta.sql", "rds.db"]


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH 'other.db' AS other;", "DROP TABLE FILE;", "PRAGMA writable_schema = 1;", "CREATE TABLE x (y);",
        "DELETE FROM sqlite_master;", "INSERT INTO VERSION SELECT load_extension('x'), 'y';", "VACUUM INTO 'out.db';",
        "CREATE TRIGGER t AFTER INSERT ON FILE BEGIN SELECT 1; END;", "UPDATE FILE SET md5 = (SELECT readfile('x'));",
    ],
)  # fmt: skip
def test_a_delta_that_does_more_is_refused(statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = rds(tmp_path / "rds.db", 3)
    delta = tmp_path / "delta.sql"
    delta.write_text(f"{statement}\n")

    with pytest.raises((UnsupportedError, CorruptStructureError)):
        read(path, tmp_path, further=(delta,))
    assert sorted(left.name for left in tmp_path.iterdir()) == ["delta.sql", "rds.db"]


@pytest.mark.parametrize("text", ["BEGIN TRANSACTION;\n", "INSERT INTO FILE VALU", INSERT[:60]])
def test_a_delta_cut_off_is_refused(text: str, tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", 3)
    delta = tmp_path / "delta.sql"
    delta.write_text(text)

    with pytest.raises(CorruptStructureError):
        read(path, tmp_path, further=(delta,))


def test_the_public_shape_and_its_delta(tmp_path: Path) -> None:
    path = shared("formats/own-examples/RDS_example_minimal.db")
    delta = shared("formats/own-examples/RDS_example_delta.sql")

    assert len(found(path, tmp_path)["sha1"]) == 3
    assert len(found(path, tmp_path, delta)["sha1"]) == 4


def test_mutated_pages_end_in_values_or_our_own_errors(tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db", 400)
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'FILE'").fetchone()[0]
    content = path.read_bytes()
    source = random.Random(3)
    for _ in range(400):
        mutated = bytearray(content)
        for _ in range(source.randint(1, 30)):
            page = source.choice([root - 1, source.randrange(len(mutated) // 4096)])
            mutated[page * 4096 + source.choice([source.randrange(20), source.randrange(4096)])] = source.randrange(256)
        path.write_bytes(mutated)
        try:
            for values, left_out, done, total in hex_columns(path, root, [0, 1, 2], [32, 20, 16]):
                assert len({len(one) for one in values}) == 1
                assert left_out >= 0
                assert done <= total
        except KavalError:
            continue
