"""What cases ask of people: whether a person was of age, who stands in a case, and under which title."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from casework.accounts import api as accounts
from casework.cases.models import Case, Charge, ChildPath
from casework.cases.rules import OF_AGE, Suspected
from casework.cases.vocabulary import Stage
from casework.law import api as law
from casework.lib.errors import AbsentError
from casework.people import api as people


def in_case(case: UUID, person: UUID) -> people.Person:
    """Return a person who stands in a case; whether somebody may know the case, the caller has asked.

    Raises:
        AbsentError: There is none, or none in this case.
    """
    role = people.PersonRole.objects.select_related("person").filter(case=case, person=person).first()
    if role is None:
        raise AbsentError("person")
    return role.person


def suspected(case: Case, person: UUID, at: datetime) -> Suspected:
    """Return what is known of a person on the day of the offence; age counts on that day (JJ 2(13)).

    Where several charges stand, the latest day decides. Where none stands, a person under age at ``at`` is under age,
    and of one of age nobody can tell yet how old they were.
    """
    found = in_case(case.pk, person)
    on_path = ChildPath.objects.filter(case=case, person=person).exists() or is_child_in_conflict(case.pk, person)
    latest = _latest_day(case, person)
    of_age = was_of_age(found, latest or at.astimezone(law.INDIA).date())
    if latest is None and of_age:
        of_age = None
    return Suspected(on_child_path=on_path, of_age=of_age)


def was_of_age(person: people.Person, day: date) -> bool | None:
    """Tell whether the person was eighteen on a day; None where the birth is not known well enough."""
    ages = people.ages_on(person, day)
    if ages is None or ages[0] < OF_AGE <= ages[1]:
        return None
    return ages[0] >= OF_AGE


def is_child_in_conflict(case: UUID, person: UUID) -> bool:
    """Tell whether the person has, or had, the role of a child in conflict with law in the case."""
    role = people.RoleKind.CHILD_IN_CONFLICT
    return people.PersonRole.objects.filter(case=case, person=person, role=role).exists()


def is_child(case: Case, person: people.Person) -> bool:
    """Tell whether a person is a child in this case, as far as anything on record says so."""
    if ChildPath.objects.filter(case=case, person=person).exists() or is_child_in_conflict(case.pk, person.pk):
        return True
    latest = _latest_day(case, person.pk)
    return latest is not None and was_of_age(person, latest) is False


def _latest_day(case: Case, person: UUID) -> date | None:
    charged = Charge.objects.filter(case=case, person=person, withdrawn_at=None).exclude(stage=Stage.DROPPED)
    return charged.order_by("-last_day").values_list("last_day", flat=True).first()


def titles(asking: accounts.Account, case: Case, persons: Collection[UUID | None]) -> dict[UUID, str]:
    """Return what stands for each person on a page: a name, the code of a protected one, the pseudonym of a child.

    A child on their path is shown under the pseudonym whatever else is known (JJ 74).
    """
    wanted = {person for person in persons if person is not None}
    found = people.titles(asking, wanted)
    paths = ChildPath.objects.filter(case=case, person__in=wanted).values_list("person", "pseudonym")
    return {**found, **dict(paths)}


def offered(
    found: Collection[people.InCase], pseudonyms: Mapping[UUID, str], roles: Collection[people.RoleKind] = ()
) -> list[tuple[UUID, str]]:
    """Return persons of a case as a form offers them, each once, children under their pseudonym."""
    chosen = [one.person.pk for one in found if not roles or one.role.role in roles]
    titles = {one.person.pk: one.title for one in found}
    return [(person, pseudonyms.get(person, titles[person])) for person in dict.fromkeys(chosen)]


def pseudonyms(case: UUID) -> dict[UUID, str]:
    """Return the children on a path in a case, and what they are called there."""
    rows = ChildPath.objects.filter(case=case).exclude(person=None).values_list("person", "pseudonym")
    return {person: pseudonym for person, pseudonym in rows if person}


def titles_across(asking: accounts.Account, pairs: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], str]:
    """Return titles for (case, person), on lists that go over cases; a child is a pseudonym in the case of the path."""
    wanted = {person for _case, person in pairs}
    found = people.titles(asking, wanted)
    paths = {
        (path.case_id, path.person_id): path.pseudonym
        for path in ChildPath.objects.filter(person__in=wanted, case__in={case for case, _person in pairs})
    }
    return {pair: paths.get(pair, found.get(pair[1], "")) for pair in pairs}
