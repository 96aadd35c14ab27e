"""One's own jobs, and how far each is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from casework.accounts import api as accounts
from casework.jobs import asking, rules
from casework.jobs.models import Job
from casework.jobs.registry import title_of
from casework.lib.paging import Pager

_PAGER = Pager("jobs", "created_at", size=25)


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """List the jobs one asked for."""
    page = _PAGER.of(request, asking.jobs_of(accounts.account_of(request)))
    return render(request, "jobs/jobs.html", {"page": page, "rows": [_told(job) for job in page.rows]})


@require_safe
def job(request: HttpRequest, job: UUID) -> HttpResponse:
    """Show one job; the part that changes asks for itself again."""
    return render(request, "jobs/job.html", _told(asking.get_job(job, account=accounts.account_of(request))))


@require_safe
def progress(request: HttpRequest, job: UUID) -> HttpResponse:
    """Return the part that changes."""
    return render(request, "jobs/progress.html", _told(asking.get_job(job, account=accounts.account_of(request))))


@require_POST
def cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    """Cancel a job."""
    asking.cancel(acting=accounts.account_of(request), job=job)
    return redirect("jobs:job", job)


def _told(job: Job) -> dict[str, Any]:
    return {"job": job, "title": title_of(job.kind), "is_open": job.state in rules.OPEN}
