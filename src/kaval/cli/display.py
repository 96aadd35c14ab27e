"""How numbers, sizes and times are written for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_HOSTILE = (*range(32), *range(127, 160), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_MADE_VISIBLE = {code: f"⟨U+{code:04X}⟩" for code in _HOSTILE}


def size_text(size: int | None) -> str:
    """Return a size with a decimal unit, as on the label of a disk."""
    if size is None:
        return "-"
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{size} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{size} bytes"


def count_text(number: int) -> str:
    """Return a number with thin groups of three."""
    return f"{number:,}".replace(",", " ")


def duration_text(seconds: float) -> str:
    """Return a duration as a person says it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def moment_text(iso: str | None, zone: str = "Asia/Kolkata") -> str:
    """Return an instant in words, with its zone."""
    if iso is None:
        return "not finished"
    instant = datetime.fromisoformat(iso).astimezone(UTC).astimezone(ZoneInfo(zone))
    return f"{instant.day} {instant:%B %Y, %H:%M:%S} ({zone}, UTC{instant:%z})"


def cell_text(value: object) -> object:
    """Return a value for a table in a file; text is made harmless for whoever opens it with a spreadsheet."""
    if not isinstance(value, str):
        return value
    text = safe_text(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def safe_text(text: str) -> str:
    """Return hostile text with control and direction marks made visible, so that a terminal is not led astray."""
    return text.translate(_MADE_VISIBLE)
