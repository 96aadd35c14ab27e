"""Every page that somebody of the unit can see, held against axe-core in a real browser, and on a phone."""

from __future__ import annotations

import json
import os
import re
import shutil
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from django.urls import get_resolver
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from casework.accounts import api as accounts
from casework.jobs import api as jobs
from casework.law import api as law
from casework.papers import api as papers
from casework.unit import demo
from tests.casework import holes
from tests.casework.conftest import signed_in

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (apt install chromium)"),
]
ALL = [
    address
    for address in holes.addresses(get_resolver("casework.web.urls").url_patterns)
    if not address.startswith("api/")
]
# Addresses that are no page for somebody with a session, and why.
NO_PAGE = {
    "accounts/sign-in/": "the door; it is looked at without a session",
    "accounts/sign-in/factor/": "its second half, looked at by test_browser",
    "accounts/sign-in/passkey/": "an answer for a script",
    "accounts/invitation/<str:token>/": "for who holds a link, looked at by test_browser",
    "accounts/enrol/": "for who came by a link, looked at by test_browser",
    "accounts/enrol/passkey/": "an answer for a script",
    "accounts/mine/codes/": "shown once, looked at by test_browser",
    "accounts/mine/factors/": "behind a fresh password, looked at by test_browser",
    "accounts/mine/factors/app/": "the same",
    "accounts/mine/factors/passkey/": "an answer for a script",
    "accounts/mine/prove/passkey/": "an answer for a script",
    "jobs/<uuid:job>/progress/": "a part of a page, looked at within it",
}
# Of these the demonstration has no row; the contexts' own tests look at them. What only takes a form is among them.
NO_ROW = re.compile(
    r"accounts/mine/(factors/passkey|tokens)/<|cases/<uuid:case>/links/<|exhibits/(forwarding|order)/<"
    r"|exhibits/<uuid:exhibit>/photograph/<|people/enquiries/<"
)


def filled(address: str) -> list[str]:
    """Return the address with the rows that are there in its holes, in all ways."""
    names = list(dict.fromkeys(holes.names(address)))
    rows = [holes.rows(name, 6) or ["no-such-row"] for name in names]
    return ["/" + holes.fill(address, dict(zip(names, chosen, strict=True))) for chosen in product(*rows)][:60]


def who_sees(address: str, browsers: dict[accounts.Account, Client]) -> list[tuple[accounts.Account, str]] | str:
    """Return for each page that somebody is shown there who that is, and its path; or the answers given instead."""
    given, found = set(), []
    for path in filled(address):
        for account, browser in browsers.items():
            answer = browser.get(path)
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                found.append((account, path))
                break
            given.add(answer.status_code if answer.status_code != 200 else answer["Content-Type"])
            if answer.status_code == 405:
                return "405"
    return found or ", ".join(sorted(map(str, given)))


def faults(page: Page, path: str) -> list[str]:
    """Return what axe finds on the page that is open, one line each."""
    found = Axe().run(page).response["violations"]
    return [f"{path}: {one['id']}: {json.dumps(one['nodes'][0]['html'])[:200]}" for one in found]


def enter(page: Page, account: accounts.Account, address: str) -> None:
    """Give the browser a session of the account."""
    key = signed_in(account).session.session_key
    # A page that asks for its parts again would ask for them with the next session.
    page.goto("about:blank")
    page.context.clear_cookies()
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": str(key), "url": address}])


def look(page: Page, name: str) -> str:
    """Keep a picture where a person asked for them, and say whether something is wider than the window."""
    folder = os.environ.get("KAVAL_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return f"{name} is {page.evaluate(wide)} pixels too wide" if page.evaluate(wide) > 0 else ""


def test_every_page_is_clean_and_holds_on_a_phone_and_at_twice_the_size(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    law.seed()
    papers.seed()
    people = demo.make_demo().people.all()
    browsers = {account: signed_in(account) for account in people}
    jobs.ask_for("unit.close_day", acting=people[0])
    seen: dict[accounts.Account, list[tuple[str, str]]] = {}
    unseen: dict[str, str] = {}
    for address in ALL:
        found = who_sees(address, browsers) if address not in NO_PAGE else "405"
        if isinstance(found, str):
            unseen[address] = found
            continue
        for account, path in found:
            seen.setdefault(account, []).append((address, path))

    wrong: list[str] = []
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda told: wrong.append(f"{page.url}: {told.text}") if told.type == "error" else None)
        page.goto(f"{live_server.url}/accounts/sign-in/")
        wrong += [*faults(page, "the door"), *_held_with_a_long_word(page)]
        looked_at: set[str] = set()
        for account, pages in seen.items():
            enter(page, account, live_server.url)
            for address, path in pages:
                # What stands in a row decides whether its page holds, so every row is looked at on a phone.
                look_at = _looked_at if address not in looked_at else _held_on_a_phone
                wrong += look_at(page, live_server.url, address, path)
                looked_at.add(address)
        browser.close()
        connections.close_all()

    assert wrong == []
    lost = {address: given for address, given in unseen.items() if given != "405" and not NO_ROW.match(address)}
    assert lost == {}
    assert len(looked_at) > 100


def _held_with_a_long_word(page: Page) -> list[str]:
    """Return what is wrong when a thing is called by one word longer than a small window."""
    page.set_viewport_size({"width": 320, "height": 800})
    for place in ("h1", "main p"):
        page.evaluate("place => document.querySelector(place).textContent = 'kasima'.repeat(40)", place)
    return [one for one in [look(page, "a-long-word")] if one]


def _name(address: str) -> str:
    return address.replace("/", "-").replace("<", "").replace(">", "").replace(":", "-").strip("-") or "home"


def _held_on_a_phone(page: Page, server: str, address: str, path: str) -> list[str]:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(server + path)
    return [one for one in [look(page, f"phone-{_name(address)}-{path.strip('/').replace('/', '-')}")] if one]


def _looked_at(page: Page, server: str, address: str, path: str) -> list[str]:
    name = _name(address)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(server + path)
    wrong = [*faults(page, address), look(page, f"wide-{name}")]
    # 1280 pixels at 200 % are 640 of them; WCAG 1.4.10 asks for 320.
    for width, size in ((640, "double"), (320, "phone")):
        page.set_viewport_size({"width": width, "height": 800})
        wrong.append(look(page, f"{size}-{name}"))
    return [one for one in wrong if one]
