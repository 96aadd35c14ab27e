"""CSV tables: columns are taken by what is in them, not by where they stand.

A column is a digest column where nearly all its values are hexadecimal of one digest length; a person may name
the columns instead. 64 digits are SHA-256, under a title that says PDQ they are PDQ hashes. Columns with a known
title (category, series, tags ...) are kept with the entry; others are not.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets.algorithms import BY_HEX_LENGTH, WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import HEX_DIGITS, decode_value
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


def digest_columns(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return which columns hold digests; a first row of titles does not count against them."""
    found = {}
    titles = [value.strip().lower() for value in rows[0]]
    for index in range(len(rows[0])):
        filled = [value for row in rows[1:] or rows if index < len(row) and (value := row[index].strip())]
        kinds = [_algorithm_of(value) for value in filled]
        for algorithm in BY_HEX_LENGTH.values():
            if filled and kinds.count(algorithm) >= _ENOUGH * len(filled):
                found[index] = "pdq" if algorithm == "sha256" and "pdq" in titles[index] else algorithm
    return found


@SET_FORMATS.register
class Tables:
    """A CSV file with at least one column of digests."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV table with columns of digests or PDQ hashes"
    rank: ClassVar[int] = 90
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the lines are a table and a column of it holds digests."""
        lines = sample.lines[:_SAMPLED_LINES]
        separator = separator_of(lines)
        if separator is None:
            return False
        return bool(digest_columns([row for row in csv.reader(lines, delimiter=separator) if row]))

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the rows; one without any digest is counted as skipped."""
        with reading.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            head = [line for line, _ in zip(file, range(_SAMPLED_LINES), strict=False)]
        separator = separator_of(head) or ","
        titles = next(csv.reader(head, delimiter=separator))
        rows = [row for row in csv.reader(head, delimiter=separator) if row]
        columns = _chosen(reading, titles) or digest_columns(rows)
        kept = {index: KEPT[name] for index, title in enumerate(titles) if (name := title.strip().lower()) in KEPT}
        told = ", ".join(f"{titles[index].strip() or index} as {algorithm}" for index, algorithm in columns.items())
        remarks: tuple[str, ...] = (f"columns read: {told}",)
        for batch, position, ended in _rows(reading, separator):
            if not ended and batch:
                _refuse_cut_off(reading, batch[-1], len(titles), columns, position)
            yield _batch(batch, columns, kept, position, remarks)
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
    partial = any(
        row[index].strip() and decode_value(row[index], WIDTHS[algorithm]) is None
        for index, algorithm in columns.items()
        if index < len(row)
    )
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


class _Lines:
    """The lines of a file as text, with the byte up to which they were given out."""

    def __init__(self, path: Path, start: int) -> None:
        self._file = path.open("rb")
        self._file.seek(start)
        self.position = start
        self.ended = True

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            text = line
            if self.position == 0:
                text = line.removeprefix(b"\xef\xbb\xbf")
            self.position += len(line)
            self.ended = line.endswith((b"\n", b"\r"))
            yield text.decode("utf-8", "surrogateescape")
        self._file.close()


def _rows(reading: Reading, separator: str) -> Iterator[tuple[list[list[str]], int, bool]]:
    """Yield runs of rows, the byte behind each, and whether a line ends there; a row may go over several lines."""
    lines = _Lines(reading.path, reading.start)
    reader = csv.reader(iter(lines), delimiter=separator, strict=True)
    waiting: list[list[str]] = []
    try:
        for row in reader:
            waiting.append(row)
            if len(waiting) == _ROWS_A_BATCH:
                yield waiting, lines.position, True
                waiting = []
    except csv.Error as error:
        reason = f"{error} (line {reader.line_num} of what was read)"
        raise CorruptStructureError(f"table {reading.path.name}", reason, lines.position) from error
    yield waiting, lines.position, lines.ended


def _batch(
    rows: Sequence[Sequence[str]],
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
            if index < len(row) and (value := decode_value(row[index], WIDTHS[algorithm])) is not None:
                values.append((algorithm, value))
                said[algorithm] = value.hex()
        if not values:
            found.skip("row without a digest", int(any(value.strip() for value in row)))
            continue
        said |= {name: text for index, name in kept.items() if index < len(row) and (text := row[index].strip())}
        if "category" in said:
            found.tally(f"category {said['category']}")
        detail = json.dumps(said, ensure_ascii=True).encode() if kept or len(columns) > 1 else None
        found.add(values, detail)
    return found.batch(position, remarks)
