"""Storage places of a unit: rooms, shelves, lockers."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import rules
from casework.exhibits.models import Exhibit, StoragePlace
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@transaction.atomic
def open_place(
    *, acting: accounts.Account, room: str, shelf: str = "", locker: str = "", for_material: bool = False
) -> StoragePlace:
    """Add a storage place to the unit; ``for_material`` makes it a locker for the material itself."""
    check_keeps_house(acting)
    rules.check_reason(room, "Name the room.")
    place = StoragePlace(
        unit=acting.unit, room=room.strip(), shelf=shelf.strip(), locker=locker.strip(), for_material=for_material
    )
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError as error:
        raise RefusedError("place", "There is a place of this name in the unit.") from error
    _tell(acting, "place_opened", place)
    return place


@transaction.atomic
def close_place(*, acting: accounts.Account, place: StoragePlace) -> None:
    """Take an empty storage place out of use."""
    check_keeps_house(acting)
    if place.unit_id != acting.unit_id:
        raise AbsentError("place")
    place = StoragePlace.objects.select_for_update().get(pk=place.pk)
    if Exhibit.objects.filter(place=place, returned_at=None).exists():
        raise RefusedError("place", "Exhibits lie there; they are moved first.")
    place.closed_at = clock.now()
    place.save(update_fields=["closed_at"])
    _tell(acting, "place_closed", place)


def check_keeps_house(acting: accounts.Account) -> None:
    """Pass for a supervisor; to who works on no cases, there is no such page."""
    roles = accounts.standing_of(acting).roles
    if accounts.Role.ADMINISTRATOR in roles or not roles:
        raise AbsentError("page")
    rules.check_keeps_house(accounts.Role.SUPERVISOR in roles)


def _tell(acting: accounts.Account, act: str, place: StoragePlace) -> None:
    subject = audit.Subject(kind="storage-place", id=str(place.pk))
    audit.append(actor=accounts.actor(acting), act=f"exhibits.{act}", subject=subject, fields={"place": str(place)})
