"""A crowd of invented persons in the tables of a unit, written past the verbs and fast: for measurements of size only.

Needs Django set up by the caller, on an empty database that has been migrated.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from demonstration.persons import Written, records

PERSONS_A_CASE = 4
_PART = 20_000
_BATCH = 2_000


def fill(count: int, account: UUID, *, seed: int = 7) -> tuple[list[UUID], list[UUID]]:
    """Write ``count`` persons with names, births, roles, identifiers and all that is derived; return persons, cases."""
    chance = random.Random(seed)  # noqa: S311
    persons: list[UUID] = []
    cases: list[UUID] = []
    for part in range(0, count, _PART):
        rows: dict[type, list[Any]] = defaultdict(list)
        known: dict[str, UUID] = {}
        for record in records(min(_PART, count - part), seed=seed + part, words=seed):
            if len(persons) % PERSONS_A_CASE == 0:
                cases.append(_fresh(chance))
            person = _fresh(chance)
            persons.append(person)
            _person(rows, record, person, cases[-1], account)
            _phones(rows, record, person, cases[-1], account, known, chance)
        for table, objects in rows.items():
            for batch in _batches(objects):
                table._default_manager.bulk_create(batch)  # type: ignore[attr-defined]  # each is a table
    return persons, cases


def multiply(times: int) -> None:
    """Copy everybody ``times`` minus one times, in the database: namesakes, but with ids and cases of their own."""
    from django.db import connection

    with connection.cursor() as cursor:
        for part in range(1, times):
            for table, columns in _COPIED.items():
                cursor.execute(_copy(table, columns, part, times, connection.vendor))


_COPIED = {
    "people_person": "id* created_at code* sex alive access cluster* sought_at entered_by_id",
    "people_personname": "id* created_at person_id* text script romanised kind sound entered_by_id withdrawn_at "
    "withdrawn_reason",
    "people_birth": "id* created_at person_id* born_from born_to sealed precision proof verified_by verified_on "
    "entered_by_id",
    "people_personrole": "id* created_at person_id* case* role access since until ended_reason entered_by_id",
    "people_persontext": "person_id* words",
    "people_blockingkey": "person_id* key",
}


def _copy(table: str, columns: str, part: int, times: int, vendor: str) -> str:
    """Write the copy of a table: a starred id is new; that of a person or case changes its first two digits."""
    names, values = [], []
    for column in columns.split():
        name = column.rstrip("*")
        names.append(f'"{name}"')
        if not column.endswith("*"):
            values.append(f'"{name}"')
        elif name == "id" and table != "people_person":
            values.append("gen_random_uuid()" if vendor == "postgresql" else "lower(hex(randomblob(16)))")
        elif name == "code":
            values.append(f"'{part:02}' || substr(code, 3)")
        elif vendor == "postgresql":
            values.append(f"('{part:02x}' || substr(\"{name}\"::text, 3))::uuid")
        else:
            values.append(f"'{part:02x}' || substr(\"{name}\", 3)")
    person = "id" if table == "people_person" else "person_id"
    text = f'"{person}"::text' if vendor == "postgresql" else f'"{person}"'
    copies = ", ".join(f"'{other:02x}'" for other in range(1, times))
    into = f"INSERT INTO {table} ({', '.join(names)})"
    return f"{into} SELECT {', '.join(values)} FROM {table} WHERE substr({text}, 1, 2) NOT IN ({copies})"  # noqa: S608


def _person(rows: dict[type, list[Any]], record: Written, person: UUID, case: UUID, account: UUID) -> None:
    from casework.people import codes, models, scripts, search, sounds
    from casework.people.matching import keys

    by: dict[str, Any] = {"entered_by_id": account}
    born = _days(record)
    names = [(text, kind) for text, kind in ((record.name, "full"), (record.parent, "parent")) if text]
    rows[models.Person].append(
        models.Person(id=person, code=codes.code_of(person), sex=record.sex, cluster=person, **by)
    )
    for text, kind in names:
        spelt = {"script": scripts.script_of(text), "romanised": scripts.romanise(text), "sound": sounds.sound_of(text)}
        rows[models.PersonName].append(models.PersonName(person_id=person, text=text, kind=kind, **spelt, **by))
    if born:
        known = {"born_from": born[0], "born_to": born[1], "precision": "day", "proof": "statement"}
        rows[models.Birth].append(models.Birth(person_id=person, **known, **by))
    rows[models.PersonRole].append(
        models.PersonRole(person_id=person, case=case, role="suspect", access="ordinary", **by)
    )
    words = search.words_from([(text, scripts.romanise(text)) for text, _kind in names])
    rows[models.PersonText].append(models.PersonText(person_id=person, words=" ".join(words)))
    made = keys.keys_from([record.name], [record.parent] if record.parent else [], born)
    every = dict.fromkeys((*made.combined, *made.alone))
    rows[models.BlockingKey] += [models.BlockingKey(person_id=person, key=key) for key in every]


def _phones(
    rows: dict[type, list[Any]],
    record: Written,
    person: UUID,
    case: UUID,
    account: UUID,
    known: dict[str, UUID],
    chance: random.Random,
) -> None:
    from casework.people import models

    for phone in record.phones:
        if phone not in known:
            known[phone] = _fresh(chance)
            # Parts are written with their own seeds, so the same digits may come again: the id keeps them apart.
            value = f"+91{phone}.{known[phone].hex[:8]}"
            rows[models.Identifier].append(models.Identifier(id=known[phone], kind="phone", value=value))
            rows[models.IdentifierText].append(models.IdentifierText(identifier_id=known[phone], text=value))
        told: dict[str, Any] = {"identifier_id": known[phone], "case": case, "entered_by_id": account}
        rows[models.Sighting].append(models.Sighting(as_given=phone, source="crowd", **told))
        rows[models.Attribution].append(
            models.Attribution(person_id=person, basis="statement", confidence="possible", **told)
        )


def _days(record: Written) -> tuple[date, date] | None:
    if record.born is None:
        return None
    return (record.born, record.born.replace(month=12, day=31) if record.only_year else record.born)


def _fresh(chance: random.Random) -> UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


def _batches(objects: list[Any]) -> Iterator[list[Any]]:
    rest = iter(objects)
    while batch := list(islice(rest, _BATCH)):
        yield batch
