"""The packaged forms in the tables, and values of every kind; all names and words are invented."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.db import connection

from casework.audit import api as audit
from casework.papers import api as papers
from casework.papers import triggers
from casework.papers.models import Paper
from tests.casework.conftest import THE_CASE, Cast

THE_EXHIBIT = audit.Subject(kind="exhibit", id="00000000-0000-4000-8000-0000000e0001", case=str(THE_CASE))
INGA = {"name": "Inga", "rank": "inspector", "unit": "Cell of the north"}
BASHIR = {"name": "Bashir", "rank": "sub-inspector", "unit": "Cell of the north"}

HEAD: dict[str, Any] = {
    "case": {
        "number": "C/0042/2026",
        "fir": "0123/2026",
        "station": "Harbour",
        "district": "Kollam",
        "state": "Kerala",
        "sections": "POCSO 15(2); IT Act 67B",
        "court": "Special Court, Kollam",
    },
    "unit": "Cell of the north",
    "officer": INGA,
    "day": "2026-11-24",
    "place": "Kollam",
}

PHONE: dict[str, Any] = {
    "number": "EX/0042/2026/001",
    "kind": "mobile-phone",
    "description": "Nilavu X1, grey",
    "make": "Nilavu",
    "model": "X1",
    "colour": "grey",
    "serial": "NX1-88210",
    "imei": ["490154203237518", "490154203237526"],
    "mac": "02:00:5e:10:00:01",
    "other_id": "",
    "state_when_found": "on-locked",
    "isolation": "faraday-bag",
    "clock_offset": "+00:03:10 against IST",
    "place_found": "അലമാരയുടെ മുകളിൽ, കിടപ്പുമുറി",
    "found_at": "2026-11-24T04:30:00Z",
    "memo_line": "memo 3, line 1",
    "owner": "किशोर वर्मा",
    "seal": "S-000017",
    "court_number": "",
    "parent": "",
    "withdrawn": False,
}

SEIZURE_LIST: dict[str, Any] = {
    **HEAD,
    "memo": "3",
    "seized_at": "2026-11-24T04:30:00Z",
    "seized_place": "House 4, Lake Road",
    "seized_by": INGA,
    "legal_route": "warrant, BNSS 96",
    "witnesses": [{"name": "Ravi", "address": "Lake Road 5"}, {"name": "Mini", "address": "Lake Road 9"}],
    "copy_given_to": "Suma",
    "recording": "two clips, 2026-11-24 10:02 and 10:06",
    "lines": [{**PHONE, "number_in_list": 1}],
}


def seizure_list(**changes: Any) -> dict[str, Any]:
    """Return values of a seizure list."""
    return {**copy.deepcopy(SEIZURE_LIST), **changes}


@pytest.fixture
def forms(db: None) -> None:
    """Put the packaged forms into the tables."""
    papers.seed()


@pytest.fixture
def committed(committed: None) -> Any:
    """Lift the triggers of papers as well while the tables are emptied."""
    triggers.install(connection)
    yield
    triggers.remove(connection)


def issued(cast: Cast, kind: papers.Kind = papers.Kind.SEIZURE_LIST, **options: Any) -> Paper:
    """Return a paper that Inga has issued."""
    values = options.pop("values", None) or seizure_list()
    language = options.pop("language", papers.Language.ENGLISH)
    return papers.issue(
        acting=options.pop("acting", cast.inga),
        kind=kind,
        case=THE_CASE,
        language=language,
        values=values,
        subject=THE_EXHIBIT,
        **options,
    )
