"""``kaval cluster``: the two commands that make machines a cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from kaval.core.errors import UnavailableError
from kaval.stages.cluster import ClusterPlace

_CLOSED = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
}
_SETTINGS = click.argument("settings", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def cluster() -> None:
    """Let several machines work on one examination.

    SETTINGS is a TOML file that says scheduler, authority, certificate and key; see the how-to on several machines.
    """


@cluster.command()
@_SETTINGS
def scheduler(settings: Path) -> None:
    """Hand out work to the machines, until it is stopped."""
    place = ClusterPlace.read(settings)
    address = urlsplit(place.scheduler)
    _become(
        "distributed.cli.dask_scheduler",
        ["--protocol", "tls", "--host", address.hostname or "", "--port", str(address.port or 8786), *place.options()],
    )


@cluster.command()
@_SETTINGS
@click.option(
    "--workers", type=click.IntRange(1, 256), default=os.cpu_count() or 1, show_default=True, help="Worker processes."
)
@click.option("--scratch", type=click.Path(file_okay=False, path_type=Path), help="Folder for Dask's own small files.")
def worker(settings: Path, workers: int | None, scratch: Path | None) -> None:
    """Work for the scheduler on this machine, until it is stopped."""
    place = ClusterPlace.read(settings)
    options = [
        "--no-nanny",
        "--nthreads",
        str(workers or os.cpu_count() or 1),
        "--memory-limit",
        "0",
        "--protocol",
        "tls",
        *place.options(),
    ]
    if scratch is not None:
        options += ["--local-directory", str(scratch)]
    _become("distributed.cli.dask_worker", [place.scheduler, *options])


def _become(module: str, options: list[str]) -> None:
    """Go on as Dask's own command; connections without TLS are refused, and its pages for browsers are closed."""
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UnavailableError("a cluster", "distributed is not installed") from error
    options += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    command = [sys.executable, "-m", module, *options]
    os.execve(sys.executable, command, {**os.environ, **_CLOSED})  # noqa: S606 - our own interpreter
