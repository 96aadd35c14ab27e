"""Who may see whom: a person is known to the members of the cases in which they have, or had, a role.

Titles are made here and nowhere else: the name, or of a protected person the code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from casework.accounts import api as accounts
from casework.lib.errors import AbsentError, RefusedError
from casework.people.models import Person, PersonName, PersonRole
from casework.people.rules import NameKind, Script

_TITLE_KINDS = (NameKind.FULL, NameKind.ALIAS, NameKind.NICKNAME, NameKind.BEFORE_MARRIAGE)
_MANY = 2000


def get_person(asking: accounts.Account, person: UUID) -> Person:
    """Return a person the account may know.

    Raises:
        AbsentError: There is none, or none for this account.
    """
    if person not in visible(asking, [person]):
        raise AbsentError("person")
    return Person.objects.get(pk=person)


def visible(asking: accounts.Account, persons: Collection[UUID]) -> set[UUID]:
    """Return those of ``persons`` whom the account may know."""
    cases = set(accounts.case_ids_open_to(asking))
    if not cases or not persons:
        return set()
    rows = PersonRole.objects.filter(person__in=persons).values_list("person", "case")
    return {person for person, case in rows if case in cases}


def cases_of(asking: accounts.Account, person: UUID) -> list[UUID]:
    """Return the cases of a person that the account may know."""
    open_cases = set(accounts.case_ids_open_to(asking))
    rows = PersonRole.objects.filter(person=person).order_by("created_at").values_list("case", flat=True)
    return list(dict.fromkeys(case for case in rows if case in open_cases))


def working_case(acting: accounts.Account, person: UUID, case: UUID | None = None) -> UUID:
    """Return the case through which the account may change a person: ``case``, or the first that allows it.

    Raises:
        AbsentError: The person is in no such case that the account may know.
        RefusedError: The account may read it only.
    """
    known = [one for one in cases_of(acting, person) if case in (None, one)]
    if not known:
        raise AbsentError("person")
    refusal: RefusedError | None = None
    for one in known:
        try:
            accounts.check_may_work(acting, one)
        except RefusedError as error:
            refusal = error
        else:
            return one
    raise refusal or AbsentError("person")


def titles_of(persons: Iterable[Person]) -> dict[UUID, str]:
    """Return what stands for each person on a page: the name, in two scripts where it is known so; or the code."""
    by_id = {person.pk: person for person in persons}
    open_ids = [pk for pk, person in by_id.items() if not person.is_shut_away]
    names: dict[UUID, list[PersonName]] = {}
    for start in range(0, len(open_ids), _MANY):
        rows = PersonName.objects.filter(person__in=open_ids[start : start + _MANY], withdrawn_at=None)
        for row in rows.order_by("created_at"):
            names.setdefault(row.person_id, []).append(row)
    return {pk: title_from(names.get(pk, [])) or person.code for pk, person in by_id.items()}


def title_from(names: Collection[PersonName]) -> str:
    """Return the title that the standing names of an open person make."""
    usable = sorted(
        (name for name in names if name.kind in _TITLE_KINDS), key=lambda name: _TITLE_KINDS.index(NameKind(name.kind))
    )
    if not usable:
        return ""
    latin = next((name for name in usable if name.script == Script.LATIN), None)
    first = usable[0]
    other = next((name for name in usable if name.script != Script.LATIN and name.kind == first.kind), None)
    parts = [latin.text if latin and latin.kind == first.kind else first.text]
    if other is not None and other.text != parts[0]:
        parts.append(other.text)
    return " · ".join(parts)


def subject_title(person: Person) -> str:
    """Return the title of one person."""
    return titles_of([person])[person.pk]
