"""What the acquisition tool wrote about the case: the ``header`` sections as facts."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime

MAXIMUM_SIZE = 1 << 20
"""More header text than this is not read."""

_NAMES = {
    "a": "description",
    "c": "case number",
    "n": "evidence number",
    "e": "examiner",
    "t": "notes",
    "av": "acquisition tool version",
    "ov": "acquisition system",
    "m": "acquired",
    "u": "acquisition system time",
    "md": "model",
    "sn": "serial number",
    "l": "label",
    "pid": "process identifier",
    "p": "password",
    "cn": "case number",
    "en": "evidence number",
    "nm": "description",
    "ex": "examiner",
    "nt": "notes",
    "os": "acquisition system",
    "at": "acquired",
    "tt": "acquisition system time",
    "lb": "label",
}
_TIMES = frozenset({"acquired", "acquisition system time"})
_BROKEN_DOWN = re.compile(r"(\d{4}) (\d{1,2}) (\d{1,2}) (\d{1,2}) (\d{1,2}) (\d{1,2})")


def inflate_text(stored: bytes) -> str:
    """Return the text of a header section: zlib, then UTF-16 with a byte order mark, or single bytes.

    Raises:
        zlib.error: It cannot be decoded.
    """
    decoded = zlib.decompressobj().decompress(stored, MAXIMUM_SIZE)
    return decode_text(decoded)


def decode_text(decoded: bytes) -> str:
    """Return header text as its byte order mark says; without one, UTF-8 and then Windows Latin are tried."""
    if decoded[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return decoded.decode("utf-16", "replace")
    if decoded[1:2] == b"\0":
        return decoded.decode("utf-16-le", "replace")
    try:
        return decoded.decode("utf-8")
    except UnicodeDecodeError:
        return decoded.decode("cp1252", "replace")


def facts_of(text: str) -> dict[str, str]:
    """Return the facts of the ``main`` table of a header text; unknown and empty columns are left out."""
    columns = columns_of(text)
    facts = {}
    for key, value in columns.items():
        name = _NAMES.get(key)
        if name is None or not value:
            continue
        if name == "password":
            if value != "0":
                facts[name] = "set by the acquisition tool; the content is not encrypted by it"
        else:
            facts[name] = _time(value) if name in _TIMES else value
    return facts


def columns_of(text: str) -> Mapping[str, str]:
    """Return the ``main`` table of a header text: its keys with their values."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines[:-2]):
        if line == "main":
            keys, values = lines[number + 1].split("\t"), lines[number + 2].split("\t")
            return dict(zip(keys, (value.strip("\0 ") for value in values), strict=False))
    return {}


def _time(value: str) -> str:
    """Return a stored time for reading: seconds since 1970 are UTC, written-out ones have no zone."""
    if value.isdigit() and len(value) <= 11:
        return datetime.fromtimestamp(int(value), UTC).isoformat().replace("+00:00", "Z")
    if (found := _BROKEN_DOWN.fullmatch(value)) is not None:
        year, month, day, hour, minute, second = map(int, found.groups())
        return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02} (zone unknown)"
    return value
