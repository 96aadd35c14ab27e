"""Jobs: claimed once, gone on with, tried again, and told to who asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction

from casework.accounts import api as accounts
from casework.jobs import api as jobs
from casework.jobs import registry, rules, working
from casework.jobs.models import Job
from casework.jobs.rules import State
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.conftest import Cast, signed_in

pytestmark = pytest.mark.usefixtures("committed")
LET_GO = threading.Event()


@pytest.fixture(autouse=True)
def trial() -> Iterator[list[Any]]:
    """Register a job that tells its checkpoints, and breaks where its arguments say."""
    seen: list[Any] = []

    @jobs.job("trial.steps", "A trial")
    def steps(task: jobs.Task) -> dict[str, int]:
        for number in range(task.checkpoint or 0, 4):
            if task.arguments.get("break_at") == number:
                raise ZeroDivisionError("Nila Nilavan")
            with task.step(number + 1, done=number + 1, total=4, note="at it"):
                seen.append(number)
        return {"steps": len(seen)}

    yield seen
    registry._KNOWN.pop("trial.steps")


def work(stop: threading.Event | None = None) -> None:
    working.work(stop=stop or threading.Event(), until_idle=True)


def ask(account: accounts.Account | None = None, **arguments: Any) -> Job:
    return jobs.ask_for("trial.steps", acting=account, arguments=arguments)


def test_a_job_is_done_and_says_so(trial: list[Any]) -> None:
    job = ask()
    work()

    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.result) == (State.DONE, 4, 4, {"steps": 4})
    assert job.ended_at is not None
    assert trial == [0, 1, 2, 3]


def test_a_job_asked_for_in_an_act_that_fails_is_not_there() -> None:
    @transaction.atomic
    def act() -> None:
        ask()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert Job.objects.count() == 0


def test_a_job_that_breaks_leaves_its_type_and_place_and_is_tried_again_with_growing_pauses(
    trial: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    job = ask(break_at=2)
    tried = []
    moment = clock.now()
    for _ in range(rules.MAX_TRIES):
        with clock.stopped_at(moment):
            taken = jobs.claim()
            assert taken is not None
            jobs.do(taken, stop=threading.Event(), strict=False)
            assert jobs.claim() is None
        job.refresh_from_db()
        tried.append((job.run_after - moment).total_seconds() if job.state == State.WAITING else None)
        moment = max(job.run_after, moment)

    assert tried == [10, 20, 40, 80, None]
    assert job.state == State.FAILED
    assert "ZeroDivisionError in steps" in job.fault
    assert "Nila" not in job.fault
    # The steps that stood were not done again.
    assert trial == [0, 1]


def test_a_test_is_strict(trial: list[Any]) -> None:
    ask(break_at=0)

    with pytest.raises(ZeroDivisionError):
        work()


def test_a_silent_worker_loses_its_job_and_what_it_writes_then_is_rolled_back(cast: Cast) -> None:
    job = ask()
    first = jobs.claim()
    assert first is not None
    assert jobs.claim() is None
    with clock.moved_by(timedelta(minutes=2)):
        second = jobs.claim()
    assert second is not None
    assert second.pk == job.pk

    late = jobs.Task(first, threading.Event())
    with pytest.raises(jobs.LostJobError), late.step(1):
        accounts.Account.objects.filter(pk=cast.inga.pk).update(name="changed by the late one")
    cast.inga.refresh_from_db()
    assert cast.inga.name == "Inga"


def test_a_job_that_kills_its_workers_has_failed() -> None:
    job = ask()
    for claimed in range(rules.MAX_TRIES + 1):
        with clock.moved_by(timedelta(minutes=5 * claimed)):
            taken = jobs.claim()
    job.refresh_from_db()

    assert taken is None
    assert job.state == State.FAILED
    assert job.fault == "its workers died"


def test_a_worker_that_is_asked_to_stop_gives_the_job_back(trial: list[Any]) -> None:
    job, stop = ask(), threading.Event()
    taken = jobs.claim()
    assert taken is not None
    stop.set()
    jobs.do(taken, stop=stop)
    job.refresh_from_db()

    assert (job.state, job.tries) == (State.WAITING, 0)
    work()
    assert trial == [0, 1, 2, 3]


def test_a_kind_nobody_knows_is_tried_again_by_a_newer_worker() -> None:
    job = jobs.ask_for("other.version", acting=None)
    taken = jobs.claim()
    assert taken is not None
    jobs.do(taken, stop=threading.Event(), strict=False)

    job.refresh_from_db()
    assert job.state == State.WAITING
    assert "UnknownJobError" in job.fault


def test_one_open_job_a_key() -> None:
    one = jobs.ask_for("trial.steps", acting=None, unique_key="k")
    same = jobs.ask_for("trial.steps", acting=None, unique_key="k")
    work()
    later = jobs.ask_for("trial.steps", acting=None, unique_key="k")

    assert one.pk == same.pk
    assert later.pk != one.pk


def test_of_many_workers_one_gets_a_job(trial: list[Any]) -> None:
    for _ in range(12):
        ask()
    claims: list[UUID] = []

    def take() -> None:
        while (taken := jobs.claim()) is not None:
            claims.append(taken.pk)
        connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claims) == len(set(claims)) == 12


def test_a_lease_is_prolonged_while_the_work_runs() -> None:
    job = ask()
    taken = jobs.claim(timedelta(seconds=2))
    assert taken is not None
    began = taken.lease_until
    assert began is not None
    prolonged = threading.Event()

    @jobs.job("trial.steps")
    def slow(task: jobs.Task) -> None:
        for _ in range(200):
            job.refresh_from_db()
            if job.lease_until and job.lease_until > began:
                prolonged.set()
                return
            LET_GO.wait(0.05)

    jobs.do(taken, stop=threading.Event(), lease=timedelta(seconds=2))
    assert prolonged.is_set()


def test_the_machine_asks_once_a_day() -> None:
    working.ask_for_daily()
    working.ask_for_daily()
    today = sorted(Job.objects.values_list("kind", flat=True))
    with clock.moved_by(timedelta(days=1)):
        working.ask_for_daily()
        work()

    assert {"unit.clear_sessions", "unit.close_day"} <= set(today)
    assert len(today) == len(set(today))
    assert Job.objects.count() == 2 * len(today)
    assert set(Job.objects.values_list("state", flat=True)) == {State.DONE}


def test_a_job_is_seen_by_who_asked_and_a_job_of_the_machine_by_who_administers(cast: Cast) -> None:
    mine, machines = ask(cast.inga), ask()

    assert signed_in(cast.inga).get(f"/jobs/{mine.pk}/").status_code == 200
    assert signed_in(cast.dora).get(f"/jobs/{machines.pk}/").status_code == 200
    for other, job in ((cast.carla, mine), (cast.dora, mine), (cast.inga, machines)):
        browser = signed_in(other)
        for path in (f"/jobs/{job.pk}/", f"/jobs/{job.pk}/progress/", f"/api/jobs/{job.pk}"):
            assert browser.get(path).status_code == 404
        assert browser.post(f"/jobs/{job.pk}/cancel/").status_code == 404
        with pytest.raises(AbsentError):
            jobs.cancel(acting=other, job=job.pk)
    assert str(machines.pk) not in signed_in(cast.inga).get("/jobs/").content.decode()


def test_a_page_asks_again_until_the_job_is_over(cast: Cast) -> None:
    job, browser = ask(cast.inga), signed_in(cast.inga)

    assert "every 2s" in browser.get(f"/jobs/{job.pk}/progress/").content.decode()
    work()
    assert "every 2s" not in browser.get(f"/jobs/{job.pk}/progress/").content.decode()
    with pytest.raises(RefusedError):
        jobs.cancel(acting=cast.inga, job=job.pk)


def test_a_cancelled_job_ends_at_its_next_step(cast: Cast, trial: list[Any]) -> None:
    job = ask(cast.inga)
    taken = jobs.claim()
    assert taken is not None
    jobs.cancel(acting=cast.inga, job=job.pk)
    jobs.do(taken, stop=threading.Event())

    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert job.done == 0


def test_who_asked_is_told_of_a_failure(cast: Cast) -> None:
    job = ask(cast.inga, break_at=0)
    Job.objects.update(state=State.FAILED)

    [told] = jobs.waiting_for(cast.inga)
    assert told.title == "A trial"
    assert str(job.pk) in told.url
    assert jobs.waiting_for(cast.bashir) == []
    assert "A trial" in signed_in(cast.inga).get("/").content.decode()
