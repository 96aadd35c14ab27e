"""The first page and the search of the house: what waits, what is found, and what the ledger keeps of it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.lib import clock
from casework.lib.errors import RefusedError
from casework.lib.hooks import Found, Waiting
from casework.web import contexts, finding
from tests.casework.conftest import Cast, signed_in

pytestmark = pytest.mark.django_db


def found(kind: str, title: str, rank: float = 1) -> Found:
    return Found(kind=kind, title=title, hint="a hint", url="/somewhere/", rank=rank)


def waiting(title: str, due: date | None, *, overdue: bool = False) -> Waiting:
    return Waiting(due=due, title=title, hint="", url="/somewhere/", overdue=overdue, kind="Task")


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[str, Any]]]:
    """Put contexts of the test in the place of those of the house."""
    offered: dict[str, list[tuple[str, Any]]] = {"find": [], "waiting_for": []}
    monkeypatch.setattr(contexts, "offers", lambda member: iter(offered[member]))
    return offered


def test_what_presses_comes_first(cast: Cast, doors: dict[str, list[tuple[str, Any]]]) -> None:
    today = clock.today()
    later = today + timedelta(days=3)
    doors["waiting_for"] = [
        ("one", lambda account: [waiting("without a day", None), waiting("in three days", later)]),
        ("two", lambda account: [waiting("of today", today), waiting("late", today - timedelta(days=2), overdue=True)]),
    ]

    titles = [one.title for one in finding.waiting_for(cast.inga)]
    page = signed_in(cast.inga).get("/").content.decode()
    assert titles == ["late", "of today", "in three days", "without a day"]
    assert page.index("Overdue") < page.index("late") < page.index("Due today") < page.index("Waits for you")


def test_an_empty_first_page_says_so_and_asks_little(cast: Cast) -> None:
    browser = signed_in(cast.inga)
    with CaptureQueriesContext(connection) as asked:
        page = browser.get("/").content.decode()

    assert "Nothing is due" in page
    assert len(asked) <= 40
    assert [one["sql"] for one in asked if "OFFSET" in one["sql"] or "COUNT(" in one["sql"]] == []


def test_what_is_found_stands_by_kind_the_best_first(cast: Cast, doors: dict[str, list[tuple[str, Any]]]) -> None:
    doors["find"] = [
        ("cases", lambda asking, words, purpose: [found("Case", "weak", 1), found("Case", "strong", 9)]),
        ("people", lambda asking, words, purpose: [found("Person", "Nila")]),
    ]
    page = signed_in(cast.inga).post("/search/", {"words": "nila"}).content.decode()

    assert page.index("Case") < page.index("strong") < page.index("weak") < page.index("Nila")


def test_the_ledger_keeps_a_digest_and_not_the_words(cast: Cast, doors: dict[str, list[tuple[str, Any]]]) -> None:
    doors["find"] = [("cases", lambda asking, words, purpose: [])]
    signed_in(cast.inga).post("/search/", {"words": "  Nila  NILAVAN ", "purpose": "crime 7"})

    entry = Entry.objects.get(act="web.house_searched")
    assert json.loads(entry.fields) == {"words_digest": finding.digest_of("nila nilavan"), "found": 0}
    assert entry.purpose == "crime 7"
    assert "nila" not in str(vars(entry)).casefold()


def test_words_are_in_no_address_and_a_look_at_the_page_is_no_search(cast: Cast) -> None:
    browser = signed_in(cast.inga)

    page = browser.get("/search/?words=nila").content.decode()
    assert "nila" not in page.replace('value="/search/?words=nila"', "")
    assert Entry.objects.count() == 0
    assert '<form class="finder" role="search" method="post"' in page


def test_a_purpose_is_asked_for_where_a_context_wants_one(cast: Cast, doors: dict[str, list[tuple[str, Any]]]) -> None:
    def restricted(asking: accounts.Account, words: str, *, purpose: str) -> list[Found]:
        if not purpose:
            raise RefusedError("purpose", "Say what for.")
        return [found("Restricted", "behind a purpose")]

    doors["find"] = [("one", restricted), ("two", lambda asking, words, purpose: [found("Open", "always")])]
    browser = signed_in(cast.inga)

    without = browser.post("/search/", {"words": "nila"}).content.decode()
    assert "Restricted matter was not searched" in without
    assert "always" in without
    assert "behind a purpose" in browser.post("/search/", {"words": "nila", "purpose": "x"}).content.decode()


@pytest.mark.parametrize("words", ["", " ", "x"])
def test_too_little_is_not_searched(cast: Cast, words: str) -> None:
    assert signed_in(cast.inga).post("/search/", {"words": words}).status_code == 422
    assert Entry.objects.count() == 0


def test_a_redirect_inside_a_part_of_a_page_is_one_for_the_whole(cast: Cast) -> None:
    browser = signed_in(cast.inga)
    accounts.Account.objects.filter(pk=cast.inga.pk).update(session_key="another")

    answer = browser.get("/jobs/", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/accounts/sign-in/")
