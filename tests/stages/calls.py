"""Calls that the pool's tests run in worker processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from kaval.core.errors import UsageError
from kaval.stages.heartbeat import beat, begin


def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def die_at(item: int) -> None:
    """Reach an item, and be killed there."""
    for number in range(item + 1):
        begin(number)
    os.kill(os.getpid(), signal.SIGKILL)


def hang_at(item: int) -> None:
    """Reach an item, and never come back."""
    begin(item)
    signal.pause()


def work_slowly(rounds: int) -> int:
    """Take longer than the limit, with signs of life."""
    for _ in range(rounds):
        begin(0)
        signal.sigtimedwait([signal.SIGUSR1], 0.1)
        beat()
    return rounds


def refuse() -> None:
    """Raise one of the engine's errors."""
    raise UsageError("as asked")


def opened(path: str) -> bool:
    """Say whether this process still holds a file open that its parent opened."""
    places = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return os.path.realpath(path) in places


def command_line() -> str:
    """Return the command this process was begun with."""
    return Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode()


def process_number() -> int:
    """Return which process this is."""
    return os.getpid()
