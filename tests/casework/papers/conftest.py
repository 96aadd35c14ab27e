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
from tests.casework.papers.values import SEIZURE_LIST

THE_EXHIBIT = audit.Subject(kind="exhibit", id="00000000-0000-4000-8000-0000000e0001", case=str(THE_CASE))


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
