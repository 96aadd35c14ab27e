"""Moments and sizes in words, each with the zone it is told in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kaval.core.errors import UsageError

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def zone_named(name: str) -> ZoneInfo:
    """Return the zone of a name such as ``Asia/Kolkata``.

    Raises:
        UsageError: The name is no zone this machine knows.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"the zone {name!r} is not known on this machine") from error


def offset_text(moment: datetime) -> str:
    """Return how far the zone of a moment is from UTC, as ``UTC+05:30``."""
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02d}:{rest:02d}" if minutes else "UTC"


def _in_words(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S}"


def session_moment(text: str | None, zone: ZoneInfo) -> str:
    """Return a moment of the manifest in words, in the zone of the report."""
    if not text:
        return "not recorded"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return f"{_in_words(moment)} (zone not recorded)"
    local = moment.astimezone(zone)
    return f"{_in_words(local)} ({offset_text(local)})"


def clock_of(nanoseconds: int) -> datetime:
    """Return what the clock that wrote a stored time showed; the zone attached to it means nothing."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def stored_moment(nanoseconds: int | None, stored_zone: str | None, zone: ZoneInfo) -> str:
    """Return a stored time in words; a zone is named only where one is known."""
    if nanoseconds is None:
        return ""
    moment = clock_of(nanoseconds)
    if stored_zone == "utc":
        local = moment.astimezone(zone)
        return f"{_in_words(local)} ({offset_text(local)})"
    if not stored_zone or stored_zone == "unknown":
        return f"{_in_words(moment)} (by the device's clock, zone unknown)"
    return f"{_in_words(moment)} (UTC{stored_zone}, as stored)"


def size_text(size: int | None) -> str:
    """Return a size a person can grasp, such as ``1.5 GiB``."""
    if size is None:
        return "not known"
    if abs(size) < 1024:
        return f"{size} bytes" if size != 1 else "1 byte"
    value = float(size)
    for unit in _UNITS:
        value /= 1024
        if abs(value) < 1024 or unit == _UNITS[-1]:
            break
    return f"{value:,.1f} {unit}"


def count_text(count: int) -> str:
    """Return a count with its thousands set apart."""
    return f"{count:,}"
