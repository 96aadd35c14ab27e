"""A directory says whether a password is right, for accounts that exist here, and decides nothing else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import ldap3
import pytest
from django.contrib.auth import authenticate
from django.test import Client

from casework.accounts import directory, factors, people
from casework.accounts.models import Account, RoleGrant
from casework.lib import directory as described
from casework.lib.configuration import Configuration
from casework.lib.errors import RefusedError
from casework.lib.logs import logging_settings
from tests.casework.conftest import PASSWORD, Cast, signed_in

pytestmark = pytest.mark.django_db
THEIRS = "the word of the directory"
BASE = "ou=people,dc=example"


@pytest.fixture
def in_use(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand a directory in memory in the place of the network, with Inga, Mallory and nobody else."""

    def stand(*given: Any, **options: Any) -> ldap3.Connection:
        options["client_strategy"] = ldap3.MOCK_SYNC
        connection = ldap3.core.connection.Connection(ldap3.Server("in memory"), **options)
        for name in ("inga", "mallory"):
            entry = {"userPassword": THEIRS, "objectClass": "inetOrgPerson", "memberOf": "administrators"}
            connection.strategy.add_entry(f"uid={name},{BASE}", entry)
        return connection

    monkeypatch.setattr("ldap3.Connection", stand)
    configuration = Configuration(data_dir=Path("/nowhere"), ldap_url="ldaps://directory.example", ldap_base=BASE)
    for name, value in described.describe(configuration).items():
        setattr(settings, name, value)
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", described.BACKEND]


ask = partial(authenticate, None)


def belongs_to_the_directory(account: Account) -> None:
    account.set_unusable_password()
    account.save()


@pytest.mark.usefixtures("in_use")
def test_the_directory_tells_the_password_of_an_account_that_is_here(cast: Cast) -> None:
    belongs_to_the_directory(cast.inga)

    assert ask(username="inga", password=THEIRS) == cast.inga
    for wrong in ("another word", "", "*"):
        assert ask(username="inga", password=wrong) is None


@pytest.mark.usefixtures("in_use")
def test_who_is_in_the_directory_only_is_nobody_here_and_gets_no_role(cast: Cast) -> None:
    belongs_to_the_directory(cast.inga)
    accounts, roles = Account.objects.count(), RoleGrant.objects.count()

    assert ask(username="mallory", password=THEIRS) is None
    ask(username="inga", password=THEIRS)
    assert (Account.objects.count(), RoleGrant.objects.count()) == (accounts, roles)


@pytest.mark.usefixtures("in_use")
def test_who_has_a_password_here_is_asked_for_that_one_only(cast: Cast) -> None:
    assert ask(username="inga", password=THEIRS) is None
    assert ask(username="inga", password=PASSWORD) == cast.inga


@pytest.mark.usefixtures("in_use")
def test_a_closed_account_stays_closed(cast: Cast) -> None:
    belongs_to_the_directory(cast.inga)
    Account.objects.filter(pk=cast.inga.pk).update(is_active=False)

    assert ask(username="inga", password=THEIRS) is None


@pytest.mark.usefixtures("in_use")
def test_the_second_factor_stays_here(cast: Cast) -> None:
    belongs_to_the_directory(cast.inga)
    browser = Client()

    answer = browser.post("/accounts/sign-in/", {"username": "inga", "password": THEIRS})
    assert answer.status_code == 422
    assert "no second factor" in answer.content.decode()


@pytest.mark.usefixtures("in_use")
def test_an_invited_person_shows_the_directorys_password_and_enrols_a_factor(cast: Cast) -> None:
    browser = Client()
    link = f"/accounts/invitation/{people.invite(acting=cast.esther, to=cast.inga)}/"

    assert browser.post(link, {"old": PASSWORD}).status_code == 422
    assert browser.post(link, {"old": THEIRS})["Location"] == "/accounts/enrol/"
    totp = factors.begin_totp(cast.inga)
    browser.post("/accounts/enrol/", {"code": factors.code_at(totp.secret, factors.present_step())})
    cast.inga.refresh_from_db()
    assert not cast.inga.has_usable_password()
    assert cast.inga.password_set_at is not None
    assert browser.get("/accounts/mine/").status_code == 200


@pytest.mark.usefixtures("in_use")
def test_such_a_password_is_changed_there_and_confirmed_here(cast: Cast) -> None:
    belongs_to_the_directory(cast.inga)

    with pytest.raises(RefusedError, match="directory"):
        people.change_password(acting=cast.inga, password="seven copper kettles drift")
    assert signed_in(cast.inga).post("/accounts/mine/confirm/", {"old": THEIRS}).status_code == 302
    assert signed_in(cast.inga).post("/accounts/mine/confirm/", {"old": PASSWORD}).status_code == 422


@pytest.mark.parametrize(
    ("url", "start_tls", "warned"),
    [
        ("ldap://d.example", False, True),
        ("ldap://d.example", True, False),
        ("ldaps://d.example", False, False),
        ("LDAPS://d.example", False, False),
    ],
)
def test_a_directory_without_tls_is_warned_of(settings: Any, url: str, *, start_tls: bool, warned: bool) -> None:
    settings.AUTHENTICATION_BACKENDS = [described.BACKEND]
    settings.LDAP_AUTH_URL, settings.LDAP_AUTH_USE_TLS = url, start_tls

    assert [message.id for message in directory.check_directory(None)] == (["kaval.W001"] if warned else [])


@pytest.mark.parametrize("start_tls", [False, True])
def test_the_directorys_certificate_has_to_hold(*, start_tls: bool) -> None:
    given = Configuration(data_dir=Path("/nowhere"), ldap_url="ldaps://d.example", ldap_start_tls=start_tls)
    made = described.describe(given)

    tls = made["LDAP_AUTH_TLS_ARGS"] if start_tls else vars(made["LDAP_AUTH_CONNECT_ARGS"]["tls"])
    assert tls["validate"].name == "CERT_REQUIRED"


def test_without_an_address_there_is_no_directory() -> None:
    assert described.describe(Configuration(data_dir=Path("/nowhere"))) == {}
    assert not directory.is_used()


def test_the_library_of_the_directory_says_nothing_in_the_log() -> None:
    loggers = logging_settings()["loggers"]

    assert isinstance(loggers, dict)
    assert loggers["django_python3_ldap"]["level"] == "CRITICAL"
