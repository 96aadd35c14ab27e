"""The whole way, through the real command line: build, examine, show, report, compare."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from demonstration.build import DISK, TRUTH, build
from demonstration.comparison import Comparison, compare
from demonstration.programs import ProgramError, run_program
from demonstration.telling import tell
from demonstration.truth import Truth

EXAMINATION = "examination"
_MADE_HERE = (DISK, TRUTH, EXAMINATION, "keys", "alert-exact.md5", "alert-vics.json", "known-good.sha1")
_ACCEPTED = (0, 3)
"""``kaval examine`` ends with 3 where something could not be read; the report then lists it."""


def run(folder: Path, *, seed: int, workers: int, console: Console) -> Comparison:
    """Build evidence, have it examined and reported, and say how much came back.

    Raises:
        ProgramError: A program is missing, or ``kaval`` failed.
    """
    clear(folder)
    begun = time.monotonic()
    console.rule("1  Building the evidence")
    truth = build(folder, seed=seed, workers=workers)
    console.print(
        f"{folder / DISK}: {truth.disk_size / 1e6:.0f} MB, {len(truth.volumes)} volumes, {len(truth.files)} files; "
        f"the truth is in {folder / TRUTH} ({_since(begun)})",
        markup=False,
    )
    console.rule("2  Examining it")
    examination = folder / EXAMINATION
    kaval(folder, examine_arguments(folder, truth, workers), _ACCEPTED)
    console.rule("3  What was found")
    kaval(folder, ["show", str(examination)])
    console.rule("4  The report")
    kaval(folder, ["report", str(examination)])
    console.rule("5  Compared with the truth")
    comparison = compare(examination, truth)
    tell(console, comparison, truth)
    console.print(
        f"All of it took {_since(begun)}. Look at {examination / 'report' / 'report.pdf'} and report.html beside it; "
        f"ask with `kaval query {examination} 'FROM hits'`.",
        markup=False,
    )
    return comparison


def clear(folder: Path) -> None:
    """Remove what an earlier run made, and nothing else."""
    for name in _MADE_HERE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def examine_arguments(folder: Path, truth: Truth, workers: int) -> list[str]:
    """Return how ``kaval`` is asked to examine the evidence."""
    known = [f"{role}={folder / name}" for name, role in truth.known_sets.items()]
    return [
        "examine", str(folder / truth.disk), "--out", str(folder / EXAMINATION), "--exhibit", "DEMO-1/2026",
        "--authority", "Demonstration; generated evidence, no seizure", "--operator", "Demonstration",
        "--acquisition-hash", truth.disk_sha256, "--workers", str(workers),
        *[part for one in known for part in ("--known", one)],
    ]  # fmt: skip


def kaval(folder: Path, arguments: Sequence[str], accepted: Sequence[int] = (0,)) -> None:
    """Run the command line; its keys stay in the folder of the demonstration."""
    environment = {**os.environ, "KAVAL_KEYS": str(folder / "keys")}
    command = [sys.executable, "-m", "kaval.cli", *arguments]
    code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
    if code not in accepted:
        raise ProgramError(f"kaval {arguments[0]} ended with {code}")


def picture(report: Path, target: Path, *, page: int = 1, width: int = 900) -> None:
    """Draw one page of a report as a small PNG, for the README.

    Raises:
        ProgramError: ``pdftoppm`` is missing or failed.
    """
    from PIL import Image

    aside = target.with_suffix("")
    scale = ("-scale-to-x", width, "-scale-to-y", -1)
    run_program(
        "pdftoppm", "-png", "-singlefile", "-f", page, "-l", page, *scale, report, aside, package="poppler-utils"
    )
    with Image.open(target) as drawn:
        drawn.convert("RGB").quantize(32, dither=Image.Dither.NONE).save(target, optimize=True)


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.0f} s"
