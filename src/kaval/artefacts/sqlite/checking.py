"""Whether bytes read as values can be values: what SQLite never writes gives a wrong reading away."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from unicodedata import category

from kaval.artefacts.sqlite.records import size_of

_DOUBLE = struct.Struct(">d")
_LEAST = {2: 8, 3: 16, 4: 24, 5: 32, 6: 48}
"""Bits of the next smaller serial type, which SQLite takes wherever the number fits it (2.1)."""
_CONTROLS = bytes(sorted(set(range(32)) - {9, 10, 13}))
_CHECKED = 4096
_CHARACTERS = 64
_UNUSED = frozenset({"Cn", "Co", "Cs"})


def text_bits(part: bytes, codec: str, *, cut: bool = False) -> float | None:
    """Return how far bytes are told from random ones by being text, in bits; ``None`` where they are none."""
    part = part[:_CHECKED]
    try:
        text = part.decode(codec, "strict" if not cut and len(part) < _CHECKED else "ignore")
    except UnicodeDecodeError:
        return None
    if codec != "utf-8" and len(part) % 2 and not cut:
        return None
    if cut and len(text.encode(codec)) + 4 < len(part):
        return None
    if "\0" in text:
        return None
    if codec != "utf-8" and not _sound_characters(text[:_CHARACTERS]):
        return None
    plain = part if codec == "utf-8" else text.encode()
    if (len(plain) - len(plain.translate(None, _CONTROLS))) * 10 > len(plain):
        return None
    return min(24.0, len(part) * 0.6)


def _sound_characters(text: str) -> bool:
    """Whether characters of two bytes are in use at all, and not those of another text read from its second byte."""
    shifted = sum(ord(character) & 0xFF == 0 for character in text)
    return shifted * 2 <= len(text) and not any(category(character) in _UNUSED for character in text)


def value_bits(block: bytes, place: int, serial_type: int, codec: str, *, legacy: bool) -> float | None:
    """Return the evidence of one whole value, in bits; ``None`` where SQLite would never have stored it so."""
    size = size_of(serial_type)
    if serial_type >= 13 and serial_type & 1:
        return text_bits(block[place : place + size], codec)
    if serial_type >= 12 or serial_type in (0, 8, 9):
        return 0.0
    if serial_type >= 10:
        return None
    if serial_type == 7:
        value = _DOUBLE.unpack_from(block, place)[0]
        sound = math.isfinite(value) and (value == 0 or 1e-100 < abs(value) < 1e100)
        return 2.0 if sound else None
    number = int.from_bytes(block[place : place + size], "big", signed=True)
    if serial_type == 1:
        return None if number in (0, 1) and not legacy else 0.0
    least = 1 << (_LEAST[serial_type] - 1)
    return None if -least <= number < least else 0.5


def body_bits(block: bytes, place: int, types: Sequence[int], codec: str, *, legacy: bool, end: int) -> float | None:
    """Return the evidence of the values of a record, as far as they lie before ``end``."""
    total = 0.0
    for serial_type in types:
        size = size_of(serial_type)
        if place + size > end:
            if serial_type >= 13 and serial_type & 1 and place < end:
                bits = text_bits(block[place:end], codec, cut=True)
                return None if bits is None else total + bits
            return total
        bits = value_bits(block, place, serial_type, codec, legacy=legacy)
        if bits is None:
            return None
        total += bits
        place += size
    return total


def sound_end(block: bytes, place: int, types: Sequence[int], codec: str, *, legacy: bool, end: int) -> int:
    """Return where the first value of a record begins that SQLite never stores so: something else lies there."""
    for serial_type in types:
        size = size_of(serial_type)
        if place + size > end or value_bits(block, place, serial_type, codec, legacy=legacy) is None:
            return place
        place += size
    return place
