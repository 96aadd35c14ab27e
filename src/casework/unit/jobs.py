"""What the machine itself does once a day: head of the ledger, its time stamp, clearing of ended sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.utils.translation import gettext_lazy as _

from casework.audit import api as audit
from casework.jobs import api as jobs
from casework.lib import clock
from casework.unit import stamping


@jobs.daily("unit.close_day", _("Head of the ledger"))
def close_day(task: jobs.Task) -> dict[str, Any]:
    """Close the day before in the ledger."""
    head = audit.close_day(clock.today() - timedelta(days=1))
    return {"day": head.day.isoformat(), "row": head.seq, "digest": head.digest}


@jobs.daily("unit.stamp_heads", _("Time stamps of the ledger"))
def stamp_heads(task: jobs.Task) -> int:
    """Have the heads of the ledger stamped, where a service is configured."""
    return stamping.stamp_heads(stamping.over_http(settings.TIMESTAMP_URL)) if settings.TIMESTAMP_URL else 0


@jobs.daily("unit.clear_sessions", _("Clearing of ended sessions"))
def clear_sessions(task: jobs.Task) -> None:
    """Remove the sessions that have ended."""
    call_command("clearsessions")
