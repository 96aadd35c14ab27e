"""Asking for work, and looking at what was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.jobs import rules
from casework.jobs.models import Job
from casework.jobs.rules import State
from casework.lib import clock
from casework.lib.errors import AbsentError


@transaction.atomic
def ask_for(
    kind: str,
    *,
    acting: accounts.Account | None,
    arguments: dict[str, Any] | None = None,
    unique_key: str = "",
    run_after: datetime | None = None,
) -> Job:
    """Return a job that will be done once the surrounding transaction stands.

    With a ``unique_key`` there is one open job of that key at a time: the one that is open already is returned. The
    verb that asks writes the audit entry; ``acting`` is None where the machine itself asks.
    """
    rules.check_kind(kind)
    try:
        with transaction.atomic():
            return Job.objects.create(
                kind=kind,
                account=acting,
                arguments=arguments or {},
                unique_key=unique_key,
                run_after=run_after or clock.now(),
            )
    except IntegrityError:
        open_one = Job.objects.filter(unique_key=unique_key, state__in=rules.OPEN).first()
        if open_one is None:
            raise
        return open_one


@transaction.atomic
def cancel(*, acting: accounts.Account, job: UUID) -> None:
    """Cancel one's own job; a worker that has it notices at its next step."""
    mine = get_job(job, account=acting)
    rules.check_cancel(State(mine.state))
    open_still = Job.objects.filter(pk=mine.pk, state__in=rules.OPEN)
    open_still.update(state=State.CANCELLED, ended_at=clock.now(), lease_until=None)


def get_job(job: UUID, *, account: accounts.Account) -> Job:
    """Return a job the account asked for, or one of the machine for who administers it.

    Raises:
        AbsentError: There is none, or it is somebody else's.
    """
    found = Job.objects.filter(pk=job).first()
    if found is None or not (found.account_id == account.pk or (found.account_id is None and _administers(account))):
        raise AbsentError("job")
    return found


def jobs_of(account: accounts.Account) -> Any:
    """Return what the account asked for; who administers the machine sees what the machine asked for as well."""
    mine = Job.objects.filter(account=account)
    return mine | Job.objects.filter(account=None) if _administers(account) else mine


def _administers(account: accounts.Account) -> bool:
    return accounts.Role.ADMINISTRATOR in accounts.standing_of(account).roles
