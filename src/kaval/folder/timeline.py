"""The timeline: every time on record, in order; what has no zone is never given one.

A time whose clock is not known stands where it would stand if that clock had shown UTC, and is marked. Bounds take such
times generously: up to 14 hours on either side, as far as clocks of the world differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_MOST_DIFFERENT = 14
_ROWS_AT_ONCE = 2048
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One time on record: ``at`` as stored, ``utc_at`` where its clock is known."""

    at: datetime
    utc_at: datetime | None
    zone: str
    kind: str
    meaning: str
    application: str
    direction: str
    who: str
    conversation: str
    subject: str
    recovered: bool
    locator: str
    place: str


_COLUMNS = (
    "recovered", "kind", "meaning", "application", "direction", "who", "conversation", "subject", "locator", "place",
)  # fmt: skip


def events(connection: Any, since: datetime | None, until: datetime | None) -> Iterator[Event]:
    """Yield the times from one instant (included) to another (not included), both UTC, in order."""
    conditions, values = [], []
    for bound, sign, slack in ((since, ">=", "+"), (until, "<", "-")):
        if bound is not None:
            local = f"CAST(happened_at AS TIMESTAMP) {slack} to_hours({_MOST_DIFFERENT})"
            conditions.append(f"coalesce(utc_at, {local}) {sign} CAST(? AS TIMESTAMP)")
            values.append(bound.replace(tzinfo=None).isoformat(sep=" "))
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    answer = connection.execute(
        f"""
        SELECT CAST(happened_at AS TIMESTAMP), utc_at, zone, {", ".join(_COLUMNS)} FROM timeline {where}
        ORDER BY coalesce(utc_at, CAST(happened_at AS TIMESTAMP)), kind, locator, place, meaning
        """,  # noqa: S608
        values,
    )
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        for at, utc_at, zone, recovered, *told in rows:
            texts = dict(zip(_COLUMNS[1:], (value or "" for value in told), strict=True))
            yield Event(at=at, utc_at=utc_at, zone=zone or "unknown", recovered=bool(recovered), **texts)


def body_lines(connection: Any) -> Iterator[str]:
    """Yield the lines of a bodyfile (The Sleuth Kit 3.x): entries with their times, artefacts with theirs as mtime.

    Times whose clock is not known are written as if it had shown UTC, as every bodyfile does; their names say so.
    """
    yield from _entry_lines(connection)
    yield from _artefact_lines(connection)


def _entry_lines(connection: Any) -> Iterator[str]:
    answer = connection.execute(
        """
        SELECT md5, path, locator, mode, owner, "group", size, epoch_ns(accessed_at), epoch_ns(modified_at),
               epoch_ns(changed_at), epoch_ns(created_at), state, times_zone
        FROM entries ORDER BY entry_id
        """
    )
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        for md5, path, locator, mode, owner, group, size, *rest in rows:
            *times, state, zone = rest
            name = path if state == "allocated" else f"{path} ({state})"
            if zone == "unknown" and any(time is not None for time in times):
                name += " (zone unknown)"
            stamps = [_seconds(time) for time in times]
            yield _line(
                md5 or "0", name, locator, f"{mode:o}" if mode is not None else "0", owner, group, size, *stamps
            )


def _artefact_lines(connection: Any) -> Iterator[str]:
    answer = connection.execute(
        """
        SELECT epoch_ns(happened_at), zone, kind, meaning, application, who, conversation, subject, recovered, locator,
               place
        FROM timeline WHERE kind NOT IN ('entry', 'picture') ORDER BY happened_at, locator, place, meaning
        """
    )
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        for at, zone, kind, meaning, application, who, conversation, subject, recovered, locator, place in rows:
            told = [f"[{application} {kind}: {meaning}]", who, conversation and f"in {conversation}", subject]
            marks = ["(recovered)" if recovered else None, "(zone unknown)" if zone not in (None, "utc") else None]
            name = " ".join(filter(None, [*told, *marks]))
            yield _line("0", name, f"{locator} {place}", "0", None, None, 0, "0", _seconds(at), "0", "0")


def _seconds(nanoseconds: int | None) -> str:
    """Return a time as a bodyfile holds it, 0 where there is none."""
    return "0" if nanoseconds is None else str(nanoseconds // _NANOSECONDS)


def _line(*fields: Any) -> str:
    """Return one line; what would end a field or the line stands as a blank."""
    told = ("0" if field is None else str(field) for field in fields)
    return "|".join(" ".join(text.replace("|", " ").split()) for text in told)
