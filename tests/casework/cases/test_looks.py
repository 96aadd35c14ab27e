"""The pages of cases in a real browser: none is wider than the window, also at 200 %, and axe finds no fault."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.cases.models import Charge, ChildPath, Deadline, Task
from casework.law import api as law
from tests.casework.conftest import enlist, signed_in

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (apt install chromium)"),
]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Give a page whose console and content policy have to stay silent."""
    # The driver runs an event loop in this thread, and the test asks the database between its steps.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    faults: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: faults.append(str(error)))
        yield opened
        browser.close()
        connections.close_all()
    assert faults == []


def pages_of(demo: cases.Demo) -> dict[str, str]:
    """Return the pages to look at."""
    case = demo.case.pk
    charge = Charge.objects.filter(case=case, section="67B(a)-(e)").get()
    clock = Deadline.objects.filter(case=case, key="default-bail").get()
    arrest = Deadline.objects.filter(case=case, key="jjb-24h").get()
    names = ("rename", "end", "fir", "events", "add_event", "add_link", "add_sitting", "decisions", "decide", "members")
    found = {name: reverse(f"cases:{name}", args=[case]) for name in ("case", *names, "exclude", "add_child")}
    found |= {name: reverse(f"cases:{name}") for name in ("cases", "open", "clocks", "default_bail")}
    query = f"?person={charge.person_id}&victim={charge.victim_id}&first=2024-06-01&last=2024-08-01"
    old = f"?person={charge.person_id}&victim={charge.victim_id}&first=2024-05-18"
    found |= {"pick": reverse("cases:pick", args=[case]) + query, "pick-old": reverse("cases:pick", args=[case]) + old}
    found["charge"] = reverse("cases:charge", args=[case, charge.pk])
    found |= {"clock": reverse("cases:clock", args=[case, clock.pk])}
    found |= {"clock-extended": reverse("cases:clock", args=[case, arrest.pk])}
    found["child"] = reverse("cases:child", args=[case, ChildPath.objects.get(case=case).pk])
    found["task"] = reverse("cases:task", args=[case, Task.objects.get(case=case).pk])
    return found


def test_the_pages_hold_at_every_width_and_for_a_screen_reader(page: Page, live_server: LiveServer) -> None:
    law.seed()
    unit = accounts.Unit.objects.create(name="Cell of the north")
    inga = enlist("Inga", unit, accounts.Role.INVESTIGATOR)
    demo = cases.make_demo(acting=inga)
    cookie = signed_in(inga).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    folder = os.environ.get("KAVAL_SCREENSHOTS")
    wide = {}
    faults = {}
    for name, address in pages_of(demo).items():
        # 1280 pixels at 200 % are 640 of them.
        for width in (360, 640, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(live_server.url + address)
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                wide[f"{name} at {width}"] = over
            if folder and width != 640:
                page.screenshot(path=str(Path(folder) / f"cases-{name}-{width}.png"), full_page=True)
        result = Axe().run(page)
        if result.violations_count:
            faults[name] = [(each["id"], each["nodes"][0]["html"][:200]) for each in result.response["violations"]]

    assert wide == {}
    assert faults == {}
