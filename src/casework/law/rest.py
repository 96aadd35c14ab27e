"""The law for programs: offences by day and victim, clock rules, what corresponds, and the legal officer's verbs."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from casework.accounts import api as accounts
from casework.law import answers, superseding
from casework.law.models import ClockRule, Offence
from casework.law.rules import Sex, Victim
from casework.lib.errors import AbsentError

router = Router(tags=["law"])


class OffenceOut(Schema):
    """One row of law; ``verified_by`` is empty until a legal officer has put their name to it."""

    id: UUID
    act: str
    section: str
    what: str
    minimum: str
    maximum: str
    fine: str
    cognizable: str
    bailable: str
    court: str
    jj_class: str
    limitation: str
    valid_from: date
    valid_to: date | None
    source: str
    status: str
    verified_by: str


class OpenOffenceOut(Schema):
    """An offence that can be charged on the day, or could be if more were known of the victim."""

    offence: OffenceOut
    fit: str
    jj_class: str
    verified: bool


class MissingOut(Schema):
    """Law that held on the day and is not on record here."""

    act: str
    section: str
    reason: str


class OpenOffencesOut(Schema):
    """What stands open on a day, and what these tables cannot tell."""

    penal_code: str
    pocso: str
    offences: list[OpenOffenceOut]
    missing: list[MissingOut]


class ClockOut(Schema):
    """A duty that starts with an event."""

    key: str
    law: str
    event: str
    trigger: str
    limit: str
    duty: str
    recipient: str
    status: str
    verified_by: str


class CorrespondenceOut(Schema):
    """Which section of the Penal Code stands where in the BNS."""

    ipc: str
    bns: str
    status: str
    verified_by: str


class ConfirmIn(Schema):
    """What the legal officer has checked the row against."""

    reason: str = Field(min_length=1, max_length=500)


class SupersedeIn(ConfirmIn):
    """The texts that stand in the place of the present ones; what is left out stays."""

    what: str | None = Field(default=None, min_length=1, max_length=400)
    minimum: str | None = Field(default=None, max_length=80)
    maximum: str | None = Field(default=None, max_length=80)
    fine: str | None = Field(default=None, max_length=80)
    cognizable: str | None = Field(default=None, max_length=40)
    bailable: str | None = Field(default=None, max_length=80)
    court: str | None = Field(default=None, max_length=120)
    jj_class: str | None = Field(default=None, max_length=40)
    limitation: str | None = Field(default=None, max_length=40)
    valid_to: date | None = None
    note: str | None = Field(default=None, max_length=2000)
    source: str | None = Field(default=None, min_length=1, max_length=300)


class Asked(Schema):
    """The day of the act, and what is known of the victim."""

    day: date
    sex: Sex | None = None
    age: int | None = Field(default=None, ge=0, le=120)


@router.get("/offences", response=OpenOffencesOut)
def offences(request: HttpRequest, asked: Query[Asked]) -> Any:
    """List the offences that stand open on a day, for a victim."""
    found = answers.offences_open(asked.day, Victim(sex=asked.sex, age=asked.age))
    regime = found.regime
    return {
        "penal_code": str(regime.penal_code),
        "pocso": str(regime.pocso),
        "offences": found.offences,
        "missing": found.missing,
    }


@router.get("/offences/{uuid:offence}", response=OffenceOut)
def offence(request: HttpRequest, offence: UUID) -> Any:
    """Return one row."""
    return get_object_or_404(Offence, pk=offence)


@router.post("/offences/{uuid:offence}/confirm", response=OffenceOut)
def confirm(request: HttpRequest, offence: UUID, given: ConfirmIn) -> Any:
    """Put one's name to a row."""
    return superseding.confirm(acting=_legal(request), row=get_object_or_404(Offence, pk=offence), reason=given.reason)


@router.post("/offences/{uuid:offence}/supersede", response=OffenceOut)
def supersede(request: HttpRequest, offence: UUID, given: SupersedeIn) -> Any:
    """Put another row in the place of this one."""
    changes = given.dict(exclude_unset=True, exclude={"reason"})
    row = get_object_or_404(Offence, pk=offence)
    return superseding.supersede(acting=_legal(request), row=row, changes=changes, reason=given.reason)


@router.get("/clocks", response=list[ClockOut])
def clocks(request: HttpRequest) -> Any:
    """List the clock rules that are current."""
    return ClockRule.objects.filter(superseded_by=None).order_by("event", "key", "valid_from")


@router.get("/correspondence", response=list[CorrespondenceOut])
def correspondence(request: HttpRequest, ipc: Query[str]) -> Any:
    """Return where a section of the Penal Code stands in the BNS."""
    return list(answers.sections_for(ipc))


def _legal(request: HttpRequest) -> accounts.Account:
    account = accounts.account_of(request)
    if accounts.Role.LEGAL not in accounts.standing_of(account).roles:
        raise AbsentError("page")
    return account
