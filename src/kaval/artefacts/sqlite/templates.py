"""What records of a table look like: from its declaration, and from the rows that are still there."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log2

from kaval.artefacts.sqlite.rows import Table

NULL, INTEGER, REAL, TEXT, BLOB = range(5)
_CLASSES = (NULL, *(INTEGER,) * 6, REAL, INTEGER, INTEGER, BLOB, TEXT)
_NATURAL = {
    "INTEGER": frozenset({INTEGER}),
    "REAL": frozenset({REAL, INTEGER}),
    "TEXT": frozenset({TEXT}),
    "BLOB": frozenset({BLOB, TEXT, INTEGER, REAL}),
    "NUMERIC": frozenset({INTEGER, REAL, TEXT}),
}
_LEARNT_ENOUGH = 20
_SCHEMA_KINDS = frozenset({21, 23, 27, 29, 33, 41})
"""The serial types of the words view, table, index and trigger in UTF-8 and UTF-16; every schema record begins so."""
_SHARE_OF_RANDOM = (1 / 256, 8 / 256, 1 / 256, 0.3, 0.3)
"""How often the first byte of a random serial type is of each class."""


def class_of(serial_type: int) -> int:
    """Return the class of values a serial type stands for; 10 and 11 are never stored."""
    return _CLASSES[serial_type] if serial_type < 12 else (TEXT if serial_type & 1 else BLOB)


class Template:
    """The record of one table: which classes of values each place may hold, and how often it did.

    Places are those of the record, which in a table without rowid are not those of the columns.
    """

    def __init__(self, table: Table, *, schema_format: int = 4) -> None:
        self.table = table
        self.count = len(table.columns)
        self.learnt = 0
        self.widths: dict[int, int] = {}
        self.legacy = schema_format < 4
        self.first_types = _SCHEMA_KINDS if table.name == "sqlite_schema" else frozenset()
        self.allowed = [self._allowed(column) for column in table.stored]
        self._natural = [self._expected(column) for column in table.stored]
        self._seen = [[0, 0, 0, 0, 0] for _ in table.stored]
        self.type_counts: list[dict[int, int]] = [{} for _ in table.stored]
        self._expected_now: list[frozenset[int]] = []
        self._bits_now: list[tuple[float, ...]] = []

    def _allowed(self, column: int) -> frozenset[int]:
        """Return what can be stored at all: a TEXT column turns every number into text (datatype3, 3)."""
        if column == self.table.alias:
            return frozenset({NULL})
        kinds = {TEXT, BLOB} if self.table.affinities[column] == "TEXT" else {INTEGER, REAL, TEXT, BLOB}
        return frozenset(kinds if column in self.table.not_null else kinds | {NULL})

    def _expected(self, column: int) -> frozenset[int]:
        if column == self.table.alias:
            return frozenset({NULL})
        kinds = _NATURAL[self.table.affinities[column]]
        return kinds if column in self.table.not_null else kinds | {NULL}

    def learn(self, types: Sequence[int]) -> None:
        """Take a record of the table as an example."""
        self.learnt += 1
        if self._expected_now:
            self._expected_now, self._bits_now = [], []
        self.widths[len(types)] = self.widths.get(len(types), 0) + 1
        for seen, counts, serial_type in zip(self._seen, self.type_counts, types, strict=False):
            seen[class_of(serial_type)] += 1
            if serial_type < 12:
                counts[serial_type] = counts.get(serial_type, 0) + 1

    def expected(self, place: int) -> frozenset[int]:
        """Return the classes looked for where a record is damaged: those declared, and those seen."""
        if not self._expected_now:
            self._expected_now = [self._expect(one) for one in range(self.count)]
            self._bits_now = [self._bits_of(one) for one in range(self.count)]
        return self._expected_now[place]

    def _expect(self, place: int) -> frozenset[int]:
        seen = {kind for kind, count in enumerate(self._seen[place]) if count}
        if self.learnt >= _LEARNT_ENOUGH:
            declared = self._natural[place] if len(self._natural[place]) <= 2 else frozenset()
            return frozenset(seen) | declared & self.allowed[place]
        return self._natural[place] | seen

    def _bits_of(self, place: int) -> tuple[float, ...]:
        """Return for each class how unlikely random bytes are to be of those looked for, or of those possible."""
        expected = self._expected_now[place]
        shares = [sum(_SHARE_OF_RANDOM[one] for one in kinds) for kinds in (expected, self.allowed[place])]
        return tuple(-log2(min(1.0, shares[kind not in expected] or 1.0)) for kind in range(5))

    def seen_strings(self, place: int, serial_type: int) -> int:
        """Return how many texts or blobs were seen at a place, of whatever length."""
        return self._seen[place][class_of(serial_type)]

    def fits(self, types: Sequence[int]) -> bool:
        """Whether a record with these types can be one of the table."""
        if len(types) != self.count and not self._may_be_short(len(types)):
            return False
        for allowed, serial_type in zip(self.allowed, types, strict=False):
            if serial_type in (10, 11) or class_of(serial_type) not in allowed:
                return False
        return not self.first_types or types[0] in self.first_types

    def _may_be_short(self, width: int) -> bool:
        """Whether records of fewer values are known, as there are after columns were added."""
        return width in self.widths and width < self.count

    def likeness(self, types: Sequence[int]) -> float:
        """Return how usual these types are for the table, from 0 to 1; 0 where they are impossible."""
        if not self.fits(types):
            return 0.0
        total = 0.0
        for place, serial_type in enumerate(types):
            kind = class_of(serial_type)
            natural = self._natural[place]
            share = 0.95 / len(natural) if kind in natural else 0.05 / (5 - len(natural))
            total += log((self._seen[place][kind] + 4 * share) / (self.learnt + 4))
        return exp(total / max(1, len(types)))

    def bits(self, types: Sequence[int], first: int = 0) -> float:
        """Return how unlikely it is that random bytes look like these types, in bits; ``first`` is the first place."""
        self.expected(0)
        return sum(self._bits_now[place][class_of(serial_type)] for place, serial_type in enumerate(types, first))
