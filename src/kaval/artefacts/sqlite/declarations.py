"""What a CREATE TABLE statement declares, as far as it shapes records (sqlite.org: lang_createtable, datatype3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from kaval.artefacts.sqlite.rows import Table, Value
from kaval.core.errors import CorruptStructureError

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<blob>[xX]'[0-9a-fA-F]*')
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>[^\W\d][\w$]*|[\u0080-\U0010ffff][\w$]*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_COLUMN_CONSTRAINTS = frozenset(
    ["CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"]
)
_TABLE_CONSTRAINTS = frozenset(["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])
_LONGEST = 1_000_000
"""Characters of a statement that are read; SQLite itself takes no longer one."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    def says(self, *words: str) -> bool:
        """Whether this is one of some keywords; a quoted name never is."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def name(self) -> str:
        """The name that a word, a quoted name or (as SQLite allows) a string stands for."""
        if self.kind not in ("quoted", "string"):
            return self.text
        mark = self.text[-1]
        return self.text[1:-1] if mark == "]" else self.text[1:-1].replace(mark * 2, mark)


@dataclass(kw_only=True)
class _Column:
    name: str
    affinity: str = "BLOB"
    kind: str = ""
    not_null: bool = False
    key: bool = False
    descending: bool = False
    computed: bool = False
    default: Value = None


@dataclass(kw_only=True)
class _Declared:
    columns: list[_Column] = field(default_factory=list)
    key: list[str] = field(default_factory=list)


def affinity_of(declared: str) -> str:
    """Return the affinity that a declared type gives (datatype3, 3.1)."""
    kind = declared.upper()
    if "INT" in kind:
        return "INTEGER"
    if any(part in kind for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in kind or not kind:
        return "BLOB"
    return "REAL" if any(part in kind for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def _tokens(sql: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(sql[:_LONGEST]):
        kind = match.lastgroup or "mark"
        if kind != "space":
            yield Token(kind, match.group())


def read_declaration(sql: str, name: str, root_page: int, *, dropped: bool = False) -> Table:
    """Return the table that a statement of the schema declares.

    Raises:
        CorruptStructureError: It is no statement that declares columns.
    """
    tokens = list(_tokens(sql))
    if len(tokens) < 4 or not tokens[0].says("CREATE") or not any(token.says("TABLE") for token in tokens[1:3]):
        raise CorruptStructureError("schema", f"the statement of {name!r} declares no table")
    items, rest = _items(tokens)
    declared = _Declared()
    for item in items:
        if item and not (declared.columns and item[0].says(*_TABLE_CONSTRAINTS)):
            declared.columns.append(_column(item))
        elif item:
            _table_constraint(item, declared)
    if not declared.columns:
        raise CorruptStructureError("schema", f"the statement of {name!r} declares no columns")
    without = any(one.says("WITHOUT") and two.says("ROWID") for one, two in pairwise(rest))
    return _table(declared, name, root_page, sql, without_rowid=without, dropped=dropped)


def _items(tokens: list[Token]) -> tuple[list[list[Token]], list[Token]]:
    """Return what stands between the commas of the outermost parentheses, and what stands behind them."""
    start = next((at for at, token in enumerate(tokens) if token.text == "(" and token.kind == "mark"), len(tokens))
    items: list[list[Token]] = [[]]
    depth = 0
    for at in range(start, len(tokens)):
        token = tokens[at]
        mark = token.text if token.kind == "mark" else ""
        depth += (mark == "(") - (mark == ")")
        if mark == ")" and depth == 0:
            return items, tokens[at + 1 :]
        if mark == "," and depth == 1:
            items.append([])
        elif at > start:
            items[-1].append(token)
    return items, []


def _column(item: list[Token]) -> _Column:
    column = _Column(name=item[0].name)
    at = 1
    words: list[str] = []
    while at < len(item) and not item[at].says(*_COLUMN_CONSTRAINTS):
        words.append(item[at].name if item[at].kind in ("word", "quoted", "string") else item[at].text)
        at += 1
    column.kind = " ".join(words)
    column.affinity = affinity_of(column.kind)
    depth = 0
    for here, token in enumerate(item[at:], at):
        mark = token.text if token.kind == "mark" else ""
        depth += (mark == "(") - (mark == ")")
        if depth == 0:
            _column_constraint(column, token, item[here + 1 :])
    return column


def _column_constraint(column: _Column, token: Token, rest: list[Token]) -> None:
    if token.says("NOT") and rest and rest[0].says("NULL"):
        column.not_null = True
    elif token.says("PRIMARY"):
        column.key = True
        column.descending = len(rest) > 1 and rest[1].says("DESC")
    elif token.says("DEFAULT") and rest:
        column.default = _literal(rest)
    elif token.says("AS") and rest and rest[0].text == "(":
        column.computed = not any(one.says("STORED") for one in rest)


def _literal(tokens: list[Token]) -> Value:
    """Return the value of a literal default; an expression gives ``None``."""
    sign = -1 if tokens[0].text == "-" else 1
    token = tokens[1] if tokens[0].text in ("+", "-") and len(tokens) > 1 else tokens[0]
    if token.kind == "number":
        return sign * (int(token.text) if token.text.isdigit() else float(token.text))
    if token.kind in ("string", "quoted"):
        return token.name
    if token.kind == "blob":
        digits = token.text[2:-1]
        return bytes.fromhex(digits) if len(digits) % 2 == 0 else None
    if token.says("TRUE", "FALSE"):
        return int(token.says("TRUE"))
    return None


def _table_constraint(item: list[Token], declared: _Declared) -> None:
    """Note the columns of a PRIMARY KEY; several constraints may follow each other without commas."""
    for at, token in enumerate(item[:-2]):
        if token.says("PRIMARY") and item[at + 1].says("KEY") and item[at + 2].text == "(":
            declared.key = list(_key_columns(item[at + 3 :]))


def _key_columns(tokens: list[Token]) -> Iterator[str]:
    first = True
    depth = 0
    for token in tokens:
        mark = token.text if token.kind == "mark" else ""
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            return
        if first:
            yield token.name
        first = mark == "," and depth == 0


def _table(declared: _Declared, name: str, root_page: int, sql: str, *, without_rowid: bool, dropped: bool) -> Table:
    columns = [column for column in declared.columns if not column.computed]
    names = tuple(column.name for column in columns)
    folded = [one.lower() for one in names]
    by_column = [column.name for column in columns if column.key]
    key = [folded.index(one.lower()) for one in by_column or declared.key if one.lower() in folded]
    key = list(dict.fromkeys(key))
    alias = None
    if not without_rowid and len(key) == 1 and columns[key[0]].kind.upper() == "INTEGER":
        alias = None if columns[key[0]].descending else key[0]
    others = [at for at in range(len(columns)) if at not in key]
    not_null = {at for at, column in enumerate(columns) if column.not_null} | (set(key) if without_rowid else set())
    return Table(
        name=name,
        columns=names,
        affinities=tuple(column.affinity for column in columns),
        root_page=root_page,
        sql=sql,
        without_rowid=without_rowid,
        primary_key=tuple(names[at] for at in key),
        not_null=frozenset(not_null - ({alias} if alias is not None else set())),
        alias=alias,
        stored=tuple(key + others) if without_rowid else tuple(range(len(columns))),
        defaults=tuple(column.default for column in columns),
        dropped=dropped,
    )
