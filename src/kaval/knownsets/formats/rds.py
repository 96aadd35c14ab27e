"""NSRL RDSv3: an SQLite database with the tables (or views) ``FILE`` and ``VERSION``, and its deltas.

NSRL lists *known* software, hacking tools included: it is no list of harmless files. Columns are taken by name,
because earlier releases lack some. Only digests are kept, each once.

A delta is a file of SQL, which could do anything. It is run on a copy of the database that is thrown away, and an
authorizer lets it insert, update, delete and read in the tables of the format, and nothing else.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from kaval.core.errors import CorruptStructureError, LimitExceededError, UnsupportedError, UsageError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Column, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.sqlite_files import LONGEST_VALUE, SIGNATURE, columns_of, opened, tables_of
from kaval.knownsets.sqlite_pages import NotPlainError, hex_columns
from kaval.knownsets.statements import Statement

_DIGESTS = ("sha256", "sha1", "md5")
_TABLES = frozenset({"FILE", "MFG", "OS", "PKG", "VERSION", "METADATA"})
_ROWS_A_BATCH = 1 << 15
_LONGEST_STATEMENT = 1 << 24
_GROWTH, _PAGES_MORE = 8, 4096
"""By how many bytes a database may grow for each byte of a delta, and how many pages more."""
_LEAST_ROW = 16
"""Bytes a row of digests takes at least."""
_ALLOWED = {
    sqlite3.SQLITE_INSERT: True, sqlite3.SQLITE_UPDATE: True, sqlite3.SQLITE_DELETE: True, sqlite3.SQLITE_READ: True,
    sqlite3.SQLITE_TRANSACTION: False, sqlite3.SQLITE_SELECT: False,
}  # fmt: skip
"""Actions a delta may take, and whether they have to be on a table of the format."""


@SET_FORMATS.register
class Rds:
    """An SQLite database of NSRL."""

    name: ClassVar[str] = "rds"
    title: ClassVar[str] = "NSRL RDSv3 (SQLite) with deltas"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = True
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where ``FILE`` and ``VERSION`` are there."""
        return sample.head.startswith(SIGNATURE) and {"FILE", "VERSION"} <= tables_of(sample.path)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests of the database, after the deltas were applied in order to a copy of it."""
        if not reading.further:
            yield from _read(reading.path)
            return
        if reading.scratch is None:
            raise UsageError("a delta needs a folder for the copy it is applied to")
        copy = reading.scratch / "rds-copy.db"
        try:
            shutil.copyfile(reading.path, copy)
            for delta in reading.further:
                apply_delta(copy, delta)
            yield from _read(copy)
        finally:
            for left in reading.scratch.glob("rds-copy.db*"):
                left.unlink()

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: only digests are kept."""
        return Statement()


def apply_delta(database: Path, delta: Path) -> None:
    """Run a delta on a database that is thrown away afterwards.

    Raises:
        UnsupportedError: It asks for something that is no change of the tables of the format.
        CorruptStructureError: It is cut off, or no SQL.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        page_size = int(connection.execute("PRAGMA page_size").fetchone()[0])
        most = database.stat().st_size + _GROWTH * delta.stat().st_size
        connection.execute(f"PRAGMA max_page_count = {most // page_size + _PAGES_MORE}")
        connection.set_authorizer(_authorize)
        try:
            for statement in _statements(delta):
                connection.execute(statement)
            if connection.in_transaction:
                raise CorruptStructureError(f"delta {delta.name}", "it does not end its transaction; it was cut off")
        except sqlite3.DatabaseError as error:
            if "not authorized" in str(error) or "prohibited" in str(error):
                raise UnsupportedError(
                    f"delta {delta.name}", "it does more than change the tables of the format; nothing of it was kept"
                ) from error
            raise CorruptStructureError(f"delta {delta.name}", str(error)) from error


def _authorize(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    on_table = _ALLOWED.get(action)
    if on_table is None or (on_table and (first or "").upper() not in _TABLES) or database not in (None, "main"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _statements(delta: Path) -> Iterator[str]:
    """Yield the statements of a file of SQL, one at a time."""
    waiting = ""
    with delta.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for line in file:
            waiting += line
            if len(waiting) > _LONGEST_STATEMENT:
                raise LimitExceededError("length of a statement", _LONGEST_STATEMENT, delta.name)
            if line.rstrip().endswith(";") and sqlite3.complete_statement(waiting):
                yield waiting
                waiting = ""
    if waiting.strip():
        raise CorruptStructureError(f"delta {delta.name}", "it ends inside a statement; it was cut off")


def _read(path: Path) -> Iterator[Batch]:
    with opened(path) as connection:
        names = columns_of(connection, "FILE")
        found = [(names.index(name), name) for name in _DIGESTS if name in names]
        if not found:
            raise CorruptStructureError(f"RDS database {path.name}", "its table FILE has no digests")
        remarks = tuple(
            f"release {version}, {build}"
            for version, build in connection.execute("SELECT version, build_set FROM VERSION LIMIT 100")
        )
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'FILE' AND rootpage > 0"
        ).fetchone()
        yield Batch(entries=0, columns={}, remarks=remarks)
        if root is not None:
            try:
                yield from _pages(path, int(root[0]), sorted(found))
                return
            except NotPlainError:
                pass
        yield from _rows(connection, [name for _, name in found], path)


def _pages(path: Path, root: int, found: list[tuple[int, str]]) -> Iterator[Batch]:
    size = path.stat().st_size
    widths = [WIDTHS[name] for _, name in found]
    for columns, left_out, done, total in hex_columns(path, root, [index for index, _ in found], widths):
        named = {name: Column(values=values) for (_, name), values in zip(found, columns, strict=True)}
        skipped = {"row without a digest": left_out} if left_out else {}
        position = size * done // max(1, total)
        yield Batch(entries=len(columns[0]), columns=named, skipped=skipped, position=position)


def _rows(connection: sqlite3.Connection, names: list[str], path: Path) -> Iterator[Batch]:
    """Yield the same by asking SQLite, for views and whatever is laid out in another way."""
    cursor = connection.execute(f"SELECT {', '.join(names)} FROM FILE")  # noqa: S608 - names come from _DIGESTS
    left = path.stat().st_size // _LEAST_ROW + _ROWS_A_BATCH
    while rows := cursor.fetchmany(_ROWS_A_BATCH):
        left -= len(rows)
        if left < 0:
            raise CorruptStructureError(f"RDS database {path.name}", "its view FILE yields more rows than it can hold")
        gathering = Gathering()
        for row in rows:
            values = [
                (name, value)
                for name, text in zip(names, row, strict=True)
                if isinstance(text, str) and (value := decode_value(text, WIDTHS[name])) is not None
            ]
            if values:
                gathering.add(values)
            else:
                gathering.skip("row without a digest")
        yield gathering.batch(0)
