"""Cases for programs: the register, one case, its charges and clocks, and the verbs of the pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import AwareDatetime

from casework.accounts import api as accounts
from casework.cases import charging, clocks, courts, deciding, happening, reading, registering
from casework.cases.access import get_case
from casework.cases.models import Case, Charge, Deadline, Event
from casework.cases.vocabulary import Classification, Happened, LinkKind, Outcome, Stage, State
from casework.lib.errors import AbsentError
from casework.lib.paging import Pager

router = Router(tags=["cases"])

# PostgreSQL stores no NUL.
_PLAIN = r"^[^\x00]*$"
Line = Annotated[str, Field(max_length=200, pattern=_PLAIN)]
Said = Annotated[str, Field(min_length=1, max_length=200, pattern=_PLAIN)]
Text = Annotated[str, Field(max_length=4000, pattern=_PLAIN)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=_PLAIN)]


class CaseOut(Schema):
    """A case as the register has it; ``begun_on`` is the day of its first report."""

    id: UUID
    register_no: str
    title: str
    classification: Classification
    state: State
    unit: str
    begun_on: date | None
    created_at: datetime

    @staticmethod
    def resolve_unit(case: Case) -> str:
        """Return the name of the unit."""
        return case.unit.name


class CasesOut(Schema):
    """A page of the register; ``older`` is the cursor of the next, empty at the end."""

    rows: list[CaseOut]
    older: str


class OpenIn(Schema):
    """A new case; ``title`` must tell nothing of the child."""

    title: Said
    classification: Classification
    purpose: Reason
    summary: Text = ""
    first_known_at: AwareDatetime | None = None


class FirIn(Schema):
    """A first information report, or its number after a transfer."""

    state: Annotated[str, Field(min_length=1, max_length=80, pattern=_PLAIN)]
    district: Annotated[str, Field(min_length=1, max_length=80, pattern=_PLAIN)]
    station: Annotated[str, Field(min_length=1, max_length=120, pattern=_PLAIN)]
    number: Annotated[str, Field(min_length=1, max_length=20, pattern=_PLAIN)]
    year: Annotated[int, Field(ge=1990, le=2200)]
    registered_at: AwareDatetime
    is_zero: bool = False
    diary_entry: Annotated[str, Field(max_length=60, pattern=_PLAIN)] = ""


class FirOut(Schema):
    """A first information report."""

    id: UUID
    station: str
    number: str
    year: int
    is_zero: bool
    registered_at: datetime


class EventIn(Schema):
    """What happened; ``age_asked``: of a person whose birth is not on record, the age was asked for."""

    happened: Happened
    at: AwareDatetime
    person: UUID | None = None
    note: Text = ""
    document: Line = ""
    document_id: UUID | None = None
    age_asked: bool = False


class EventOut(Schema):
    """An entry of a case; never its note, which is sealed."""

    id: UUID
    happened: str
    at: datetime
    person: UUID | None = Field(alias="person_id")
    document: str
    struck: bool

    @staticmethod
    def resolve_struck(event: Event) -> bool:
        """Tell whether another entry strikes this one."""
        return hasattr(event, "struck_by")


class ReasonIn(Schema):
    """Why."""

    reason: Reason


class EndIn(ReasonIn):
    """How a case leaves the desk, and why."""

    how: Happened
    document: Line = ""


class ChargeIn(Schema):
    """A charge: ``offence`` is a row of law, or ``old_section`` the number of a section of the Penal Code."""

    person: UUID
    victim: UUID | None = None
    first: date
    last: date
    offence: UUID | None = None
    old_section: Annotated[str, Field(max_length=40, pattern=_PLAIN)] = ""


class ChargeOut(Schema):
    """A charge; ``verified`` tells whether a legal officer has put their name to its row of law."""

    id: UUID
    act: str
    section: str
    person: UUID | None = Field(alias="person_id")
    victim: UUID | None = Field(alias="victim_id")
    first_day: date
    last_day: date
    penal_code: str
    pocso: str
    fit: str
    stage: str
    outcome: str
    verified: bool
    withdrawn_at: datetime | None

    @staticmethod
    def resolve_verified(charge: Charge) -> bool:
        """Tell whether the row of law is verified; a section known by number only is not."""
        return charge.offence is not None and charge.offence.is_verified


class StepIn(Schema):
    """The next step of a charge."""

    stage: Stage
    on: date
    outcome: Outcome | None = None
    document: Line = ""
    note: Text = ""


class ClockOut(Schema):
    """A clock: ``due_at`` is empty where the law gives no number; ``settled`` is false where the law is open."""

    id: UUID
    case: UUID = Field(alias="case_id")
    key: str
    law: str
    duty: str
    person: UUID | None = Field(alias="person_id")
    due_at: datetime | None
    state: str
    settled: bool
    condition: str
    verified: bool

    @staticmethod
    def resolve_law(clock: Deadline) -> str:
        """Return the section."""
        return clock.rule.law

    @staticmethod
    def resolve_duty(clock: Deadline) -> str:
        """Return what is to be done."""
        return clock.rule.duty

    @staticmethod
    def resolve_verified(clock: Deadline) -> bool:
        """Tell whether a legal officer has put their name to the rule."""
        return clock.rule.is_verified


class ClocksOut(Schema):
    """A page of running clocks, the most pressing first."""

    rows: list[ClockOut]
    older: str


class MeetIn(Schema):
    """By which document a duty was done."""

    at: AwareDatetime
    document: Said
    document_id: UUID | None = None


class ExtendIn(ReasonIn):
    """How far a clock was extended, by which order."""

    until: AwareDatetime
    document: Said


class SittingIn(Schema):
    """What a court did."""

    happened: Happened
    at: AwareDatetime
    court: Said
    cnr: Annotated[str, Field(max_length=20, pattern=_PLAIN)] = ""
    next_on: date | None = None
    adjourned_reason: Annotated[str, Field(max_length=300, pattern=_PLAIN)] = ""
    document: Line = ""
    note: Text = ""


class DecisionIn(Schema):
    """A decision, written once."""

    question: Text
    options: Annotated[list[Annotated[str, Field(max_length=400, pattern=_PLAIN)]], Field(max_length=20)]
    choice: Annotated[str, Field(max_length=400, pattern=_PLAIN)]
    reason: Text
    revises: UUID | None = None


class LinkIn(ReasonIn):
    """A tie to a thing of another context."""

    kind: LinkKind
    target: UUID
    label: Annotated[str, Field(min_length=1, max_length=120, pattern=_PLAIN)]
    reason: Annotated[str, Field(min_length=1, max_length=300, pattern=_PLAIN)]


class MadeOut(Schema):
    """The id of what was written down."""

    id: UUID


@router.get("/", response=CasesOut)
def cases(request: HttpRequest, page: str = "", state: State | None = None) -> Any:
    """List the cases one may know, newest first."""
    person = _works_on_cases(request)
    return Pager("cases for programs", "created_at").page(reading.cases_open_to(person, state=state), page)


@router.post("/", response=CaseOut)
def open_case(request: HttpRequest, given: OpenIn) -> Any:
    """Open a case; who opens it leads it."""
    return registering.open_case(acting=accounts.account_of(request), **given.dict())


@router.get("/clocks", response=ClocksOut)
def running_clocks(request: HttpRequest, page: str = "") -> Any:
    """List the running clocks of all cases one may know, the most pressing first."""
    person = _works_on_cases(request)
    return Pager("clocks for programs", "due_at", descending=False).page(reading.clocks_open_to(person), page)


@router.get("/{uuid:case}", response=CaseOut)
def case(request: HttpRequest, case: UUID) -> Any:
    """Return one case."""
    return get_case(case, person=accounts.account_of(request))


@router.post("/{uuid:case}/end", response=CaseOut)
def end_case(request: HttpRequest, case: UUID, given: EndIn) -> Any:
    """Close, hand over or withdraw a case; it stays in the register."""
    return registering.end_case(acting=accounts.account_of(request), case=case, **given.dict())


@router.post("/{uuid:case}/reopen", response=CaseOut)
def reopen_case(request: HttpRequest, case: UUID, given: ReasonIn) -> Any:
    """Take an ended case up again."""
    return registering.reopen_case(acting=accounts.account_of(request), case=case, **given.dict())


@router.post("/{uuid:case}/reports", response=FirOut)
def register_fir(request: HttpRequest, case: UUID, given: FirIn) -> Any:
    """Enter a first information report."""
    return registering.register_fir(acting=accounts.account_of(request), case=case, **given.dict())


@router.get("/{uuid:case}/events", response=list[EventOut])
def events(request: HttpRequest, case: UUID) -> Any:
    """List the newest hundred entries of a case."""
    found = get_case(case, person=accounts.account_of(request))
    return reading.events_of(found).order_by("-at", "-id")[:100]


@router.post("/{uuid:case}/events", response=EventOut)
def record(request: HttpRequest, case: UUID, given: EventIn) -> Any:
    """Write down what happened; clocks start and end."""
    return happening.record(acting=accounts.account_of(request), case=case, **given.dict())


@router.post("/{uuid:case}/events/{uuid:event}/strike", response=MadeOut)
def strike(request: HttpRequest, case: UUID, event: UUID, given: ReasonIn) -> Any:
    """Strike a wrong entry; it stays readable."""
    return happening.strike(acting=accounts.account_of(request), case=case, event=event, **given.dict())


@router.get("/{uuid:case}/charges", response=list[ChargeOut])
def charges(request: HttpRequest, case: UUID) -> Any:
    """List the charges of a case, oldest first; at most two hundred."""
    found = get_case(case, person=accounts.account_of(request))
    return Charge.objects.select_related("offence").filter(case=found).order_by("created_at", "id")[:200]


@router.post("/{uuid:case}/charges", response=ChargeOut)
def lay_charge(request: HttpRequest, case: UUID, given: ChargeIn) -> Any:
    """Lay a charge; its regime follows the days, and the victim's sex and age on them decide what is open."""
    return charging.lay_charge(acting=accounts.account_of(request), case=case, **given.dict())


@router.post("/{uuid:case}/charges/{uuid:charge}/step", response=ChargeOut)
def step_charge(request: HttpRequest, case: UUID, charge: UUID, given: StepIn) -> Any:
    """Write down the next step of a charge."""
    return charging.step_charge(acting=accounts.account_of(request), case=case, charge=charge, **given.dict())


@router.get("/{uuid:case}/clocks", response=list[ClockOut])
def case_clocks(request: HttpRequest, case: UUID) -> Any:
    """List the clocks of a case, also those that have ended; at most two hundred."""
    found = get_case(case, person=accounts.account_of(request))
    return Deadline.objects.select_related("rule").filter(case=found).order_by("due_at", "id")[:200]


@router.post("/{uuid:case}/clocks/{uuid:deadline}/meet", response=ClockOut)
def meet(request: HttpRequest, case: UUID, deadline: UUID, given: MeetIn) -> Any:
    """End a clock by the document that shows that the duty was done."""
    return clocks.meet(acting=accounts.account_of(request), case=case, deadline=deadline, **given.dict())


@router.post("/{uuid:case}/clocks/{uuid:deadline}/excuse", response=ClockOut)
def excuse(request: HttpRequest, case: UUID, deadline: UUID, given: ReasonIn) -> Any:
    """End a clock by a reason."""
    return clocks.excuse(acting=accounts.account_of(request), case=case, deadline=deadline, **given.dict())


@router.post("/{uuid:case}/clocks/{uuid:deadline}/extend", response=ClockOut)
def extend(request: HttpRequest, case: UUID, deadline: UUID, given: ExtendIn) -> Any:
    """Move the end of a clock as far as its rule allows."""
    return clocks.extend(acting=accounts.account_of(request), case=case, deadline=deadline, **given.dict())


@router.post("/{uuid:case}/sittings", response=MadeOut)
def record_sitting(request: HttpRequest, case: UUID, given: SittingIn) -> Any:
    """Write down what a court did."""
    return courts.record_sitting(acting=accounts.account_of(request), case=case, **given.dict())


@router.post("/{uuid:case}/decisions", response=MadeOut)
def decide(request: HttpRequest, case: UUID, given: DecisionIn) -> Any:
    """Write a decision into the log."""
    return deciding.decide(acting=accounts.account_of(request), case=case, **given.dict())


@router.post("/{uuid:case}/links", response=MadeOut)
def link(request: HttpRequest, case: UUID, given: LinkIn) -> Any:
    """Tie the case to a thing of another context."""
    return registering.link(acting=accounts.account_of(request), case=case, **given.dict())


def _works_on_cases(request: HttpRequest) -> accounts.Account:
    person = accounts.account_of(request)
    if not accounts.colleagues(person):
        raise AbsentError("register")
    return person
