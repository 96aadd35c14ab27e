"""Varints, serial types and records (SQLite Database File Format, 1.6 and 2.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from kaval.artefacts.sqlite.rows import Value
from kaval.core.errors import CorruptStructureError

_DOUBLE = struct.Struct(">d")
_FIXED = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)
"""Bytes that the serial types 0 to 11 take in the body of a record."""
MOST_COLUMNS = 32_767
CODECS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}


def varint(block: bytes, place: int) -> tuple[int, int]:
    """Return the unsigned number stored at a place, and the place behind it.

    Raises:
        IndexError: The block ends inside the number.
    """
    value = 0
    for step in range(8):
        byte = block[place + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + step + 1
    return value << 8 | block[place + 8], place + 9


def signed(value: int) -> int:
    """Return the 64 bits of a varint as the two's complement they stand for."""
    return value - (1 << 64) if value >> 63 else value


def size_of(serial_type: int) -> int:
    """Return how many bytes a value of this serial type takes."""
    return _FIXED[serial_type] if serial_type < 12 else (serial_type - 12) >> 1


def serial_types(payload: bytes) -> tuple[list[int], int]:
    """Return the serial types in the header of a record, and where its body begins.

    Raises:
        CorruptStructureError: The header does not end where it says it does.
    """
    try:
        end, place = varint(payload, 0)
        if end > len(payload) or end - place > 9 * MOST_COLUMNS:
            raise CorruptStructureError("record", "its header is longer than the record")
        types = []
        while place < end:
            serial_type = payload[place]
            place += 1
            if serial_type >= 0x80:
                serial_type, place = varint(payload, place - 1)
            types.append(serial_type)
    except IndexError:
        raise CorruptStructureError("record", "the page ends inside its header") from None
    if place != end:
        raise CorruptStructureError("record", "its header does not end where it says")
    return types, end


def decode_value(block: bytes, place: int, serial_type: int, codec: str) -> Value:
    """Return one value; the caller has made sure that its bytes are there.

    Text that is not in the encoding of the database reads with U+FFFD for what cannot be decoded.
    """
    if serial_type >= 12:
        part = block[place : place + ((serial_type - 12) >> 1)]
        return part.decode(codec, "replace") if serial_type & 1 else part
    if serial_type == 7:
        return float(_DOUBLE.unpack_from(block, place)[0])
    if serial_type == 0 or serial_type > 9:
        return None
    if serial_type >= 8:
        return serial_type - 8
    return int.from_bytes(block[place : place + _FIXED[serial_type]], "big", signed=True)


def decode_record(payload: bytes, codec: str) -> list[Value]:
    """Return the values of a whole record.

    Raises:
        CorruptStructureError: The header and the body do not fit together.
    """
    place = payload[0] if payload else 0
    types: Iterable[int] = payload[1:place]
    if place == 0 or place >= 0x80 or not payload[1:place].isascii() or place > len(payload):
        types, place = serial_types(payload)
    values: list[Value] = []
    for serial_type in types:
        if serial_type == 0:
            values.append(None)
        elif serial_type >= 13 and serial_type & 1:
            end = place + ((serial_type - 13) >> 1)
            values.append(payload[place:end].decode(codec, "replace"))
            place = end
        elif serial_type < 7:
            end = place + _FIXED[serial_type]
            values.append(int.from_bytes(payload[place:end], "big", signed=True))
            place = end
        else:
            end = place + size_of(serial_type)
            if end > len(payload):
                raise CorruptStructureError("record", "its values run past its end")
            values.append(decode_value(payload, place, serial_type, codec))
            place = end
    if place > len(payload):
        raise CorruptStructureError("record", "its values run past its end")
    return values


def decode_cut(payload: bytes, codec: str) -> tuple[list[Value], list[int]]:
    """Return the values of a record whose end is lost, and the places of those that are lost or cut.

    A text or a blob is given as far as it is there; any other value that is not whole reads ``None``.

    Raises:
        CorruptStructureError: Not even the header is there.
    """
    types, place = serial_types(payload)
    values: list[Value] = []
    lost: list[int] = []
    for at, serial_type in enumerate(types):
        size = size_of(serial_type)
        if place + size <= len(payload):
            values.append(decode_value(payload, place, serial_type, codec))
        else:
            lost.append(at)
            part = payload[place:]
            text = part.decode(codec, "ignore") if serial_type & 1 else part
            values.append(text if serial_type >= 12 and part else None)
        place += size
    return values, lost
