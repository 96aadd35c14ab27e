"""A worker is killed in the middle of a job, and another goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.casework.jobs import worker
from tests.casework.unit.test_command import Machine, empty_database

pytestmark = pytest.mark.slow
ASK = """
from casework.unit.command import begin; begin()
from casework.jobs import api as jobs
print(jobs.ask_for("trial.count", acting=None).pk)
"""
TELL = """
from casework.unit.command import begin; begin()
from casework.jobs.models import Job
print(*Job.objects.filter(kind="trial.count").values_list("state", "done", "claims", "tries").get())
"""


class Works:
    """A unit whose workers can be started and killed."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("KAVAL_", "DJANGO_"))}
        named = {"KAVAL_DATA_DIR": str(machine.folder), "KAVAL_HTTPS": "false"}
        self.environment = {**clean, **named, "KAVAL_DATABASE_URL": machine.database_url}
        self.running: list[subprocess.Popen[bytes]] = []

    def say(self, program: str) -> str:
        run = [sys.executable, "-c", program]
        return subprocess.run(run, env=self.environment, capture_output=True, text=True, check=True).stdout.strip()

    def start(self, lease: float = 2) -> subprocess.Popen[bytes]:
        run = [sys.executable, "-m", "tests.casework.jobs.worker", str(self.folder), str(lease)]
        self.running.append(subprocess.Popen(run, env=self.environment, stderr=subprocess.DEVNULL))
        return self.running[-1]

    def numbers(self) -> list[tuple[int, int]]:
        path = self.folder / "numbers"
        lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines if line.count(" ") == 1]


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    machine = Machine(tmp_path / "unit", empty_database())
    machine.type("setup")
    made = Works(machine, tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for another process; there is nothing else to wait on."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def test_a_killed_worker_is_followed_by_another_at_its_checkpoint(works: Works) -> None:
    works.say(ASK)
    first = works.start()
    until(lambda: len(works.numbers()) >= 8)
    first.send_signal(signal.SIGKILL)
    first.wait()
    counted = works.numbers()

    second = works.start()
    until(lambda: works.numbers()[-1][1] == worker.LENGTH - 1)
    until(lambda: works.say(TELL).startswith("done"))

    numbers = [number for _process, number in works.numbers()]
    assert sorted(set(numbers)) == list(range(worker.LENGTH))
    # At most the step in whose middle it was killed is done twice.
    assert len(numbers) <= worker.LENGTH + 1
    assert {process for process, _number in works.numbers()[len(counted) :]} == {second.pid}
    assert works.say(TELL) == f"done {worker.LENGTH} 2 1"


def test_a_worker_that_is_asked_to_stop_gives_the_job_back_at_once(works: Works) -> None:
    works.say(ASK)
    first = works.start(lease=600)
    until(lambda: len(works.numbers()) >= 4)
    first.send_signal(signal.SIGTERM)

    assert first.wait(timeout=30) == 0
    assert works.say(TELL).startswith("waiting")
    assert works.say(TELL).endswith("1 0")
