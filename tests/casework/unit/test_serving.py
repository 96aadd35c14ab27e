"""The demonstration's pages, served as `make demo` serves them where nobody sits at the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


def test_the_demonstration_serves_its_pages_and_ends(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "demonstration", "unit", "--out", str(tmp_path / "unit"), "--end"]
    ended = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    for said in ("http://localhost:", "demo-lead", "Authenticator secret", "The unit is stopped."):
        assert said in ended.stdout
