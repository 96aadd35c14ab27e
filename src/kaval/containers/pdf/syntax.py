"""The syntax of PDF objects (ISO 32000-2, 7.3), as far as dictionaries in front of streams need it."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Times

_MOST_DEPTH = 32
_MOST_TOKENS = 50_000
_WHITE = rb"\0\t\n\f\r "
_TOKEN: Final = re.compile(
    rb"[" + _WHITE + rb"]*+(?:%[^\r\n]*+[" + _WHITE + rb"]*+)*+"
    rb"(?:(<<|>>|\[|\]|\(|<)|(/[^" + _WHITE + rb"()<>\[\]{}/%]*)|([^" + _WHITE + rb"()<>\[\]{}/%]+))"
)
_ESCAPED_NAME: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_STRING_PART: Final = re.compile(rb"[()\\]")
_OCTAL: Final = re.compile(rb"[0-7]{1,3}")
_ESCAPES: Final = {0x6E: b"\n", 0x72: b"\r", 0x74: b"\t", 0x62: b"\b", 0x66: b"\f", 0x0A: b"", 0x0D: b""}
_DATE: Final = re.compile(rb"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?")
_STRUCTURE = "the PDF object"


class Name(str):
    """A name, without its slash."""

    __slots__ = ()


class Reference(NamedTuple):
    """A reference to an object by number and generation."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class _Keyword:
    text: bytes


def parse(text: bytes, place: int = 0) -> tuple[Any, int]:
    """Return the object that starts at a place of a text, and where it ends.

    Dictionaries and arrays are Python's, strings are ``bytes``, names ``Name``, keywords that mean nothing ``None``.

    Raises:
        CorruptStructureError: It is no object, or one of absurd depth or length.
    """
    stack: list[list[Any]] = [[]]
    kinds: list[bytes] = []
    for _ in range(_MOST_TOKENS):
        value, place, token = _token(text, place)
        if token in (b"<<", b"["):
            if len(stack) > _MOST_DEPTH:
                raise CorruptStructureError(_STRUCTURE, "it is nested too deep")
            stack.append([])
            kinds.append(token)
            continue
        if token in (b">>", b"]"):
            if not kinds or (kinds.pop() == b"<<") != (token == b">>"):
                raise CorruptStructureError(_STRUCTURE, "its brackets do not match")
            items = stack.pop()
            value = items if token == b"]" else _dictionary(items)
        if value == _Keyword(b"R") and len(stack[-1]) >= 2 and all(type(part) is int for part in stack[-1][-2:]):
            generation, number = stack[-1].pop(), stack[-1].pop()
            value = Reference(number, generation)
        stack[-1].append(value)
        if len(stack) == 1 and not (type(value) is int and _may_be_reference(text, place)):
            return _plain(stack[0][-1]), place
    raise CorruptStructureError(_STRUCTURE, "it has too many parts")


_REFERENCE_REST: Final = re.compile(rb"[" + _WHITE + rb"]+(?:\d+[" + _WHITE + rb"]+)?(?:\d+|R)")


def _may_be_reference(text: bytes, place: int) -> bool:
    found = _REFERENCE_REST.match(text, place)
    return found is not None and found[0].strip().endswith(b"R")


def _plain(value: Any) -> Any:
    return None if isinstance(value, _Keyword) else value


def _dictionary(items: list[Any]) -> dict[str, Any]:
    if len(items) % 2:
        items = items[:-1]
    return {
        str(key): _plain(value) for key, value in zip(items[::2], items[1::2], strict=True) if isinstance(key, Name)
    }


def _token(text: bytes, place: int) -> tuple[Any, int, bytes]:
    found = _TOKEN.match(text, place)
    if found is None:
        raise CorruptStructureError(_STRUCTURE, "it ends early")
    mark, name, word = found.groups()
    if mark == b"(":
        value, place = _string(text, found.end())
        return value, place, b""
    if mark == b"<":
        end = text.find(b">", found.end())
        if end < 0:
            raise CorruptStructureError(_STRUCTURE, "a string has no end")
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", text[found.end() : end])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()), end + 1, b""
    if mark is not None:
        return None, found.end(), mark
    if name is not None:
        plain = _ESCAPED_NAME.sub(lambda escaped: bytes.fromhex(escaped[1].decode()), name[1:])
        return Name(plain.decode("utf-8", "replace")), found.end(), b""
    return _word(word), found.end(), b""


def _word(word: bytes) -> Any:
    if word in (b"true", b"false"):
        return word == b"true"
    if len(word) <= 20 and word.lstrip(b"+-").isdigit():
        return int(word)
    try:
        return float(word) if len(word) <= 40 else _Keyword(word)
    except ValueError:
        return _Keyword(word)


def _string(text: bytes, place: int) -> tuple[bytes, int]:
    """Return a literal string, its brackets balanced and its escapes resolved (7.3.4.2)."""
    parts, depth = [], 1
    while True:
        found = _STRING_PART.search(text, place)
        if found is None:
            raise CorruptStructureError(_STRUCTURE, "a string has no end")
        parts.append(text[place : found.start()])
        place = found.end()
        if found[0] == b"\\":
            octal = _OCTAL.match(text, place)
            if octal is not None:
                parts.append(bytes([int(octal[0], 8) & 255]))
                place = octal.end()
            elif place < len(text):
                parts.append(_ESCAPES.get(text[place], text[place : place + 1]))
                place += 1
            continue
        depth += 1 if found[0] == b"(" else -1
        if not depth:
            return b"".join(parts), place
        parts.append(found[0])


def text_of(value: Any) -> str:
    """Return a text string: UTF-16 or UTF-8 by its mark, else PDFDocEncoding, taken for Latin-1 (7.9.2.2)."""
    if not isinstance(value, bytes):
        return ""
    if value[:2] == b"\xfe\xff":
        return value[2:].decode("utf-16-be", "replace")
    if value[:3] == b"\xef\xbb\xbf":
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")


def date_of(value: Any) -> tuple[int, str] | None:
    """Return a date in nanoseconds of the clock it was written by, and the zone of that (7.9.4)."""
    found = _DATE.match(value) if isinstance(value, bytes) else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (
        int(part) if part else default for part, default in zip(found.groups()[:6], (0, 1, 1, 0, 0, 0), strict=True)
    )
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60 and year > 0):
        return None
    zone = "utc" if found[7] else "unknown"
    if found[8]:
        zone = f"{found[8].decode()}{found[9].decode()}:{(found[10] or b'00').decode()}"
    return calendar.timegm((year, month, day, hour, minute, second)) * 1_000_000_000, zone


def times_of(parameters: Any) -> Times:
    """Return the times of an embedded file; those of another zone than that of its change are left out."""
    stored = parameters if isinstance(parameters, dict) else {}
    modified, created = date_of(stored.get("ModDate")), date_of(stored.get("CreationDate"))
    zone = modified[1] if modified else created[1] if created else "unknown"
    if created and created[1] != zone:
        created = None
    letters = [letter for letter, value in (("m", modified), ("b", created)) if value]
    return Times(
        modified=modified[0] if modified else None,
        created=created[0] if created else None,
        zone=zone,
        resolution=" ".join(f"{letter}=1s" for letter in letters),
    )
