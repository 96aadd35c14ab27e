"""Programs of the system that the demonstration needs, and what to do where one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

_ALSO = "/usr/sbin:/sbin:/usr/local/sbin"


class ProgramError(Exception):
    """A program is missing or failed; the message names the Debian package or repeats what it said."""


def find_program(name: str) -> str | None:
    """Return where a program is, also where the administrator's programs lie."""
    return shutil.which(name) or shutil.which(name, path=_ALSO)


def run_program(name: str, *arguments: object, package: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it printed.

    Raises:
        ProgramError: It is missing, or it failed.
    """
    path = find_program(name)
    if path is None:
        raise ProgramError(f"{name} is missing; install the Debian package {package} (make system does)")
    done = subprocess.run(  # noqa: S603
        [path, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        raise ProgramError(f"{name} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout
