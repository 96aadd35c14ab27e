"""`kaval-unit papers`: what a file somebody brings is worth, and whether all papers are as they were issued."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_SAYS = {
    "genuine": "genuine, and in force",
    "superseded": "genuine, but superseded",
    "withdrawn": "genuine, but withdrawn",
    "unknown": "no paper of this unit, byte for byte; a scan or a file that was saved again never is",
}


@click.group()
def papers() -> None:
    """The papers that were issued."""


@papers.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Say whether FILE is a paper of this unit, and what its electronic signature is worth; ends with 1 where not."""
    from casework.unit.command import begin, told

    with told():
        begin()
        from casework.papers import api

        found = api.check_on_machine(file.read_bytes())
    click.echo(f"{found.number or file.name}: {_SAYS[found.verdict]}")
    if found.signature is not None:
        signature = found.signature
        trusted = {True: "leads to a configured root", False: "leads to no configured root", None: "no root configured"}
        click.echo(
            f"signed by {signature.name}: {'intact' if signature.intact else 'CHANGED'}; {trusted[signature.trusted]}"
        )
        if signature.stamped_at is not None:
            click.echo(f"time stamp: {signature.stamped_at.isoformat()}")
    sys.exit(0 if found.verdict == "genuine" else 1)


@papers.command("audit")
def audit() -> None:
    """Read every paper again: its file and its frozen text have to have the digests that were kept."""
    from casework.unit.command import begin, told

    with told():
        begin()
        from casework.papers import api

        count, broken = api.verify_all()
    for number in broken:
        click.echo(f"{number}: is not as it was issued")
    click.echo(f"{count} papers read, {len(broken)} broken")
    sys.exit(1 if broken else 0)
