"""Run in a process of its own: a pool in a process without threads; prints what it found as JSON."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile

from kaval.stages.pool import WorkerLostError, WorkerPool, is_alone
from tests.stages import calls


def main() -> None:
    """Begin copies, lose one, and look who holds a lock after that."""
    found: dict[str, object] = {"alone": is_alone()}
    with tempfile.NamedTemporaryFile() as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        with WorkerPool(2, hang_seconds=5.0) as pool:
            found["doubles"] = [pool.submit(calls.double, number).result(30) for number in range(8)]
            found["open"] = sorted({pool.submit(calls.opened, file.name).result(30) for _ in range(8)})
            found["copies"] = sorted({pool.submit(calls.command_line).result(30) for _ in range(8)})
            try:
                pool.submit(calls.die_at, 7).result(30)
            except WorkerLostError as error:
                found["lost"] = [error.item, error.hung, str(error)]
            found["after"] = pool.submit(calls.double, 21).result(30)
    found["children"] = _children()
    print(json.dumps(found))


def _children() -> int:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0
    return 1


if __name__ == "__main__":
    main()
