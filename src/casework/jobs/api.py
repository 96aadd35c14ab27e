"""The door of the jobs."""

from __future__ import annotations

from casework.jobs.asking import ask_for, cancel, get_job
from casework.jobs.models import Job
from casework.jobs.registry import daily, job
from casework.jobs.rest import router
from casework.jobs.rules import LostJobError, State, StoppedError, UnknownJobError
from casework.jobs.waiting import waiting_for
from casework.jobs.working import Task, claim, do, work

__all__ = [
    "Job",
    "LostJobError",
    "State",
    "StoppedError",
    "Task",
    "UnknownJobError",
    "ask_for",
    "cancel",
    "claim",
    "daily",
    "do",
    "get_job",
    "job",
    "router",
    "waiting_for",
    "work",
]
