"""In a real browser: "/" and Ctrl+K go to the search, typing stays typing, jobs are followed, paper has no buttons."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from casework.accounts.models import Account
from casework.jobs import api as jobs
from casework.jobs.models import Job
from tests.casework.conftest import Cast, signed_in
from tests.casework.web.test_browser import look, page, pytestmark

__all__ = ["page", "pytestmark"]
PAGES = ("/", "/search/", "/accounts/mine/", "/cases/", "/people/", "/exhibits/", "/jobs/", "/law/", "/papers/")
FOCUSED = "document.activeElement.id || document.activeElement.name"


def come_in(page: Page, live_server: LiveServer, account: Account) -> None:
    key = str(signed_in(account).session.session_key)
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    page.goto(live_server.url)


def test_slash_goes_to_the_search_and_is_typed_where_somebody_types(
    page: Page, live_server: LiveServer, cast: Cast
) -> None:
    come_in(page, live_server, cast.inga)
    page.keyboard.press("/")
    assert page.evaluate(FOCUSED) == "finder"
    assert page.locator("#finder").input_value() == ""

    page.keyboard.type("a/b")
    assert page.locator("#finder").input_value() == "a/b"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Search").wait_for()
    assert "a%2Fb" not in page.url

    page.get_by_label("What for").focus()
    page.keyboard.type("crime 1/2026")
    assert page.get_by_label("What for").input_value() == "crime 1/2026"
    page.keyboard.press("Control+k")
    assert page.evaluate(FOCUSED) == "finder"


def test_a_page_follows_a_job_without_being_loaded_again(page: Page, live_server: LiveServer, cast: Cast) -> None:
    job = jobs.ask_for("trial.nothing", acting=cast.inga)
    come_in(page, live_server, cast.inga)
    page.goto(f"{live_server.url}/jobs/{job.pk}/")
    page.evaluate("document.body.dataset.same = 'yes'")
    Job.objects.update(state=jobs.State.DONE, done=4, total=4)

    page.get_by_text("4 of 4").wait_for(timeout=20_000)
    assert page.evaluate("document.body.dataset.same") == "yes"
    assert page.get_by_role("button", name="Cancel").count() == 0


@pytest.mark.parametrize("language", ["hi", "ml"])
def test_the_longer_words_of_other_languages_hold_on_a_phone(
    page: Page, live_server: LiveServer, cast: Cast, language: str
) -> None:
    Account.objects.update(language=language)
    come_in(page, live_server, cast.inga)
    page.set_viewport_size({"width": 320, "height": 800})
    for path in (
        "/",
        "/search/",
        "/accounts/mine/",
        "/cases/",
        "/people/",
        "/exhibits/",
        "/jobs/",
        "/law/",
        "/papers/",
    ):
        page.goto(live_server.url + path)
        look(page, f"{language}{path.replace('/', '-')}")


def test_paper_has_neither_buttons_nor_navigation(page: Page, live_server: LiveServer, cast: Cast) -> None:
    come_in(page, live_server, cast.inga)
    page.goto(f"{live_server.url}/accounts/mine/")
    page.emulate_media(media="print")

    assert not page.get_by_role("navigation").is_visible()
    assert not page.get_by_role("button", name="Sign out").is_visible()
    assert page.get_by_role("heading", name="Inga").is_visible()
