"""Tables and rows as the reader of SQLite databases hands them on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = int | float | str | bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table of the schema, with the columns a record of it stores, in the order of its declaration.

    ``affinities`` are ``INTEGER``, ``TEXT``, ``BLOB``, ``REAL`` or ``NUMERIC``, one for each column. ``stored``
    gives the column of each value in a record: only a table without rowid stores its key first. ``alias`` is
    the column that stands for the rowid, ``defaults`` what a record too short for its columns is taken to hold.
    ``inferred`` tables have no schema: their columns are called ``col0`` and so on.
    """

    name: str
    columns: tuple[str, ...]
    affinities: tuple[str, ...]
    root_page: int
    sql: str
    without_rowid: bool = False
    primary_key: tuple[str, ...] = ()
    not_null: frozenset[int] = frozenset()
    alias: int | None = None
    stored: tuple[int, ...] = ()
    defaults: tuple[Value, ...] = ()
    dropped: bool = False
    inferred: bool = False


class RecoverySource(StrEnum):
    """Where a row that is no longer live was read; grammar: a lower-case noun or participle.

    ``freeblock`` and ``unallocated`` lie in a page that is in use, ``freelist`` in one that is free;
    ``overwritten`` is a row of which a later one has taken a part, or one of a page in the file that the
    write-ahead log has replaced; ``wal`` and ``journal`` are the files beside the database;
    ``dropped`` belongs to a table that is gone;
    ``carved`` was found in a page that nothing names;
    ``unallocated page`` is one that stands outside the file, in space that no file owns by now.
    """

    FREEBLOCK = "freeblock"
    UNALLOCATED = "unallocated"
    FREELIST = "freelist"
    OVERWRITTEN = "overwritten"
    WAL = "wal"
    JOURNAL = "journal"
    DROPPED = "dropped"
    CARVED = "carved"
    UNALLOCATED_PAGE = "unallocated page"


@dataclass(frozen=True, slots=True)
class Row:
    """A row and where its cell lies: ``offset`` is a byte of the page, ``within`` the frame or record that holds it.

    ``page`` is the number of the page, from 1; of an unallocated page it is 0 and ``within`` gives its locator.
    """

    table: str
    columns: tuple[str, ...]
    values: tuple[Value, ...]
    rowid: int | None
    page: int
    offset: int
    within: str = ""

    @property
    def place(self) -> str:
        """Where the cell begins, such as ``page 12 offset 3402`` or ``wal frame 7 page 12 offset 3402``."""
        page = f"page {self.page} " if self.page else ""
        return f"{self.within} {page}offset {self.offset}".lstrip()

    def get(self, column: str, default: Value = None) -> Value:
        """Return the value of a column, or ``default`` where the row has no such column."""
        try:
            return self.values[self.columns.index(column)]
        except ValueError:
            return default

    def __getitem__(self, column: str) -> Value:
        try:
            return self.values[self.columns.index(column)]
        except ValueError:
            raise KeyError(column) from None


@dataclass(frozen=True, slots=True)
class RecoveredRow(Row):
    """A row that the last committed state does not hold.

    ``certain`` says that the page is known to have belonged to the table; otherwise the shape of the record speaks
    for it. ``missing`` names the columns whose value is lost (they read ``None``). ``live_twin`` says that a live row
    holds the same values under another rowid. ``confidence`` has one figure a column: 1 where its stored type was
    read, less where it was concluded, 0 where the value is lost.
    """

    certain: bool = True
    source: RecoverySource = RecoverySource.UNALLOCATED
    complete: bool = True
    missing: tuple[str, ...] = ()
    live_twin: bool = False
    confidence: tuple[float, ...] = ()
