"""A small believable unit for the demonstration: invented people, one case from report to certificate, marked DEMO."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.exhibits import api as exhibits
from casework.lib import clock
from casework.lib.errors import ConfigurationError
from casework.people import api as people

PASSWORD = "four demo kettles hum"  # noqa: S105 - printed on the terminal, for a unit that holds nothing


@dataclass(frozen=True, kw_only=True)
class DemoUnit:
    """What was made, and how its people sign in."""

    people: accounts.DemoPeople
    case: UUID
    password: str
    secret: str


@transaction.atomic
def make_demo() -> DemoUnit:
    """Fill an empty unit; where somebody works already, nothing is made.

    Raises:
        ConfigurationError: There are accounts already.
    """
    if accounts.Account.objects.exists():
        raise ConfigurationError("People work in this unit already; a demonstration is made in an empty one.")
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    cast = accounts.make_demo(password=PASSWORD, secret=secret)
    case, other = _cases(cast)
    persons = people.make_demo(acting=cast.lead, case=case, other_case=other)
    hands = exhibits.Hands(lead=cast.lead, storekeeper=cast.store, examiner=cast.examiner, supervisor=cast.supervisor)
    exhibits.make_demo(hands=hands, case=case)
    del persons
    return DemoUnit(people=cast, case=case, password=PASSWORD, secret=secret)


def _cases(cast: accounts.DemoPeople) -> tuple[UUID, UUID]:
    known = clock.now() - timedelta(days=3)
    made = [
        cases.open_case(
            acting=cast.lead,
            title=title,
            classification=cases.Classification.MATERIAL,
            purpose="investigation (DEMO)",
            first_known_at=known,
        ).pk
        for title in ("Telephone from the Demo lane (DEMO)", "Platform report 7 (DEMO)")
    ]
    worker, reader = accounts.Capacity.WORKER, accounts.Capacity.READER
    for to, capacity, purpose in (
        (cast.store, worker, "keeping of the exhibits"),
        (cast.examiner, worker, "examination of the exhibits"),
        (cast.support, worker, "support of the victim"),
        (cast.legal, reader, "advice on the charges"),
        (cast.supervisor, reader, "supervision"),
    ):
        accounts.assign(acting=cast.lead, to=to, case=made[0], capacity=capacity, purpose=purpose)
    return made[0], made[1]
