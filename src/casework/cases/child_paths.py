"""The road of a child who is suspected: taken charge of, never locked up, before the Board, and forgotten in the end.

By the Juvenile Justice Act, 2(13), 3(xiv), 8, 10, 12, 14, 15, 24, 74, 94. Age counts on the day of the offence. A class
that fits no definition is the Board's to say. What happened on the road are events of the case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import clocks, persons, rules
from casework.cases.access import check_leads, get_case, lock_case, told
from casework.cases.happening import enter
from casework.cases.models import Case, Charge, ChargeStep, ChildPath, Deadline, DeadlineStep, Event, Support
from casework.cases.vocabulary import ClockState, Happened
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError
from casework.people import api as people


@dataclass(frozen=True, kw_only=True)
class Arrest:
    """One arrest of an adult, for counting; it names nobody."""

    case: UUID
    unit: UUID
    on: date


@transaction.atomic
def open_child_path(
    *,
    acting: accounts.Account,
    case: UUID,
    person: UUID,
    offence_on: date,
    age_proof: str,
    welfare_officer: str,
) -> ChildPath:
    """Put a person on the road of a child; their identity goes into the vault, and a pseudonym stands on every page.

    ``age_proof`` is what the age is known by (JJ 94: school, municipality, then a test); ``welfare_officer`` who takes
    charge. An age not known well enough is no hindrance: the road is taken until somebody has found it out.

    Raises:
        RefusedError: The person was of age on that day, or stands under their name in another case.
    """
    found = lock_case(case, acting=acting)
    child = persons.in_case(case, person)
    rules.check_days(offence_on, offence_on, clock.today())
    rules.check_child_path(persons.was_of_age(child, offence_on), age_proof, welfare_officer)
    if ChildPath.objects.filter(case=found, person=child).exists():
        rules.refuse_second_path()
    if not persons.is_child_in_conflict(case, person):
        people.give_role(acting=acting, person=child, case=case, role=people.RoleKind.CHILD_IN_CONFLICT)
    ages = people.ages_on(child, offence_on)
    path = ChildPath.objects.create(
        case=found, person=child, pseudonym=rules.pseudonym(ChildPath.objects.filter(case=found).count()),
        offence_on=offence_on, age=ages[0] if ages and ages[0] == ages[1] else None, age_proof=age_proof.strip(),
        jj_class=clocks.class_of(found, child.pk, offence_on), welfare_officer=welfare_officer.strip(),
        opened_by=acting,
    )  # fmt: skip
    clocks.recount(acting, found)
    told(acting, "child_path_opened", found, {"path": str(path.pk), "jj_class": path.jj_class})
    return path


@transaction.atomic
def confirm_no_lockup(*, acting: accounts.Account, case: UUID, path: UUID) -> ChildPath:
    """Put one's name to it that the child was in no lock-up and no jail (JJ 10)."""
    found, child = _running(acting, case, path)
    child.no_lockup_by, child.no_lockup_at = acting, clock.now()
    child.save(update_fields=["no_lockup_by", "no_lockup_at"])
    told(acting, "no_lockup_confirmed", found, {"path": str(path)})
    return child


@transaction.atomic
def class_by_board(
    *, acting: accounts.Account, case: UUID, path: UUID, jj_class: law.JjClass, at: datetime, document: str
) -> ChildPath:
    """Write down the class the Board gave; it stands from now on, whatever the rows of law say."""
    found, child = _running(acting, case, path)
    rules.check_class(jj_class, document)
    child.jj_class, child.classed_by_board = jj_class, True
    child.save(update_fields=["jj_class", "classed_by_board"])
    enter(acting=acting, case=found, happened=Happened.BOARD_CLASSED, at=at, person=child.person_id, document=document)
    clocks.recount(acting, found)
    told(acting, "child_classed", found, {"path": str(path), "jj_class": jj_class.value})
    return child


@transaction.atomic
def set_erasure(
    *, acting: accounts.Account, case: UUID, path: UUID, on: date, tried_as_adult: bool, document: str
) -> ChildPath:
    """Say from when the records are to be destroyed: the day after the period of appeal, by the order (JJ 24).

    Of a child tried as an adult for a heinous offence they are kept.
    """
    found, child = _running(acting, case, path)
    rules.check_document(document)
    child.tried_as_adult, child.erase_from = tried_as_adult, None if tried_as_adult else on
    child.save(update_fields=["tried_as_adult", "erase_from"])
    fields: audit.Fields = {"path": str(path), "on": on.isoformat(), "tried_as_adult": tried_as_adult}
    told(acting, "erasure_set", found, fields)
    return child


@transaction.atomic
def erase_child_path(*, acting: accounts.Account, case: UUID, path: UUID, reason: str) -> ChildPath:
    """Erase who the child was from the case; the road stays as a row without a person, to be counted.

    Events, charges and clocks lose the person and every free word. Decisions and tasks stay as they were written: a
    child must never be named in them. The identity itself lies in the vault of people.
    """
    found, child = _running(acting, case, path)
    check_leads(acting, case)
    rules.check_reason(reason)
    rules.check_erase(child.erase_from, clock.today(), tried_as_adult=child.tried_as_adult)
    gone = child.person_id
    for deadline in Deadline.objects.filter(case=found, person=gone, state=ClockState.RUNNING):
        clocks.void(acting, deadline, "erased")
    charges = list(Charge.objects.filter(case=found, person=gone).values_list("pk", flat=True))
    steps = DeadlineStep.objects.filter(deadline__case=found, deadline__person=gone)
    steps.update(document="", document_id=None, reason="")
    Event.objects.filter(case=found, person=gone).update(person=None, note=None, document="", document_id=None)
    Deadline.objects.filter(case=found, person=gone).update(person=None, document="", document_id=None)
    Support.objects.filter(element__charge__in=charges).update(statement="", ended_at=clock.now())
    ChargeStep.objects.filter(charge__in=charges).update(note=None, document="")
    Charge.objects.filter(pk__in=charges).update(person=None)
    child.person, child.age_proof, child.welfare_officer, child.erased_at = None, "", "", clock.now()
    child.save(update_fields=["person", "age_proof", "welfare_officer", "erased_at"])
    told(acting, "child_erased", found, {"path": str(path)}, purpose=reason)
    return child


def get_path(path: UUID, *, case: UUID, person: accounts.Account) -> ChildPath:
    """Return a child's path in a case that ``person`` may read."""
    get_case(case, person=person)
    found = ChildPath.objects.select_related("no_lockup_by", "opened_by").filter(pk=path, case=case).first()
    if found is None:
        raise AbsentError("path")
    return found


def arrests(since: date, until: date) -> Iterator[Arrest]:
    """Yield the arrests of adults between two days, both included; it names nobody, and is for statistics.

    Not counted: what was struck, and any person who was a child on the day of the offence, is or was on a child's
    path, or is in conflict with law as a child in that case; also when that was found out after the arrest.
    """
    begins, ends = _start(since), _start(until + timedelta(days=1))
    rows = (
        Event.objects.select_related("case", "person")
        .filter(happened=Happened.ARREST, at__gte=begins, at__lt=ends, strikes=None, struck_by=None)
        .exclude(person=None)
        .order_by("at", "id")
    )
    for event in rows.iterator(chunk_size=500):
        assert event.person is not None
        if not persons.is_child(event.case, event.person):
            yield Arrest(case=event.case_id, unit=event.case.unit_id, on=event.at.astimezone(law.INDIA).date())


def _running(acting: accounts.Account, case: UUID, path: UUID) -> tuple[Case, ChildPath]:
    found = lock_case(case, acting=acting)
    child = ChildPath.objects.filter(pk=path, case=found, erased_at=None).first()
    if child is None:
        raise AbsentError("path")
    return found, child


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, law.INDIA)
