"""The triggers that make what was written once stay so, on SQLite and on PostgreSQL.

No UPDATE, no DELETE, no TRUNCATE; but the columns named in `ERASABLE` may be emptied, all else staying as it is: that
is how a child's path is erased (JJ 24), leaving rows that tell what happened and not to whom.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

# Each table, its columns that stay, and those that may be emptied.
_EVENT = ("id", "created_at", "case_id", "happened", "at", "entered_by_id", "strikes_id")
_STEP = ("id", "created_at", "charge_id", "stage", "outcome", "on", "entered_by_id")
_CLOCK = ("id", "created_at", "deadline_id", "step", "until", "event_id", "entered_by_id")
ERASABLE: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    "cases_event": (_EVENT, (("person_id", "NULL"), ("note", "NULL"), ("document", "''"), ("document_id", "NULL"))),
    "cases_chargestep": (_STEP, (("note", "NULL"), ("document", "''"))),
    "cases_deadlinestep": (_CLOCK, (("document", "''"), ("document_id", "NULL"), ("reason", "''"))),
}
FROZEN = ("cases_fir", "cases_sitting", "cases_decision")
_REFUSAL = "this table is append-only"


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers; those that are there already are made again."""
    remove(connection)
    _run(connection, _postgresql() if connection.vendor == "postgresql" else _sqlite())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers, as a migration backwards does."""
    statements = []
    for table in (*FROZEN, *ERASABLE):
        events = ("update", "delete", "truncate") if connection.vendor == "postgresql" else ("update", "delete")
        on = f" ON {table}" if connection.vendor == "postgresql" else ""
        statements += [f"DROP TRIGGER IF EXISTS {table}_{event}{on}" for event in events]
    _run(connection, statements)


def _differs(table: str, word: str) -> str:
    """Return the condition under which an update is refused; ``word`` compares two values, of which none is nothing."""
    stays, erasable = ERASABLE[table]
    parts = [f'NEW."{column}" {word} OLD."{column}"' for column in stays]
    for column, emptied in erasable:
        parts.append(f'(NEW."{column}" {word} OLD."{column}" AND NEW."{column}" {word} {emptied})')
    return " OR ".join(parts)


def _sqlite() -> list[str]:
    statements = []
    for table in (*FROZEN, *ERASABLE):
        when = f"WHEN {_differs(table, 'IS NOT')}" if table in ERASABLE else ""
        body = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        statements.append(f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {when} {body}")
        statements.append(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {body}")
    return statements


def _postgresql() -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION cases_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]
    for table in (*FROZEN, *ERASABLE):
        when = f"WHEN ({_differs(table, 'IS DISTINCT FROM')})" if table in ERASABLE else ""
        run = "EXECUTE FUNCTION cases_refuse()"
        statements.append(f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} FOR EACH ROW {when} {run}")
        statements.append(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW {run}")
        statements.append(f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {run}")
    return statements


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
