"""Times as exporters of sets write them: with a zone, without one, or as .NET does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_DOT_NET = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/\Z")
_CAPTURE = re.compile(r"(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2} [AP]M)(?:\(UTC([+-]\d{1,2})(?::?(\d{2}))?\))?\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A time: ``seconds`` since 1970-01-01 UTC, or of an unknown clock where ``zone`` is ``unknown``.

    ``zone`` is ``utc``, an offset like ``+05:30``, or ``unknown``: no zone is ever attached to a time that has none.
    """

    seconds: float
    zone: str


def moment_of(text: str | None) -> Moment | None:
    """Return the time a text stands for; ``None`` where it cannot be read as one."""
    if not text:
        return None
    found = _DOT_NET.match(text.strip())
    if found:
        return Moment(seconds=int(found[1]) / 1000, zone="utc")
    try:
        return _from_capture(text.strip()) or _from_iso(text.strip())
    except ValueError:
        return None


def _from_iso(text: str) -> Moment:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return Moment(seconds=moment.replace(tzinfo=UTC).timestamp(), zone="unknown")
    zone = "utc" if text.endswith(("Z", "z")) else f"{moment:%z}"
    if zone != "utc":
        zone = f"{zone[:3]}:{zone[3:5]}"
    return Moment(seconds=moment.timestamp(), zone=zone)


def _from_capture(text: str) -> Moment | None:
    """Return a capture time as one examination tool writes it: ``3/9/2024 9:07:05 PM(UTC-5)``, month first."""
    found = _CAPTURE.match(text)
    if found is None:
        return None
    naive = datetime.strptime(found[1], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    if found[2] is None:
        return Moment(seconds=naive.timestamp(), zone="unknown")
    hours, minutes = int(found[2]), int(found[3] or 0)
    sign = -1 if found[2].startswith("-") else 1
    offset = 3600 * hours + 60 * sign * minutes
    return Moment(seconds=naive.timestamp() - offset, zone=f"{'-' if sign < 0 else '+'}{abs(hours):02}:{minutes:02}")
