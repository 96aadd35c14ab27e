"""May this happen? Pure answers about accounts, roles and need-to-know; a no is a `RefusedError`."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from casework.lib.errors import AbsentError, RefusedError


class Role(StrEnum):
    """What a person does in the unit."""

    DESK_OFFICER = "desk-officer"
    INVESTIGATOR = "investigator"
    EXAMINER = "examiner"
    REVIEWER = "reviewer"
    VICTIM_SUPPORT = "victim-support"
    LEGAL = "legal"
    SUPERVISOR = "supervisor"
    LIAISON = "liaison"
    COUNSELLOR = "counsellor"
    ADMINISTRATOR = "administrator"


class Rank(StrEnum):
    """Police ranks from below to above, as the statutes compare them; civilians have none."""

    NONE = "none"
    CONSTABLE = "constable"
    HEAD_CONSTABLE = "head-constable"
    ASSISTANT_SUB_INSPECTOR = "assistant-sub-inspector"
    SUB_INSPECTOR = "sub-inspector"
    INSPECTOR = "inspector"
    DEPUTY_SUPERINTENDENT = "deputy-superintendent"
    ADDITIONAL_SUPERINTENDENT = "additional-superintendent"
    SUPERINTENDENT = "superintendent"
    DEPUTY_INSPECTOR_GENERAL = "deputy-inspector-general"
    INSPECTOR_GENERAL = "inspector-general"
    DIRECTOR_GENERAL = "director-general"

    def at_least(self, other: Rank) -> bool:
        """Tell whether this rank is ``other`` or above it."""
        order = list(Rank)
        return order.index(self) >= order.index(other)


class Capacity(StrEnum):
    """What a member may do in a case."""

    LEAD = "lead"
    WORKER = "worker"
    READER = "reader"


# The counsellor is for the colleagues and the administrator for the machine; neither is for the case.
CASE_ROLES: Set[Role] = frozenset(Role) - {Role.COUNSELLOR, Role.ADMINISTRATOR}

MAX_FAILURES = 5
MAX_FAILURES_OF_ADDRESS = 50
LOCK_SPAN = timedelta(minutes=15)
INVITATION_SPAN = timedelta(hours=72)
SIGN_IN_SPAN = timedelta(minutes=10)
PROOF_SPAN = timedelta(minutes=5)
MAX_TOKENS = 10
MAX_TOKEN_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account is at this moment."""

    id: str
    active: bool
    roles: frozenset[Role]
    unit: str


@dataclass(frozen=True, kw_only=True)
class CaseStanding:
    """What an account is in one case at this moment."""

    account: Standing
    capacity: Capacity | None
    conflicted: bool


def check_open_account(acting: Standing) -> None:
    """Administrators open accounts; an account without roles can do nothing."""
    _need(acting, Role.ADMINISTRATOR, "Only an administrator opens accounts.")


def check_grant(acting: Standing, to: Standing, role: Role) -> None:
    """Administrators appoint administrators, supervisors everyone else; nobody appoints themselves."""
    if acting.id == to.id:
        raise RefusedError("own-role", "Nobody grants a role to themselves; ask a colleague who may.")
    appointing = Role.ADMINISTRATOR if role is Role.ADMINISTRATOR else Role.SUPERVISOR
    _need(acting, appointing, f"The role is granted by a colleague with the role {appointing.value}.")
    if not to.active:
        raise RefusedError("inactive", "The account is closed.")
    if role in to.roles:
        raise RefusedError("has-role", "The account has this role already.")
    if Role.ADMINISTRATOR in to.roles | {role} and to.roles | {role} != {Role.ADMINISTRATOR}:
        raise RefusedError("administrator-alone", "Who administers the machine holds no other role, and sees no case.")
    if Role.COUNSELLOR in to.roles | {role} and to.roles | {role} != {Role.COUNSELLOR}:
        raise RefusedError("counsellor-alone", "A counsellor holds no other role.")


def check_end_role(acting: Standing, of: Standing, role: Role) -> None:
    """The same who grant a role end it; a person may lay down an own role."""
    if role not in of.roles:
        raise RefusedError("no-role", "The account does not have this role.")
    if acting.id != of.id:
        appointing = Role.ADMINISTRATOR if role is Role.ADMINISTRATOR else Role.SUPERVISOR
        _need(acting, appointing, f"The role is ended by a colleague with the role {appointing.value}.")


def check_invite(acting: Standing, to: Standing) -> None:
    """An invitation gives the account away, so who has a case role gets it from a supervisor."""
    if acting.id == to.id:
        raise RefusedError("own-invitation", "Nobody invites themselves.")
    if not to.active:
        raise RefusedError("inactive", "The account is closed.")
    if to.roles and to.roles != {Role.ADMINISTRATOR}:
        _need(acting, Role.SUPERVISOR, "The account has a role: a supervisor renews its invitation.")
    else:
        _need(acting, Role.ADMINISTRATOR, "An administrator invites.")


def check_close(acting: Standing, of: Standing) -> None:
    """Administrators and supervisors close and open accounts, never their own."""
    if acting.id == of.id:
        raise RefusedError("own-account", "Nobody closes or opens their own account.")
    if not acting.active or not acting.roles & {Role.ADMINISTRATOR, Role.SUPERVISOR}:
        raise RefusedError("role", "Only an administrator or a supervisor does this.")


def check_assign(acting: CaseStanding, to: CaseStanding, purpose: str, *, first: bool, lead_units: Set[str]) -> None:
    """May ``acting`` make ``to`` a member? Tested here, and again at every look."""
    if acting.conflicted or not can_know_cases(acting.account):
        raise AbsentError("case")
    founding = first and acting.account.id == to.account.id
    leads = acting.capacity is Capacity.LEAD
    oversees = Role.SUPERVISOR in acting.account.roles and acting.account.unit in lead_units
    if not (founding or leads or oversees):
        if acting.capacity is None:
            raise AbsentError("case")
        raise RefusedError("assigns", "Members are named by who leads the case, or by a supervisor of that unit.")
    if not purpose.strip():
        raise RefusedError("purpose", "Say what the member needs to know the case for.")
    if not can_know_cases(to.account):
        raise RefusedError("cannot-know", "The account is closed, or has no role that works on cases.")
    if to.conflicted:
        raise RefusedError("excluded", "This person cannot be a member of this case.")
    if to.capacity is not None:
        raise RefusedError("is-member", "This person is a member already.")


def check_declare_conflict(acting: CaseStanding, of: CaseStanding, reason: str, *, lead_units: Set[str]) -> None:
    """Who leads, a supervisor of that unit, or the person: each may exclude, and says why."""
    own = acting.account.id == of.account.id and acting.capacity is not None
    oversees = Role.SUPERVISOR in acting.account.roles and acting.account.unit in lead_units
    if acting.conflicted or not can_know_cases(acting.account):
        raise AbsentError("case")
    if not (own or acting.capacity is Capacity.LEAD or oversees):
        if acting.capacity is None:
            raise AbsentError("case")
        raise RefusedError("excludes", "People are excluded by who leads the case, or by a supervisor of that unit.")
    if not reason.strip():
        raise RefusedError("reason", "Say why the person is excluded; only who leads the case will read it.")
    if of.conflicted:
        raise RefusedError("excluded", "This person is excluded already.")


def can_know_cases(account: Standing) -> bool:
    """Tell whether the account may be a member of any case at all."""
    return account.active and Role.ADMINISTRATOR not in account.roles and bool(account.roles & CASE_ROLES)


def check_read(standing: CaseStanding) -> Capacity:
    """Return the capacity in which the account knows the case; to everyone else there is no such case."""
    if standing.capacity is None or standing.conflicted or not can_know_cases(standing.account):
        raise AbsentError("case")
    return standing.capacity


def check_work(standing: CaseStanding) -> None:
    """Readers read; leads and workers also write."""
    if check_read(standing) is Capacity.READER:
        raise RefusedError("reader", "You may read this case, not change it; ask who leads it.")


def check_make_token(acting: Standing, name: str, days: int, running: int) -> None:
    """A token has a name, an end within a year, and few beside it."""
    if not acting.active:
        raise RefusedError("inactive", "The account is closed.")
    if not name.strip():
        raise RefusedError("name", "Name the program that will use the token.")
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise RefusedError("days", f"A token holds from one day to {MAX_TOKEN_DAYS} days.")
    if running >= MAX_TOKENS:
        raise RefusedError("tokens", f"You have {MAX_TOKENS} tokens; end one of them first.")


def is_locked(failures: int, failures_of_address: int) -> bool:
    """Tell whether so many failures in `LOCK_SPAN` close the door."""
    return failures >= MAX_FAILURES or failures_of_address >= MAX_FAILURES_OF_ADDRESS


def session_ended(now: datetime, began: datetime, seen: datetime, idle: timedelta, longest: timedelta) -> str:
    """Return why a session is over, or nothing."""
    if now - began >= longest:
        return "too-long"
    return "idle" if now - seen >= idle else ""


def _need(acting: Standing, role: Role, reason: str) -> None:
    if not acting.active or role not in acting.roles:
        raise RefusedError("role", reason)
