"""The locker for the material itself: its book, orders of courts, viewings (Kerala High Court, WP(Crl) 445/2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import rules
from casework.exhibits.custody import check_can_receive
from casework.exhibits.ledger import told
from casework.exhibits.models import Exhibit, LockerEntry, Seal, StoragePlace, Viewing, ViewingOrder
from casework.exhibits.numbers import next_number
from casework.exhibits.reading import last_locker_entry_of, locked, party_of, state_of, whole_seal_of
from casework.exhibits.rules import Direction, LockerReason
from casework.law.api import INDIA
from casework.lib import clock
from casework.lib.errors import RefusedError


@dataclass(frozen=True, kw_only=True)
class Present:
    """Someone who may view, or was there: name, and as what."""

    name: str
    capacity: str


@transaction.atomic
def book_locker(
    *,
    acting: accounts.Account,
    package: Exhibit,
    direction: Direction,
    place: StoragePlace,
    reason: LockerReason,
    carried_by: str,
    witness: accounts.Account,
    document: str = "",
    note: str = "",
) -> LockerEntry:
    """Write a line into the locker's book: a package in or out, carried by whom, witnessed by a second colleague."""
    package = locked(package)
    accounts.check_may_work(acting, package.case_id)
    if not package.is_material:
        raise RefusedError("no-material", "The locker is for the material itself; other exhibits go into storage.")
    if not place.for_material or place.closed_at is not None or place.unit_id != acting.unit_id:
        raise RefusedError("place", "This is not a locker for the material in your unit.")
    if witness.pk == acting.pk:
        raise RefusedError("witness", "The second officer is someone else.")
    check_can_receive(witness, package)
    rules.check_reason(carried_by, "Say who carries it.")
    last = last_locker_entry_of(package)
    before = Direction(last.direction) if last else None
    rules.check_locker_entry(before, direction, state_of(package), str(party_of(acting).pk), document)
    if last is not None and direction is Direction.OUT and last.place_id != place.pk:
        raise RefusedError("place", "The package lies in another locker.")
    entry = LockerEntry.objects.create(
        package=package,
        sequence=last.sequence + 1 if last else 1,
        direction=direction.value,
        at=clock.now(),
        place=place,
        reason=reason.value,
        document=document.strip(),
        carried_by=carried_by.strip(),
        witness=witness,
        officer=acting,
        seal=whole_seal_of(package),
        note=note.strip(),
    )
    fields: audit.Fields = {"direction": direction.value, "reason": reason.value, "witness": str(witness.pk)}
    told(acting, "locker_booked", "exhibit", package.pk, package.case_id, fields, purpose=document.strip())
    return entry


@transaction.atomic
def enter_order(
    *,
    acting: accounts.Account,
    package: Exhibit,
    court: str,
    order: str,
    ordered_on: date,
    valid_from: date,
    valid_to: date | None,
    persons: Sequence[Present],
    conditions: str = "",
) -> ViewingOrder:
    """Enter the order of a court that named persons may view a package."""
    accounts.check_may_work(acting, package.case_id)
    rules.check_alive(state_of(package))
    if not package.is_material:
        raise RefusedError("no-material", "Orders of viewing are for the material itself.")
    rules.check_reason(court, "Name the court.")
    rules.check_reason(order, "Give the number of the order.")
    if not persons:
        raise RefusedError("persons", "Write down whom the order names.")
    if valid_to is not None and valid_to < valid_from:
        raise RefusedError("days", "The order ends before it begins.")
    made = ViewingOrder.objects.create(
        case_id=package.case_id,
        package=package,
        court=court.strip(),
        order=order.strip(),
        ordered_on=ordered_on,
        valid_from=valid_from,
        valid_to=valid_to,
        persons=[{"name": one.name.strip(), "capacity": one.capacity.strip()} for one in persons],
        conditions=conditions.strip(),
        entered_by=acting,
    )
    fields: audit.Fields = {"package": str(package.pk), "persons": len(persons)}
    told(acting, "order_entered", "viewing-order", made.pk, made.case_id, fields)
    return made


@transaction.atomic
def record_viewing(
    *,
    acting: accounts.Account,
    order: ViewingOrder,
    started_at: datetime,
    ended_at: datetime,
    place: str,
    persons: Sequence[Present],
    expert: str,
    devices_kept_out: bool,
    seal_before: Seal | None,
    note: str = "",
) -> Viewing:
    """Write a viewing down: who was there, from when to when, under which seals; others than the order names, never."""
    package = locked(order.package)
    accounts.check_may_work(acting, package.case_id)
    order = ViewingOrder.objects.select_for_update().get(pk=order.pk)
    ordered = rules.Ordered(
        persons=frozenset(rules.folded(one["name"]) for one in order.persons),
        valid_from=order.valid_from,
        valid_to=order.valid_to,
        withdrawn=order.withdrawn_at is not None,
    )
    day = started_at.astimezone(INDIA).date()
    names = [one.name for one in persons]
    rules.check_viewing(ordered, day, names, expert=bool(expert.strip()), devices_kept_out=devices_kept_out)
    if not started_at < ended_at <= clock.now():
        raise RefusedError("times", "The viewing ends after it begins, and not in the future.")
    state = state_of(package)
    if state.holder != str(party_of(acting).pk) or state.in_locker:
        raise RefusedError("not-holder", "Who supervises the viewing holds the package, booked out of the locker.")
    if seal_before is not None and seal_before.exhibit_id != package.pk:
        raise RefusedError("seal", "The seal was never on this package.")
    viewing = Viewing.objects.create(
        order=order,
        sequence=next_number(f"viewing/{order.pk}"),
        started_at=started_at,
        ended_at=ended_at,
        place=place.strip(),
        persons=[{"name": one.name.strip(), "capacity": one.capacity.strip()} for one in persons],
        expert=expert.strip(),
        devices_kept_out=devices_kept_out,
        seal_before=seal_before,
        seal_after=whole_seal_of(package),
        supervised_by=acting,
        note=note.strip(),
    )
    fields: audit.Fields = {"sequence": viewing.sequence, "persons": len(persons)}
    told(acting, "viewing_recorded", "viewing-order", order.pk, order.case_id, fields)
    return viewing


@transaction.atomic
def withdraw_order(*, acting: accounts.Account, order: ViewingOrder, reason: str) -> None:
    """Mark an order as lifted or entered in error; the viewings under it stay."""
    accounts.check_may_work(acting, order.case_id)
    rules.check_reason(reason)
    changed = ViewingOrder.objects.filter(pk=order.pk, withdrawn_at=None).update(
        withdrawn_at=clock.now(), withdrawn_reason=reason.strip()
    )
    if not changed:
        raise RefusedError("withdrawn", "The order is withdrawn already.")
    told(acting, "order_withdrawn", "viewing-order", order.pk, order.case_id, purpose=reason.strip())
