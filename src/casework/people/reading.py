"""What others read of persons: who is in a case, under which title, of which sex and age on a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from casework.accounts import api as accounts
from casework.law import api as law
from casework.people import sight, vault
from casework.people.models import Person, PersonRole
from casework.people.rules import RoleKind


@dataclass(frozen=True, kw_only=True)
class InCase:
    """A person in a case, as a page may show them: ``title`` is the name, or of a protected person the code."""

    person: Person
    role: PersonRole
    title: str
    shut_away: bool


def persons_in_case(asking: accounts.Account, case: UUID, roles: Collection[RoleKind] | None = None) -> list[InCase]:
    """Return who is or was in a case, oldest first; at most two hundred."""
    accounts.check_may_read(asking, case)
    rows = PersonRole.objects.select_related("person").filter(case=case)
    if roles is not None:
        rows = rows.filter(role__in=roles)
    return shown(list(rows.order_by("created_at", "id")[:200]))


def shown(roles: list[PersonRole]) -> list[InCase]:
    """Return roles with the titles of their persons."""
    titles = sight.titles_of(role.person for role in roles)
    return [
        InCase(person=role.person, role=role, title=titles[role.person_id], shut_away=role.person.is_shut_away)
        for role in roles
    ]


def titles(asking: accounts.Account, persons: Collection[UUID]) -> dict[UUID, str]:
    """Return the titles of those of the persons the account may know."""
    known = sight.visible(asking, persons)
    return sight.titles_of(Person.objects.filter(pk__in=known))


def ages_on(person: Person, day: date) -> tuple[int, int] | None:
    """Return the least and greatest age in full years the person can have had on a day; None where it is unknown."""
    between = vault.born(person)
    if between is None:
        return None
    return law.age_on(between[1], day), law.age_on(between[0], day)


def victim_on(person: Person, day: date) -> law.Victim:
    """Return what the law asks of a victim: sex, and age on the day where it is certain."""
    ages = ages_on(person, day)
    certain = ages[0] if ages and ages[0] == ages[1] else None
    return law.Victim(sex=law.Sex(person.sex) if person.sex else None, age=certain)
