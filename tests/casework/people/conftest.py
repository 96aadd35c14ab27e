"""What the tests of people share: a case of Inga's, one of Carla's, victim support, short ways to enter somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest

from casework.accounts import api as accounts
from casework.people import api as people
from tests.casework.conftest import THE_CASE, Cast, enlist

CARLAS_CASE = UUID("00000000-0000-4000-8000-0000000ca71a")


@dataclass(frozen=True, kw_only=True)
class House:
    """The cast and two cases: Inga leads one, Bashir reads it, Vimala supports its victims; Carla leads another."""

    inga: accounts.Account
    bashir: accounts.Account
    carla: accounts.Account
    dora: accounts.Account
    esther: accounts.Account
    vimala: accounts.Account
    wasim: accounts.Account


@pytest.fixture
def house(led: Cast) -> House:
    vimala = enlist("Vimala", led.inga.unit, accounts.Role.VICTIM_SUPPORT)
    wasim = enlist("Wasim", led.inga.unit, accounts.Role.INVESTIGATOR)
    for account, capacity in ((vimala, accounts.Capacity.WORKER), (wasim, accounts.Capacity.WORKER)):
        accounts.assign(acting=led.inga, to=account, case=THE_CASE, capacity=capacity, purpose="work")
    lead = accounts.Capacity.LEAD
    accounts.assign(acting=led.carla, to=led.carla, case=CARLAS_CASE, capacity=lead, purpose="investigation")
    return House(
        inga=led.inga, bashir=led.bashir, carla=led.carla, dora=led.dora, esther=led.esther, vimala=vimala, wasim=wasim
    )


def enter(
    acting: accounts.Account,
    *texts: str,
    role: people.RoleKind = people.RoleKind.SUSPECT,
    case: UUID = THE_CASE,
    year: int | None = None,
    parent: str = "",
) -> people.Person:
    """Enter somebody by names and a year."""
    names = [people.Name(text=text) for text in texts]
    if parent:
        names.append(people.Name(text=parent, kind=people.NameKind.PARENT))
    born = None
    if year:
        born = people.Born(day=date(year, 1, 1), precision=people.Precision.YEAR, proof=people.Proof.STATEMENT)
    return people.enter_person(acting=acting, case=case, role=role, names=names, born=born)


def phone(acting: accounts.Account, number: str, case: UUID = THE_CASE) -> people.Identifier:
    """Enter a phone number that came up in a case."""
    given = people.Given(kind=people.IdentifierKind.PHONE, value=number, source="statement 4")
    return people.enter_identifier(acting=acting, case=case, given=given).identifier
