"""Clocks of a case: started and met by events, counted by rows of law, extended or excused by a person.

Counting is the law's (`casework.law`): hours run on; days and months are those of the Indian calendar and keep the
time of day, except where the day of the event is itself the first. What is not settled is marked, and the shorter term
taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from casework.accounts import api as accounts
from casework.cases import rules
from casework.cases.access import lock_case, told
from casework.cases.models import Case, Charge, ChildPath, Deadline, DeadlineStep, Event
from casework.cases.vocabulary import ClockState, ClockStep, Stage
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError


def start(acting: accounts.Account, event: Event) -> None:
    """Start the clocks of an event, and end at once those that something entered earlier has met."""
    _count(acting, event)
    for deadline in Deadline.objects.select_related("rule").filter(event=event, state=ClockState.RUNNING):
        met = _standing(event.case).filter(happened__in=deadline.rule.met_by, at__gte=event.at).order_by("at")
        for other in met:
            if _concerns(deadline, other):
                _end(acting, deadline, ClockState.MET, other.at, other.document, event=other)
                break


def recount(acting: accounts.Account, case: Case) -> None:
    """Count all clocks of a case anew, since its charges or the day it began have changed.

    The class of each child in the case follows its charges too, unless the Board has spoken.
    """
    for path in ChildPath.objects.filter(case=case, classed_by_board=False, erased_at=None):
        jj_class = class_of(case, path.person_id, path.offence_on)
        if jj_class != path.jj_class:
            ChildPath.objects.filter(pk=path.pk).update(jj_class=jj_class)
    for event in _standing(case).order_by("at", "created_at"):
        _count(acting, event)


def meet_by(acting: accounts.Account, event: Event) -> None:
    """End the clocks that an event meets; one without a person meets those of everybody."""
    running = Deadline.objects.select_related("rule").filter(case=event.case, state=ClockState.RUNNING)
    for deadline in running.filter(event__at__lte=event.at).exclude(event=event):
        if event.happened in deadline.rule.met_by and _concerns(deadline, event):
            _end(acting, deadline, ClockState.MET, event.at, event.document, event=event)


def void_from(acting: accounts.Account, event: Event, reason: str) -> None:
    """Void the clocks that an event started, which was struck."""
    for deadline in Deadline.objects.filter(event=event).exclude(state=ClockState.VOID):
        _end(acting, deadline, ClockState.VOID, clock.now(), "", reason=reason, event=event)


def resume_after(acting: accounts.Account, event: Event, reason: str) -> None:
    """Let the clocks run again that an event had met, which was struck."""
    met = DeadlineStep.objects.filter(event=event, step=ClockStep.MET).values_list("deadline", flat=True)
    for deadline in Deadline.objects.filter(pk__in=list(met), state=ClockState.MET):
        _resume(acting, deadline, reason)


@transaction.atomic
def count_anew(*, acting: accounts.Account, case: UUID) -> Case:
    """Count the clocks of a case by the rows of law as they stand now, after a legal officer has superseded one."""
    found = lock_case(case, acting=acting)
    recount(acting, found)
    told(acting, "clocks_counted", found, {})
    return found


@transaction.atomic
def meet(
    *,
    acting: accounts.Account,
    case: UUID,
    deadline: UUID,
    at: datetime,
    document: str,
    document_id: UUID | None = None,
) -> Deadline:
    """End a clock by the document that shows that the duty was done."""
    found, running = _running(acting, case, deadline)
    rules.check_instant(at, clock.now())
    rules.check_document(document)
    _end(acting, running, ClockState.MET, at, document, document_id=document_id)
    told(acting, "clock_met", found, {"clock": str(running.pk), "key": running.key})
    return running


@transaction.atomic
def excuse(*, acting: accounts.Account, case: UUID, deadline: UUID, reason: str) -> Deadline:
    """End a clock that does not bind here, or can be met no longer, with the reason."""
    found, running = _running(acting, case, deadline)
    rules.check_reason(reason)
    _end(acting, running, ClockState.EXCUSED, clock.now(), "", reason=reason)
    told(acting, "clock_excused", found, {"clock": str(running.pk), "key": running.key})
    return running


@transaction.atomic
def extend(
    *, acting: accounts.Account, case: UUID, deadline: UUID, until: datetime, document: str, reason: str
) -> Deadline:
    """Move the end of a clock as far as its rule allows, on a document."""
    found, running = _running(acting, case, deadline)
    rules.check_reason(reason)
    rules.check_extension(running.rule.extension, running.counted_at, running.due_at, until, document)
    running.extended_to = running.due_at = until
    running.save(update_fields=["extended_to", "due_at"])
    _step(acting, running, ClockStep.EXTENDED, until=until, document=document, reason=reason)
    told(acting, "clock_extended", found, {"clock": str(running.pk), "key": running.key, "until": until.isoformat()})
    return running


def offences_of(charges: Iterable[Charge]) -> list[law.Offence]:
    """Return the rows of law that charges stand on now; of a section known by number only, one without punishment."""
    charges = list(charges)
    rows = law.newest_offences([charge.offence for charge in charges if charge.offence is not None])
    return [
        rows[charge.offence_id] if charge.offence_id else law.unlisted(charge.act, charge.section) for charge in charges
    ]


def running_charges(case: Case, person: UUID | None = None) -> list[Charge]:
    """Return the charges that stand, of the whole case or of one person."""
    charges = Charge.objects.select_related("offence").filter(case=case, withdrawn_at=None)
    charges = charges.exclude(stage=Stage.DROPPED)
    return list(charges.filter(person=person) if person else charges)


def class_of(case: Case, person: UUID | None, offence_on: date) -> law.JjClass:
    """Return the class of a child's charges together, by the rows of law."""
    offences = offences_of(running_charges(case, person))
    return rules.class_for((law.jj_class_of(offence.jj_class) for offence in offences), offence_on)


def void(acting: accounts.Account, deadline: Deadline, reason: str) -> None:
    """Void one clock, inside the transaction of the verb that needs it."""
    _end(acting, deadline, ClockState.VOID, clock.now(), "", reason=reason)


def _count(acting: accounts.Account, event: Event) -> None:
    if not law.starts_a_clock(event.happened):
        return
    case = event.case
    path = ChildPath.objects.filter(case=case, person_id=event.person_id).first() if event.person_id else None
    dues = [
        (due, *rules.needed(due.rule.needs, due, path.jj_class if path else None, path.age if path else None))
        for due in _dues(event)
    ]
    standing = {one.key: one for one in Deadline.objects.filter(event=event)}
    wanted = [(due, settled, condition) for due, holds, settled, condition in dues if holds]
    for due, settled, condition in wanted:
        _put(acting, event, standing.pop(due.rule.key, None), due, settled, condition)
    for gone in standing.values():
        if gone.state == ClockState.RUNNING:
            _end(acting, gone, ClockState.VOID, clock.now(), "", reason="no charge it holds for")


def _dues(event: Event) -> list[law.Due]:
    """Return the duties an event starts; where several are accused, each is counted alone and the earliest end holds.

    A graver offence governs the limitation of those it is tried with (BNSS 514(3)), not that of another accused.
    """
    charges = running_charges(event.case, event.person_id)
    alone: dict[UUID | None, list[Charge]] = {}
    for charge in charges:
        alone.setdefault(charge.person_id, []).append(charge)
    earliest: dict[str, law.Due] = {}
    for group in alone.values() or [[]]:
        for due in law.clocks_from(event.happened, event.at, offences_of(group), event.case.begun_on):
            there = earliest.setdefault(due.rule.key, due)
            if rules.sooner(due, there):
                earliest[due.rule.key] = due
    return list(earliest.values())


def _put(
    acting: accounts.Account,
    event: Event,
    there: Deadline | None,
    due: law.Due,
    settled: bool,
    condition: str,
) -> None:
    values = {"rule": due.rule, "counted_at": due.due_at, "settled": settled, "condition": condition[:300]}
    if there is None:
        made = Deadline.objects.create(
            case=event.case, event=event, key=due.rule.key, person_id=event.person_id, due_at=due.due_at, **values
        )
        _step(acting, made, ClockStep.STARTED, until=due.due_at)
        return
    if there.state == ClockState.VOID:
        _resume(acting, there, "it holds again")
    if there.state != ClockState.RUNNING or all(getattr(there, name) == value for name, value in values.items()):
        return
    moved = there.counted_at != due.due_at
    for name, value in values.items():
        setattr(there, name, value)
    there.due_at = rules.later(due.due_at, there.extended_to)
    there.save(update_fields=[*values, "due_at"])
    if moved:
        _step(acting, there, ClockStep.RECOUNTED, until=there.due_at)


def _standing(case: Case) -> QuerySet[Event]:
    return Event.objects.filter(case=case, strikes=None, struck_by=None)


def _concerns(deadline: Deadline, event: Event) -> bool:
    return deadline.person_id is None or event.person_id is None or deadline.person_id == event.person_id


def _running(acting: accounts.Account, case: UUID, deadline: UUID) -> tuple[Case, Deadline]:
    found = lock_case(case, acting=acting)
    running = Deadline.objects.select_related("rule").filter(pk=deadline, case=found).first()
    if running is None:
        raise AbsentError("clock")
    rules.check_runs(ClockState(running.state))
    return found, running


def _end(
    acting: accounts.Account,
    deadline: Deadline,
    state: ClockState,
    at: datetime,
    document: str,
    *,
    document_id: UUID | None = None,
    reason: str = "",
    event: Event | None = None,
) -> None:
    deadline.state, deadline.ended_at = state, at
    deadline.document, deadline.document_id = document.strip(), document_id
    deadline.save(update_fields=["state", "ended_at", "document", "document_id"])
    step = {ClockState.MET: ClockStep.MET, ClockState.EXCUSED: ClockStep.EXCUSED}.get(state, ClockStep.VOIDED)
    _step(acting, deadline, step, document=document, document_id=document_id, reason=reason, event=event)


def _resume(acting: accounts.Account, deadline: Deadline, reason: str) -> None:
    deadline.state, deadline.ended_at = ClockState.RUNNING, None
    deadline.document, deadline.document_id = "", None
    deadline.save(update_fields=["state", "ended_at", "document", "document_id"])
    _step(acting, deadline, ClockStep.RESUMED, reason=reason)


def _step(
    acting: accounts.Account,
    deadline: Deadline,
    step: ClockStep,
    *,
    until: datetime | None = None,
    document: str = "",
    document_id: UUID | None = None,
    reason: str = "",
    event: Event | None = None,
) -> None:
    DeadlineStep.objects.create(
        deadline=deadline, step=step, until=until, document=document.strip()[:200], document_id=document_id,
        reason=reason.strip()[:500], event=event, entered_by=acting,
    )  # fmt: skip
