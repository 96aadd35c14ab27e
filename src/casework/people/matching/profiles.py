"""Persons as they are compared, read from the tables; many at a time, in four queries."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from casework.people.matching.keys import Days, Keys, keys_from
from casework.people.matching.scoring import Profile
from casework.people.models import Attribution, Birth, BlockingKey, Person, PersonName
from casework.people.rules import AccessClass, NameKind
from casework.people.scripts import words_of


def profiles_of(persons: Collection[UUID]) -> dict[UUID, Profile]:
    """Return the profiles of those persons whose identity stands open and who have a name."""
    sexes = dict(Person.objects.filter(pk__in=persons, access=AccessClass.ORDINARY).values_list("pk", "sex"))
    names: dict[UUID, list[tuple[str, str]]] = {}
    rows = PersonName.objects.filter(person__in=sexes, withdrawn_at=None).order_by("created_at")
    for person, kind, text in rows.values_list("person", "kind", "text"):
        names.setdefault(person, []).append((kind, text))
    births = {row.person_id: row for row in Birth.objects.filter(person__in=sexes).order_by("created_at")}
    identifiers: dict[UUID, set[UUID]] = {}
    said = Attribution.objects.filter(person__in=sexes, withdrawn_at=None, contested_at=None)
    for person, identifier in said.values_list("person", "identifier"):
        identifiers.setdefault(person, set()).add(identifier)
    return {
        person: Profile(
            names=tuple(tuple(words_of(text)) for kind, text in own if kind != NameKind.PARENT),
            parents=tuple(tuple(words_of(text)) for kind, text in own if kind == NameKind.PARENT),
            born=_days(births.get(person)),
            sex=sexes[person],
            identifiers=frozenset(identifiers.get(person, ())),
        )
        for person, own in names.items()
    }


def keys_of(profile: Profile) -> Keys:
    """Return the keys of a profile."""
    return keys_from(map(" ".join, profile.names), map(" ".join, profile.parents), profile.born)


def keep_keys(person: Person) -> None:
    """Write the keys of a person anew; of a protected person none."""
    BlockingKey.objects.filter(person=person).delete()
    profile = profiles_of([person.pk]).get(person.pk)
    if profile is not None:
        keys = keys_of(profile)
        every = dict.fromkeys((*keys.combined, *keys.alone))
        BlockingKey.objects.bulk_create(BlockingKey(person=person, key=key) for key in every)


def _days(birth: Birth | None) -> Days | None:
    return (birth.born_from, birth.born_to) if birth and birth.born_from and birth.born_to else None
