"""People for programs: the same verbs as the pages; what is shut away on the pages is shut away here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema

from casework.accounts import api as accounts
from casework.law import api as law
from casework.lib.paging import Pager
from casework.people import deconfliction, identifying, judging, persons, reading, sight, vault, watching
from casework.people.matching import candidates as matching
from casework.people.models import Person, PersonRole
from casework.people.rules import (
    AccessClass,
    Alive,
    Basis,
    Confidence,
    IdentifierKind,
    NameKind,
    Precision,
    Proof,
    RoleKind,
    VaultKind,
    Verdict,
)

router = Router(tags=["people"])
_pager = Pager("persons of my cases, for programs", "created_at")


class NameIn(Schema):
    """A name as it is written in one script."""

    text: str = Field(min_length=1, max_length=200)
    kind: NameKind = NameKind.FULL
    romanised: str = Field(default="", max_length=300)


class BornIn(Schema):
    """A birth, and by what it is known."""

    day: date
    precision: Precision
    proof: Proof
    verified_by: str = Field(default="", max_length=200)
    verified_on: date | None = None


class PersonIn(Schema):
    """A new person in a case."""

    case: UUID
    role: RoleKind
    names: list[NameIn] = Field(default_factory=list, max_length=10)
    sex: law.Sex | None = None
    born: BornIn | None = None
    alive: Alive = Alive.UNKNOWN
    access: AccessClass | None = None
    since: date | None = None


class PersonOut(Schema):
    """A person as the account may know them; ``title`` is the code where the identity is shut away."""

    id: UUID
    code: str
    title: str
    access: str
    sex: str
    alive: str


class RoleOut(Schema):
    """A person in a case."""

    person: PersonOut
    case: UUID
    role: str
    since: date | None
    until: date | None


class PageOut(Schema):
    """A page of a list; ``older`` is the cursor of the next one."""

    rows: list[RoleOut]
    older: str


class RoleIn(Schema):
    """A role in a case."""

    case: UUID
    role: RoleKind
    access: AccessClass | None = None
    since: date | None = None


class IdentifierIn(Schema):
    """An identifier that came up in a case, as it was given."""

    case: UUID
    kind: IdentifierKind
    value: str = Field(min_length=1, max_length=300)
    source: str = Field(min_length=1, max_length=300)
    platform: str = Field(default="", max_length=80)
    valid_from: date | None = None
    valid_to: date | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    at: datetime | None = None
    time_as_given: str = Field(default="", max_length=60)
    zone: str = Field(default="", max_length=40)


class IdentifierOut(Schema):
    """An identifier in its normal form."""

    id: UUID
    kind: str
    platform: str
    value: str


class AttributionIn(Schema):
    """Whose an identifier is said to be."""

    person: UUID
    case: UUID
    basis: Basis
    confidence: Confidence
    valid_from: date | None = None
    valid_to: date | None = None


class PurposeIn(Schema):
    """What for, and through which case."""

    case: UUID
    purpose: str = Field(min_length=1, max_length=500)


class TalkToOut(Schema):
    """Whom to talk to."""

    name: str
    unit: str


class SeenOut(Schema):
    """In which other cases something came up: those the account may know, and whom to ask about the rest."""

    cases: list[UUID]
    talk_to: list[TalkToOut]


class PartOut(Schema):
    """One part of an identity."""

    kind: str
    words: str
    hint: str


class IdentityOut(Schema):
    """An identity, opened."""

    code: str
    parts: list[PartOut]


class VaultIn(Schema):
    """A part of an identity."""

    kind: VaultKind
    words: str = Field(min_length=1, max_length=500)


class JudgementIn(Schema):
    """One's word on a pair."""

    other: UUID
    verdict: Verdict
    reason: str = Field(min_length=1, max_length=500)


class WatchIn(Schema):
    """A new entry of the watch register."""

    case: UUID
    basis: str = Field(min_length=1, max_length=300)
    reason: str = Field(min_length=1, max_length=500)
    since: date
    review_on: date


class MadeOut(Schema):
    """The id of what was made."""

    id: UUID


class CountOut(Schema):
    """A bare figure."""

    count: int


@router.get("/persons", response=PageOut)
def list_persons(request: HttpRequest, page: str = "") -> Any:
    """List who is in the account's cases, the newest entries first."""
    cases = accounts.case_ids_open_to(accounts.account_of(request))
    found = _pager.page(PersonRole.objects.select_related("person").filter(case__in=cases), page)
    return {"rows": [_role(shown) for shown in reading.shown(found.rows)], "older": found.older}


@router.post("/persons", response=PersonOut)
def enter_person(request: HttpRequest, given: PersonIn) -> Any:
    """Enter a person in a case."""
    person = persons.enter_person(
        acting=accounts.account_of(request), case=given.case, role=given.role,
        names=[persons.Name(**name.dict()) for name in given.names], sex=given.sex,
        born=persons.Born(**given.born.dict()) if given.born else None, alive=given.alive, access=given.access,
        since=given.since,
    )  # fmt: skip
    matching.seek(person.pk)
    return _person(person)


@router.get("/persons/{uuid:person}", response=PersonOut)
def get_person(request: HttpRequest, person: UUID) -> Any:
    """Return a person."""
    return _person(sight.get_person(accounts.account_of(request), person))


@router.get("/persons/{uuid:person}/cluster", response=list[PersonOut])
def get_cluster(request: HttpRequest, person: UUID) -> Any:
    """Return those judged the same, as far as the account may know them."""
    account = accounts.account_of(request)
    return [_person(member) for member in judging.cluster_of(account, sight.get_person(account, person))]


@router.post("/persons/{uuid:person}/names", response=PersonOut)
def add_name(request: HttpRequest, person: UUID, given: NameIn) -> Any:
    """Add a name; that of a protected person goes into the vault."""
    account = accounts.account_of(request)
    shown = sight.get_person(account, person)
    persons.add_name(acting=account, person=shown, name=persons.Name(**given.dict()))
    matching.seek(shown.pk)
    return _person(shown)


@router.post("/persons/{uuid:person}/births", response=PersonOut)
def record_birth(request: HttpRequest, person: UUID, given: BornIn) -> Any:
    """Record when the person was born."""
    account = accounts.account_of(request)
    shown = sight.get_person(account, person)
    persons.record_birth(acting=account, person=shown, born=persons.Born(**given.dict()))
    return _person(shown)


@router.post("/persons/{uuid:person}/roles", response=MadeOut)
def give_role(request: HttpRequest, person: UUID, given: RoleIn) -> Any:
    """Give the person a role in a case."""
    account = accounts.account_of(request)
    shown = sight.get_person(account, person)
    return persons.give_role(acting=account, person=shown, **given.dict())


@router.post("/persons/{uuid:person}/vault", response=PersonOut)
def add_to_vault(request: HttpRequest, person: UUID, given: VaultIn) -> Any:
    """Put a part of the identity into the vault."""
    account = accounts.account_of(request)
    shown = sight.get_person(account, person)
    vault.add_to_vault(acting=account, person=shown, **given.dict())
    return _person(shown)


@router.post("/persons/{uuid:person}/identity", response=IdentityOut)
def unmask(request: HttpRequest, person: UUID, given: PurposeIn) -> Any:
    """Open the identity, with the purpose on record."""
    account = accounts.account_of(request)
    shown = sight.get_person(account, person)
    return vault.unmask(acting=account, person=shown, case=given.case, purpose=given.purpose)


@router.post("/persons/{uuid:person}/seen", response=SeenOut)
def person_seen(request: HttpRequest, person: UUID, given: PurposeIn) -> Any:
    """Answer whether the person came up in other cases."""
    account = accounts.account_of(request)
    shown = sight.get_person(account, person)
    return deconfliction.person_seen_before(acting=account, person=shown, case=given.case, purpose=given.purpose)


@router.post("/persons/{uuid:person}/judgements", response=MadeOut)
def judge(request: HttpRequest, person: UUID, given: JudgementIn) -> Any:
    """Put one's word to a pair."""
    account = accounts.account_of(request)
    one, other = sight.get_person(account, person), sight.get_person(account, given.other)
    return judging.judge(acting=account, one=one, other=other, verdict=given.verdict, reason=given.reason)


@router.post("/persons/{uuid:person}/watch", response=MadeOut)
def put_under_watch(request: HttpRequest, person: UUID, given: WatchIn) -> Any:
    """Enter the person in the watch register of the account's unit."""
    account = accounts.account_of(request)
    return watching.put_under_watch(acting=account, person=sight.get_person(account, person), **given.dict())


@router.post("/identifiers", response=IdentifierOut)
def enter_identifier(request: HttpRequest, given: IdentifierIn) -> Any:
    """Enter an identifier that came up in a case."""
    said = given.dict(exclude={"case"})
    sighting = identifying.enter_identifier(
        acting=accounts.account_of(request), case=given.case, given=identifying.Given(**said)
    )
    return sighting.identifier


@router.get("/identifiers/{uuid:identifier}", response=IdentifierOut)
def get_identifier(request: HttpRequest, identifier: UUID) -> Any:
    """Return an identifier that came up in a case the account may know."""
    return identifying.get_identifier(accounts.account_of(request), identifier)


@router.post("/identifiers/{uuid:identifier}/attributions", response=MadeOut)
def attribute(request: HttpRequest, identifier: UUID, given: AttributionIn) -> Any:
    """Say whose an identifier is."""
    account = accounts.account_of(request)
    said = given.dict(exclude={"person"})
    return identifying.attribute(
        acting=account,
        identifier=identifying.get_identifier(account, identifier),
        person=sight.get_person(account, given.person),
        **said,
    )


@router.post("/identifiers/{uuid:identifier}/seen", response=SeenOut)
def identifier_seen(request: HttpRequest, identifier: UUID, given: PurposeIn) -> Any:
    """Answer whether the identifier came up in other cases."""
    account = accounts.account_of(request)
    shown = identifying.get_identifier(account, identifier)
    return deconfliction.identifier_seen_before(
        acting=account, identifier=shown, case=given.case, purpose=given.purpose
    )


@router.get("/watched", response=CountOut)
def watched(request: HttpRequest) -> Any:
    """Return how many persons are under watch in the whole house; names are not for programs."""
    return {"count": watching.watched_count()}


def _person(person: Person) -> dict[str, Any]:
    fresh = Person.objects.get(pk=person.pk)
    return {
        "id": fresh.pk, "code": fresh.code, "title": sight.subject_title(fresh), "access": fresh.access,
        "sex": fresh.sex, "alive": fresh.alive,
    }  # fmt: skip


def _role(shown: reading.InCase) -> dict[str, Any]:
    person, role = shown.person, shown.role
    told = {
        "id": person.pk, "code": person.code, "title": shown.title, "access": person.access, "sex": person.sex,
        "alive": person.alive,
    }  # fmt: skip
    return {"person": told, "case": role.case, "role": role.role, "since": role.since, "until": role.until}
