"""Need-to-know: who is a member of a case, what for, and who is excluded from it.

A case is named by its id only; what a case is, a context above knows.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from casework.accounts import rules
from casework.accounts.models import Account, Conflict, Membership, RoleGrant
from casework.accounts.rules import Capacity, Role
from casework.accounts.standing import actor, case_standing_of, standing_of
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@transaction.atomic
def assign(*, acting: Account, to: Account, case: UUID, capacity: Capacity, purpose: str) -> None:
    """Make ``to`` a member of the case; the first member of a new case makes themselves its lead."""
    first = not Membership.objects.filter(case=case).exists()
    rules.check_assign(
        case_standing_of(acting, case), case_standing_of(to, case), purpose, first=first, lead_units=_lead_units(case)
    )
    if first and capacity is not Capacity.LEAD:
        raise RefusedError("lead-first", "The first member of a case leads it.")
    Membership.objects.create(case=case, account=to, capacity=capacity, purpose=purpose.strip())
    fields: audit.Fields = {"account": str(to.pk), "capacity": capacity.value}
    audit.append(
        actor=actor(acting), act="accounts.member_assigned", subject=_case(case), purpose=purpose, fields=fields
    )


@transaction.atomic
def dismiss(*, acting: Account, member: Account, case: UUID, reason: str) -> None:
    """End a membership: who leads ends any, everyone ends their own; the last lead cannot go."""
    mine = rules.check_read(case_standing_of(acting, case))
    running = Membership.objects.filter(case=case, ended_at=None)
    theirs = running.filter(account=member).first()
    if acting.pk != member.pk and mine is not Capacity.LEAD:
        raise RefusedError("dismisses", "Memberships are ended by who leads the case.")
    if theirs is None:
        raise AbsentError("member")
    if theirs.capacity == Capacity.LEAD and running.filter(capacity=Capacity.LEAD).count() == 1:
        raise RefusedError("last-lead", "Nobody else leads the case; name another lead first.")
    _end(theirs)
    fields: audit.Fields = {"account": str(member.pk)}
    audit.append(
        actor=actor(acting), act="accounts.member_dismissed", subject=_case(case), purpose=reason, fields=fields
    )


@transaction.atomic
def declare_conflict(*, acting: Account, of: Account, case: UUID, reason: str) -> None:
    """Exclude a person from a case, ending a membership at once; it cannot be lifted."""
    rules.check_declare_conflict(
        case_standing_of(acting, case), case_standing_of(of, case), reason, lead_units=_lead_units(case)
    )
    Conflict.objects.create(case=case, account=of, reason=reason.strip())
    for membership in Membership.objects.filter(case=case, account=of, ended_at=None):
        _end(membership)
    # The reason stays out of the ledger: it may name a suspect, and the ledger is kept for ever.
    fields: audit.Fields = {"account": str(of.pk)}
    audit.append(actor=actor(acting), act="accounts.conflict_declared", subject=_case(case), fields=fields)


def case_ids_open_to(account: Account) -> list[UUID]:
    """Return the cases the account may know, to be used as ``pk__in``: a sub-query here is a thousand times slower."""
    if not rules.can_know_cases(standing_of(account)):
        return []
    excluded = Conflict.objects.filter(account=account, case=OuterRef("case"))
    running = Membership.objects.filter(~Exists(excluded), account=account, ended_at=None)
    return list(running.values_list("case", flat=True))


def members_of(acting: Account, case: UUID) -> list[Membership]:
    """Return who knows the case now, and what for; every member may know that."""
    rules.check_read(case_standing_of(acting, case))
    rows = Membership.objects.select_related("account__unit").filter(case=case, ended_at=None)
    return list(rows.order_by("created_at", "id"))


def exclusions_of(acting: Account, case: UUID) -> list[Conflict]:
    """Return who is excluded from the case and why; only who leads it may know that."""
    if rules.check_read(case_standing_of(acting, case)) is not Capacity.LEAD:
        raise RefusedError("leads", "Only who leads the case sees who is excluded from it.")
    return list(Conflict.objects.select_related("account__unit").filter(case=case).order_by("created_at", "id"))


def colleagues(acting: Account) -> list[Account]:
    """Return the accounts that can be named in a case, by unit and name; for who can be a member of one."""
    if not rules.can_know_cases(standing_of(acting)):
        return []
    able = RoleGrant.objects.filter(role__in=rules.CASE_ROLES, ended_at=None).values("account")
    machine = RoleGrant.objects.filter(role=Role.ADMINISTRATOR, ended_at=None).values("account")
    rows = Account.objects.select_related("unit").filter(is_active=True, pk__in=able).exclude(pk__in=machine)
    return list(rows.order_by("unit__name", "name"))


def leads_of(cases: Collection[UUID]) -> dict[UUID, list[Account]]:
    """Return who leads each of the cases now, for an answer that names a colleague and nothing of the case."""
    rows = Membership.objects.select_related("account__unit").filter(
        case__in=cases, capacity=Capacity.LEAD, ended_at=None, account__is_active=True
    )
    leads: dict[UUID, list[Account]] = {}
    for row in rows.order_by("created_at"):
        leads.setdefault(row.case, []).append(row.account)
    return leads


def cases_closed_to(account: Account, cases: Collection[UUID]) -> set[UUID]:
    """Return those of the cases the account is excluded from; it is not told so, since it may be the suspect's."""
    return set(Conflict.objects.filter(account=account, case__in=cases).values_list("case", flat=True))


def check_may_read(account: Account, case: UUID) -> Capacity:
    """Return the capacity of the account in the case.

    Raises:
        AbsentError: The account is not a member, is excluded, or works on no cases.
    """
    return rules.check_read(case_standing_of(account, case))


def check_may_work(account: Account, case: UUID) -> None:
    """Pass, where the account may change the case; a reader is refused, for everyone else there is no case."""
    rules.check_work(case_standing_of(account, case))


def _lead_units(case: UUID) -> frozenset[str]:
    units = Membership.objects.filter(case=case, capacity=Capacity.LEAD).values_list("account__unit_id", flat=True)
    return frozenset(str(unit) for unit in units)


def _end(membership: Membership) -> None:
    Membership.objects.filter(pk=membership.pk).update(ended_at=clock.now())


def _case(case: UUID) -> audit.Subject:
    return audit.Subject(kind="case", id=str(case), case=str(case))
