"""The cast at the store: Inga leads and seizes, Hari examines, Malini keeps the store; one telephone with its SIM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.exhibits import api as exhibits
from casework.exhibits.models import Acquisition, Forwarding, Photograph, ViewingOrder
from tests.casework.conftest import Cast, enlist

FOUND_AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LUHN_GOOD, LUHN_BAD = "490154203237518", "490154203237519"


@dataclass(frozen=True, kw_only=True)
class Store:
    """Who handles exhibits, and the case they do it in."""

    cast: Cast
    inga: accounts.Account
    hari: accounts.Account
    malini: accounts.Account
    case: UUID


@pytest.fixture
def store(cast: Cast) -> Store:
    """Return the people of the store, all of them workers in the case that Inga leads and Bashir reads."""
    hari = enlist("Hari", cast.inga.unit, accounts.Role.EXAMINER)
    malini = enlist("Malini", cast.inga.unit, accounts.Role.INVESTIGATOR)
    case = cases.open_case(
        acting=cast.inga, title="The grey house", classification=cases.Classification.MATERIAL, purpose="investigation"
    )
    for person, capacity in (
        (hari, accounts.Capacity.WORKER),
        (malini, accounts.Capacity.WORKER),
        (cast.bashir, accounts.Capacity.READER),
    ):
        accounts.assign(acting=cast.inga, to=person, case=case.pk, capacity=capacity, purpose="exhibits")
    return Store(cast=cast, inga=cast.inga, hari=hari, malini=malini, case=case.pk)


def details(**changes: Any) -> exhibits.Details:
    """Return what is written down of a grey telephone."""
    values: dict[str, Any] = {
        "kind": exhibits.Kind.MOBILE_PHONE,
        "make": "Quillmark",
        "model": "Nine",
        "colour": "grey",
        "serial": "QM-9 00451",
        "imei_1": LUHN_GOOD,
        "found_state": exhibits.FoundState.ON_LOCKED,
        "isolation": exhibits.Isolation.FARADAY_BAG,
        "clock_offset": 190,
        "place_found": "desk by the window",
        "found_at": FOUND_AT,
    }
    return exhibits.Details(**{**values, **changes})


def telephone(store: Store, **changes: Any) -> exhibits.Exhibit:
    """Return a telephone that Inga has registered and holds."""
    return exhibits.register_exhibit(acting=store.inga, case=store.case, details=details(**changes))


def pass_on(
    store: Store, exhibit: exhibits.Exhibit, giver: accounts.Account, receiver: accounts.Account, **how: Any
) -> exhibits.CustodyEvent:
    """Return the event of a hand-over that was offered and acknowledged."""
    [offer] = exhibits.offer(acting=giver, exhibits=[exhibit], to=receiver, purpose=exhibits.Purpose.STORAGE)
    return exhibits.acknowledge(acting=receiver, offers=[offer], received=exhibits.Received(**how))[0]


@dataclass(frozen=True, kw_only=True)
class Full:
    """A store in which everything has happened once."""

    store: Store
    phone: exhibits.Exhibit
    package: exhibits.Exhibit
    seizure: exhibits.Seizure
    offer: exhibits.HandOver
    event: exhibits.CustodyEvent
    image: Acquisition
    photograph: Photograph
    forwarding: Forwarding
    order: ViewingOrder
    place: exhibits.StoragePlace
    locker: exhibits.StoragePlace


def image_made(**changes: Any) -> exhibits.Made:
    """Return how an image was made."""
    values: dict[str, Any] = {
        "tool": "Kopierer", "tool_version": "2.1", "method": exhibits.Method.PHYSICAL, "form": "raw", "size": 4096,
        "started_at": FOUND_AT, "ended_at": FOUND_AT + timedelta(hours=1), "kept_at": "image store, shelf 2",
        "write_blocker": "Blocker 7", "unread": ((512, 512),), "errors": 1,
    }  # fmt: skip
    return exhibits.Made(**{**values, **changes})


COMPUTED = (
    exhibits.Computed(algorithm="MD5", value="0" * 32),
    exhibits.Computed(algorithm="SHA-256", value="ab" * 32),
)


@pytest.fixture
def full(store: Store) -> Full:
    """Return the store after a busy week."""
    exhibits.seed()
    inga, esther = store.inga, store.cast.esther
    accounts.Account.objects.filter(pk=store.hari.pk).update(rank=accounts.Rank.DEPUTY_SUPERINTENDENT)
    place = exhibits.open_place(acting=esther, room="Store 1", shelf="B")
    locker = exhibits.open_place(acting=esther, room="Strong room", locker="1", for_material=True)
    laboratory = exhibits.keep_laboratory(acting=esther, name="Laboratory of the hill", address="Hill road")
    specimen = exhibits.keep_specimen(acting=esther, name="Brass 1", text="CELL NORTH", kept_by="Head clerk")
    seizure = exhibits.record_seizure(
        acting=inga, case=store.case, memo="3", at=FOUND_AT, place="House 4", legal_route="BNSS 185",
        witnesses=[exhibits.Witness(name="Witness One", address="Lane 1")],
    )  # fmt: skip
    phone = exhibits.register_exhibit(
        acting=inga, case=store.case, seizure=seizure, place=place,
        details=details(passcode_state=exhibits.Passcode.GIVEN, passcode="7788-xx", owner="Appu"),
    )  # fmt: skip
    exhibits.register_part(acting=inga, whole=phone, details=exhibits.Details(kind=exhibits.Kind.SIM_CARD))
    image = exhibits.record_acquisition(acting=inga, exhibit=phone, made=image_made(), computed=COMPUTED)
    photograph = Photograph.objects.create(
        exhibit=phone, kind="image/webp", width=2, height=2, sha256="0" * 64, received_sha256="0" * 64, content=b"x",
        taken_by=inga,
    )  # fmt: skip
    sent = telephone(store)
    exhibits.seal(acting=inga, exhibit=sent, kind=exhibits.SealKind.WAX, specimen=specimen, reason="laboratory")
    forwarding = exhibits.draft_forwarding(
        acting=inga, case=store.case, exhibits=[sent], laboratory=laboratory, questions=["What is on it?"],
        history="A short history.", authority="L 4", signed_by=accounts.Account.objects.get(pk=store.hari.pk),
        specimen=specimen,
    )  # fmt: skip
    package = exhibits.register_exhibit(
        acting=inga, case=store.case, details=exhibits.Details(kind=exhibits.Kind.MATERIAL_COPY), taken_from=phone
    )
    exhibits.seal(acting=inga, exhibit=package, kind=exhibits.SealKind.BOX, reason="locker")
    exhibits.book_locker(
        acting=inga, package=package, direction=exhibits.Direction.IN, place=locker,
        reason=exhibits.LockerReason.STORAGE, carried_by="Inga", witness=store.hari,
    )  # fmt: skip
    order = exhibits.enter_order(
        acting=inga, package=package, court="Special Court", order="12/2026", ordered_on=date(2026, 11, 1),
        valid_from=date(2026, 11, 1), valid_to=None,
        persons=[exhibits.Present(name="Advocate Devi", capacity="defence")],
    )  # fmt: skip
    exhibits.seal(acting=inga, exhibit=phone, kind=exhibits.SealKind.TAMPER_BAG, mark="B 9", reason="store")
    [offer] = exhibits.offer(acting=inga, exhibits=[phone], to=store.malini, purpose=exhibits.Purpose.STORAGE)
    return Full(
        store=store, phone=phone, package=package, seizure=seizure, offer=offer,
        event=exhibits.custody_line(phone)[0], image=image, photograph=photograph, forwarding=forwarding, order=order,
        place=place, locker=locker,
    )  # fmt: skip
