"""The rows of a database as parsers meet them: live ones first, then what was recovered, through one door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kaval.artefacts.records import Direction
from kaval.artefacts.sqlite import Database, RecoveredRow, Row, Value
from kaval.core.progress import advance

ROWS_A_SIGN = 512
"""Rows read between two signs of progress; a database has no more rows than bytes."""


class Tables:
    """The tables of a database, those that were dropped among them; names are asked for in lower case.

    Recovered rows are read once, at the first question, and kept: a row that the live table holds as well is left out.
    Where reading them failed, what was read before is what there is.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._names = {name.lower(): name for name in database.tables}
        self._recovered: list[RecoveredRow] | None = None
        self._by_table: dict[str, list[RecoveredRow]] = {}

    def __contains__(self, table: str) -> bool:
        return table in self._names or table in self._by_table

    def names(self) -> list[str]:
        """Return the names of the tables, in lower case, in order."""
        return sorted(self._names.keys() | self._by_table.keys())

    def columns(self) -> frozenset[str]:
        """Return every column of every table, written ``table.column`` in lower case; of dropped ones as recovered."""
        self.recovered()
        live = ((table, described.columns) for table, described in self.database.tables.items())
        dropped = ((table, rows[0].columns) for table, rows in self._by_table.items() if table not in self._names)
        return frozenset(
            f"{table.lower()}.{column.lower()}" for table, columns in (*live, *dropped) for column in columns
        )

    def live(self, table: str) -> Iterator[Row]:
        """Yield the rows the table shows; nothing where there is no such table."""
        name = self._names.get(table)
        if name is None:
            return
        for number, row in enumerate(self.database.rows(name)):
            if number % ROWS_A_SIGN == 0:
                advance()
            yield row

    def recovered(self) -> list[RecoveredRow]:
        """Return every row of every table that the database no longer shows."""
        if self._recovered is None:
            self._recovered = []
            for row in self.database.recovered():
                self._recovered.append(row)
                if not row.live_twin:
                    self._by_table.setdefault(row.table.lower(), []).append(row)
        return self._recovered

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table, live ones first."""
        yield from self.live(table)
        self.recovered()
        yield from self._by_table.get(table, ())

    def by(self, table: str, column: str) -> dict[Any, Row]:
        """Return the rows of a table by one column; a live row comes before a recovered one."""
        found: dict[Any, Row] = {}
        for row in self.rows(table):
            value = value_of(row, column)
            if value is not None and not isinstance(value, bytes):
                found.setdefault(value, row)
        return found

    def pairs(self, table: str, column: str, other: str) -> dict[Any, Value]:
        """Return the values of one column by those of another; of a large table far less than its rows."""
        found: dict[Any, Value] = {}
        for row in self.rows(table):
            value = value_of(row, column)
            if value is not None and not isinstance(value, bytes):
                found.setdefault(value, value_of(row, other))
        return found

    def grouped(self, table: str, column: str) -> dict[Any, list[Row]]:
        """Return the rows of a table that share a value of one column."""
        found: dict[Any, list[Row]] = {}
        for row in self.rows(table):
            value = value_of(row, column)
            if value is not None and not isinstance(value, bytes):
                found.setdefault(value, []).append(row)
        return found


def value_of(row: Row, column: str) -> Value:
    """Return the value of a column; ``ROWID`` is the row's number, whether the table declares it or not."""
    value = row.get(column)
    return row.rowid if value is None and column == "ROWID" else value


def found(row: Row) -> dict[str, Any]:
    """Return the fields of an artefact that tell where its row lies and whether it was recovered."""
    fields: dict[str, Any] = {"place": f"{row.table} {row.place}"}
    if isinstance(row, RecoveredRow):
        fields |= {
            "recovered": True,
            "certainty": "certain" if row.certain else "inferred",
            "source": str(row.source),
            "complete": row.complete,
        }
    return fields


def direction_of(from_me: Any) -> Direction | None:
    """Return the direction that a flag stands for which marks what the owner sent; ``None`` where it is lost."""
    if from_me is None:
        return None
    return Direction.OUTGOING if from_me else Direction.INCOMING


def text_of(value: Any) -> str | None:
    """Return a stored value as text; nothing and empty text are ``None``, bytes are read as UTF-8 if they are that."""
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8") or None
        except UnicodeDecodeError:
            return None
    return str(value)


def whole(value: Any) -> int | None:
    """Return a stored value as a whole number, ``None`` where it is none."""
    if isinstance(value, bool) or value is None or isinstance(value, bytes):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def real(value: Any) -> float | None:
    """Return a stored value as a number that is finite, ``None`` where it is none."""
    if value is None or isinstance(value, bytes):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) != float("inf") and number == number else None


def told(pairs: Mapping[str, Any]) -> dict[str, str]:
    """Return details without those that hold nothing, as text."""
    return {name: text for name, value in pairs.items() if (text := text_of(value)) is not None}
