"""What a format yields: many entries at once, as columns, so that a hundred million cost no objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint8]
"""Values of one algorithm: a row of bytes each."""

NO_DETAIL = 0xFFFFFFFF
"""Owner of a value about which the set says nothing more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """Values of one algorithm; ``owners`` gives for each the index of its entry among the details of the batch."""

    values: Rows
    owners: NDArray[np.uint32] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A run of entries of a source.

    ``details`` holds what the set says of each entry, in the words of its format: JSON objects end to end, their
    lengths in ``detail_sizes``; it is empty where a format says nothing. Where details can stay in the source as it was
    received, ``detail_places`` says at which bytes they begin, and no copy is given. ``skipped`` counts what was left
    out, by reason, ``tallies`` counts what a person wants to compare with what the sender states. ``position`` is the
    byte (the row, in a database) from which reading can go on after this batch.
    """

    entries: int
    columns: Mapping[str, Column]
    details: bytes = b""
    detail_sizes: Sequence[int] | NDArray[np.int64] = ()
    detail_places: NDArray[np.int64] | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    tallies: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    position: int = 0


def column_of(values: Iterable[bytes], width: int, owners: Iterable[int] | None = None) -> Column:
    """Return a column made of separate values."""
    rows = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, width)
    return Column(values=rows, owners=None if owners is None else np.array(list(owners), dtype=np.uint32))


class Gathering:
    """Entries one by one, on the way to a batch; for formats where that is fast enough."""

    def __init__(self) -> None:
        self._values: dict[str, list[bytes]] = {}
        self._owners: dict[str, list[int]] = {}
        self._details: list[bytes] = []
        self._skipped: dict[str, int] = {}
        self._tallies: dict[str, int] = {}
        self.entries = 0

    def add(self, values: Iterable[tuple[str, bytes]], detail: bytes | None = None) -> None:
        """Add an entry with its values and what is said of it."""
        self.entries += 1
        for algorithm, value in values:
            self._values.setdefault(algorithm, []).append(value)
            self._owners.setdefault(algorithm, []).append(NO_DETAIL if detail is None else len(self._details))
        if detail is not None:
            self._details.append(detail)

    def skip(self, reason: str, count: int = 1) -> None:
        """Count something that was left out."""
        if count:
            self._skipped[reason] = self._skipped.get(reason, 0) + count

    def tally(self, what: str, count: int = 1) -> None:
        """Count something worth telling."""
        self._tallies[what] = self._tallies.get(what, 0) + count

    def batch(self, position: int, remarks: tuple[str, ...] = ()) -> Batch:
        """Return what was gathered."""
        columns: dict[str, Any] = {}
        for algorithm, values in self._values.items():
            owners = self._owners[algorithm] if self._details else None
            columns[algorithm] = column_of(values, len(values[0]), owners)
        return Batch(
            entries=self.entries,
            columns=columns,
            details=b"".join(self._details),
            detail_sizes=[len(detail) for detail in self._details],
            skipped=self._skipped,
            tallies=self._tallies,
            remarks=remarks,
            position=position,
        )
