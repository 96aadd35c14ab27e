"""Segments: the rows of one table that one unit of work wrote, as one Parquet file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kaval.folder.durable import flush_directory, place_json
from kaval.folder.tables import COLUMNS, TABLES, schema

ROWS_A_GROUP = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One Parquet file: its name in the folder, rows, size in bytes and SHA-256."""

    table: str
    name: str
    rows: int
    size: int
    sha256: str


class RowBuffer:
    """Collects rows of several tables and turns them into segments; memory grows with one unit only.

    Rows are tuples in the order of ``kaval.folder.tables.COLUMNS``.
    """

    def __init__(self) -> None:
        self._rows: dict[str, list[Sequence[Any]]] = {table: [] for table in TABLES}
        self._groups: dict[str, list[Any]] = {table: [] for table in TABLES}
        self.counts: dict[str, int] = dict.fromkeys(TABLES, 0)
        self._code_place = column_names("notices").index("code")

    def add(self, table: str, row: Sequence[Any]) -> None:
        """Add one row; full groups are packed into Arrow at once."""
        rows = self._rows[table]
        rows.append(row)
        self.counts[table] += 1
        if table == "notices":
            code = f"notice {row[self._code_place]}"
            self.counts[code] = self.counts.get(code, 0) + 1
        if len(rows) >= ROWS_A_GROUP:
            self._pack(table)

    def _pack(self, table: str) -> None:
        import pyarrow as pa

        rows = self._rows[table]
        if not rows:
            return
        table_schema = schema(table)
        columns = [
            pa.array(column, type=field.type)
            for column, field in zip(zip(*rows, strict=True), table_schema, strict=True)
        ]
        self._groups[table].append(pa.record_batch(columns, schema=table_schema))
        self._rows[table] = []

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table collected so far, by column names."""
        packed = [row for batch in self._groups[table] for row in batch.to_pylist()]
        names = column_names(table)
        return packed + [dict(zip(names, row, strict=True)) for row in self._rows[table]]

    def write(self, folder: Path, unit: str) -> tuple[Segment, ...]:
        """Write every table that has rows as a segment of this unit, and return them."""
        written = []
        for table in TABLES:
            self._pack(table)
            if self._groups[table]:
                written.append(_write_segment(folder, table, unit, self._groups[table]))
        if written:
            flush_directory(folder / "segments")
        return tuple(written)


def _write_segment(folder: Path, table: str, unit: str, batches: list[Any]) -> Segment:
    import os

    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(
        pa.Table.from_batches(batches),
        buffer,
        compression="zstd",
        row_group_size=ROWS_A_GROUP,
        version="2.6",
        store_schema=False,
    )
    content = buffer.getbuffer()
    name = f"segments/{table}-{unit}.parquet"
    target = folder / name
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(target)
    return Segment(
        table=table,
        name=name,
        rows=sum(batch.num_rows for batch in batches),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitRecord:
    """What a finished unit of work left behind; the unit counts as done once this record is in place.

    ``counts`` are small totals for progress (bytes read, files, hits); ``facts`` what later units need to know.
    """

    unit: str
    segments: tuple[Segment, ...]
    packs: tuple[Segment, ...] = ()
    counts: Mapping[str, int]
    facts: Mapping[str, Any]

    def place(self, folder: Path) -> None:
        """Make the unit count as done."""
        place_json(asdict(self), folder / "units" / f"{self.unit}.json")

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> UnitRecord:
        """Return the record that a JSON object stands for."""
        return cls(
            unit=record["unit"],
            segments=tuple(Segment(**segment) for segment in record["segments"]),
            packs=tuple(Segment(**pack) for pack in record["packs"]),
            counts=dict(record["counts"]),
            facts=dict(record["facts"]),
        )


def column_names(table: str) -> list[str]:
    """Return the column names of a table in order."""
    return [name for name, _, _ in COLUMNS[table]]


def total_rows(segments: Iterable[Segment], table: str) -> int:
    """Return how many rows of a table the segments hold."""
    return sum(segment.rows for segment in segments if segment.table == table)
