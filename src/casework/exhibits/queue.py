"""What of a case waits at a laboratory, for the clocks board of cases, which stands below and asks through its door."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from casework.cases import api as cases
from casework.exhibits.models import ForwardingLine
from casework.law.api import INDIA


def laboratory_queue(asked: Collection[UUID]) -> Mapping[UUID, cases.Queue]:
    """Return how many exhibits of each case are at a laboratory, and since when the oldest."""
    rows = ForwardingLine.objects.filter(
        forwarding__case_id__in=list(asked), forwarding__sent_at__isnull=False, forwarding__returned_at=None
    )
    sent: dict[UUID, list[datetime]] = {}
    for case, at in rows.values_list("forwarding__case_id", "forwarding__sent_at"):
        sent.setdefault(case, []).extend([at] if at else [])
    return {
        case: cases.Queue(waiting=len(days), oldest_on=min(days).astimezone(INDIA).date())
        for case, days in sent.items()
    }
