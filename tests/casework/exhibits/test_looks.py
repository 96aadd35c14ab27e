"""The pages in a real browser: nothing wider than the window, nothing axe or the content policy objects to."""

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
from tests.casework.conftest import signed_in
from tests.casework.exhibits.conftest import Full

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (apt install chromium)"),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Give a page whose console and content policy have to stay silent."""
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
    assert [fault for fault in faults if "status of 422" not in fault] == []


def come_in(page: Page, server: LiveServer, account: accounts.Account) -> None:
    """Give the browser a session of the account."""
    cookie = signed_in(account).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])


def look(page: Page, name: str) -> None:
    """Keep a picture where asked for, and hold the page against axe and the width of the window."""
    folder = os.environ.get("KAVAL_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} is {overflow} pixels wider than the window"
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def test_every_page_of_exhibits_is_clean(page: Page, live_server: LiveServer, full: Full) -> None:
    case, phone, package = [full.store.case], [full.phone.pk], [full.package.pk]
    shown = {
        "exhibits": [], "case": case, "register": case, "record_seizure": case, "offer_several": case, "labels": case,
        "forward": case, "exhibit": phone, "offer": phone, "give": phone, "seal": phone, "image": phone,
        "certificate": phone, "correct": phone, "passcode": phone, "add_photograph": phone, "store": [],
        "waiting": [], "locker": [], "book_locker": package, "enter_order": package, "order": [full.order.pk],
        "record_viewing": [full.order.pk], "forwarding": [full.forwarding.pk], "place": [full.place.pk],
    }  # fmt: skip
    come_in(page, live_server, full.store.inga)
    for name, arguments in shown.items():
        page.goto(live_server.url + reverse(f"exhibits:{name}", args=arguments))
        look(page, f"exhibits-{name}")
    page.goto(live_server.url + reverse("exhibits:exhibit", args=package))
    look(page, "exhibits-package")
    page.set_viewport_size({"width": 360, "height": 800})
    for name in ("exhibits", "exhibit", "case", "register", "labels"):
        page.goto(live_server.url + reverse(f"exhibits:{name}", args=shown[name]))
        look(page, f"exhibits-phone-{name}")


def test_a_hand_over_is_acknowledged_with_the_keyboard(page: Page, live_server: LiveServer, full: Full) -> None:
    come_in(page, live_server, full.store.malini)
    page.goto(live_server.url + reverse("exhibits:acknowledge", args=[full.offer.pk]))
    look(page, "exhibits-acknowledge")
    page.get_by_label("Intact").focus()
    page.keyboard.press("Space")
    page.get_by_label("Why no digests were computed").fill("no tool at the gate")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="In whose hands").wait_for()
    look(page, "exhibits-taken")

    assert page.locator(".hand strong").inner_text() == "Malini"
