"""Writing down what happened in a case; its state and its clocks follow."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.cases import clocks, persons, rules
from casework.cases.access import lock_case, told
from casework.cases.models import Case, Event
from casework.cases.vocabulary import Happened, State
from casework.lib import clock
from casework.lib.errors import AbsentError


@transaction.atomic
def record(
    *,
    acting: accounts.Account,
    case: UUID,
    happened: Happened,
    at: datetime,
    person: UUID | None = None,
    note: str = "",
    document: str = "",
    document_id: UUID | None = None,
    age_asked: bool = False,
) -> Event:
    """Write down what happened; clocks start, and those it satisfies end.

    ``age_asked``: of a person whose birth is not on record, the officer has asked and looked, and takes them for an
    adult.

    Raises:
        RefusedError: It lies in the future, has its own verb, or is never done to a child.
    """
    found = lock_case(case, acting=acting)
    rules.check_happened(State(found.state), happened)
    event = enter(
        acting=acting, case=found, happened=happened, at=at, person=person, note=note, document=document,
        document_id=document_id, age_asked=age_asked,
    )  # fmt: skip
    told(acting, "event_recorded", found, {"event": str(event.pk), "happened": happened.value})
    return event


@transaction.atomic
def strike(*, acting: accounts.Account, case: UUID, event: UUID, reason: str) -> Event:
    """Strike a wrong entry by another one; clocks it started are void, those it ended run again."""
    found = lock_case(case, acting=acting)
    rules.check_reason(reason)
    wrong = Event.objects.filter(pk=event, case=found).first()
    if wrong is None:
        raise AbsentError("event")
    rules.check_strike(Happened(wrong.happened), struck=hasattr(wrong, "struck_by"), strikes=wrong.strikes_id)
    event_row = Event.objects.create(
        case=found, happened=wrong.happened, at=clock.now(), note=reason.strip(), entered_by=acting, strikes=wrong
    )
    _follow_state(found)
    clocks.void_from(acting, wrong, reason)
    clocks.resume_after(acting, wrong, reason)
    told(acting, "event_struck", found, {"event": str(wrong.pk), "happened": wrong.happened}, purpose=reason)
    return event_row


def enter(
    *,
    acting: accounts.Account,
    case: Case,
    happened: Happened,
    at: datetime,
    person: UUID | None = None,
    note: str = "",
    document: str = "",
    document_id: UUID | None = None,
    age_asked: bool = False,
) -> Event:
    """Write the row of an event in a case that is locked, follow its state, start and end its clocks."""
    rules.check_happened(State(case.state), happened, by_own_verb=True)
    rules.check_instant(at, clock.now())
    suspected = persons.suspected(case, person, at) if person else None
    rules.check_person(happened, suspected, age_asked=age_asked)
    event = Event.objects.create(
        case=case, happened=happened, at=at, person_id=person, note=note.strip(), document=document.strip(),
        document_id=document_id, entered_by=acting,
    )  # fmt: skip
    _follow_state(case)
    clocks.start(acting, event)
    clocks.meet_by(acting, event)
    return event


def standing_events(case: Case) -> list[Event]:
    """Return the events that were not struck, in the order in which they happened."""
    return list(Event.objects.filter(case=case, strikes=None, struck_by=None).order_by("at", "created_at", "id"))


def _follow_state(case: Case) -> None:
    state = rules.state_of(Happened(event.happened) for event in standing_events(case))
    if state != case.state:
        case.state = state
        case.save(update_fields=["state"])
