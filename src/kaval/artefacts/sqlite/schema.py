"""The schema of a database: the tables that its first page declares (SQLite Database File Format, 2.6)."""

from __future__ import annotations

from collections.abc import Iterator

from kaval.artefacts.sqlite.declarations import read_declaration
from kaval.artefacts.sqlite.pages import State
from kaval.artefacts.sqlite.records import decode_cut
from kaval.artefacts.sqlite.rows import Table, Value
from kaval.artefacts.sqlite.trees import TABLE_INTERIOR, TABLE_LEAF, Tell, read_cell, walk
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode

SCHEMA_TABLE = "sqlite_schema"
SCHEMA = read_declaration(
    "CREATE TABLE sqlite_schema(type text, name text, tbl_name text, rootpage int, sql text)", SCHEMA_TABLE, 1
)
SCHEMA_WORDS = frozenset({b"table", b"index", b"view", b"trigger"})
"""What the records of the schema begin with."""

MOST_TABLES = 10_000


def schema_records(state: State, tell: Tell) -> Iterator[list[Value]]:
    """Yield the records of the schema table of a state; what is damaged ends in a notice."""
    for page, pointers in walk(state, 1, (TABLE_INTERIOR, TABLE_LEAF), tell):
        for pointer in pointers:
            try:
                values, _ = decode_cut(read_cell(state, page, pointer).payload, codec_of(state))
            except CorruptStructureError as error:
                tell(Notice(code=NoticeCode.DAMAGED, message=f"In the schema: {error}", structure="schema"))
                continue
            yield values


def codec_of(state: State) -> str:
    """Return the codec of the texts of a state, as the header on its first page states it (1.3.13)."""
    stored = int.from_bytes(state.read(1)[56:60], "big")
    return {2: "utf-16-le", 3: "utf-16-be"}.get(stored, "utf-8")


def declared_table(values: list[Value], *, dropped: bool = False) -> Table | None:
    """Return the table that a record of the schema declares; ``None`` where it declares something else, or no pages.

    Raises:
        CorruptStructureError: The statement cannot be read.
    """
    if len(values) < 5 or values[0] != "table":
        return None
    name, root, sql = values[1], values[3], values[4]
    if not isinstance(name, str) or not isinstance(root, int) or not isinstance(sql, str) or root <= 0:
        return None
    return read_declaration(sql, name, root, dropped=dropped)


def read_tables(state: State, tell: Tell) -> dict[str, Table]:
    """Return the tables of a state by name."""
    tables: dict[str, Table] = {}
    for values in schema_records(state, tell):
        try:
            table = declared_table(values)
        except CorruptStructureError as error:
            tell(Notice(code=NoticeCode.DAMAGED, message=str(error), structure="schema"))
            continue
        if table is not None:
            tables.setdefault(table.name, table)
        if len(tables) >= MOST_TABLES:
            tell(
                Notice(code=NoticeCode.COUNT_LIMIT, message=f"Only {MOST_TABLES} tables are read.", structure="schema")
            )
            break
    return tables


def index_roots(state: State) -> dict[int, str]:
    """Return the root pages of the indices of a state, with the names of their tables."""
    roots: dict[int, str] = {}
    for values in schema_records(state, lambda notice: None):
        if len(values) > 3 and values[0] == "index" and isinstance(values[3], int) and isinstance(values[2], str):
            roots[values[3]] = values[2]
    return roots
