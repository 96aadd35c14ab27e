"""Who may see and change a case, and how the ledger is told."""

from __future__ import annotations

from uuid import UUID

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases.models import Case
from casework.lib.errors import AbsentError, RefusedError


def told(acting: accounts.Account, act: str, case: Case, fields: audit.Fields, *, purpose: str = "") -> None:
    """Append what was done in a case; ids and words of the vocabulary, never names or free text."""
    subject = audit.Subject(kind="case", id=str(case.pk), case=str(case.pk))
    audit.append(actor=accounts.actor(acting), act=f"cases.{act}", subject=subject, purpose=purpose, fields=fields)


def get_case(case: UUID, *, person: accounts.Account) -> Case:
    """Return the case, if ``person`` may read it.

    Raises:
        AbsentError: There is none, or none for this person.
    """
    accounts.check_may_read(person, case)
    found = Case.objects.select_related("unit").filter(pk=case).first()
    if found is None:
        raise AbsentError("case")
    return found


def lock_case(case: UUID, *, acting: accounts.Account) -> Case:
    """Return the case locked for a change by one who may work on it; its rows change one after another."""
    accounts.check_may_work(acting, case)
    found = Case.objects.select_for_update().filter(pk=case).first()
    if found is None:
        raise AbsentError("case")
    return found


def check_leads(acting: accounts.Account, case: UUID) -> None:
    """Pass for who leads the case; other members are refused, for all others there is no case."""
    if accounts.check_may_read(acting, case) is not accounts.Capacity.LEAD:
        raise RefusedError("leads", "Only who leads the case does this.")
