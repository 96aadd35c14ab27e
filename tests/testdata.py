"""Where tests find the data that others made; it lies beside the checkout and is not part of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "testdata"


def shared(relative: str) -> Path:
    """Return the path of a shared test file, or skip the test with a plain message."""
    root = Path(os.environ.get("KAVAL_TESTDATA", _BESIDE))
    path = root / relative
    if not path.exists():
        pytest.skip(f"test data of others is absent: {relative} (set KAVAL_TESTDATA to the folder that holds it)")
    return path
