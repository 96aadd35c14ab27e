"""May this happen, and when? Pure answers about jobs."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from casework.lib.errors import CaseworkError, RefusedError

LEASE = timedelta(seconds=60)
MAX_TRIES = 5
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(hours=1)
_KIND = re.compile(r"[a-z]+\.[a-z][a-z_]+\Z")


class State(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (State.WAITING, State.RUNNING)


class LostJobError(CaseworkError):
    """Another worker has the job, since this one was silent for too long, or the job was cancelled."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"{kind} is no longer this worker's.")


class StoppedError(CaseworkError):
    """The worker is asked to stop; the job goes back and is gone on with later."""

    def __init__(self) -> None:
        super().__init__("The worker stops.")


class UnknownJobError(CaseworkError):
    """No context of this version does jobs of this kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"No context does the job {kind}: is the worker of this version?")


def check_kind(kind: str) -> None:
    """Refuse the name of a job that is not ``context.what``."""
    if not _KIND.match(kind):
        raise ValueError(f"A job is named context.what, not {kind!r}.")


def check_cancel(state: State) -> None:
    """Only what is not over can be cancelled."""
    if state not in OPEN:
        raise RefusedError("over", "The job is over.")


def pause_before(tries: int) -> timedelta:
    """Return how long to wait after so many failed tries: 10 s, 20 s, 40 s ... an hour."""
    doubled: int = 2 ** max(0, min(tries, 20) - 1)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)
