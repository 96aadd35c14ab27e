"""The door of accounts."""

from __future__ import annotations

from casework.accounts.demo import DemoPeople, make_demo
from casework.accounts.factors import code_at, present_step
from casework.accounts.membership import (
    assign,
    case_ids_open_to,
    cases_closed_to,
    check_may_read,
    check_may_work,
    colleagues,
    declare_conflict,
    dismiss,
    exclusions_of,
    leads_of,
    members_of,
)
from casework.accounts.models import Account, Unit
from casework.accounts.people import (
    close_account,
    end_role,
    grant_role,
    invite,
    invite_first,
    open_account,
    open_first_account,
    reopen_account,
)
from casework.accounts.rest import router
from casework.accounts.rules import Capacity, Rank, Role, Standing
from casework.accounts.standing import actor, standing_of
from casework.accounts.tokens import Bearer, account_of, bearer_of, make_token, within_pace

__all__ = [
    "Account",
    "Bearer",
    "Capacity",
    "DemoPeople",
    "Rank",
    "Role",
    "Standing",
    "Unit",
    "account_of",
    "actor",
    "assign",
    "bearer_of",
    "case_ids_open_to",
    "cases_closed_to",
    "check_may_read",
    "check_may_work",
    "close_account",
    "code_at",
    "colleagues",
    "declare_conflict",
    "dismiss",
    "end_role",
    "exclusions_of",
    "grant_role",
    "invite",
    "invite_first",
    "leads_of",
    "make_demo",
    "make_token",
    "members_of",
    "open_account",
    "open_first_account",
    "present_step",
    "reopen_account",
    "router",
    "standing_of",
    "within_pace",
]
