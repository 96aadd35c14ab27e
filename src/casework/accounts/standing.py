"""What an account is, read from the tables for the rules."""

from __future__ import annotations

from uuid import UUID

from casework.accounts.models import Account, Conflict, Membership, RoleGrant
from casework.accounts.rules import Capacity, CaseStanding, Role, Standing
from casework.audit import api as audit


def standing_of(account: Account) -> Standing:
    """Return what the account is now; read from the database each time, so that an ended role ends at once."""
    fresh = Account.objects.only("is_active", "unit_id").get(pk=account.pk)
    roles = RoleGrant.objects.filter(account=account, ended_at=None).values_list("role", flat=True)
    return Standing(
        id=str(account.pk),
        active=fresh.is_active,
        roles=frozenset(Role(role) for role in roles),
        unit=str(fresh.unit_id),
    )


def case_standing_of(account: Account, case: UUID) -> CaseStanding:
    """Return what the account is in a case now."""
    member = Membership.objects.filter(account=account, case=case, ended_at=None).first()
    return CaseStanding(
        account=standing_of(account),
        capacity=Capacity(member.capacity) if member else None,
        conflicted=Conflict.objects.filter(account=account, case=case).exists(),
    )


def actor(account: Account) -> audit.Actor:
    """Return the account as the ledger names it."""
    return audit.Actor(id=str(account.pk), name=f"{account.name} ({account.rank})")


def subject(account: Account) -> audit.Subject:
    """Return the account as what is acted upon."""
    return audit.Subject(kind="account", id=str(account.pk))
