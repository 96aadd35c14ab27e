"""LZNT1, the compression of NTFS: [MS-XCA] section 2.5, units of sixteen clusters."""

from __future__ import annotations

from kaval.core.errors import CorruptStructureError

CHUNK_SIZE = 4096


def decompress(packed: bytes, size: int) -> bytes:
    """Return at most ``size`` bytes of one compression unit; what the data does not fill reads as zeros.

    Raises:
        CorruptStructureError: A chunk refers to bytes before its own start, or holds more than a chunk can.
    """
    out = bytearray()
    place = 0
    while place + 2 <= len(packed) and len(out) < size:
        header = int.from_bytes(packed[place : place + 2], "little")
        if header == 0:
            break
        length = (header & 0x0FFF) + 1
        place += 2
        chunk = packed[place : place + length]
        place += length
        out += _chunk(chunk) if header & 0x8000 else chunk
        if len(out) % CHUNK_SIZE and place + 2 <= len(packed) and len(out) < size:
            out += bytes(-len(out) % CHUNK_SIZE)
    return bytes(out[:size]) + bytes(max(0, size - len(out)))


def _chunk(chunk: bytes) -> bytearray:
    out = bytearray()
    place, end = 0, len(chunk)
    while place < end:
        flags = chunk[place]
        place += 1
        for bit in range(8):
            if place >= end:
                break
            if not flags >> bit & 1:
                out.append(chunk[place])
                place += 1
                continue
            if place + 2 > end:
                raise CorruptStructureError("LZNT1 chunk", "a reference is cut off", None)
            token = chunk[place] | chunk[place + 1] << 8
            place += 2
            _copy(out, token)
            if len(out) > CHUNK_SIZE:
                raise CorruptStructureError("LZNT1 chunk", "it holds more than 4096 bytes", None)
    return out


def _copy(out: bytearray, token: int) -> None:
    """Append what a token refers to; how many of its bits are length depends on how far the chunk has come."""
    bits = max(4, (len(out) - 1).bit_length()) if out else 4
    length = (token & (0xFFF >> bits - 4)) + 3
    distance = (token >> 16 - bits) + 1
    if distance > len(out):
        raise CorruptStructureError("LZNT1 chunk", "a reference points before its start", None)
    start = len(out) - distance
    if distance >= length:
        out += out[start : start + length]
        return
    pattern = out[start:]
    out += (pattern * (length // distance + 1))[:length]
