"""CSV tables: columns are taken by what is in them, not by where they stand.

A column is a digest column where nearly all its values are hexadecimal of one digest length. A column called
like ``category`` is kept as the category the set supplies.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from kaval.knownsets.algorithms import BY_HEX_LENGTH
from kaval.knownsets.batches import Batch, Column
from kaval.knownsets.formats import SET_FORMATS, Sample

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_CATEGORY_NAMES = frozenset({"category", "cat", "grade", "classification"})
_ROWS_A_BATCH = 1 << 15
_ENOUGH = 0.95


def _algorithm_of(value: str) -> str | None:
    text = value.strip()
    return BY_HEX_LENGTH.get(len(text)) if _HEX_DIGITS.issuperset(text) else None


def _dialect(lines: Sequence[str]) -> str | None:
    """Return the separator with which the lines fall into the same number of columns, two at least."""
    for separator in ",;\t|":
        widths = {len(row) for row in csv.reader(lines, delimiter=separator) if row}
        if len(widths) == 1 and widths.pop() > 1:
            return separator
    return None


def _digest_columns(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return which columns hold digests; a first row of titles does not count against them."""
    found = {}
    for index in range(len(rows[0])):
        filled = [value for row in rows[1:] or rows if index < len(row) and (value := row[index].strip())]
        kinds = [_algorithm_of(value) for value in filled]
        for algorithm in BY_HEX_LENGTH.values():
            if filled and kinds.count(algorithm) >= _ENOUGH * len(filled):
                found[index] = algorithm
    return found


@SET_FORMATS.register
class Tables:
    """A CSV file with at least one column of digests."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV table with columns of digests"
    rank: ClassVar[int] = 90
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, sample: Sample) -> bool:
        """Say yes where the lines are a table and a column of it holds digests."""
        lines = sample.lines[:2000]
        separator = _dialect(lines)
        if separator is None:
            return False
        return bool(_digest_columns([row for row in csv.reader(lines, delimiter=separator) if row]))

    def read(self, path: Path) -> Iterator[Batch]:
        """Yield the rows; one without any digest is counted as skipped."""
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            head = [line for line, _ in zip(file, range(2000), strict=False)]
            separator = _dialect(head) or ","
            rows = [row for row in csv.reader(head, delimiter=separator) if row]
            columns = _digest_columns(rows)
            titles = [value.strip().lower() for value in rows[0]]
            category = next((index for index, title in enumerate(titles) if title in _CATEGORY_NAMES), None)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator)
            while batch := [row for row, _ in zip(reader, range(_ROWS_A_BATCH), strict=False)]:
                yield _batch(batch, columns, category)


def _batch(rows: Sequence[Sequence[str]], columns: dict[int, str], category: int | None) -> Batch:
    found: dict[str, tuple[list[str], list[int]]] = {}
    details: list[bytes] = []
    skipped = entries = 0
    for row in rows:
        digests = [
            (algorithm, value)
            for index, algorithm in columns.items()
            if index < len(row) and _algorithm_of(value := row[index].strip()) == algorithm
        ]
        if not digests:
            skipped += any(value.strip() for value in row)
            continue
        entries += 1
        for algorithm, value in digests:
            values, owners = found.setdefault(algorithm, ([], []))
            values.append(value)
            owners.append(len(details))
        stated = row[category].strip() if category is not None and category < len(row) else ""
        details.append(json.dumps({"category": stated} if stated else {}).encode())
    kept = {
        algorithm: Column(
            values=np.frombuffer(bytes.fromhex("".join(values)), dtype=np.uint8).reshape(len(values), -1),
            owners=None if category is None else np.array(owners, dtype=np.uint32),
        )
        for algorithm, (values, owners) in found.items()
    }
    told = {"row without a digest": skipped} if skipped else {}
    return Batch(entries=entries, columns=kept, details=details if category is not None else (), skipped=told)
