"""SQLite files that somebody sent: opened read-only, their own code disarmed, damage told as damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from kaval.core.errors import CorruptStructureError

SIGNATURE = b"SQLite format 3\x00"


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that can only read; its schema is not trusted with functions.

    Raises:
        CorruptStructureError: The file is damaged, or no SQLite database.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)) as connection:
            connection.text_factory = _text
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            yield connection
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise CorruptStructureError(f"SQLite database {path.name}", str(error)) from error


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def tables_of(path: Path) -> set[str]:
    """Return the names of the tables and views of a database."""
    with opened(path) as connection:
        return {
            str(name)
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        }


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the names of the columns of a table or view, in order; nothing where there is none."""
    return [str(name) for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", [table])]
