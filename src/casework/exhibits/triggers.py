"""What the database itself holds of custody, on SQLite and on PostgreSQL; whoever writes past the verbs meets it.

- An event's number is the last one plus one, and it takes the exhibit from the hands that received it last. The first
  event of a whole comes from nobody; that of a part comes from who holds the whole, after the whole's last event.
- The seal an event leaves the exhibit under is the one seal of it that is whole. Times do not run backwards.
- The holder, the place and the count of events that stand beside an exhibit are written by the event itself; any
  other value is refused. Numbers follow on one another and never change.
- Events, locker entries, acquisitions, digests, viewings and photographs are written once: no UPDATE, no DELETE. A seal
  changes once, when it is broken. A hand-over changes once, when it is closed. No exhibit, party or seizure goes away.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_FROZEN = (
    "exhibits_custodyevent",
    "exhibits_lockerentry",
    "exhibits_acquisition",
    "exhibits_hashrecord",
    "exhibits_viewing",
    "exhibits_photograph",
    "exhibits_party",
    "exhibits_forwardingline",
)
_KEPT = (
    "exhibits_exhibit",
    "exhibits_seal",
    "exhibits_handover",
    "exhibits_seizure",
    "exhibits_forwarding",
    "exhibits_viewingorder",
    "exhibits_storageplace",
    "exhibits_counter",
)

# table, event, name, condition under which the row is refused, what is said.
_LAST = "(SELECT max(e.sequence) FROM exhibits_custodyevent e WHERE e.exhibit_id = {id})"
_HELD = "(SELECT e.to_party_id FROM exhibits_custodyevent e WHERE e.exhibit_id = {id} ORDER BY e.sequence DESC LIMIT 1)"
_PLACE = "(SELECT e.place_id FROM exhibits_custodyevent e WHERE e.exhibit_id = {id} ORDER BY e.sequence DESC LIMIT 1)"
_TIME = "(SELECT e.received_at FROM exhibits_custodyevent e WHERE e.exhibit_id = {id} ORDER BY e.sequence DESC LIMIT 1)"
_WHOLE = "(SELECT x.parent_id FROM exhibits_exhibit x WHERE x.id = NEW.exhibit_id)"


def _last(expression: str, of: str) -> str:
    return expression.format(id=of)


_EVENT_RULES = (
    (
        f"NEW.sequence <> COALESCE({_last(_LAST, 'NEW.exhibit_id')}, 0) + 1",
        "custody: an event is missing or stands twice",
    ),
    (
        f"NEW.sequence > 1 AND (NEW.from_party_id IS NULL OR NEW.from_party_id <> {_last(_HELD, 'NEW.exhibit_id')})",
        "custody: the giver is not who received last",
    ),
    (
        f"NEW.sequence > 1 AND NEW.received_at < {_last(_TIME, 'NEW.exhibit_id')}",
        "custody: the event lies before the last one",
    ),
    ("NEW.received_at < NEW.offered_at", "custody: it was received before it was offered"),
    (
        f"NEW.sequence = 1 AND {_WHOLE} IS NULL AND NEW.from_party_id IS NOT NULL",
        "custody: the first event comes from nobody",
    ),
    (
        f"NEW.sequence = 1 AND {_WHOLE} IS NOT NULL AND (NEW.from_party_id IS NULL "
        f"OR NEW.from_party_id <> {_last(_HELD, _WHOLE)} OR NEW.whole_sequence IS NULL "
        f"OR NEW.whole_sequence <> {_last(_LAST, _WHOLE)})",
        "custody: a part leaves its whole from the hands that hold it",
    ),
    (
        "(NEW.sequence > 1 OR " + _WHOLE + " IS NULL) AND NEW.whole_sequence IS NOT NULL",
        "custody: only a part leaves a whole",
    ),
    (
        "(SELECT s.id FROM exhibits_seal s WHERE s.exhibit_id = NEW.exhibit_id AND s.broken_at IS NULL) "
        "{distinct} NEW.seal_after_id",
        "custody: the exhibit does not lie under this seal",
    ),
)
_IDENTITY = ("unit_id", "year", "register_no", "part_no", "case_id", "case_no", "parent_id")
_EXHIBIT_INSERT = (
    ("NEW.custody_sequence <> 0 OR NEW.holder_id IS NOT NULL", "exhibits: the holder is written by custody"),
    (
        "NEW.part_no = 0 AND NEW.register_no <> 1 + COALESCE((SELECT max(x.register_no) FROM exhibits_exhibit x "
        "WHERE x.unit_id = NEW.unit_id AND x.year = NEW.year), 0)",
        "exhibits: the register has no gaps",
    ),
    (
        "NEW.part_no = 0 AND NEW.case_no <> 1 + COALESCE((SELECT max(x.case_no) FROM exhibits_exhibit x "
        "WHERE x.case_id = NEW.case_id), 0)",
        "exhibits: the numbers of a case have no gaps",
    ),
    (
        "NEW.part_no > 0 AND NOT EXISTS (SELECT 1 FROM exhibits_exhibit x WHERE x.id = NEW.parent_id "
        "AND x.part_no = 0 AND x.unit_id = NEW.unit_id AND x.year = NEW.year AND x.register_no = NEW.register_no "
        "AND x.case_id = NEW.case_id AND x.case_no = NEW.case_no)",
        "exhibits: a part bears the number of its whole",
    ),
    (
        "NEW.part_no > 0 AND NEW.part_no <> 1 + COALESCE((SELECT max(x.part_no) FROM exhibits_exhibit x "
        "WHERE x.unit_id = NEW.unit_id AND x.year = NEW.year AND x.register_no = NEW.register_no), 0)",
        "exhibits: parts are numbered without gaps",
    ),
)
_EXHIBIT_UPDATE = (
    (
        " OR ".join(f"NEW.{column} {{distinct}} OLD.{column}" for column in _IDENTITY),
        "exhibits: numbers, case and whole never change",
    ),
    (
        "(NEW.custody_sequence <> OLD.custody_sequence OR NEW.holder_id {distinct} OLD.holder_id "
        "OR NEW.place_id {distinct} OLD.place_id) AND (NEW.custody_sequence {distinct} "
        + _last(_LAST, "NEW.id")
        + " OR NEW.holder_id {distinct} "
        + _last(_HELD, "NEW.id")
        + " OR NEW.place_id {distinct} "
        + _last(_PLACE, "NEW.id")
        + ")",
        "exhibits: the holder is written by custody",
    ),
    ("OLD.withdrawn_at IS NOT NULL OR OLD.returned_at IS NOT NULL", "exhibits: it is withdrawn or given back"),
)
_SEAL_COLUMNS = ("exhibit_id", "unit_id", "number", "kind", "mark", "applied_at", "applied_by_id", "reason")
_SEAL_UPDATE = (
    (
        "OLD.broken_at IS NOT NULL OR NEW.broken_at IS NULL OR NEW.broken_by_id IS NULL OR NEW.broken_reason = '' OR "
        + " OR ".join(f"NEW.{column} {{distinct}} OLD.{column}" for column in _SEAL_COLUMNS),
        "seals: a seal changes once, when it is broken, and for a reason",
    ),
)
_OFFER_COLUMNS = (
    "exhibit_id", "batch", "after_sequence", "giver_id", "receiver_id", "offered_by_id", "offered_at", "purpose",
    "purpose_note", "condition", "condition_note", "seal_id", "giver_document",
)  # fmt: skip
_OFFER_UPDATE = (
    (
        "OLD.state <> 'open' OR NEW.state = 'open' OR NEW.closed_at IS NULL OR "
        + " OR ".join(f"NEW.{column} {{distinct}} OLD.{column}" for column in _OFFER_COLUMNS),
        "custody: a hand-over changes once, when it is closed",
    ),
)
_LOCKER_INSERT = (
    (
        "NEW.sequence <> 1 + COALESCE((SELECT max(l.sequence) FROM exhibits_lockerentry l "
        "WHERE l.package_id = NEW.package_id), 0) "
        "OR (NEW.direction = 'in') <> (NEW.sequence % 2 = 1)",
        "locker: in and out take turns",
    ),
)
_COUNTER_UPDATE = (("NEW.last <> OLD.last + 1 OR NEW.scope <> OLD.scope", "numbers: they follow on one another"),)
_RULES = (
    ("exhibits_custodyevent", "INSERT", _EVENT_RULES),
    ("exhibits_exhibit", "INSERT", _EXHIBIT_INSERT),
    ("exhibits_exhibit", "UPDATE", _EXHIBIT_UPDATE),
    ("exhibits_seal", "UPDATE", _SEAL_UPDATE),
    ("exhibits_handover", "UPDATE", _OFFER_UPDATE),
    ("exhibits_lockerentry", "INSERT", _LOCKER_INSERT),
    ("exhibits_counter", "UPDATE", _COUNTER_UPDATE),
)
_WRITE_HOLDER = (
    "UPDATE exhibits_exhibit SET holder_id = NEW.to_party_id, place_id = NEW.place_id, "
    "custody_sequence = NEW.sequence WHERE id = NEW.exhibit_id"
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers; those that are there already are made again."""
    if "exhibits_custodyevent" not in connection.introspection.table_names():
        return
    remove(connection)
    _run(connection, _postgresql() if connection.vendor == "postgresql" else _sqlite())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers: what emptying the tables between tests does, and what an intruder would."""
    on = connection.vendor == "postgresql"
    _run(
        connection,
        [f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if on else "") for table, name in _names(on)],
    )


def _names(postgresql: bool) -> list[tuple[str, str]]:
    names = [(table, f"{table}_{event}") for table in _FROZEN for event in ("update", "delete")]
    names += [(table, f"{table}_delete") for table in _KEPT]
    names.append(("exhibits_custodyevent", "exhibits_custodyevent_holder"))
    if postgresql:
        names += [(table, f"{table}_truncate") for table in (*_FROZEN, *_KEPT)]
        names += [(table, f"{table}_{event.lower()}_rules") for table, event, _rules in _RULES]
    else:
        names += [
            (table, f"{table}_{event.lower()}_{number}")
            for table, event, rules in _RULES
            for number in range(len(rules))
        ]
    return names


def _sqlite() -> list[str]:
    statements = [
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        for table, event, said in _refusals()
    ]
    for table, event, rules in _RULES:
        statements += [
            f"CREATE TRIGGER {table}_{event.lower()}_{number} BEFORE {event} ON {table} "
            f"WHEN {wrong.format(distinct='IS NOT')} BEGIN SELECT RAISE(ABORT, '{said}'); END"
            for number, (wrong, said) in enumerate(rules)
        ]
    statements.append(
        f"CREATE TRIGGER exhibits_custodyevent_holder AFTER INSERT ON exhibits_custodyevent BEGIN {_WRITE_HOLDER}; END"
    )
    return statements


def _refusals() -> list[tuple[str, str, str]]:
    frozen = [(table, event, f"{table} is append-only") for table in _FROZEN for event in ("UPDATE", "DELETE")]
    return frozen + [(table, "DELETE", f"{table} loses no row") for table in _KEPT]


def _postgresql() -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION exhibits_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE OR REPLACE FUNCTION exhibits_write_holder() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {_WRITE_HOLDER}; RETURN NULL; END $$",
        "CREATE TRIGGER exhibits_custodyevent_holder AFTER INSERT ON exhibits_custodyevent FOR EACH ROW "
        "EXECUTE FUNCTION exhibits_write_holder()",
    ]
    statements += [
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} FOR EACH ROW "
        f"EXECUTE FUNCTION exhibits_refuse('{said}')"
        for table, event, said in _refusals()
    ]
    statements += [
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
        f"EXECUTE FUNCTION exhibits_refuse('{table} loses no row')"
        for table in (*_FROZEN, *_KEPT)
    ]
    for table, event, rules in _RULES:
        statements += _postgresql_rules(table, event, rules)
    return statements


def _postgresql_rules(table: str, event: str, rules: tuple[tuple[str, str], ...]) -> list[str]:
    name = f"{table}_{event.lower()}_rules"
    tests = " ".join(
        f"IF {wrong.format(distinct='IS DISTINCT FROM')} THEN RAISE EXCEPTION '{said}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        for wrong, said in rules
    )
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {tests} RETURN NEW; END $$",
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
