"""The work of people that no page waits for: looking for the same person where a look is due."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from casework.jobs import api as jobs
from casework.people.matching import candidates

_AT_A_TIME = 50


@jobs.daily(candidates.JOB, _("Looking for the same person"))
def seek(task: jobs.Task) -> dict[str, int]:
    """Look wherever a look is due; a look that was done is not done again, so the job may begin anew at any time."""
    sought = 0
    while looked := candidates.seek_due(_AT_A_TIME):
        sought += looked
        with task.step({"sought": sought}):
            pass
    return {"sought": sought}
