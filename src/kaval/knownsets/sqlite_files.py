"""SQLite files that somebody sent: opened read-only, their own code disarmed, damage told as damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from kaval.core.errors import CorruptStructureError, UnsupportedError

SIGNATURE = b"SQLite format 3\x00"


LONGEST_VALUE = 1 << 24
_STEPS_BETWEEN = 1_000_000
_STEPS, _STEPS_A_BYTE = 50_000_000, 50


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that can only read; its schema is not trusted with functions, nor with work without end.

    Raises:
        CorruptStructureError: The file is damaged, or no SQLite database, or its views never come to an end.
        UnsupportedError: A journal lies beside it, so that it is not whole by itself.
    """
    for end in ("-wal", "-journal"):
        beside = path.with_name(path.name + end)
        if beside.exists() and beside.stat().st_size:
            raise UnsupportedError(
                f"database {path.name}", f"{beside.name} lies beside it: let SQLite write it back first"
            )
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)) as connection:
            connection.text_factory = _text
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            limit_steps(connection, path.stat().st_size)
            yield connection
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        reason = "its views ask for more work than it can hold rows" if str(error) == "interrupted" else str(error)
        raise CorruptStructureError(f"SQLite database {path.name}", reason) from error


def limit_steps(connection: sqlite3.Connection, size: int) -> None:
    """Stop a connection that takes more steps than reading a database of so many bytes ever does.

    A view may be written so that it has no end, or hardly any; SQLite counts the steps of its machine.
    """
    left = (_STEPS + _STEPS_A_BYTE * size) // _STEPS_BETWEEN

    def step() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(step, _STEPS_BETWEEN)


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
