"""The cast: Inga leads, Bashir reads, Carla is from another unit, Dora administers, Esther supervises."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from casework.accounts import api as accounts
from casework.accounts.models import RoleGrant
from casework.lib import clock

PASSWORD = "quiet lamp river nineteen"
A_MORNING = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
THE_CASE = UUID("00000000-0000-4000-8000-00000000c45e")


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who plays."""

    inga: accounts.Account
    bashir: accounts.Account
    carla: accounts.Account
    dora: accounts.Account
    esther: accounts.Account


def enlist(name: str, unit: accounts.Unit, role: accounts.Role) -> accounts.Account:
    """Put an account with one role into the tables, past the verbs."""
    account = accounts.Account(username=name.lower(), name=name, unit=unit, password_set_at=A_MORNING)
    account.set_password(PASSWORD)
    account.save()
    RoleGrant.objects.create(account=account, role=role)
    return account


@pytest.fixture
def cast(db: None) -> Cast:
    """Return the cast, in two units, without any case."""
    ours = accounts.Unit.objects.create(name="Cell of the north")
    theirs = accounts.Unit.objects.create(name="Cell of the south")
    return Cast(
        inga=enlist("Inga", ours, accounts.Role.INVESTIGATOR),
        bashir=enlist("Bashir", ours, accounts.Role.DESK_OFFICER),
        carla=enlist("Carla", theirs, accounts.Role.INVESTIGATOR),
        dora=enlist("Dora", ours, accounts.Role.ADMINISTRATOR),
        esther=enlist("Esther", ours, accounts.Role.SUPERVISOR),
    )


@pytest.fixture
def led(cast: Cast) -> Cast:
    """Return the cast, with a case that Inga leads and Bashir reads."""
    lead, reader = accounts.Capacity.LEAD, accounts.Capacity.READER
    accounts.assign(acting=cast.inga, to=cast.inga, case=THE_CASE, capacity=lead, purpose="investigation")
    accounts.assign(acting=cast.inga, to=cast.bashir, case=THE_CASE, capacity=reader, purpose="court dates")
    return cast


@pytest.fixture
def morning() -> Iterator[datetime]:
    """Stop the clock."""
    with clock.stopped_at(A_MORNING):
        yield A_MORNING


def signed_in(account: accounts.Account) -> Client:
    """Return a browser in which the account has a session, past the door."""
    client = Client()
    client.force_login(account)
    session = client.session
    session["began"] = session["seen"] = clock.now().isoformat()
    session.save()
    accounts.Account.objects.filter(pk=account.pk).update(session_key=session.session_key)
    return client


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Give a test real transactions; the triggers are lifted while the tables are emptied."""
    for triggers in all_triggers():
        triggers.install(connection)
    yield
    for triggers in all_triggers():
        triggers.remove(connection)


def all_triggers() -> list[Any]:
    """Return the triggers of every context that has some."""
    names = [f"{config.name}.triggers" for config in apps.get_app_configs() if config.name.startswith("casework.")]
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]
