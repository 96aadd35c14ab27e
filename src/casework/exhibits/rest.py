"""Exhibits for programs: the register, the line of custody, and the verbs of the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import AwareDatetime

from casework.accounts import api as accounts
from casework.exhibits import acquiring, custody, reading, registering, rules, seals
from casework.exhibits.models import CustodyEvent, Exhibit, HandOver
from casework.lib.errors import AbsentError
from casework.lib.paging import Pager

router = Router(tags=["exhibits"])

# PostgreSQL stores no NUL.
_PLAIN = r"^[^\x00]*$"
Line = Annotated[str, Field(max_length=80, pattern=_PLAIN)]
Note = Annotated[str, Field(max_length=300, pattern=_PLAIN)]
Reason = Annotated[str, Field(min_length=1, max_length=300, pattern=_PLAIN)]


class ExhibitOut(Schema):
    """An exhibit as the register has it; never its passcode."""

    id: UUID
    number: str
    case: UUID = Field(alias="case_id")
    case_no: int
    kind: str
    description: str
    make: str
    model: str
    colour: str
    serial: str
    imei_1: str
    imei_2: str
    mac: str
    court_number: str
    parent: UUID | None = Field(alias="parent_id")
    custody_sequence: int
    inherits: bool
    created_at: datetime
    withdrawn_at: datetime | None
    returned_at: datetime | None


class PageOut(Schema):
    """A page of exhibits; ``older`` is the cursor of the next, empty at the end."""

    rows: list[ExhibitOut]
    older: str


class EventOut(Schema):
    """One event of custody."""

    id: UUID
    sequence: int
    giver_name: str
    giver_unit: str
    receiver_name: str
    receiver_unit: str
    receiver_outside: bool
    purpose: str
    condition: str
    seal_before: UUID | None = Field(alias="seal_before_id")
    seal_after: UUID | None = Field(alias="seal_after_id")
    hash_check: str
    offered_at: datetime
    received_at: datetime


class OfferOut(Schema):
    """A hand-over that waits, or what became of it."""

    id: UUID
    exhibit: UUID = Field(alias="exhibit_id")
    state: str
    purpose: str
    offered_at: datetime


class SealOut(Schema):
    """A seal."""

    id: UUID
    number: int
    kind: str
    mark: str
    applied_at: datetime
    broken_at: datetime | None


class HashOut(Schema):
    """A digest, and how it stood against the first."""

    id: UUID
    of: str
    algorithm: str
    value: str
    result: str
    at: datetime


class ExhibitIn(Schema):
    """What is written down of a thing."""

    kind: rules.Kind
    description: Note = ""
    make: Line = ""
    model: Line = ""
    colour: Annotated[str, Field(max_length=40, pattern=_PLAIN)] = ""
    serial: Line = ""
    imei_1: Annotated[str, Field(max_length=25, pattern=_PLAIN)] = ""
    imei_2: Annotated[str, Field(max_length=25, pattern=_PLAIN)] = ""
    imei_as_read: bool = False
    mac: Annotated[str, Field(max_length=25, pattern=_PLAIN)] = ""
    found_state: rules.FoundState = rules.FoundState.UNKNOWN
    isolation: rules.Isolation = rules.Isolation.NONE
    clock_offset: int | None = Field(default=None, ge=-(2**31), lt=2**31)
    place_found: Note = ""
    found_at: AwareDatetime | None = None


class OfferIn(Schema):
    """To whom, and for what."""

    to: UUID
    purpose: rules.Purpose = rules.Purpose.STORAGE
    note: Note = ""
    condition: rules.Condition = rules.Condition.AS_BEFORE
    condition_note: Note = ""


class ReceivedIn(Schema):
    """How it arrived."""

    place_note: Note = ""
    condition: rules.Condition = rules.Condition.AS_BEFORE
    condition_note: Note = ""
    seal_intact: bool = True
    seal_note: Note = ""
    digest_note: Note = ""


class ReasonIn(Schema):
    """Why."""

    reason: Reason


class SealIn(ReasonIn):
    """A new seal."""

    kind: rules.SealKind
    mark: Line = ""


class DigestIn(Schema):
    """A digest computed again; ``of`` is empty for the image, else the name of a segment."""

    algorithm: Annotated[str, Field(min_length=1, max_length=20, pattern=_PLAIN)]
    value: Annotated[str, Field(min_length=8, max_length=200, pattern=_PLAIN)]
    of: Annotated[str, Field(max_length=200, pattern=_PLAIN)] = ""


class VerifyIn(Schema):
    """Digests, and what computed them."""

    tool: Annotated[str, Field(min_length=1, max_length=180, pattern=_PLAIN)]
    digests: list[DigestIn] = Field(min_length=1, max_length=1000)


@router.get("/", response=PageOut)
def exhibits(request: HttpRequest, page: str = "") -> Any:
    """List the exhibits of all cases one may know, newest first."""
    person = accounts.account_of(request)
    reading.check_works_on_cases(person)
    return Pager("exhibits for programs", "created_at").page(reading.exhibits_open_to(person), page)


@router.get("/waiting", response=list[OfferOut])
def waiting(request: HttpRequest) -> Any:
    """List what waits to be acknowledged by the one who asks."""
    person = accounts.account_of(request)
    reading.check_works_on_cases(person)
    rows = HandOver.objects.filter(receiver=person, state=rules.OfferState.OPEN)
    return rows.filter(exhibit__case_id__in=accounts.case_ids_open_to(person)).order_by("offered_at")[:100]


@router.post("/case/{uuid:case}", response=ExhibitOut)
def register(request: HttpRequest, case: UUID, given: ExhibitIn) -> Any:
    """Register an exhibit in a case; who registers it holds it."""
    details = registering.Details(**given.dict())
    return registering.register_exhibit(acting=accounts.account_of(request), case=case, details=details)


@router.get("/{uuid:exhibit}", response=ExhibitOut)
def exhibit(request: HttpRequest, exhibit: UUID) -> Any:
    """Return one exhibit."""
    return _exhibit(request, exhibit)


@router.get("/{uuid:exhibit}/custody", response=list[EventOut])
def custody_of(request: HttpRequest, exhibit: UUID) -> Any:
    """Return the whole line of custody, first to last; a part begins with its whole."""
    return reading.custody_line(_exhibit(request, exhibit))


@router.post("/{uuid:exhibit}/offer", response=OfferOut)
def offer(request: HttpRequest, exhibit: UUID, given: OfferIn) -> Any:
    """Offer an exhibit one holds to a colleague."""
    person, shown = accounts.account_of(request), _exhibit(request, exhibit)
    to = next((one.account for one in accounts.members_of(person, shown.case_id) if one.account_id == given.to), None)
    if to is None:
        raise AbsentError("receiver")
    [made] = custody.offer(
        acting=person,
        exhibits=[shown],
        to=to,
        purpose=given.purpose,
        note=given.note,
        condition=given.condition,
        condition_note=given.condition_note,
    )
    return made


@router.post("/hand-over/{uuid:offer}/acknowledge", response=EventOut)
def acknowledge(request: HttpRequest, offer: UUID, given: ReceivedIn) -> Any:
    """Acknowledge what was offered to oneself."""
    person = accounts.account_of(request)
    shown = reading.get_offer(offer, person=person)
    event: CustodyEvent
    [event] = custody.acknowledge(acting=person, offers=[shown], received=custody.Received(**given.dict()))
    return event


@router.post("/hand-over/{uuid:offer}/withdraw", response=OfferOut)
def withdraw_offer(request: HttpRequest, offer: UUID, given: ReasonIn) -> Any:
    """Take back an offer."""
    person = accounts.account_of(request)
    custody.withdraw_offer(acting=person, offer=reading.get_offer(offer, person=person), reason=given.reason)
    return HandOver.objects.get(pk=offer)


@router.post("/hand-over/{uuid:offer}/decline", response=OfferOut)
def decline(request: HttpRequest, offer: UUID, given: ReasonIn) -> Any:
    """Refuse to take what was offered."""
    person = accounts.account_of(request)
    custody.decline(acting=person, offer=reading.get_offer(offer, person=person), reason=given.reason)
    return HandOver.objects.get(pk=offer)


@router.post("/{uuid:exhibit}/seal", response=SealOut)
def seal(request: HttpRequest, exhibit: UUID, given: SealIn) -> Any:
    """Seal an exhibit one holds."""
    person, shown = accounts.account_of(request), _exhibit(request, exhibit)
    return seals.seal(acting=person, exhibit=shown, kind=given.kind, mark=given.mark, reason=given.reason)


@router.post("/{uuid:exhibit}/seal/break", response=SealOut)
def break_seal(request: HttpRequest, exhibit: UUID, given: ReasonIn) -> Any:
    """Break the seal of an exhibit one holds."""
    person, shown = accounts.account_of(request), _exhibit(request, exhibit)
    return seals.break_seal(acting=person, exhibit=shown, reason=given.reason)


@router.post("/{uuid:exhibit}/image/{uuid:image}/verify", response=list[HashOut])
def verify(request: HttpRequest, exhibit: UUID, image: UUID, given: VerifyIn) -> Any:
    """Hold digests computed again against those on record, and keep the result."""
    person, shown = accounts.account_of(request), _exhibit(request, exhibit)
    accounts.check_may_work(person, shown.case_id)
    found = acquiring.image_of(shown, str(image))
    computed = [acquiring.Computed(**one.dict()) for one in given.digests]
    return acquiring.verify_image(acting=person, acquisition=found, computed=computed, tool=given.tool)


def _exhibit(request: HttpRequest, exhibit: UUID) -> Exhibit:
    return reading.get_exhibit(exhibit, person=accounts.account_of(request))
