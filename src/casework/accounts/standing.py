"""What an account is, read from the tables for the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import FilteredRelation, Q

from casework.accounts.models import Account
from casework.accounts.rules import Capacity, CaseStanding, Role, Standing
from casework.audit import api as audit


def standing_of(account: Account) -> Standing:
    """Return what the account is now; read from the database each time, so that an ended role ends at once."""
    return _standing(account, list(_roles_of(account).values_list("is_active", "unit_id", "running__role")))


def case_standing_of(account: Account, case: UUID) -> CaseStanding:
    """Return what the account is in a case now, by one question: every page asks it, some of them several times."""
    member = FilteredRelation(
        "memberships", condition=Q(memberships__case=case) & Q(memberships__ended_at__isnull=True)
    )
    excluded = FilteredRelation("conflicts", condition=Q(conflicts__case=case))
    rows = _roles_of(account).annotate(member=member, excluded=excluded)
    read = rows.values_list("is_active", "unit_id", "running__role", "member__capacity", "excluded__id")
    found = list(read)
    standing = _standing(account, [row[:3] for row in found])
    capacity, conflict = found[0][3:]
    return CaseStanding(
        account=standing, capacity=Capacity(capacity) if capacity else None, conflicted=conflict is not None
    )


def _roles_of(account: Account) -> Any:
    running = FilteredRelation("role_grants", condition=Q(role_grants__ended_at__isnull=True))
    return Account.objects.filter(pk=account.pk).annotate(running=running)


def _standing(account: Account, rows: Sequence[Any]) -> Standing:
    if not rows:
        raise Account.DoesNotExist
    active, unit, _role = rows[0]
    roles = frozenset(Role(role) for _active, _unit, role in rows if role)
    return Standing(id=str(account.pk), active=active, roles=roles, unit=str(unit))


def actor(account: Account) -> audit.Actor:
    """Return the account as the ledger names it."""
    return audit.Actor(id=str(account.pk), name=f"{account.name} ({account.rank})")


def subject(account: Account) -> audit.Subject:
    """Return the account as what is acted upon."""
    return audit.Subject(kind="account", id=str(account.pk))
