"""The cast at the store: Inga leads and seizes, Hari examines, Malini keeps the store; one telephone with its SIM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.exhibits import api as exhibits
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
