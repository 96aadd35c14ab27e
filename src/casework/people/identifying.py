"""Verbs on identifiers: enter what came up in a case, say whose it is, contest that, take it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import rules, search
from casework.people.models import Attribution, Identifier, Person, PersonRole, Sighting
from casework.people.normalising import normalise
from casework.people.rules import Basis, Confidence, IdentifierKind

_HIGHEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Given:
    """An identifier as it was given.

    ``platform`` belongs to accounts and wallets. ``port``, ``at``, ``time_as_given`` and ``zone`` belong to IP
    addresses: a time whose zone nobody knows has no ``at``, and stays as it was given.
    """

    kind: IdentifierKind
    value: str
    source: str
    platform: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    port: int | None = None
    at: datetime | None = None
    time_as_given: str = ""
    zone: str = ""


@transaction.atomic
def enter_identifier(*, acting: accounts.Account, case: UUID, given: Given) -> Sighting:
    """Return the sighting of an identifier in a case; the value itself is one row for the whole house."""
    accounts.check_may_work(acting, case)
    _check(given)
    identifier, new = Identifier.objects.get_or_create(
        kind=given.kind, platform=_platform(given), value=normalise(given.kind, given.value)
    )
    if new:
        search.keep_identifier(identifier)
    sighting = Sighting.objects.create(
        identifier=identifier, case=case, as_given=given.value.strip(), valid_from=given.valid_from,
        valid_to=given.valid_to, port=given.port, at=given.at, time_as_given=given.time_as_given.strip(),
        zone=given.zone.strip(), source=given.source.strip(), entered_by=acting,
    )  # fmt: skip
    _tell(acting, "identifier_entered", identifier, case, fields={"kind": given.kind.value})
    return sighting


@transaction.atomic
def attribute(
    *,
    acting: accounts.Account,
    identifier: Identifier,
    person: Person,
    case: UUID,
    basis: Basis,
    confidence: Confidence,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Attribution:
    """Say that an identifier is a person's, both known through the case."""
    accounts.check_may_work(acting, case)
    if not Sighting.objects.filter(identifier=identifier, case=case).exists():
        raise AbsentError("identifier")
    if not PersonRole.objects.filter(person=person, case=case).exists():
        raise AbsentError("person")
    rules.check_attribute(IdentifierKind(identifier.kind), shut_away=person.is_shut_away)
    rules.check_interval(valid_from, valid_to)
    standing = Attribution.objects.select_for_update().filter(identifier=identifier, person=person, case=case)
    if standing.filter(withdrawn_at=None).exists():
        raise RefusedError("attributed", "This is said already; contest it or take it back.")
    said = Attribution.objects.create(
        identifier=identifier, person=person, case=case, basis=basis, confidence=confidence, valid_from=valid_from,
        valid_to=valid_to, entered_by=acting,
    )  # fmt: skip
    Person.objects.filter(pk=person.pk).update(sought_at=None)
    fields: audit.Fields = {"person": str(person.pk), "basis": basis.value, "confidence": confidence.value}
    _tell(acting, "identifier_attributed", identifier, case, fields=fields)
    return said


@transaction.atomic
def contest(*, acting: accounts.Account, attribution: Attribution, reason: str) -> None:
    """Mark that somebody says the identifier is not that person's; both words stay."""
    accounts.check_may_work(acting, attribution.case)
    rules.check_said(reason, "reason", "Say who contests it, and by what.")
    changed = Attribution.objects.filter(pk=attribution.pk, withdrawn_at=None, contested_at=None).update(
        contested_at=clock.now(), contested_reason=reason.strip()
    )
    if not changed:
        raise RefusedError("contested", "It is contested or withdrawn already.")
    fields: audit.Fields = {"person": str(attribution.person_id)}
    _tell(acting, "attribution_contested", attribution.identifier, attribution.case, fields=fields)


@transaction.atomic
def withdraw_attribution(*, acting: accounts.Account, attribution: Attribution, reason: str) -> None:
    """Take back that an identifier is a person's."""
    accounts.check_may_work(acting, attribution.case)
    rules.check_said(reason, "reason", "Say why it is taken back.")
    changed = Attribution.objects.filter(pk=attribution.pk, withdrawn_at=None).update(
        withdrawn_at=clock.now(), withdrawn_reason=reason.strip()
    )
    if not changed:
        raise RefusedError("withdrawn", "It is taken back already.")
    Person.objects.filter(pk=attribution.person_id).update(sought_at=None)
    fields: audit.Fields = {"person": str(attribution.person_id)}
    _tell(acting, "attribution_withdrawn", attribution.identifier, attribution.case, purpose=reason, fields=fields)


def get_identifier(asking: accounts.Account, identifier: UUID) -> Identifier:
    """Return an identifier that came up in a case the account may know."""
    if not cases_of(asking, identifier):
        raise AbsentError("identifier")
    return Identifier.objects.get(pk=identifier)


def cases_of(asking: accounts.Account, identifier: UUID) -> list[UUID]:
    """Return the cases the account may know in which an identifier came up."""
    open_cases = set(accounts.case_ids_open_to(asking))
    rows = Sighting.objects.filter(identifier=identifier).values_list("case", flat=True).distinct()
    return [case for case in rows if case in open_cases]


def get_attribution(asking: accounts.Account, attribution: UUID) -> Attribution:
    """Return a standing attribution of a case the account may know."""
    found = Attribution.objects.select_related("identifier", "person").filter(pk=attribution, withdrawn_at=None).first()
    if found is None:
        raise AbsentError("attribution")
    accounts.check_may_read(asking, found.case)
    return found


def _check(given: Given) -> None:
    rules.check_said(given.source, "source", "Say where the identifier comes from.")
    rules.check_interval(given.valid_from, given.valid_to)
    if given.port is not None and not 0 < given.port <= _HIGHEST_PORT:
        raise RefusedError("port", f"A port is a number from 1 to {_HIGHEST_PORT}.")
    if given.at is not None and (given.at.tzinfo is None or not given.zone.strip()):
        raise RefusedError("zone", "An instant needs its zone; where the zone is not known, give the time as text.")
    is_timed = given.port is not None or given.at is not None or given.time_as_given or given.zone
    if is_timed and given.kind is not IdentifierKind.IP:
        raise RefusedError("ip", "Port, time and zone belong to IP addresses.")


def _platform(given: Given) -> str:
    platform = " ".join(given.platform.casefold().split())
    if given.kind is IdentifierKind.ACCOUNT and not platform:
        raise RefusedError("platform", "Name the platform the account is on.")
    if given.kind not in (IdentifierKind.ACCOUNT, IdentifierKind.WALLET):
        return ""
    return platform


def _tell(
    acting: accounts.Account,
    act: str,
    identifier: Identifier,
    case: UUID,
    *,
    purpose: str = "",
    fields: audit.Fields | None = None,
) -> None:
    subject = audit.Subject(kind="identifier", id=str(identifier.pk), case=str(case))
    audit.append(
        actor=accounts.actor(acting), act=f"people.{act}", subject=subject, purpose=purpose.strip(), fields=fields
    )
