"""A small believable unit for the demonstration: invented people, one case from report to certificate, marked DEMO."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.exhibits import api as exhibits
from casework.lib.errors import ConfigurationError
from casework.papers import api as papers

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
    register = cases.make_demo(acting=cast.lead, members=(cast.store, cast.examiner, cast.support))
    case = register.case.pk
    for reader, purpose in ((cast.legal, "DEMO: advice on the charges"), (cast.supervisor, "DEMO: supervision")):
        accounts.assign(acting=cast.lead, to=reader, case=case, capacity=accounts.Capacity.READER, purpose=purpose)
    hands = exhibits.Hands(lead=cast.lead, storekeeper=cast.store, examiner=cast.examiner, supervisor=cast.supervisor)
    phone, *_others = exhibits.make_demo(hands=hands, case=case)
    _papers(cast, phone)
    return DemoUnit(people=cast, case=case, password=PASSWORD, secret=secret)


def _papers(cast: accounts.DemoPeople, phone: exhibits.Exhibit) -> None:
    exhibits.issue_custody_sequence(
        acting=cast.lead, exhibit=phone, language=papers.Language.MALAYALAM, place="Demo town"
    )
    kind, *_others = exhibits.certificates_for(phone, person=cast.examiner)
    exhibits.issue_certificate(
        acting=cast.examiner,
        exhibit=phone,
        kind=kind,
        language=papers.Language.ENGLISH,
        certifier=exhibits.Certifier(
            name=cast.examiner.name,
            parent="Demo Parent",
            address="Demo town",
            designation="examiner (DEMO)",
            relation=("operated",),
        ),
        submission=exhibits.Submission(record="DEMO: image of the telephone", to="DEMO: Special Court"),
        place="Demo town",
    )
