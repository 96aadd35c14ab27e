"""Databases of The Sleuth Kit and Autopsy (.kdb): SQLite with ``db_properties``, ``hashes``, names and comments."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.core.errors import UnsupportedError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.sqlite_files import SIGNATURE, columns_of, opened, tables_of
from kaval.knownsets.statements import Statement

COLUMNS = {"md5": "md5", "sha1": "sha1", "sha2_256": "sha256"}
"""Columns of the table ``hashes``, and what they hold."""

_BESIDE = {"file_names": "name", "comments": "comment"}
_ROWS_A_BATCH = 1 << 14


@SET_FORMATS.register
class Kdb:
    """An SQLite database with the tables ``db_properties`` and ``hashes``."""

    name: ClassVar[str] = "kdb"
    title: ClassVar[str] = "The Sleuth Kit / Autopsy hash database (.kdb)"
    rank: ClassVar[int] = 12
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the tables are there."""
        return sample.head.startswith(SIGNATURE) and {"db_properties", "hashes"} <= tables_of(sample.path)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the entries in order of their number."""
        with opened(reading.path) as connection:
            version = connection.execute("SELECT value FROM db_properties WHERE name = 'Schema Version'").fetchone()
            if version is not None and str(version[0]) != "1":
                raise UnsupportedError(f"kdb schema version {version[0]}", "version 1 is")
            present = [column for column in COLUMNS if column in columns_of(connection, "hashes")]
            beside = {table for table in _BESIDE if columns_of(connection, table)}
            position = reading.start
            while batch := _batch(connection, present, beside, position):
                yield batch
                position = batch.position

    def statement(self, detail: bytes) -> Statement:
        """Return the names and comments of an entry."""
        said: dict[str, Any] = json.loads(detail)
        notes: dict[str, str] = {name: said[name] for name in ("names", "comments") if name in said}
        return Statement(
            identity=said.get("id"), values={name: said[name] for name in WIDTHS if name in said}, notes=notes
        )


def _batch(connection: sqlite3.Connection, present: list[str], beside: set[str], position: int) -> Batch | None:
    listed = ", ".join(f"h.{column}" for column in present)
    names, comments = (
        f"(SELECT group_concat({column}, ', ') FROM {table} WHERE hash_id = h.id)"  # noqa: S608 - names come from _BESIDE
        if table in beside
        else "NULL"
        for table, column in _BESIDE.items()
    )
    rows = connection.execute(
        f"""
        SELECT h.id, {names}, {comments}, {listed}
        FROM hashes AS h WHERE h.id > ? ORDER BY h.id LIMIT {_ROWS_A_BATCH}
        """,  # noqa: S608 - names come from COLUMNS and _BESIDE
        [position],
    ).fetchall()
    if not rows:
        return None
    found = Gathering()
    for identity, names, comments, *blobs in rows:
        values = [
            (COLUMNS[column], value)
            for column, stored in zip(present, blobs, strict=True)
            if (value := _digest(stored, WIDTHS[COLUMNS[column]])) is not None
        ]
        if not values:
            found.skip("entry without a digest")
            continue
        said: dict[str, Any] = {"id": str(identity)} | {name: value.hex() for name, value in values}
        said |= {name: str(text) for name, text in (("names", names), ("comments", comments)) if text}
        found.add(values, json.dumps(said, ensure_ascii=True).encode())
    return found.batch(int(rows[-1][0]))


def _digest(stored: object, width: int) -> bytes | None:
    """Return a digest that is stored as bytes, or as some writers do, as hexadecimal text."""
    if isinstance(stored, bytes) and len(stored) == width:
        return stored
    return decode_value(stored, width) if isinstance(stored, str) else None
