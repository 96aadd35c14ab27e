"""pdqhash, the second opinion on PDQ; it has to be compiled and is not there everywhere."""

from __future__ import annotations

from typing import Any

import pytest


def pdqhash() -> Any:
    """Return the module, or skip the test with a plain message."""
    return pytest.importorskip("pdqhash", reason="pdqhash is not built here (`make test` builds it where g++ is)")
