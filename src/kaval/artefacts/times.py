"""Times as applications store them, turned into nanoseconds since 1970-01-01 without changing their clock.

Every function takes what a database or property list holds and returns ``None`` where that is no time: nothing, zero,
text, or a number outside what 64 bits of nanoseconds reach (years 1678 to 2261).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

NANOSECONDS = 1_000_000_000
COCOA_EPOCH = 978_307_200
"""Seconds from 1970-01-01 to 2001-01-01, where Apple's reference date lies."""

WINDOWS_EPOCH = 11_644_473_600
"""Seconds from 1601-01-01, where FILETIME and Chromium count from, to 1970-01-01."""

_LIMIT = 2**63 - 1


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value == 0:
        return None
    return value if math.isfinite(value) else None


def _scaled(value: Any, step_ns: int, epoch_s: int = 0) -> int | None:
    """Return a count of steps since an epoch as nanoseconds since 1970, whole numbers without rounding."""
    number = _number(value)
    if number is None:
        return None
    if isinstance(number, float):
        if abs(number) * step_ns > 2 * _LIMIT:
            return None
        whole = math.floor(number)
        nanoseconds = whole * step_ns + round((number - whole) * step_ns)
    else:
        nanoseconds = number * step_ns
    nanoseconds += epoch_s * NANOSECONDS
    return nanoseconds if -_LIMIT <= nanoseconds <= _LIMIT else None


def unix_seconds(value: Any) -> int | None:
    """Seconds since 1970."""
    return _scaled(value, NANOSECONDS)


def unix_minutes(value: Any) -> int | None:
    """Minutes since 1970: Skype's registration time."""
    return _scaled(value, 60 * NANOSECONDS)


def unix_milliseconds(value: Any) -> int | None:
    """Milliseconds since 1970: Java and Android."""
    return _scaled(value, 1_000_000)


def unix_microseconds(value: Any) -> int | None:
    """Microseconds since 1970: Mozilla's PRTime."""
    return _scaled(value, 1_000)


def cocoa_seconds(value: Any) -> int | None:
    """Seconds since 2001, whole or not: Core Data and CFAbsoluteTime."""
    return _scaled(value, NANOSECONDS, COCOA_EPOCH)


def cocoa_mixed(value: Any) -> int | None:
    """Seconds since 2001 or, from iOS 11 on, nanoseconds since 2001: told apart by their size."""
    number = _number(value)
    if number is not None and abs(number) >= 10**13:
        return _scaled(value, 1, COCOA_EPOCH)
    return _scaled(value, NANOSECONDS, COCOA_EPOCH)


def webkit_microseconds(value: Any) -> int | None:
    """Microseconds since 1601: Chromium."""
    return _scaled(value, 1_000, -WINDOWS_EPOCH)


def filetime(value: Any) -> int | None:
    """Steps of 100 ns since 1601: Windows FILETIME, [MS-DTYP] 2.3.3."""
    return _scaled(value, 100, -WINDOWS_EPOCH)


def of_datetime(value: Any) -> int | None:
    """A date of a property list or XML file; one without zone is UTC by the format's rule."""
    if not isinstance(value, datetime):
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    elapsed = aware - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = elapsed.days * 86_400 + elapsed.seconds
    return _scaled(seconds * 1_000_000 + elapsed.microseconds, 1_000)
