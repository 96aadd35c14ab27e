"""The worker process: takes calls from its supervisor, one at a time, and dies with it."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NoReturn

from kaval.stages import heartbeat

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the supervisor closes the connection."""
    connection, heartbeat_descriptor, parent = map(int, sys.argv[1:4])
    _serve(connection, heartbeat_descriptor, parent, sys.argv[4:])


def serve_as_copy(connection: int, heartbeat_descriptor: int, parent: int, preload: Sequence[str]) -> NoReturn:
    """Serve as the process that began as a copy of the supervisor's; never return to what that one was doing.

    What the supervisor had open is let go of, numbers kept: a lock it holds must not outlive it here, and an object
    that closes its number later must not close another's.
    """
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        kept = {0, 1, 2, connection, heartbeat_descriptor, nothing}
        for number in map(int, os.listdir("/proc/self/fd")):
            if number not in kept:
                with contextlib.suppress(OSError):
                    os.fstat(number)
                    os.dup2(nothing, number)
        _serve(connection, heartbeat_descriptor, parent, preload)
        code = 0
    finally:
        os._exit(code)


def _serve(connection_descriptor: int, heartbeat_descriptor: int, parent: int, preload: Sequence[str]) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heartbeat.attach(heartbeat.Heartbeat(heartbeat_descriptor))
    connection = Connection(connection_descriptor)
    for module in preload:
        importlib.import_module(module)
    while True:
        try:
            function, args, kwargs = connection.recv()
        except EOFError:
            return
        try:
            answer = (True, function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the call's error is its answer; the supervisor raises it
            answer = (False, _sendable(error))
        connection.send(answer)


def _sendable(error: Exception) -> Exception:
    """Return an error that survives the way to the other process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes, just made
    except (pickle.PicklingError, TypeError, AttributeError):
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
