"""How the values of a record become the values of a row (SQLite Database File Format, 2.1, 2.4)."""

from __future__ import annotations

from collections.abc import Sequence

from kaval.artefacts.sqlite.rows import Table, Value


class Shape:
    """Puts the values of records in the order of a table's columns.

    The rowid stands in for the column that is its alias, whole numbers of a REAL column become floats again,
    and a record older than its columns is filled up with their defaults.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._count = len(table.columns)
        self._order = table.stored if table.without_rowid else ()
        self._alias = table.alias
        self._reals = tuple(at for at, affinity in enumerate(table.affinities) if affinity == "REAL")

    def fit(self, values: list[Value], rowid: int | None) -> tuple[Value, ...]:
        """Return the values of a row; the list may be changed."""
        if self._order:
            values = self._reorder(values)
        if len(values) < self._count:
            values.extend(self.table.defaults[len(values) :])
        elif len(values) > self._count:
            del values[self._count :]
        if self._alias is not None and values[self._alias] is None:
            values[self._alias] = rowid
        for at in self._reals:
            value = values[at]
            if isinstance(value, int):
                values[at] = float(value)
        return tuple(values)

    def _reorder(self, values: Sequence[Value]) -> list[Value]:
        ordered = list(self.table.defaults)
        for at, value in zip(self._order, values, strict=False):
            ordered[at] = value
        return ordered
