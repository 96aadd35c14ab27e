"""How far an import is, told to a person at a terminal, to a log, or to a program."""

from __future__ import annotations

import json
import sys

import click

from kaval.cli.display import count_text, duration_text, size_text
from kaval.knownsets.importing import Progress

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_SIGHTS = 0.2


class Speaker:
    """Tells progress with rate, counts and remaining time."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._terminal = not as_json and sys.stderr.isatty()
        self._last = 0.0
        self._stage = ""
        self._shown = False

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo("", err=True)

    def __call__(self, progress: Progress) -> None:
        pause = _SECONDS_BETWEEN_SIGHTS if self._terminal or self._as_json else _SECONDS_BETWEEN_LINES
        new_stage = progress.stage != self._stage and (self._terminal or self._as_json)
        if progress.seconds - self._last < pause and not new_stage:
            return
        self._stage = progress.stage
        self._last = progress.seconds
        if self._as_json:
            line = {
                "stage": progress.stage,
                "done": progress.done,
                "total": progress.total,
                "entries": progress.entries,
                "seconds": round(progress.seconds, 3),
            }
            click.echo(json.dumps(line))
        elif self._terminal:
            click.echo(f"\r\x1b[K{progress_text(progress)}", err=True, nl=False)
            self._shown = True
        else:
            click.echo(progress_text(progress), err=True)


def progress_text(progress: Progress) -> str:
    """Return stage, counts, rate and remaining time in one line."""
    spent = max(0.001, progress.seconds)
    told = f"{progress.stage}: {count_text(progress.entries)} entries"
    if progress.stage != "reading":
        return told
    told += f", {size_text(progress.done)} of {size_text(progress.total)}, {size_text(int(progress.done / spent))}/s"
    if 0 < progress.done < progress.total:
        told += f", about {duration_text((progress.total - progress.done) * spent / progress.done)} left"
    return told
