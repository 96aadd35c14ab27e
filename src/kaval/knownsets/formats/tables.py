"""CSV tables: columns are taken by what is in them, not by where they stand.

A column is a digest column where nearly all its values are hexadecimal of a digest length; a person may name the
columns instead. 64 digits are SHA-256, or PDQ hashes where title or person says so; a column may hold digests of
several lengths. Columns with a known title (category, series, tags ...) are kept with the entry; others are not.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets.algorithms import BY_HEX_LENGTH, EXACT, WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample, take_sample
from kaval.knownsets.hexadecimal import HEX_DIGITS, decode_value, sha256_or_pdq
from kaval.knownsets.sources import MENDED, TableRows
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


_BLANK = frozenset({"", "-", "n/a", "na", "nil", "none", "null", "(null)", "unknown"})
_MISP = ("type", "value")
_ABOVE = ("#", "sep=")
_SHARE = 0.75


def _algorithm_of(value: str) -> str | None:
    text = value.strip().replace(" ", "")
    return BY_HEX_LENGTH.get(len(text)) if HEX_DIGITS.issuperset(text) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How a table is laid out: its separator, its rows from the titles on, and what stands above them."""

    separator: str
    rows: Sequence[Sequence[str]]
    above: Sequence[Sequence[str]]

    @property
    def titles(self) -> Sequence[str]:
        """The first row; it may hold values."""
        return self.rows[0]


def shape_of(lines: Sequence[str]) -> Shape | None:
    """Return the layout of a table of two columns at least, by the separator under which most rows are alike.

    A line ``sep=``, remarks and a few lines above the titles are passed over, and a row that is longer may occur.
    """
    stated = lines[0].strip()[4:5] if lines and lines[0].lower().startswith("sep=") else ""
    found: tuple[tuple[float, int], Shape] | None = None
    for separator in stated or ",;\t|":
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        usual = max(widths, key=lambda width: (widths[width], width))
        first = next(index for index, row in enumerate(rows) if len(row) == usual and not row[0].startswith(_ABOVE))
        likely = (widths[usual] / len(rows), usual)
        if widths[usual] >= _SHARE * len(rows[first:]) and (found is None or likely > found[0]):
            found = (likely, Shape(separator=separator, rows=rows[first:], above=rows[:first]))
    return found[1] if found else None


BY_LENGTH = ""
"""Of a column: digests of several algorithms, each known by its length."""


def digest_columns(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return which columns hold digests; a first row of titles does not count against them."""
    found = {}
    for index in range(len(rows[0])):
        values = [row[index].strip() for row in rows[1:] or rows if index < len(row)]
        filled = [value for value in values if value.lower() not in _BLANK]
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
        try:
            shape = shape_of(sample.lines[:_SAMPLED_LINES])
        except (csv.Error, StopIteration):
            return False
        return shape is not None and bool(digest_columns(shape.rows) or _of_misp(shape))

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the rows; one without any digest is counted as skipped."""
        shape = shape_of(take_sample(reading.path).lines[:_SAMPLED_LINES])
        if shape is None:
            raise CorruptStructureError(f"table {reading.path.name}", "its lines do not fall into columns", 0)
        titles = shape.titles
        columns = _chosen(reading, titles) or _settled(digest_columns(shape.rows), shape.rows, reading)
        typed = None if reading.columns else _of_misp(shape)
        columns = {typed[1]: BY_LENGTH} if typed else columns
        kept = {index: KEPT[name] for index, title in enumerate(titles) if (name := title.strip().lower()) in KEPT}
        if typed:
            kept = {index: name for index, name in kept.items() if name != "category"}
        told = ", ".join(
            f"{titles[index].strip() or index + 1} as {algorithm or 'digests by length'}"
            for index, algorithm in columns.items()
        )
        remarks: tuple[str, ...] = (f"columns read: {told}",)
        table = TableRows(reading.path, shape.separator, reading.start)
        for run in table.runs(_ROWS_A_BATCH):
            if not table.ended:
                _refuse_cut_off(reading, run[-1], len(titles), columns, table.position)
            found = _gathered(run, (titles, *shape.above), columns, kept, typed)
            found.tally(MENDED, table.take_mended())
            yield found.batch(table.position, remarks)
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


def _of_misp(shape: Shape) -> tuple[int, int] | None:
    """Return the columns of type and value of a table as MISP exports attributes; nothing where it is none."""
    titles = [title.strip().lower() for title in shape.titles]
    return (titles.index("type"), titles.index("value")) if {*_MISP, "category"} <= set(titles) else None


def _gathered(
    rows: Sequence[Sequence[str]],
    others: Sequence[Sequence[str]],
    columns: Mapping[int, str],
    kept: Mapping[int, str],
    typed: tuple[int, int] | None,
) -> Gathering:
    """Return the entries of rows; ``others`` are the rows that are none, ``typed`` the columns of type and value."""
    found = Gathering()
    for row in rows:
        values = _of_type(row, *typed) if typed else list(_values(row, columns))
        if not values:
            if typed and any(map(str.strip, row)) and row not in others:
                found.skip("attribute that is no digest matched here")
            else:
                found.skip("row without a digest", int(any(map(str.strip, row)) and row not in others))
            continue
        said = {kind: value.hex() for kind, value in values}
        said |= {name: text for index, name in kept.items() if index < len(row) and (text := row[index].strip())}
        if "category" in said:
            found.tally(f"category {said['category']}")
        detail = json.dumps(said, ensure_ascii=True).encode() if kept or len(columns) > 1 else None
        found.add(values, detail)
    return found


def _values(row: Sequence[str], columns: Mapping[int, str]) -> Iterator[tuple[str, bytes]]:
    for index, algorithm in columns.items():
        text = row[index] if index < len(row) else ""
        kind = (_algorithm_of(text) or "md5") if algorithm in (BY_LENGTH, "pdq") else algorithm
        kind = "pdq" if kind == "sha256" and algorithm == "pdq" else kind
        if (value := decode_value(text, WIDTHS[kind])) is not None:
            yield kind, value


def _of_type(row: Sequence[str], kind_at: int, value_at: int) -> list[tuple[str, bytes]]:
    """Return the digest of an attribute whose type says that it is one; composite ones hold a name before it."""
    if max(kind_at, value_at) >= len(row):
        return []
    kind = row[kind_at].strip().lower().rpartition("|")[2]
    value = decode_value(row[value_at].rpartition("|")[2], WIDTHS[kind]) if kind in EXACT else None
    return [] if value is None else [(kind, value)]
