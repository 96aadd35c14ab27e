"""A worker of its own process for the tests: its job counts to forty, slowly, and writes down every number."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from casework.unit.command import begin

LENGTH = 40


def main(folder: Path, lease: float) -> None:
    begin()
    from casework.jobs import api as jobs

    @jobs.job("trial.count")
    def count(task: jobs.Task) -> dict[str, Any]:
        for number in range(task.checkpoint or 0, LENGTH):
            with (folder / "numbers").open("a", encoding="ascii") as written:
                written.write(f"{os.getpid()} {number}\n")
            with task.step(number + 1, done=number + 1, total=LENGTH):
                pass
            time.sleep(0.05)
        return {"counted": LENGTH}

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_given: stop.set())
    jobs.work(stop=stop, lease=timedelta(seconds=lease))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
