"""The way in, in a real browser: invitation, app, recovery codes, passkey; with the keyboard, on a phone, at 200 %."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from casework.accounts import factors
from casework.accounts import people as accounts
from casework.accounts.models import Account, Passkey, Totp
from casework.accounts.rules import Role
from casework.law import api as law

CHROMIUM = shutil.which("chromium")
PASSWORD = "seven copper kettles drift"

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
        # Inside the driver's loop Django keeps another connection, which nobody else would close.
        connections.close_all()
    # An entry that is refused answers 422, which Chromium writes on its console.
    assert [fault for fault in faults if "status of 422" not in fault] == []


def look(page: Page, name: str) -> None:
    """Keep a picture where a person asked for them, and see that nothing is wider than the window."""
    folder = os.environ.get("KAVAL_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} is {overflow} pixels wider than the window"


def enter(page: Page, live_server: LiveServer, username: str, role: Role) -> Account:
    """Take the invitation, set a password, enrol the app."""
    account = accounts.open_first_account(username=username, name=username.title(), unit="Cell of the north", role=role)
    page.goto(f"{live_server.url}/accounts/invitation/{accounts.invite_first(account=account)}/")
    look(page, "invitation")
    page.get_by_label("New password").fill("short")
    page.get_by_label("The same again").fill("short")
    page.get_by_role("button", name="Go on").click()
    look(page, "invitation-refused")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your second factor").wait_for()
    look(page, "enrol")
    totp = Totp.objects.get(account=account)
    page.get_by_role("textbox", name="Code").fill(factors.code_at(totp.secret, factors.present_step()))
    page.get_by_role("button", name="Use this app").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    look(page, "recovery-codes")
    page.get_by_role("link", name="I have them").click()
    return account


def test_an_invited_person_enrols_an_app_and_a_passkey_and_comes_in_with_the_passkey(
    page: Page, live_server: LiveServer
) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "hasResidentKey": True}})
    account = enter(page, live_server, "inga", Role.SUPERVISOR)
    look(page, "home")

    page.get_by_role("navigation").get_by_role("link", name="My account").click()
    look(page, "mine")
    page.get_by_role("link", name="Change the factors").click()
    look(page, "confirm")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    look(page, "factors")
    page.get_by_label("Name of the key").fill("the grey key")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_text("the grey key").wait_for()
    look(page, "factors-with-passkey")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Log-in name").fill("inga")
    look(page, "sign-in")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    look(page, "sign-in-refused")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Use a passkey").wait_for()
    look(page, "second-factor")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Good day, Inga").wait_for()

    [key] = Passkey.objects.filter(account=account)
    assert key.last_used_at is not None


def test_the_pages_hold_on_a_phone_and_at_twice_the_size(page: Page, live_server: LiveServer) -> None:
    law.seed()
    enter(page, live_server, "dora", Role.ADMINISTRATOR)
    account = Account.objects.get(username="dora")
    # 1280 pixels at 200 % are 640 of them.
    for width, name in ((360, "phone"), (640, "double"), (1280, "wide")):
        page.set_viewport_size({"width": width, "height": 800})
        for path in (
            "/",
            "/accounts/",
            "/accounts/open/",
            f"/accounts/{account.pk}/",
            "/accounts/mine/",
            "/law/",
            "/law/clocks/",
        ):
            page.goto(live_server.url + path)
            look(page, name + path.replace("/", "-").replace(str(account.pk), "one"))


def test_the_door_is_used_with_the_keyboard_alone(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/accounts/sign-in/")
    focused = "document.activeElement.textContent.trim() || document.activeElement.name"

    assert page.evaluate(focused) == "username"
    way_back: list[str] = []
    # Back over the choice of language and the name of the house.
    while "Skip to the content" not in way_back and len(way_back) < 8:
        page.keyboard.press("Shift+Tab")
        way_back.append(page.evaluate(focused))
    assert way_back[-1] == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "username"
