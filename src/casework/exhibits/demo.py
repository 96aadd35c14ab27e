"""A demonstration: the exhibits of one invented case, from the memo to the laboratory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from casework.accounts import api as accounts
from casework.exhibits import acquiring, custody, forwarding, locker, practice, registering, seals, storing
from casework.exhibits.models import Exhibit, Laboratory, Specimen, StoragePlace
from casework.exhibits.rules import (
    Direction,
    FoundState,
    Isolation,
    Kind,
    LockerReason,
    Method,
    Passcode,
    Purpose,
    SealKind,
)
from casework.lib import clock

_DEMO = "DEMO"


@dataclass(frozen=True, kw_only=True)
class Hands:
    """Who plays: the lead seizes, the storekeeper keeps, the examiner images, the supervisor keeps the house."""

    lead: accounts.Account
    storekeeper: accounts.Account
    examiner: accounts.Account
    supervisor: accounts.Account


def make_demo(*, hands: Hands, case: UUID) -> list[Exhibit]:
    """Return the exhibits of an invented case; lead, storekeeper and examiner must work on it already.

    One telephone with its SIM has gone from the lead to the storekeeper and on to the examiner, was imaged, and waits
    to be taken back by the storekeeper; a laptop lies sealed in the store; a copy of the material lies in the locker.
    """
    practice.seed()
    shelf, strong, specimen, _laboratory = _house(hands)
    phone, laptop = _seized(hands, case)
    for thing, mark in ((phone, "DEMO-000101"), (laptop, "DEMO-000102")):
        seals.seal(
            acting=hands.lead, exhibit=thing, kind=SealKind.TAMPER_BAG, mark=mark, specimen=specimen,
            reason="from the scene to the store",
        )  # fmt: skip
    _passed([phone, laptop], hands.lead, hands.storekeeper, Purpose.STORAGE, custody.Received(place=shelf))
    _passed([phone], hands.storekeeper, hands.examiner, Purpose.ACQUISITION, custody.Received())
    _imaged(hands, phone)
    seals.seal(
        acting=hands.examiner, exhibit=phone, kind=SealKind.TAMPER_BAG, mark="DEMO-000103", reason="after imaging"
    )
    custody.offer(acting=hands.examiner, exhibits=[phone], to=hands.storekeeper, purpose=Purpose.STORAGE)
    for thing in (phone, laptop):
        thing.refresh_from_db()
    return [phone, laptop, _locked_away(hands, case, phone, strong)]


def _house(hands: Hands) -> tuple[StoragePlace, StoragePlace, Specimen, Laboratory]:
    shelf = storing.open_place(acting=hands.supervisor, room=f"Store room ({_DEMO})", shelf="B", locker="4")
    strong = storing.open_place(acting=hands.supervisor, room=f"Strong room ({_DEMO})", locker="1", for_material=True)
    specimen = seals.keep_specimen(
        acting=hands.supervisor, name=f"Brass seal 1 ({_DEMO})", text="DEMO CELL", kept_by=hands.storekeeper.name
    )
    laboratory = forwarding.keep_laboratory(
        acting=hands.supervisor, name=f"State forensic laboratory ({_DEMO})", address="Hill road, Demo town"
    )
    return shelf, strong, specimen, laboratory


def _seized(hands: Hands, case: UUID) -> tuple[Exhibit, Exhibit]:
    found = clock.now() - timedelta(hours=6)
    memo = registering.record_seizure(
        acting=hands.lead,
        case=case,
        memo=f"1/{_DEMO}",
        at=found,
        place="House 4, Demo lane",
        legal_route="warrant, BNSS 96",
        witnesses=[
            registering.Witness(name="Demo Witness One", address="Lane 1"),
            registering.Witness(name="Demo Witness Two", address="Lane 2"),
        ],
        copy_given_to="the occupant",
        recording="two clips, kept with the diary",
    )
    phone = registering.register_exhibit(
        acting=hands.lead,
        case=case,
        seizure=memo,
        details=registering.Details(
            kind=Kind.MOBILE_PHONE, make="Quillmark", model="Nine", colour="grey", serial="QM900451",
            imei_1="490154203237518", found_state=FoundState.ON_LOCKED, isolation=Isolation.FARADAY_BAG,
            clock_offset=190, passcode_state=Passcode.GIVEN, passcode="0000", place_found="desk by the window",
            found_at=found,
        ),
    )  # fmt: skip
    registering.register_part(
        acting=hands.lead, whole=phone, details=registering.Details(kind=Kind.SIM_CARD, serial="8991000111")
    )
    laptop = registering.register_exhibit(
        acting=hands.lead,
        case=case,
        seizure=memo,
        details=registering.Details(
            kind=Kind.LAPTOP, make="Brindle", model="14", colour="black", serial="BR14-77", found_state=FoundState.OFF,
            isolation=Isolation.NOT_NEEDED, place_found="shelf in the hall", found_at=found,
        ),
    )  # fmt: skip
    return phone, laptop


def _passed(
    things: list[Exhibit], giver: accounts.Account, taker: accounts.Account, purpose: Purpose, how: custody.Received
) -> None:
    offers = custody.offer(acting=giver, exhibits=things, to=taker, purpose=purpose)
    custody.acknowledge(acting=taker, offers=offers, received=how)


def _imaged(hands: Hands, phone: Exhibit) -> None:
    seals.break_seal(acting=hands.examiner, exhibit=phone, reason="to image it")
    now = clock.now()
    made = acquiring.Made(
        tool="kaval", tool_version="0.1.0", method=Method.PHYSICAL, form="raw", size=64 * 1024**2,
        started_at=now - timedelta(minutes=40), ended_at=now, kept_at="image store, shelf 2",
        write_blocker="read-only adapter 7",
    )  # fmt: skip
    digest = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
    acquiring.record_acquisition(
        acting=hands.examiner, exhibit=phone, made=made,
        computed=[acquiring.Computed(algorithm="SHA-256", value=digest)],
    )  # fmt: skip


def _locked_away(hands: Hands, case: UUID, phone: Exhibit, strong: StoragePlace) -> Exhibit:
    package = registering.register_exhibit(
        acting=hands.lead,
        case=case,
        details=registering.Details(kind=Kind.MATERIAL_COPY, description="one optical disc, sealed pack"),
        taken_from=phone,
    )
    seals.seal(acting=hands.lead, exhibit=package, kind=SealKind.BOX, reason="for the locker")
    locker.book_locker(
        acting=hands.lead, package=package, direction=Direction.IN, place=strong, reason=LockerReason.STORAGE,
        carried_by=hands.lead.name, witness=hands.storekeeper,
    )  # fmt: skip
    return package
