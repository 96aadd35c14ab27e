"""The platform's part of the demonstration: an invented unit on the embedded database, served on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from rich.console import Console

from demonstration.programs import ProgramError

_MADE_HERE = ("key", "unit.env", "kaval.sqlite3", "kaval.sqlite3-wal", "kaval.sqlite3-shm")
_PORT = 8600
_PATIENCE_SECONDS = 60
_TYPED = "from casework.unit.command import main; main()"


def serve(folder: Path, console: Console, *, stay: bool) -> None:
    """Make the unit anew, serve it, and say where it is and how to sign in; stay until Ctrl-C where asked to.

    Raises:
        ProgramError: `kaval-unit` failed, or its pages do not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _MADE_HERE:
        (folder / name).unlink(missing_ok=True)
    port = _free_port()
    address = f"http://localhost:{port}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("KAVAL_", "DJANGO_"))},
        "KAVAL_DATA_DIR": str(folder.resolve()),
        "KAVAL_HTTPS": "false",
        "KAVAL_UNIT_NAME": "Kaval DEMO",
    }
    console.rule("6  The unit's own pages")
    _say(environment, "setup", "--demo", "--address", address)
    with _running(environment, "run", "--port", str(port), "--workers", "1"), _running(environment, "worker"):
        _wait_for(f"{address}/accounts/sign-in/")
        console.print(f"The pages are at {address}; sign in as one of the above.", markup=False)
        if stay:
            _stay(console)
    console.print("The unit is stopped.")


def is_watched() -> bool:
    """Tell whether a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def _stay(console: Console) -> None:
    console.print("Codes come from an authenticator app that was given the secret. Ctrl-C ends it.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print()


def _say(environment: dict[str, str], *words: str) -> None:
    command = [sys.executable, "-c", _TYPED, *words]
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 - our own command line
        raise ProgramError(f"kaval-unit {words[0]} failed")


@contextmanager
def _running(environment: dict[str, str], *words: str) -> Iterator[None]:
    command = [sys.executable, "-c", _TYPED, *words]
    # Ctrl-C reaches every process of the terminal; these are ended by us, in order.
    process = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield
        if process.poll() is not None:
            raise ProgramError(f"kaval-unit {words[0]} ended by itself")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (URLError, OSError) as error:
            if time.monotonic() > end:
                raise ProgramError(f"the pages do not answer at {address}") from error
        time.sleep(0.3)


def _free_port() -> int:
    for port in range(_PORT, _PORT + 50):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return port
    raise ProgramError(f"no port from {_PORT} on is free")
