"""CSV tables: columns are taken by what is in them, not by where they stand.

A column is a digest column where nearly all its values are hexadecimal of a digest length; a person may name the
columns instead. 64 digits are SHA-256, or PDQ hashes where title or person says so; a column may hold digests of
several lengths. Columns with a known title (category, series, tags ...) are kept with the entry; others are not.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets.algorithms import BY_HEX_LENGTH, WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample, take_sample
from kaval.knownsets.hexadecimal import HEX_DIGITS, decode_value, sha256_or_pdq
from kaval.knownsets.sources import TableRows
from kaval.knownsets.statements import Statement, whole_number

KEPT = {
    "category": "category", "cat": "category", "grade": "category", "classification": "category",
    "series": "series", "series name": "series", "tags": "tags", "comment": "comments", "comments": "comments",
    "id": "identity", "source": "source", "size": "size", "file size": "size", "provenance": "provenance",
}  # fmt: skip
"""Titles of columns that are kept, and as what."""

_ROWS_A_BATCH = 1 << 15
_SAMPLED_LINES = 2000
_ENOUGH = 0.95


def _algorithm_of(value: str) -> str | None:
    text = value.strip()
    return BY_HEX_LENGTH.get(len(text)) if HEX_DIGITS.issuperset(text) else None


def separator_of(lines: Sequence[str]) -> str | None:
    """Return the separator with which the lines fall into the same number of columns, two at least."""
    for separator in ",;\t|":
        try:
            widths = {len(row) for row in csv.reader(lines, delimiter=separator) if row}
        except csv.Error:
            continue
        if len(widths) == 1 and widths.pop() > 1:
            return separator
    return None


BY_LENGTH = ""
"""Of a column: digests of several algorithms, each known by its length."""


def digest_columns(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return which columns hold digests; a first row of titles does not count against them."""
    found = {}
    for index in range(len(rows[0])):
        filled = [value for row in rows[1:] or rows if index < len(row) and (value := row[index].strip())]
        kinds = [_algorithm_of(value) for value in filled]
        digests = [kind for kind in kinds if kind is not None]
        if filled and len(digests) >= _ENOUGH * len(filled):
            usual = max(set(digests), key=digests.count)
            found[index] = usual if digests.count(usual) >= _ENOUGH * len(filled) else BY_LENGTH
    return found


def _settled(columns: dict[int, str], rows: Sequence[Sequence[str]], reading: Reading) -> dict[int, str]:
    """Return the columns with those of 64 digits settled by their title, by the person, or by what is in them."""
    settled = {}
    for index, algorithm in columns.items():
        title = rows[0][index].strip().lower()
        if algorithm not in ("sha256", BY_LENGTH) or "sha" in title:
            settled[index] = algorithm
        elif "pdq" in title:
            settled[index] = "pdq"
        else:
            values = [value for row in rows if index < len(row) and (value := decode_value(row[index], 32)) is not None]
            flat = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, 32)
            kind = sha256_or_pdq(flat, reading.hex64, f"column {rows[0][index]!r} of {reading.path.name}")
            settled[index] = algorithm if algorithm == BY_LENGTH and kind == "sha256" else kind
    return settled


@SET_FORMATS.register
class Tables:
    """A CSV file with at least one column of digests."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV table with columns of digests or PDQ hashes"
    rank: ClassVar[int] = 90
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the lines are a table and a column of it holds digests."""
        lines = sample.lines[:_SAMPLED_LINES]
        separator = separator_of(lines)
        if separator is None:
            return False
        return bool(digest_columns([row for row in csv.reader(lines, delimiter=separator) if row]))

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the rows; one without any digest is counted as skipped."""
        head = take_sample(reading.path).lines[:_SAMPLED_LINES]
        separator = separator_of(head) or ","
        titles = next(csv.reader(head, delimiter=separator))
        rows = [row for row in csv.reader(head, delimiter=separator) if row]
        columns = _chosen(reading, titles) or _settled(digest_columns(rows), rows, reading)
        kept = {index: KEPT[name] for index, title in enumerate(titles) if (name := title.strip().lower()) in KEPT}
        told = ", ".join(
            f"{titles[index].strip() or index + 1} as {algorithm or 'digests by length'}"
            for index, algorithm in columns.items()
        )
        remarks: tuple[str, ...] = (f"columns read: {told}",)
        table = TableRows(reading.path, separator, reading.start)
        for run in table.runs(_ROWS_A_BATCH):
            if not table.ended:
                _refuse_cut_off(reading, run[-1], len(titles), columns, table.position)
            yield _batch(run, titles, columns, kept, table.position, remarks)
            remarks = ()

    def statement(self, detail: bytes) -> Statement:
        """Return what one row says."""
        said: dict[str, str] = json.loads(detail)
        return Statement(
            category=said.get("category"),
            identity=said.get("identity"),
            source=said.get("source"),
            values={name: said[name] for name in WIDTHS if name in said},
            size=whole_number(said.get("size")),
            notes={name: said[name] for name in ("series", "tags", "comments", "provenance") if name in said},
        )


def _refuse_cut_off(
    reading: Reading, row: Sequence[str], width: int, columns: Mapping[int, str], position: int
) -> None:
    """Raise where the last line has no end and its row is not whole."""
    partial = any(row[index].strip() and _algorithm_of(row[index]) is None for index in columns if index < len(row))
    if len(row) < width or partial:
        raise CorruptStructureError(
            f"table {reading.path.name}", "the file ends inside a row; it was cut off", position
        )


def _chosen(reading: Reading, titles: Sequence[str]) -> dict[int, str]:
    """Return the columns a person named, by title or by number from 1."""
    chosen = {}
    lowered = [title.strip().lower() for title in titles]
    for algorithm, column in reading.columns.items():
        if column.strip().lower() in lowered:
            chosen[lowered.index(column.strip().lower())] = algorithm
        elif column.strip().isdecimal() and 1 <= int(column) <= len(titles):
            chosen[int(column) - 1] = algorithm
        else:
            raise UsageError(f"{reading.path.name} has no column {column!r}; it has {', '.join(titles)}")
    return chosen


def _batch(
    rows: Sequence[Sequence[str]],
    titles: Sequence[str],
    columns: Mapping[int, str],
    kept: Mapping[int, str],
    position: int,
    remarks: tuple[str, ...],
) -> Batch:
    found = Gathering()
    for row in rows:
        values = []
        said = {}
        for index, algorithm in columns.items():
            text = row[index] if index < len(row) else ""
            kind = (_algorithm_of(text) or "md5") if algorithm in (BY_LENGTH, "pdq") else algorithm
            kind = "pdq" if kind == "sha256" and algorithm == "pdq" else kind
            if (value := decode_value(text, WIDTHS[kind])) is not None:
                values.append((kind, value))
                said[kind] = value.hex()
        if not values:
            found.skip("row without a digest", int(any(map(str.strip, row)) and row != titles))
            continue
        said |= {name: text for index, name in kept.items() if index < len(row) and (text := row[index].strip())}
        if "category" in said:
            found.tally(f"category {said['category']}")
        detail = json.dumps(said, ensure_ascii=True).encode() if kept or len(columns) > 1 else None
        found.add(values, detail)
    return found.batch(position, remarks)
