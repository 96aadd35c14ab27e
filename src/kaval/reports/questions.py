"""Questions to the views of a folder; a damaged segment is told as a damaged folder."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kaval.core.errors import FolderError

_ACTIVE_IN_QUOTES = frozenset('"$`\\!')


def literal(text: str) -> str:
    """Return text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def query_command(question: str) -> str:
    """Return the command by which a reader asks the folder the same; quoted for a shell, legibly where that is safe."""
    quoted = f'"{question}"' if _ACTIVE_IN_QUOTES.isdisjoint(question) else shlex.quote(question)
    return f"kaval query FOLDER {quoted} --format csv"


class Questions:
    """Asks the views of one folder."""

    def __init__(self, folder: Path, connection: Any) -> None:
        self.folder = folder
        self._connection = connection

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return every row of the answer.

        Raises:
            FolderError: A segment cannot be read.
        """
        import duckdb

        try:
            answer: list[tuple[Any, ...]] = self._connection.execute(question, list(values)).fetchall()
        except duckdb.Error as error:
            raise FolderError(self.folder, f"its segments cannot be read ({error})") from error
        return answer

    def do(self, statement: str) -> None:
        """Carry out a statement that gives no answer, such as a temporary table in memory."""
        self.rows(statement)

    def number(self, question: str, values: Sequence[Any] = ()) -> int:
        """Return the one number of the answer."""
        rows = self.rows(question, values)
        return int(rows[0][0] or 0) if rows else 0
