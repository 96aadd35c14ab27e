"""The unit of the tests: a key of its own, SQLite in memory, or the PostgreSQL that KAVAL_DATABASE_URL names."""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import sys
import tempfile
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="kaval-unit-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_key = _folder / "key"
_key.touch(mode=0o600)
_key.write_text(f"k1 {base64.b64encode(b'k' * 32).decode()}\n", encoding="ascii")
os.environ["KAVAL_DATA_DIR"] = str(_folder)
os.environ["KAVAL_HTTPS"] = "false"

from casework.web.settings import *  # noqa: E402, F403

JOBS_STRICT = True
# The real one takes a fifth of a second for each sign-in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, because threads cannot share SQLite in memory with real transactions.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}  # noqa: F405

if "pytest" not in sys.modules:
    # The type checker reads the settings, needs no files, and ends without clearing up.
    shutil.rmtree(_folder)
