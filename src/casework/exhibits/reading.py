"""Fetching exhibits for a person: to someone outside the case there are none."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from casework.accounts import api as accounts
from casework.exhibits import rules
from casework.exhibits.models import (
    Acquisition,
    CustodyEvent,
    Exhibit,
    Forwarding,
    HandOver,
    LockerEntry,
    Party,
    Seal,
    Seizure,
    StoragePlace,
    ViewingOrder,
)
from casework.exhibits.rules import Direction, OfferState, State
from casework.lib.errors import AbsentError


def get_exhibit(exhibit: UUID, *, person: accounts.Account) -> Exhibit:
    """Return the exhibit as this person may see it, or say there is none."""
    found = (
        Exhibit.objects.select_related("unit", "holder__account__unit", "place", "parent__holder__account", "seizure")
        .filter(pk=exhibit)
        .first()
    )
    if found is None:
        raise AbsentError("exhibit")
    accounts.check_may_read(person, found.case_id)
    return found


def get_forwarding(forwarding: UUID, *, person: accounts.Account) -> Forwarding:
    """Return the forwarding as this person may see it, or say there is none."""
    found = (
        Forwarding.objects.select_related("laboratory", "signed_by", "specimen", "unit").filter(pk=forwarding).first()
    )
    if found is None:
        raise AbsentError("forwarding")
    accounts.check_may_read(person, found.case_id)
    return found


def get_order(order: UUID, *, person: accounts.Account) -> ViewingOrder:
    """Return the order of a court as this person may see it, or say there is none."""
    found = ViewingOrder.objects.select_related("package", "entered_by").filter(pk=order).first()
    if found is None:
        raise AbsentError("order")
    accounts.check_may_read(person, found.case_id)
    return found


def get_seizure(seizure: UUID, *, person: accounts.Account) -> Seizure:
    """Return the memo as this person may see it, or say there is none."""
    found = Seizure.objects.filter(pk=seizure).first()
    if found is None:
        raise AbsentError("seizure")
    accounts.check_may_read(person, found.case_id)
    return found


def get_offer(offer: UUID, *, person: accounts.Account) -> HandOver:
    """Return an offered hand-over as this person may see it, or say there is none."""
    found = HandOver.objects.select_related("exhibit", "giver__account", "receiver").filter(pk=offer).first()
    if found is None:
        raise AbsentError("hand-over")
    accounts.check_may_read(person, found.exhibit.case_id)
    return found


def exhibits_of(case: UUID, *, person: accounts.Account) -> QuerySet[Exhibit]:
    """Return the exhibits of a case, without order; page them by ``created_at``."""
    accounts.check_may_read(person, case)
    return _listed().filter(case_id=case)


def exhibits_open_to(person: accounts.Account) -> QuerySet[Exhibit]:
    """Return the exhibits of every case the person may know, without order."""
    return _listed().filter(case_id__in=accounts.case_ids_open_to(person))


def exhibits_held_by(person: accounts.Account) -> QuerySet[Exhibit]:
    """Return what the person holds, in the cases they may know."""
    return exhibits_open_to(person).filter(holder__account=person)


def check_works_on_cases(person: accounts.Account) -> frozenset[accounts.Role]:
    """Return the roles of who works on cases; to all others there is no such page."""
    standing = accounts.standing_of(person)
    if accounts.Role.ADMINISTRATOR in standing.roles or not standing.roles - {accounts.Role.COUNSELLOR}:
        raise AbsentError("page")
    return standing.roles


def _listed() -> QuerySet[Exhibit]:
    return Exhibit.objects.select_related("holder__account", "parent__holder__account", "place").defer("passcode")


def whole_of(exhibit: Exhibit) -> Exhibit:
    """Return what moves: the exhibit, or the whole of a part that still lies in it."""
    return exhibit.parent if exhibit.inherits and exhibit.parent is not None else exhibit


def custody_line(exhibit: Exhibit) -> list[CustodyEvent]:
    """Return every event of the exhibit, first to last; a part begins with those of its whole, until it left it."""
    own = list(_events().filter(exhibit=exhibit))
    if exhibit.parent_id is None:
        return own
    shared = _events().filter(exhibit=exhibit.parent_id)
    if own and own[0].whole_sequence is not None:
        shared = shared.filter(sequence__lte=own[0].whole_sequence)
    return [*shared, *own]


def _events() -> QuerySet[CustodyEvent]:
    return CustodyEvent.objects.select_related("place", "seal_before", "seal_after", "recorded_by").order_by("sequence")


def open_offer_of(exhibit: Exhibit) -> HandOver | None:
    """Return the hand-over that waits for its receiver, if one does."""
    waiting = HandOver.objects.select_related("receiver", "offered_by", "seal").filter(exhibit=exhibit)
    return waiting.filter(state=OfferState.OPEN).first()


def whole_seal_of(exhibit: Exhibit) -> Seal | None:
    """Return the seal under which the exhibit lies now, if it is sealed."""
    return Seal.objects.filter(exhibit=exhibit, broken_at=None).first()


def last_locker_entry_of(package: Exhibit) -> LockerEntry | None:
    """Return the newest line of the locker's book on this package."""
    return LockerEntry.objects.filter(package=package).order_by("-sequence").first()


def images_of(exhibit: Exhibit) -> QuerySet[Acquisition]:
    """Return the images made of the exhibit, and those that lie on it."""
    return Acquisition.objects.select_related("exhibit", "examiner").filter(Q(exhibit=exhibit) | Q(carrier=exhibit))


def state_of(exhibit: Exhibit) -> State:
    """Return what the register says of the exhibit now, for the rules."""
    holder = exhibit.holder
    last = last_locker_entry_of(exhibit) if exhibit.is_material else None
    return State(
        holder=str(holder.pk) if holder else "",
        holder_outside=holder is not None and holder.outside,
        sequence=exhibit.custody_sequence,
        offered=HandOver.objects.filter(exhibit=exhibit, state=OfferState.OPEN).exists(),
        sealed=Seal.objects.filter(exhibit=exhibit, broken_at=None).exists(),
        withdrawn=exhibit.withdrawn_at is not None,
        returned=exhibit.returned_at is not None,
        inherits=exhibit.inherits,
        in_locker=last is not None and last.direction == Direction.IN,
        has_images=images_of(exhibit).exists(),
    )


def locked(exhibit: Exhibit) -> Exhibit:
    """Return the exhibit as it is now, locked against every other hand until the transaction ends."""
    # In two steps: rows joined to one that had to be waited for would be those of before the waiting.
    Exhibit.objects.select_for_update().values_list("pk").get(pk=exhibit.pk)
    return Exhibit.objects.select_related("holder__account", "unit", "place", "parent__holder").get(pk=exhibit.pk)


def locked_all(exhibits: Iterable[Exhibit]) -> list[Exhibit]:
    """Return them locked, always in the same order, so that two batches never wait for one another."""
    return [locked(one) for one in sorted(exhibits, key=lambda one: one.pk)]


def party_of(account: accounts.Account) -> Party:
    """Return the hands of a colleague."""
    return Party.objects.get_or_create(account=account)[0]


def places_of(unit: accounts.Unit, *, for_material: bool = False) -> QuerySet[StoragePlace]:
    """Return the storage places of a unit that are in use."""
    places = StoragePlace.objects.filter(unit=unit, closed_at=None).order_by("room", "shelf", "locker")
    return places.filter(for_material=True) if for_material else places


def offset_shown(exhibit: Exhibit) -> str:
    """Return the offset of the device's clock as papers show it."""
    shown = rules.shown_offset(exhibit.clock_offset)
    return f"{shown} {exhibit.clock_note}".strip()
