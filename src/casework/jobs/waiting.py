"""What waits for a person: jobs of theirs that failed in the last week."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.jobs.asking import jobs_of
from casework.jobs.registry import title_of
from casework.jobs.rules import State
from casework.lib import clock
from casework.lib.hooks import FOUND_AT_MOST, Waiting

_SPAN = timedelta(days=7)


def waiting_for(account: accounts.Account) -> list[Waiting]:
    """Return the jobs that failed and were not looked after."""
    failed = jobs_of(account).filter(state=State.FAILED, created_at__gt=clock.now() - _SPAN)
    return [
        Waiting(
            due=None,
            title=title_of(job.kind),
            hint=_("It was tried several times; ask for it again, or tell who runs the machine."),
            url=reverse("jobs:job", args=[job.pk]),
            overdue=False,
            kind=_("Work that failed"),
        )
        for job in failed.order_by("-created_at", "-id")[:FOUND_AT_MOST]
    ]
