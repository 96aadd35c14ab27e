"""The triggers that make the ledger append-only, on SQLite and on PostgreSQL.

Entries, daily heads and their stamps: no UPDATE, no DELETE, no TRUNCATE. The head of the chain: no DELETE, and it only
moves by one.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_FROZEN = ("audit_entry", "audit_dailyhead", "audit_headstamp")
_REFUSAL = "the ledger is append-only"


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers of the tables that are there; those that are there already are made again."""
    remove(connection)
    tables = _tables(connection)
    _run(connection, _postgresql(tables) if connection.vendor == "postgresql" else _sqlite(tables))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers: what a migration backwards does, and what an intruder would."""
    statements = []
    for table, _event, name in _names(_tables(connection)):
        suffix = f" ON {table}" if connection.vendor == "postgresql" else ""
        statements.append(f"DROP TRIGGER IF EXISTS {name}{suffix}")
        if connection.vendor == "postgresql":
            statements.append(f"DROP TRIGGER IF EXISTS {table}_truncate ON {table}")
    _run(connection, statements)


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    there = connection.introspection.table_names()
    return [table for table in (*_FROZEN, "audit_head") if table in there]


def _names(tables: list[str]) -> list[tuple[str, str, str]]:
    return [(table, event, f"{table}_{event.lower()}") for table in tables for event in ("UPDATE", "DELETE")]


def _sqlite(tables: list[str]) -> list[str]:
    statements = []
    for table, event, name in _names(tables):
        when = "WHEN NEW.seq <> OLD.seq + 1" if (table, event) == ("audit_head", "UPDATE") else ""
        statements.append(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
    return statements


def _postgresql(tables: list[str]) -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]
    for table, event, name in _names(tables):
        when = "WHEN (NEW.seq <> OLD.seq + 1)" if (table, event) == ("audit_head", "UPDATE") else ""
        statements.append(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION audit_refuse()"
        )
    statements += [
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        for table in tables
    ]
    return statements


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
