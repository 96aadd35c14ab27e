"""The indexes of the search, which Django's models cannot state.

SQLite: FTS5 tables over the rows of `PersonText` and `IdentifierText`, kept by triggers; a migration that makes one of
those tables anew has to install this again. PostgreSQL: indexes of expressions; pg_trgm must be there or installable.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

# Marks are parts of words, or every Indic word would fall apart.
_WORDS = "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co Mc Mn'\", prefix='2 3', detail='none'"
_FULL_TEXT = (
    ("people_personwords", "people_persontext", "words", _WORDS),
    ("people_identifierparts", "people_identifiertext", "text", "tokenize='trigram'"),
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the indexes; those that are there are made again."""
    remove(connection)
    _run(connection, _postgresql() if connection.vendor == "postgresql" else _sqlite())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the indexes."""
    if connection.vendor == "postgresql":
        _run(connection, ["DROP INDEX IF EXISTS people_words_gin", "DROP INDEX IF EXISTS people_parts_gin"])
        return
    for index, table, _column, _options in _FULL_TEXT:
        names = [f"DROP TRIGGER IF EXISTS {table}_{event}" for event in ("ai", "ad", "au")]
        _run(connection, [*names, f"DROP TABLE IF EXISTS {index}"])


def _sqlite() -> list[str]:
    statements = []
    for index, table, column, options in _FULL_TEXT:
        into = f"INSERT INTO {index}"  # names of our own tables
        add = f"{into}(rowid, {column}) VALUES (new.id, new.{column});"
        drop = f"{into}({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});"
        statements += [
            f"CREATE VIRTUAL TABLE {index} USING fts5({column}, content='{table}', content_rowid='id', {options})",
            f"CREATE TRIGGER {table}_ai AFTER INSERT ON {table} BEGIN {add} END",
            f"CREATE TRIGGER {table}_ad AFTER DELETE ON {table} BEGIN {drop} END",
            f"CREATE TRIGGER {table}_au AFTER UPDATE ON {table} BEGIN {drop} {add} END",
            f"{into}({index}) VALUES ('rebuild')",
        ]
    return statements


def _postgresql() -> list[str]:
    words = "(array_to_tsvector(string_to_array(words, ' ')))"
    return [
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        f"CREATE INDEX people_words_gin ON people_persontext USING gin {words}",
        "CREATE INDEX people_parts_gin ON people_identifiertext USING gin (text gin_trgm_ops)",
    ]


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
