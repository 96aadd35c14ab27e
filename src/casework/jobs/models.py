"""The table of jobs.

`Job` is waiting, then running until it is done or failed; it may be cancelled before that. A running one whose
``lease_until`` is past is anybody's again. ``claims`` numbers the claims and never falls; ``tries`` counts those that
did not end well.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from casework.jobs.rules import State
from casework.lib import clock
from casework.lib.records import Record


class Job(Record):
    """Work to be done.

    .. no_pii:
    """

    kind = models.CharField(max_length=80)
    arguments = models.JSONField(default=dict)
    unique_key = models.CharField(max_length=120, blank=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="jobs")
    state = models.CharField(
        max_length=12, default=State.WAITING, choices=[(state.value, state.value) for state in State]
    )
    run_after = models.DateTimeField(default=clock.now)
    lease_until = models.DateTimeField(null=True)
    claims = models.IntegerField(default=0)
    tries = models.IntegerField(default=0)
    checkpoint = models.JSONField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)
    result = models.JSONField(null=True)
    fault = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("state", "run_after", "id"), name="jobs_to_be_done"),
            models.Index(fields=("account", "created_at", "id"), name="jobs_of_account"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("unique_key",),
                condition=Q(state__in=("waiting", "running")) & ~Q(unique_key=""),
                name="one_open_job_a_key",
            ),
        )

    def __str__(self) -> str:
        return self.kind
