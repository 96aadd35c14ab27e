"""Places as exporters of sets write them: decimal degrees, or degrees, minutes and seconds with a direction.

A reference that cannot be right gives no place rather than a wrong one.
"""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d+)?)\s*[/,]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*\Z")
_PART = r"(\d{1,3})\D+?(\d{1,2})\D+?(\d{1,2}(?:\.\d+)?)[^A-Za-z]*([A-Za-z]+)"
_SEXAGESIMAL = re.compile(rf"\s*{_PART}\s*[,;/]\s*{_PART}\s*\Z")
_SIGNS = {"n": 1, "north": 1, "s": -1, "south": -1, "e": 1, "east": 1, "w": -1, "west": -1}


def place_of(text: str | None) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees; ``None`` where the text states no possible place."""
    if not text:
        return None
    decimal = _DECIMAL.match(text)
    if decimal:
        return _possible(float(decimal[1]), float(decimal[2]))
    parts = _SEXAGESIMAL.match(text)
    if parts is None:
        return None
    latitude = _degrees(parts[1], parts[2], parts[3], parts[4], "ns")
    longitude = _degrees(parts[5], parts[6], parts[7], parts[8], "ew")
    return None if latitude is None or longitude is None else _possible(latitude, longitude)


def _degrees(degrees: str, minutes: str, seconds: str, direction: str, allowed: str) -> float | None:
    sign = _SIGNS.get(direction.lower())
    if sign is None or direction[0].lower() not in allowed or int(minutes) > 59 or float(seconds) >= 60:
        return None
    return sign * (int(degrees) + int(minutes) / 60 + float(seconds) / 3600)


def _possible(latitude: float, longitude: float) -> tuple[float, float] | None:
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None
