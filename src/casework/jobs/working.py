"""The worker: claims a job, does it, and leaves a record whatever happens.

A claim is a conditional update that moves the job's number (``claims``) on; every later write of the worker names that
number. While the work runs, a thread of its own prolongs the lease; when the process is killed the lease ends, and
the next worker claims the job with the checkpoint the first one left.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connections, transaction
from django.db.models import F, Q

from casework.jobs import registry, rules
from casework.jobs.asking import ask_for
from casework.jobs.models import Job
from casework.jobs.rules import LostJobError, State, StoppedError
from casework.lib import clock

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 1.0


class Task:
    """One run of a job, as its function sees it."""

    def __init__(self, job: Job, stop: threading.Event) -> None:
        self.id = job.pk
        self.kind = job.kind
        self.account = job.account
        self.arguments: dict[str, Any] = job.arguments
        self.checkpoint: Any = job.checkpoint
        self._claim = job.claims
        self._stop = stop

    @contextmanager
    def step(
        self, checkpoint: Any, *, done: int | None = None, total: int | None = None, note: str | None = None
    ) -> Iterator[None]:
        """Do a part of the work in one transaction with the checkpoint that tells of it.

        Raises:
            LostJobError: The job is another worker's by now; what the block wrote is rolled back.
            StoppedError: The worker is asked to stop; the step before this one stands.
        """
        if self._stop.is_set():
            raise StoppedError
        told = {"done": done, "total": total, "note": note if note is None else note[:200]}
        changes = {name: value for name, value in told.items() if value is not None}
        with transaction.atomic():
            yield
            if not self._mine().update(checkpoint=checkpoint, **changes):
                raise LostJobError(self.kind)
        self.checkpoint = checkpoint

    def tell(self, *, done: int, total: int, note: str = "") -> None:
        """Show how far the work is, without a checkpoint."""
        with self.step(self.checkpoint, done=done, total=total, note=note):
            pass

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.id, claims=self._claim, state=State.RUNNING)


def claim(lease: timedelta = rules.LEASE) -> Job | None:
    """Return the job that waits longest and is now this worker's, or None.

    A job that was claimed too often, because it kills its workers, has failed.
    """
    while True:
        now = clock.now()
        ready = Q(state=State.WAITING, run_after__lte=now) | Q(state=State.RUNNING, lease_until__lte=now)
        job = Job.objects.filter(ready, state__in=rules.OPEN).order_by("run_after", "id").first()
        if job is None:
            return None
        seen = Job.objects.filter(pk=job.pk, claims=job.claims, state=job.state)
        if job.tries >= rules.MAX_TRIES:
            seen.update(state=State.FAILED, ended_at=now, lease_until=None, fault=job.fault or "its workers died")
            continue
        taken = {"state": State.RUNNING, "lease_until": now + lease, "claims": F("claims") + 1, "tries": F("tries") + 1}
        if seen.update(**taken):
            return Job.objects.select_related("account").get(pk=job.pk)


def do(job: Job, *, stop: threading.Event, lease: timedelta = rules.LEASE, strict: bool | None = None) -> None:
    """Do a claimed job and write down how it ended; with ``strict``, as in tests, a failure is raised as well."""
    task = Task(job, stop)
    mine = task._mine()
    with _heartbeat(job, lease):
        try:
            result = registry.known(job.kind).work(task)
        except StoppedError:
            mine.update(state=State.WAITING, run_after=clock.now(), lease_until=None, tries=F("tries") - 1)
        except LostJobError:
            _log.warning("A job was lost to another worker")
        except Exception as error:
            # The one place of the platform for this: a worker outlives whatever a job does, and leaves a record.
            _log.exception("A job failed")
            _write_failure(job, mine, error)
            if settings.JOBS_STRICT if strict is None else strict:
                raise
        else:
            ended = {"state": State.DONE, "result": result, "ended_at": clock.now(), "lease_until": None}
            mine.update(**ended, tries=F("tries") - 1, fault="")


def work(*, stop: threading.Event, lease: timedelta = rules.LEASE, until_idle: bool = False) -> None:
    """Do jobs until asked to stop, or until none is ready."""
    while not stop.is_set():
        try:
            if not until_idle:
                ask_for_daily()
            job = claim(lease)
        except OperationalError:
            # The database restarts or is being restored; its rows are the memory, so waiting loses nothing.
            _log.exception("The database does not answer")
            connections.close_all()
            job = None
        if job is not None:
            do(job, stop=stop, lease=lease)
        elif until_idle:
            return
        else:
            stop.wait(_PAUSE_SECONDS)


def ask_for_daily() -> None:
    """Ask for what is done once a day and was not asked for today."""
    today = clock.today().isoformat()
    keys = {f"{kind}:{today}": kind for kind in registry.daily_kinds()}
    there = set(Job.objects.filter(unique_key__in=keys).values_list("unique_key", flat=True))
    for key, kind in keys.items():
        if key not in there:
            ask_for(kind, acting=None, unique_key=key)


def _write_failure(job: Job, mine: Any, error: Exception) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    fault = f"{type(error).__qualname__} in {place.name}, line {place.lineno} of {place.filename.rpartition('/')[2]}"
    if job.tries >= rules.MAX_TRIES:
        mine.update(state=State.FAILED, fault=fault, ended_at=clock.now(), lease_until=None)
    else:
        again = clock.now() + rules.pause_before(job.tries)
        mine.update(state=State.WAITING, fault=fault, run_after=again, lease_until=None)


@contextmanager
def _heartbeat(job: Job, lease: timedelta) -> Iterator[None]:
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(lease.total_seconds() / 4):
            try:
                mine = Job.objects.filter(pk=job.pk, claims=job.claims, state=State.RUNNING)
                if not mine.update(lease_until=clock.now() + lease):
                    break
            except OperationalError:
                # Busy or gone: if it stays so the lease ends, and the next step says that the job is lost.
                _log.exception("A lease could not be prolonged")
        connections.close_all()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
