"""Every address of the house, walked as nobody, as an officer, as an administrator; and what every answer carries."""

from __future__ import annotations

import io
import logging
from uuid import UUID

import pytest
from django.test import Client
from django.urls import get_resolver, path

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.lib.errors import AbsentError, RefusedError
from casework.lib.logs import ValuelessFormatter
from casework.lib.middleware import CONTENT_POLICY
from casework.web.urls import urlpatterns as house
from tests.casework import holes
from tests.casework.conftest import Cast, signed_in

pytestmark = pytest.mark.django_db

# What stands open to someone without a session, and why it may.
OPEN = {
    "accounts/sign-in/": "the door",
    "accounts/sign-in/factor/": "its second half; without the first it leads back",
    "accounts/sign-in/passkey/": "the same; without the first it is absent",
    "accounts/invitation/<str:token>/": "for who holds a link; otherwise absent",
    "accounts/enrol/": "for who came by a link; otherwise absent",
    "accounts/enrol/passkey/": "the same",
    "accounts/language/": "who stands before the door may read it too",
}
DESK = {"accounts/", "accounts/open/"}
FILLED = {"<uuid:account>": str(UUID(int=1)), "<uuid:passkey>": str(UUID(int=1)), "<uuid:offence>": str(UUID(int=1))}


ALL = list(holes.addresses(get_resolver("casework.web.urls").url_patterns))


def filled(address: str) -> str:
    for hole, value in FILLED.items():
        address = address.replace(hole, value)
    return "/" + holes.fill(address.replace("<str:token>", "no-such-token"))


def test_there_are_addresses_to_walk() -> None:
    assert len(ALL) > 25
    assert set(ALL) >= set(OPEN) | DESK


@pytest.mark.parametrize("address", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_without_a_session_comes_past_the_door(address: str, method: str) -> None:
    answer = getattr(Client(), method)(filled(address))

    if address.startswith("api/") and address not in ("api/", "api/openapi.json"):
        assert answer.status_code in (401, 405)
    elif address in OPEN:
        assert answer.status_code in (200, 302, 404, 405, 422)
    else:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/sign-in/")
    assert Entry.objects.count() == 0


@pytest.mark.parametrize("address", ALL)
def test_a_look_changes_nothing(cast: Cast, address: str) -> None:
    for person in (cast.inga, cast.dora, cast.esther):
        before = Entry.objects.count()
        answer = signed_in(person).get(filled(address))

        allowed = (200, 302, 403, 404, 405, 422) if address.startswith("api/") else (200, 302, 403, 404, 405)
        assert answer.status_code in allowed, (address, person)
        assert Entry.objects.count() == before
        # Neither a sign-out nor anything else happened by looking.
        assert accounts.standing_of(person).active


@pytest.mark.parametrize("address", sorted(DESK))
def test_the_desk_is_absent_for_an_officer(cast: Cast, address: str) -> None:
    assert signed_in(cast.inga).get("/" + address).status_code == 404
    assert signed_in(cast.dora).get("/" + address).status_code == 200


def test_a_form_without_its_token_is_refused(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post("/accounts/sign-in/", {"username": "inga", "password": "x"})

    assert answer.status_code == 403
    assert "too old" in answer.content.decode()


@pytest.mark.parametrize("address", ["/accounts/sign-in/", "/no-such-page/"])
def test_every_answer_carries_the_strict_policy_and_is_kept_by_no_cache(address: str) -> None:
    answer = Client().get(address)

    assert answer["Content-Security-Policy"] == CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


def broken(request: object) -> None:
    raise ValueError("Nila Nilavan, 9447 000 111")


def refused(request: object) -> None:
    raise RefusedError("trial", "You may not do this on a Tuesday.")


def absent(request: object) -> None:
    raise AbsentError("case")


class Faulty:
    """Addresses that go wrong, beside those of the house."""

    urlpatterns = (
        *house,
        path("broken/Nila-Nilavan/", broken),  # type: ignore[arg-type]
        path("refused/", refused),  # type: ignore[arg-type]
        path("absent/", absent),  # type: ignore[arg-type]
    )
    handler400 = "casework.lib.pages.bad_request"
    handler403 = "casework.lib.pages.forbidden"
    handler404 = "casework.lib.pages.not_found"
    handler500 = "casework.lib.pages.server_error"


FAULTY = Faulty()


@pytest.mark.urls(FAULTY)
def test_our_own_errors_become_pages(cast: Cast) -> None:
    browser = signed_in(cast.inga)

    no, nothing = browser.get("/refused/"), browser.get("/absent/")

    assert (no.status_code, nothing.status_code) == (403, 404)
    assert "on a Tuesday" in no.content.decode()
    assert nothing.content == browser.get("/no-such-page/").content


@pytest.mark.urls(FAULTY)
def test_a_fault_shows_a_page_and_logs_no_value(cast: Cast) -> None:
    browser = signed_in(cast.inga)
    browser.raise_request_exception = False
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(ValuelessFormatter())
    logging.getLogger().addHandler(handler)
    try:
        answer = browser.get("/broken/Nila-Nilavan/")
        browser.post("/accounts/sign-in/Nila-Nilavan/", {"username": "Nila"})
    finally:
        logging.getLogger().removeHandler(handler)

    assert answer.status_code == 500
    assert "A fault of ours" in answer.content.decode()
    assert '"exception": "ValueError"' in written.getvalue()
    assert "Nila" not in written.getvalue()
    assert "9447" not in written.getvalue()
