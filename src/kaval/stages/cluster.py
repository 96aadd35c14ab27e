"""An executor whose workers stand on several machines: a Dask cluster, spoken to over TLS with certificates both ways.

On every machine a Dask worker takes units and gives them to a pool of its own (`kaval.stages.pool`): what hangs or
dies there costs one item, as on one machine. Dask's part is to hand units out, and to hand those of a lost machine out
again; a unit that is done twice places the same bytes. Evidence and folder stand under the same path on every machine.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kaval.core.errors import KavalError, UnavailableError, UsageError
from kaval.stages.pool import WorkerLostError, WorkerPool

PRELOADED = ("kaval.stages.units", "pyarrow.parquet")
_FILES = ("authority", "certificate", "key")
_GREETING_SECONDS = 15.0
_DESERTED_SECONDS = 120.0
_LOOK_SECONDS = 5.0


class ClusterLostError(KavalError):
    """The cluster went away; what was done is kept and can be taken up again."""


@dataclass(frozen=True, kw_only=True)
class ClusterPlace:
    """Where the cluster is and how this machine proves who it is.

    ``authority`` is the certificate of the laboratory's own authority; only who has a certificate of it may take part.
    """

    scheduler: str
    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def read(cls, path: Path) -> ClusterPlace:
        """Return what a TOML file says; paths in it count from the file's folder.

        Raises:
            UsageError: It cannot be read, lacks something, or asks for a connection without TLS.
        """
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path} cannot be read as the settings of a cluster: {error}") from error
        lacking = [name for name in ("scheduler", *_FILES) if not isinstance(told.get(name), str)]
        if lacking:
            raise UsageError(f"{path} does not say {', '.join(lacking)}")
        if not told["scheduler"].startswith("tls://"):
            raise UsageError(f"{path}: the scheduler is {told['scheduler']!r}; only tls://HOST:PORT is spoken to")
        files = {name: path.parent / told[name] for name in _FILES}
        for name, file in files.items():
            if not file.is_file():
                raise UsageError(f"{path}: there is no {name} at {file}")
        return cls(scheduler=told["scheduler"], **files)

    def options(self) -> list[str]:
        """Return the options by which Dask's own commands are told the same."""
        files = (("--tls-ca-file", self.authority), ("--tls-cert", self.certificate), ("--tls-key", self.key))
        return [word for option, file in files for word in (option, str(file))]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What one worker of the cluster says of itself and of what it sees."""

    host: str
    kaval: str
    threads: int
    sizes: tuple[int, ...]
    """Of the paths asked for: the size, -1 where there is nothing."""
    writable: bool


class ClusterExecutor(Executor):
    """Runs calls on the workers of a cluster; `size` of them at once."""

    def __init__(self, place: ClusterPlace, hang_seconds: float = 60.0) -> None:
        try:
            import distributed
        except ImportError as error:
            raise UnavailableError("a cluster", "distributed is not installed") from error
        client: Any = distributed.Client
        security_of: Any = distributed.Security
        security = security_of(
            tls_ca_file=str(place.authority),
            tls_client_cert=str(place.certificate),
            tls_client_key=str(place.key),
            require_encryption=True,
        )
        try:
            self._client = client(
                place.scheduler, security=security, timeout=_GREETING_SECONDS, set_as_default=False, name="kaval"
            )
        except OSError as error:
            message = f"no scheduler answers at {place.scheduler} with these certificates: {error}"
            raise UsageError(f"{message}; is `kaval cluster scheduler` running there?") from error
        self._hang_seconds = hang_seconds
        self._executor = self._client.get_executor(pure=False)
        self._open: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, name="kaval-cluster", daemon=True)
        self._watch.start()

    @property
    def size(self) -> int:
        """How many units are worked on at once."""
        return sum(worker["nthreads"] for worker in self._workers().values())

    def check(self, source: Path, folder: Path, *others: Path) -> tuple[Machine, ...]:
        """Return the machines; all see source, folder and whatever else is read as this one does, with the same Kaval.

        Raises:
            UsageError: There is no machine, or one of them sees something else; the message names it.
        """
        if not self._workers():
            raise UsageError("the cluster has no workers; start `kaval cluster worker` on the machines")
        folder.parent.mkdir(parents=True, exist_ok=True)
        mark = folder.parent / f".cluster-{os.getpid()}-{time.time_ns()}"
        mark.touch()
        paths = (source, *others, mark)
        try:
            ours = _look(tuple(map(str, paths)))
            seen = self._client.run(_look, tuple(map(str, paths)), on_error="return")
        finally:
            mark.unlink()
        machines = []
        for address, machine in sorted(seen.items()):
            if not isinstance(machine, Machine):
                raise UsageError(f"the worker at {address} has another Kaval, or none: {machine}")
            _compare(ours, machine, (source, *others, folder.parent))
            machines.append(machine)
        return tuple(machines)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call; the function must be importable by name on every machine."""
        if self._closing.is_set():
            raise RuntimeError("the connection to the cluster is closed")
        ours: Future[Any] = Future()
        ours.set_running_or_notify_cancel()
        with self._lock:
            self._open.add(ours)
        theirs = self._executor.submit(_work_here, self._hang_seconds, function, args, kwargs)
        theirs.add_done_callback(lambda answered: self._settle(ours, answered))
        return ours

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take leave of the cluster; its workers stay, and forget what they were asked."""
        self._closing.set()
        self._watch.join()
        self._executor.shutdown(wait=False)
        self._client.close(timeout=_GREETING_SECONDS)

    def _settle(self, ours: Future[Any], theirs: Future[Any]) -> None:
        from distributed.scheduler import KilledWorker

        answer: Any = None
        error: Exception | None = None
        try:
            answer = theirs.result()
        except CancelledError:
            error = ClusterLostError("the cluster's scheduler went away; start it, and take the examination up again")
        except KilledWorker as killed:
            error = WorkerLostError(-1, hung=False, reason=f"machines were lost at it again and again: {killed}")
        except Exception as raised:  # noqa: BLE001 - the call's error is its answer; whoever asked raises it
            error = raised
        self._answer(ours, answer, error)

    def _answer(self, ours: Future[Any], answer: Any, error: Exception | None) -> None:
        with self._lock:
            if ours not in self._open:
                return
            self._open.discard(ours)
        if error is None:
            ours.set_result(answer)
        else:
            ours.set_exception(error)

    def _workers(self) -> Mapping[str, Any]:
        workers: Mapping[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _watch_over(self) -> None:
        """Give up what waits where no worker was seen for two minutes, or the scheduler does not come back."""
        seen = time.monotonic()
        while not self._closing.wait(_LOOK_SECONDS):
            if self._client.status == "running" and self._workers():
                seen = time.monotonic()
            elif time.monotonic() - seen > _DESERTED_SECONDS:
                error = ClusterLostError(f"no machine of the cluster was seen for {_DESERTED_SECONDS:.0f} seconds")
                with self._lock:
                    waiting = list(self._open)
                for ours in waiting:
                    self._answer(ours, None, error)


def _compare(ours: Machine, theirs: Machine, paths: tuple[Path, ...]) -> None:
    if theirs.kaval != ours.kaval:
        raise UsageError(f"{theirs.host} has Kaval {theirs.kaval}, here is {ours.kaval}; install the same on all")
    for path, here, there in zip(paths, ours.sizes, theirs.sizes, strict=True):
        if here != there:
            raise UsageError(f"{theirs.host} does not see {path} as this machine does; mount it there at the same path")
    if not theirs.writable:
        raise UsageError(f"{theirs.host} may not write in {paths[-1]}, where the examination is to be")


def _look(paths: tuple[str, ...]) -> Machine:
    """Run on a worker: say what is seen there; the last path lies where the examination is to be."""
    folder = str(Path(paths[-1]).parent)
    sizes = tuple(map(_size, paths))
    writable = os.access(folder, os.W_OK)
    return Machine(
        host=socket.gethostname(), kaval=version("kaval"), threads=_threads_here(), sizes=sizes, writable=writable
    )


def _size(path: str) -> int:
    try:
        return 0 if Path(path).is_dir() else Path(path).stat().st_size
    except OSError:
        return -1


class _Here:
    """What a Dask worker keeps between two units."""

    lock = threading.Lock()
    pool: WorkerPool | None = None


def _threads_here() -> int:
    from distributed import get_worker

    try:
        threads: int = get_worker().state.nthreads
    except ValueError:
        return 1
    return threads


def _work_here(hang_seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run on a worker: let a process of this machine's own pool do it."""
    with _Here.lock:
        if _Here.pool is None:
            _Here.pool = WorkerPool(_threads_here(), hang_seconds, PRELOADED)
    return _Here.pool.submit(function, *args, **kwargs).result()
