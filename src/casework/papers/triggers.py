"""Triggers that refuse to change or remove a paper, its file, its withdrawal or a form, on both databases.

A counter may only go up by one, so that no number is given twice and none is left out.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_FROZEN = ("papers_paper", "papers_document", "papers_withdrawal", "papers_form", "papers_office")
_TABLES = (*_FROZEN, "papers_series")
_REFUSAL = "papers are append-only"


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers; those that are there already are made again."""
    remove(connection)
    _run(connection, _postgresql() if connection.vendor == "postgresql" else _sqlite())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers, as a migration backwards does."""
    statements = []
    for table, _event, name, _when in _wanted():
        suffix = f" ON {table}" if connection.vendor == "postgresql" else ""
        statements.append(f"DROP TRIGGER IF EXISTS {name}{suffix}")
    if connection.vendor == "postgresql":
        statements += [f"DROP TRIGGER IF EXISTS {table}_truncate ON {table}" for table in _TABLES]
    _run(connection, statements)


def _wanted() -> list[tuple[str, str, str, str]]:
    return [
        (table, event, f"{table}_{event.lower()}", _condition(table, event))
        for table in _TABLES
        for event in ("UPDATE", "DELETE")
    ]


def _condition(table: str, event: str) -> str:
    return "NEW.last <> OLD.last + 1 OR NEW.name <> OLD.name" if (table, event) == ("papers_series", "UPDATE") else ""


def _sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} {f'WHEN {when}' if when else ''} "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for table, event, name, when in _wanted()
    ]


def _postgresql() -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION papers_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]
    statements += [
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {f'WHEN ({when})' if when else ''} "
        "EXECUTE FUNCTION papers_refuse()"
        for table, event, name, when in _wanted()
    ]
    return statements + [
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION papers_refuse()"
        for table in _TABLES
    ]


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
