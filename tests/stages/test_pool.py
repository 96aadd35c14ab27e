"""A lost worker costs one call, says at which item, and the pool goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from kaval.core.errors import UsageError
from kaval.stages.pool import WorkerLostError, WorkerPool
from tests.stages import calls


@pytest.fixture(name="pool", scope="module")
def _pool() -> Iterator[WorkerPool]:
    with WorkerPool(2, hang_seconds=2.0) as pool:
        yield pool


def test_answers_come_back_whatever_the_order(pool: WorkerPool) -> None:
    futures = [pool.submit(calls.double, number) for number in range(50)]

    assert [future.result(30) for future in futures] == [2 * number for number in range(50)]


def test_an_error_of_the_call_is_raised_as_itself(pool: WorkerPool) -> None:
    with pytest.raises(UsageError, match="as asked"):
        pool.submit(calls.refuse).result(30)


def test_a_killed_worker_names_its_item_and_the_pool_goes_on(pool: WorkerPool) -> None:
    with pytest.raises(WorkerLostError, match="SIGKILL") as lost:
        pool.submit(calls.die_at, 7).result(30)

    assert (lost.value.item, lost.value.hung) == (7, False)
    assert pool.submit(calls.double, 21).result(30) == 42


def test_a_silent_worker_is_ended_and_a_slow_one_is_not(pool: WorkerPool) -> None:
    slow = pool.submit(calls.work_slowly, 40)

    with pytest.raises(WorkerLostError, match="sign of life") as lost:
        pool.submit(calls.hang_at, 3).result(30)
    assert (lost.value.item, lost.value.hung) == (3, True)
    assert slow.result(30) == 40


def test_in_a_process_without_threads_workers_are_copies_that_hold_nothing_of_it() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.stages.copies"]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60)
    found = json.loads(ended.stdout)

    assert found["alone"] is True
    assert found["doubles"] == [2 * number for number in range(8)]
    assert all("tests.stages.copies" in line and "kaval.stages.worker" not in line for line in found["copies"])
    assert found["open"] == [False]
    assert found["lost"] == [7, False, "the worker was lost at item 7: it was ended by SIGKILL"]
    assert found["after"] == 42
    assert found["children"] == 0
    assert ended.stderr == ""


def test_workers_outlive_the_thread_that_gave_the_first_call() -> None:
    with WorkerPool(1) as pool:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(pool.submit(calls.process_number).result(30)))
        thread.start()
        thread.join()

        assert pool.submit(calls.process_number).result(30) == answers[0]
