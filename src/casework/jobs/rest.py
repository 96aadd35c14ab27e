"""One's jobs for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from casework.accounts import api as accounts
from casework.jobs import asking

router = Router(tags=["jobs"])


class JobOut(Schema):
    """A job, and how far it is."""

    id: UUID
    kind: str
    state: str
    done: int
    total: int
    note: str
    created_at: datetime
    ended_at: datetime | None


@router.get("/{uuid:job}", response=JobOut)
def job(request: HttpRequest, job: UUID) -> Any:
    """Return one job."""
    return asking.get_job(job, account=accounts.account_of(request))


@router.post("/{uuid:job}/cancel", response=JobOut)
def cancel(request: HttpRequest, job: UUID) -> Any:
    """Cancel one's own job."""
    acting = accounts.account_of(request)
    asking.cancel(acting=acting, job=job)
    return asking.get_job(job, account=acting)
