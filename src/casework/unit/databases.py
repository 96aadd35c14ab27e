"""Copying a running database to a file and back: SQLite with VACUUM INTO, PostgreSQL with its own tools."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

from django.db import connection

from casework.lib.errors import CaseworkError

SQLITE, POSTGRESQL = "sqlite", "postgresql"


class DatabaseCopyError(CaseworkError):
    """The database could not be copied or brought back."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")


def dump(target: Path) -> str:
    """Write a consistent copy of the database to ``target`` while others work on it; return which kind it is."""
    if connection.vendor == SQLITE:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(target)])
        _check_sqlite(target)
        return SQLITE
    _run("pg_dump", connection.settings_dict, ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"])
    return POSTGRESQL


def load(kind: str, source: Path, description: dict[str, Any]) -> None:
    """Bring a copy back into an empty place.

    Raises:
        DatabaseCopyError: There is a database already, or the copy is of the other kind.
    """
    mine = SQLITE if description["ENGINE"].endswith("sqlite3") else POSTGRESQL
    if kind != mine:
        raise DatabaseCopyError("The backup", f"it holds a {kind} database, and this unit is configured for {mine}.")
    if kind == SQLITE:
        target = Path(description["NAME"])
        if target.exists():
            raise DatabaseCopyError(str(target), "there is a database already; nothing is overwritten.")
        _check_sqlite(source)
        shutil.copyfile(source, target)
        return
    # One transaction, and no clean-up of what is there: into a database in use nothing is written.
    _run("pg_restore", description, ["--single-transaction", "--exit-on-error", "--no-owner", str(source)])


def _check_sqlite(path: Path) -> None:
    opened = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        [answer] = opened.execute("PRAGMA integrity_check").fetchone()
    finally:
        opened.close()
    if answer != "ok":
        raise DatabaseCopyError(str(path), f"SQLite finds it damaged: {answer}")


def _run(tool: str, description: dict[str, Any], options: list[str]) -> None:
    found = shutil.which(tool)
    if found is None:
        raise DatabaseCopyError(tool, "it is not installed; on Debian: apt install postgresql-client.")
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    given = {name: str(description[part]) for name, part in named.items() if description.get(part)}
    if tool == "pg_restore":
        options = [f"--dbname={description['NAME']}", *options]
    environment = {**os.environ, **given}
    ended = subprocess.run([found, *options], check=False, env=environment, capture_output=True, text=True)  # noqa: S603
    if ended.returncode:
        raise DatabaseCopyError(tool, ended.stderr.strip().splitlines()[0] if ended.stderr.strip() else "it failed.")
