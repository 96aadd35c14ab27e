"""A process pool in which a hung or dead worker costs one unit of work, never the run.

It is a ``concurrent.futures.Executor``; a cluster's executor can stand in its place. Workers are own processes,
spoken to over a socket pair that nobody else can reach; they die with their parent. The first ones are copies of
this process where nothing runs beside its main thread, which spares them loading everything again; else, and in place
of lost ones, they are started afresh.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from kaval.core.errors import KavalError
from kaval.stages.heartbeat import Heartbeat
from kaval.stages.worker import serve_as_copy


class WorkerLostError(KavalError):
    """A worker died or hung at one item of a unit; the rest of the unit can be done again without it."""

    def __init__(self, item: int, hung: bool, reason: str) -> None:
        self.item = item
        self.hung = hung
        self.reason = reason
        super().__init__(f"the worker was lost at item {item}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return WorkerLostError, (self.item, self.hung, self.reason)


@dataclass
class _Task:
    future: Future[Any]
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class _Copy:
    """A process that began as a copy of this one; what the pool needs of a ``Popen``."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.returncode = 0

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self.returncode


def is_alone() -> bool:
    """Whether nothing runs in this process beside the thread that asks; only then can it be copied safely."""
    return len(os.listdir("/proc/self/task")) == 1


def _started_afresh(connection: int, heartbeat: int, preload: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kaval.stages.worker", str(connection), str(heartbeat), str(os.getpid()), *preload]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, pass_fds=(connection, heartbeat), close_fds=True, env=environment
    )


def _copied(connection: int, heartbeat: int, preload: Sequence[str]) -> _Copy:
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        serve_as_copy(connection, heartbeat, parent, preload)
    return _Copy(pid)


class _Worker:
    """One worker process, its connection and what it is doing."""

    def __init__(self, preload: Sequence[str], *, as_copy: bool = False) -> None:
        ours, theirs = socket.socketpair()
        descriptor = Heartbeat.descriptor()
        self.heartbeat = Heartbeat(descriptor)
        begin = _copied if as_copy else _started_afresh
        self.process = begin(theirs.fileno(), descriptor, preload)
        theirs.close()
        os.close(descriptor)
        self.connection = Connection(ours.detach())
        self.task: _Task | None = None
        self.last_seen = (-1, -1)
        self.last_change = time.monotonic()

    def give(self, task: _Task) -> None:
        self.task = task
        self.heartbeat.write(-1, 0)
        self.last_seen = (-1, 0)
        self.last_change = time.monotonic()
        self.connection.send(task.call)

    def silent_for(self) -> float:
        seen = self.heartbeat.read()
        if seen != self.last_seen:
            self.last_seen = seen
            self.last_change = time.monotonic()
        return time.monotonic() - self.last_change

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


class WorkerPool(Executor):
    """Runs calls in ``workers`` processes; a call silent for ``hang_seconds`` is ended.

    A lost call raises WorkerLostError in its future. ``preload`` names modules a worker imports before its first call.
    """

    def __init__(self, workers: int, hang_seconds: float = 60.0, preload: Sequence[str] = ()) -> None:
        self._count = workers
        self._preload = tuple(preload)
        self._hang_seconds = hang_seconds
        self._waiting: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._wake_out, self._wake_in = socket.socketpair()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        if not is_alone():
            self.start()

    def start(self) -> None:
        """Begin the workers, unless they were begun; the first call given does so too.

        Whoever loads more into this process first, spares each worker doing so.
        """
        if self._thread is None:
            copies = [_Worker(self._preload, as_copy=True) for _ in range(self._count)] if is_alone() else []
            self._thread = threading.Thread(
                target=self._supervise, args=(copies,), name="kaval-supervisor", daemon=True
            )
            self._thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call; the function must be importable by name in another process."""
        if self._closing.is_set():
            raise RuntimeError("the pool is shut down")
        self.start()
        task = _Task(Future(), (function, args, kwargs))
        self._waiting.put(task)
        self._wake_in.send(b"x")
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers; what they had in work is lost."""
        self._closing.set()
        self._wake_in.send(b"x")
        if wait:
            if self._thread is not None:
                self._thread.join()
            self._wake_in.close()
            self._wake_out.close()

    def _supervise(self, copies: list[_Worker]) -> None:
        # A process dies with the thread that began it: so those started afresh are begun here.
        workers = copies or [_Worker(self._preload) for _ in range(self._count)]
        while not self._closing.is_set():
            for worker in workers:
                self._hand_out(worker)
            connections = [worker.connection for worker in workers if worker.task]
            ready = wait([*connections, self._wake_out], timeout=1.0)
            if self._wake_out in ready:
                self._wake_out.recv(4096)
            for index, worker in enumerate(workers):
                if worker.task and not self._look_after(worker, worker.connection in ready):
                    workers[index] = _Worker(self._preload)
        for worker in workers:
            if worker.task:
                worker.task.future.set_exception(CancelledError())
            worker.kill()
        while not self._waiting.empty():
            self._waiting.get_nowait().future.cancel()

    def _hand_out(self, worker: _Worker) -> None:
        while worker.task is None:
            try:
                task = self._waiting.get_nowait()
            except queue.Empty:
                return
            if task.future.set_running_or_notify_cancel():
                worker.give(task)

    def _look_after(self, worker: _Worker, ready: bool) -> bool:
        """Collect an answer, or end a silent worker; false means that the worker has to be replaced."""
        assert worker.task is not None
        future = worker.task.future
        if ready:
            try:
                succeeded, answer = worker.connection.recv()
            except (EOFError, OSError):
                item = worker.heartbeat.read()[0]
                worker.kill()
                future.set_exception(WorkerLostError(item, hung=False, reason=_death(worker.process.returncode)))
                return False
            worker.task = None
            if succeeded:
                future.set_result(answer)
            else:
                future.set_exception(answer)
        elif worker.silent_for() > self._hang_seconds:
            item = worker.heartbeat.read()[0]
            worker.kill()
            reason = f"it gave no sign of life for {self._hang_seconds:.0f} seconds"
            future.set_exception(WorkerLostError(item, hung=True, reason=reason))
            return False
        return True


def _death(code: int) -> str:
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with code {code}"
