"""The worker process: takes calls from its supervisor, one at a time, and dies with it."""

from __future__ import annotations

import ctypes
import importlib
import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection

from kaval.stages import heartbeat

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the supervisor closes the connection."""
    connection_descriptor, heartbeat_descriptor, parent = map(int, sys.argv[1:4])
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heartbeat.attach(heartbeat.Heartbeat(heartbeat_descriptor))
    connection = Connection(connection_descriptor)
    for module in sys.argv[4:]:
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
