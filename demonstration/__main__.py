"""``python -m demonstration``: build evidence, compare an examination of it with the truth, or do it all."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from demonstration import journey
from demonstration import unit as serving
from demonstration.build import build as build_evidence
from demonstration.comparison import compare as compare_with
from demonstration.programs import ProgramError
from demonstration.telling import tell
from demonstration.truth import Truth
from kaval.core.errors import KavalError

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.option("--out", type=_FOLDER, default=Path("demo"), show_default=True, help="Where it is written.")
_SEED = click.option("--seed", type=click.IntRange(0, 9999), default=1, show_default=True, help="Decides every byte.")
_WORKERS = click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")


@click.group()
def main() -> None:
    """Neutral evidence with a known truth."""


@main.command()
@_OUT
@_SEED
@_WORKERS
def build(out: Path, seed: int, workers: int) -> None:
    """Write a disk image, the truth beside it, and known sets."""
    truth = build_evidence(out, seed=seed, workers=workers)
    click.echo(f"{out / truth.disk}: {truth.disk_size / 1e6:.0f} MB, {len(truth.files)} files")


@main.command()
@click.option("--folder", type=_FOLDER, required=True, help="The examination folder.")
@click.option("--truth", "truth_path", type=_FILE, required=True, help="The truth.json of the evidence.")
def compare(folder: Path, truth_path: Path) -> None:
    """Say how much came back; ends with 1 where something is below its floor."""
    truth = Truth.load(truth_path)
    comparison = compare_with(folder, truth)
    tell(Console(), comparison, truth)
    sys.exit(1 if comparison.failures else 0)


@main.command()
@_OUT
@_SEED
@_WORKERS
def run(out: Path, seed: int, workers: int) -> None:
    """Build, examine, show, report, compare."""
    comparison = journey.run(out, seed=seed, workers=workers, console=Console())
    sys.exit(1 if comparison.failures else 0)


@main.command()
@click.option("--out", type=_FOLDER, default=Path("demo/unit"), show_default=True, help="The folder of the unit.")
@click.option("--stay/--end", default=None, help="Serve until Ctrl-C; by default where a person sits at the terminal.")
def unit(out: Path, stay: bool | None) -> None:
    """Make an invented unit, serve its pages here, and say how to sign in."""
    serving.serve(out, Console(), stay=serving.is_watched() if stay is None else stay)


@main.command()
@click.option("--report", type=_FILE, required=True, help="A report.pdf.")
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The PNG to write."
)
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
def picture(report: Path, target: Path, page: int) -> None:
    """Draw a page of a report for the README."""
    journey.picture(report, target, page=page)


if __name__ == "__main__":
    try:
        main()
    except (ProgramError, KavalError) as error:
        click.echo(f"demonstration: {error}", err=True)
        sys.exit(2)
