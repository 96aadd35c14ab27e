"""The wire format of Protocol Buffers, read without a schema (protobuf.dev, Encoding)."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def fields(block: bytes) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field in order: varints and fixed widths as unsigned numbers, the rest as bytes.

    Ends where the block is no such message any more; what was yielded before may then be chance as well.
    """
    place = 0
    while place < len(block):
        tag, place = _varint(block, place)
        number, wire = tag >> 3, tag & 7
        if place < 0 or number == 0:
            return
        if wire == _VARINT:
            value, place = _varint(block, place)
            if place < 0:
                return
            yield number, value
            continue
        if wire == _BYTES:
            length, place = _varint(block, place)
        elif wire in (_EIGHT, _FOUR):
            length = 8 if wire == _EIGHT else 4
        else:
            return
        if place < 0 or place + length > len(block):
            return
        part = block[place : place + length]
        place += length
        yield number, part if wire == _BYTES else int.from_bytes(part, "little")


def first(block: bytes, *path: int) -> Value | None:
    """Return the first value at a path of field numbers, ``None`` where there is none."""
    value: Value | None = block
    for number in path:
        if not isinstance(value, bytes):
            return None
        value = next((found for other, found in fields(value) if other == number), None)
    return value


def text(block: bytes, *path: int) -> str | None:
    """Return the first value at a path as UTF-8 text, ``None`` where there is none or it is no text."""
    value = first(block, *path)
    if not isinstance(value, bytes) or not value:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _varint(block: bytes, place: int) -> tuple[int, int]:
    """Return a number and the place behind it, -1 where the block ends inside it or it is too long."""
    value = 0
    for step in range(10):
        if place + step >= len(block):
            return 0, -1
        byte = block[place + step]
        value |= (byte & 0x7F) << 7 * step
        if byte < 0x80:
            return value & (1 << 64) - 1, place + step + 1
    return 0, -1
