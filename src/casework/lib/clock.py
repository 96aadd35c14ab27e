"""The one clock of the platform; a test stops it, nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

_stopped_at: ContextVar[datetime | None] = ContextVar("stopped_at", default=None)


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _stopped_at.get() or datetime.now(tz=UTC)


def today() -> date:
    """Return the day it is now, in the zone of the unit."""
    return now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()


@contextmanager
def stopped_at(instant: datetime) -> Iterator[None]:
    """Let `now` answer ``instant`` inside the block."""
    if instant.tzinfo is None:
        raise ValueError("The clock takes aware instants only.")
    token = _stopped_at.set(instant)
    try:
        yield
    finally:
        _stopped_at.reset(token)


@contextmanager
def moved_by(span: timedelta) -> Iterator[None]:
    """Let `now` answer an instant ``span`` from here, and stand there, inside the block."""
    with stopped_at(now() + span):
        yield
