"""The triggers that keep judgements and reviews of the watch register as they were written, on both databases."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

REFUSAL = "a judgement is never changed; a newer one stands in its place"

_APPENDED = ("people_judgement", "people_watchreview")
_NAMES = tuple((table, event, f"{table}_{event.lower()}") for table in _APPENDED for event in ("UPDATE", "DELETE"))


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers; those that are there already are made again."""
    remove(connection)
    with connection.cursor() as cursor:
        for statement in _postgresql() if connection.vendor == "postgresql" else _sqlite():
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers."""
    with connection.cursor() as cursor:
        for table, _event, name in _NAMES:
            suffix = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{suffix}")


def _sqlite() -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return [f"CREATE TRIGGER {name} BEFORE {event} ON {table} {refuse}" for table, event, name in _NAMES]


def _postgresql() -> list[str]:
    function = (
        "CREATE OR REPLACE FUNCTION people_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    return [
        function,
        *(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION people_refuse()"
            for table, event, name in _NAMES
        ),
    ]
