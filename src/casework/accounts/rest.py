"""Accounts for programs: who one is here, and the desk's verbs.

Invitations stay with the pages: a link gives an account away.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema

from casework.accounts import people
from casework.accounts.models import Account, Unit
from casework.accounts.rules import Rank, Role
from casework.accounts.standing import standing_of
from casework.accounts.tokens import account_of
from casework.lib.errors import AbsentError

router = Router(tags=["accounts"])


class AccountOut(Schema):
    """One account."""

    id: UUID
    username: str
    name: str
    rank: str
    unit: str
    roles: list[str]
    is_open: bool


class OpenIn(Schema):
    """A new account."""

    username: str = Field(pattern=r"^[-a-zA-Z0-9_]+$", min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=200)
    unit: UUID
    rank: Rank = Rank.NONE


class RoleIn(Schema):
    """A role to grant or to end."""

    role: Role


class ReasonIn(Schema):
    """Why."""

    reason: str = Field(min_length=1, max_length=500)


@router.get("/me", response=AccountOut)
def me(request: HttpRequest) -> Any:
    """Who the token or the session is of."""
    return _told(account_of(request))


@router.get("/", response=list[AccountOut])
def accounts(request: HttpRequest) -> Any:
    """List the accounts, for administrators and supervisors."""
    _desk(request)
    rows = Account.objects.select_related("unit").prefetch_related("role_grants").order_by("unit__name", "name")
    return [_told(row) for row in rows]


@router.post("/", response={201: AccountOut})
def open_account(request: HttpRequest, given: OpenIn) -> Any:
    """Open an account."""
    acting, unit = _desk(request), get_object_or_404(Unit, pk=given.unit)
    account = people.open_account(acting=acting, username=given.username, name=given.name, unit=unit, rank=given.rank)
    return _told(account)


@router.get("/{uuid:account}", response=AccountOut)
def account(request: HttpRequest, account: UUID) -> Any:
    """Return one account."""
    _desk(request)
    return _told(_account(account))


@router.post("/{uuid:account}/grant", response=AccountOut)
def grant(request: HttpRequest, account: UUID, given: RoleIn) -> Any:
    """Grant a role."""
    acting, to = _desk(request), _account(account)
    people.grant_role(acting=acting, to=to, role=given.role)
    return _told(to)


@router.post("/{uuid:account}/end-role", response=AccountOut)
def end_role(request: HttpRequest, account: UUID, given: RoleIn) -> Any:
    """End a role."""
    acting, of = _desk(request), _account(account)
    people.end_role(acting=acting, of=of, role=given.role)
    return _told(of)


@router.post("/{uuid:account}/close", response=AccountOut)
def close(request: HttpRequest, account: UUID, given: ReasonIn) -> Any:
    """Close an account."""
    acting, of = _desk(request), _account(account)
    people.close_account(acting=acting, account=of, reason=given.reason)
    return _told(of)


@router.post("/{uuid:account}/reopen", response=AccountOut)
def reopen(request: HttpRequest, account: UUID, given: ReasonIn) -> Any:
    """Open a closed account again."""
    acting, of = _desk(request), _account(account)
    people.reopen_account(acting=acting, account=of, reason=given.reason)
    return _told(of)


def _desk(request: HttpRequest) -> Account:
    account = account_of(request)
    if not standing_of(account).roles & {Role.ADMINISTRATOR, Role.SUPERVISOR}:
        raise AbsentError("page")
    return account


def _account(account: UUID) -> Account:
    return get_object_or_404(Account.objects.select_related("unit"), pk=account)


def _told(account: Account) -> dict[str, Any]:
    fresh = Account.objects.only("is_active").get(pk=account.pk)
    roles = sorted(grant.role for grant in account.role_grants.all() if grant.ended_at is None)
    names = ("id", "username", "name", "rank")
    told = {name: getattr(account, name) for name in names}
    return {**told, "unit": str(account.unit), "roles": roles, "is_open": fresh.is_active}
