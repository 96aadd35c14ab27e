"""What the journeys share: evidence, keys kept in the test's folder, and the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.evidence import Evidence, build

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(name="evidence", scope="session")
def _evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return build(tmp_path_factory.mktemp("evidence"))


@pytest.fixture(name="kaval")
def _kaval(tmp_path: Path) -> Run:
    def run(*arguments: object, code: int | tuple[int, ...] = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "KAVAL_KEYS": str(tmp_path / "keys"), "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "kaval.cli", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
        assert done.returncode in ((code,) if isinstance(code, int) else code), done.stderr[-3000:]
        return done

    return run
