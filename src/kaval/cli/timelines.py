"""``kaval timeline``: every time on record in order, for a person, for a table, for other tools."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from kaval.cli.display import cell_text, safe_text
from kaval.cli.exits import Exit
from kaval.core.errors import UsageError
from kaval.folder.timeline import Event, body_lines, events
from kaval.folder.views import open_folder

_COLUMNS = (
    "at", "stored_at", "zone", "kind", "meaning", "application", "direction", "who", "conversation", "subject",
    "recovered", "locator", "place",
)  # fmt: skip


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of a name.

    Raises:
        UsageError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"--zone {name!r} is no zone; write one like Asia/Kolkata or UTC") from error


def _instant(text: str | None, option: str, zone: ZoneInfo) -> datetime | None:
    """Return what a person means by a date or moment: in the zone, unless it names an offset itself."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r}: write 2026-01-31, 2026-01-31T18:30 or with an offset, +05:30") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@click.command("timeline")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["table", "csv", "bodyfile"]), default="table", show_default=True)
@click.option("--since", metavar="MOMENT", help="From this moment on, in --zone unless it names an offset.")
@click.option("--until", metavar="MOMENT", help="Up to this moment, itself left out.")
@click.option("--zone", default="Asia/Kolkata", show_default=True, help="Zone in which moments are shown and given.")
def timeline(folder: Path, form: str, since: str | None, until: str | None, zone: str) -> int:
    """Print every time on record in FOLDER, in order: of files, messages, calls, visits, pictures.

    A time whose clock is not known is marked and never converted. A bodyfile holds all times, for mactime.

    \b
    kaval timeline mo-7 --since 2026-01-31 --until 2026-02-02
    kaval timeline mo-7 --format csv > mo-7.csv
    """
    shown_in = zone_of(zone)
    first, last = _instant(since, "--since", shown_in), _instant(until, "--until", shown_in)
    _, connection = open_folder(folder)
    if form == "bodyfile":
        if first or last:
            raise UsageError("a bodyfile holds all times; mactime takes a period")
        for line in body_lines(connection):
            click.echo(safe_text(line))
    elif form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        for event in events(connection, first, last):
            writer.writerow([cell_text(value) for value in _cells(event, shown_in)])
    else:
        for event in events(connection, first, last):
            click.echo(safe_text(_line(event, shown_in)))
    return Exit.DONE


def _cells(event: Event, zone: ZoneInfo) -> tuple[object, ...]:
    known = event.utc_at is not None
    return (
        shown(event.utc_at, zone) if event.utc_at is not None else event.at.isoformat(),
        event.at.isoformat(),
        event.zone if known else "unknown",
        event.kind,
        event.meaning,
        event.application,
        event.direction,
        event.who,
        event.conversation,
        event.subject,
        event.recovered,
        event.locator,
        event.place,
    )


def shown(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant, UTC and naive as the tables hold it, in a zone."""
    return instant.replace(tzinfo=UTC).astimezone(zone).isoformat(timespec="seconds")


def _line(event: Event, zone: ZoneInfo) -> str:
    at = f"{event.at.isoformat(timespec='seconds')} ?zone" if event.utc_at is None else shown(event.utc_at, zone)
    what = " ".join(filter(None, (event.application, event.kind, event.meaning)))
    who = {"incoming": f"from {event.who}", "outgoing": "sent"}.get(event.direction, event.who)
    mark = "recovered" if event.recovered else ""
    subject = " ".join(event.subject.split())[:160]
    told = " | ".join(filter(None, (what, who, event.conversation and f"in {event.conversation}", subject, mark)))
    return f"{at:<25}  {told}  {event.locator}"
