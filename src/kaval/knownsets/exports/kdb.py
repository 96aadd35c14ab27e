"""A database of The Sleuth Kit and Autopsy (.kdb), schema version 1: exact digests with names and comments."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from kaval.core.errors import UsageError
from kaval.knownsets import SetInfo
from kaval.knownsets.exports import SET_EXPORTS, Written
from kaval.knownsets.statements import Statement

_SCHEMA = """
CREATE TABLE db_properties (name TEXT NOT NULL, value TEXT);
CREATE TABLE hashes (id INTEGER PRIMARY KEY AUTOINCREMENT, md5 BINARY(16) UNIQUE, sha1 BINARY(20), sha2_256 BINARY(32));
CREATE TABLE file_names (name TEXT NOT NULL, hash_id INTEGER NOT NULL, PRIMARY KEY (name, hash_id));
CREATE TABLE comments (comment TEXT, hash_id INTEGER NOT NULL, PRIMARY KEY (comment, hash_id));
CREATE INDEX md5_index ON hashes (md5);
CREATE INDEX sha1_index ON hashes (sha1);
INSERT INTO db_properties VALUES ('Schema Version', '1');
"""


@SET_EXPORTS.register
class Kdb:
    """Writes a .kdb."""

    name: ClassVar[str] = "kdb"
    title: ClassVar[str] = "The Sleuth Kit / Autopsy hash database (.kdb)"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a row for each distinct MD5; what the set says of it becomes a comment."""
        if target.exists():
            raise UsageError(f"{target} is there already")
        left_out: Counter[str] = Counter()
        with closing(sqlite3.connect(target)) as connection:
            connection.executescript(_SCHEMA)
            for entry in entries:
                if "md5" not in entry.values:
                    left_out["entry without an MD5, by which Autopsy looks up"] += 1
                    continue
                _add(connection, entry)
            connection.commit()
            count = connection.execute("SELECT count(*) FROM hashes").fetchone()[0]
        return Written(entries=count, left_out=left_out)


def _add(connection: sqlite3.Connection, entry: Statement) -> None:
    blobs = [bytes.fromhex(entry.values[name]) if name in entry.values else None for name in ("md5", "sha1", "sha256")]
    connection.execute(
        "INSERT INTO hashes (md5, sha1, sha2_256) VALUES (?, ?, ?) ON CONFLICT (md5) DO UPDATE SET"
        " sha1 = coalesce(sha1, excluded.sha1), sha2_256 = coalesce(sha2_256, excluded.sha2_256)",
        blobs,
    )
    (number,) = connection.execute("SELECT id FROM hashes WHERE md5 = ?", blobs[:1]).fetchone()
    said = [f"category {entry.category}" if entry.category is not None else None, entry.notes.get("comments")]
    for comment in filter(None, said):
        connection.execute("INSERT OR IGNORE INTO comments VALUES (?, ?)", [comment, number])
    names = entry.notes.get("names") or entry.notes.get("name")
    if names:
        connection.execute("INSERT OR IGNORE INTO file_names VALUES (?, ?)", [names, number])
