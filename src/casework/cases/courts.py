"""Verbs on what courts do: hearings, adjournments, orders; each is an event of the case with its sitting."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import rules
from casework.cases.access import lock_case, told
from casework.cases.happening import enter
from casework.cases.models import Sitting
from casework.cases.vocabulary import Happened, State


@transaction.atomic
def record_sitting(
    *,
    acting: accounts.Account,
    case: UUID,
    happened: Happened,
    at: datetime,
    court: str,
    cnr: str = "",
    next_on: date | None = None,
    adjourned_reason: str = "",
    person: UUID | None = None,
    document: str = "",
    note: str = "",
) -> Sitting:
    """Write down what a court did, and when it sits next; cognizance starts the clock of the child's evidence."""
    found = lock_case(case, acting=acting)
    rules.check_sitting(State(found.state), happened, court, at, next_on, adjourned_reason)
    event = enter(acting=acting, case=found, happened=happened, at=at, person=person, document=document, note=note)
    sitting = Sitting.objects.create(
        event=event, case=found, court=court.strip(), cnr=rules.cnr_of(cnr), next_on=next_on,
        adjourned_reason=adjourned_reason.strip(),
    )  # fmt: skip
    fields: audit.Fields = {
        "event": str(event.pk), "happened": happened.value, "next_on": next_on.isoformat() if next_on else "",
    }  # fmt: skip
    told(acting, "sitting_recorded", found, fields)
    return sitting
