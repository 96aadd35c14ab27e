"""The log of a VHDX image: changes to its tables that were not written back when the machine stopped ([MS-VHDX] 2.3).

The file is not changed: the sectors of the last whole sequence of entries are laid over it while it is read.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from kaval.containers.vhdx.crc32c import crc32c
from kaval.core.sources import ByteSource

SECTOR = 4096
MAXIMUM_LOG_SIZE = 256 << 20
_ENTRY = struct.Struct("<4sIIIQII16sQQ")
_MARKS = (b"zero", b"desc")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the log: the sectors it writes (``None``: zeros), and where the sequence it ends begins."""

    offset: int
    size: int
    tail: int
    sequence: int
    file_size: int
    sectors: dict[int, bytes | None]


class Overlay:
    """A file with some of its sectors of 4096 bytes replaced; zeros beyond its end where the log made it longer."""

    def __init__(self, inner: ByteSource, sectors: dict[int, bytes | None], size: int) -> None:
        self._inner = inner
        self._sectors = sectors
        self._offsets = sorted(sectors)
        self._size = max(inner.size, size)

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        first = bisect_right(self._offsets, offset - SECTOR)
        last = bisect_left(self._offsets, end)
        block = self._inner.read_at(offset, end - offset)
        if first >= last and len(block) == end - offset:
            return block
        patched = bytearray(block.ljust(end - offset, b"\0"))
        for at in self._offsets[first:last]:
            sector = self._sectors[at] or bytes(SECTOR)
            start, stop = max(at, offset), min(at + SECTOR, end)
            patched[start - offset : stop - offset] = sector[start - at : stop - at]
        return bytes(patched)


def replay(source: ByteSource, offset: int, size: int, identifier: UUID) -> ByteSource | None:
    """Return the file with its log applied; ``None`` where the log holds no whole sequence of entries."""
    if size % SECTOR or not SECTOR <= size <= MAXIMUM_LOG_SIZE:
        return None
    log = source.read_at(offset, size)
    if len(log) < size:
        return None
    entries = {entry.offset: entry for entry in _entries(log, identifier)}
    best: list[Entry] = []
    for entry in sorted(entries.values(), key=lambda entry: entry.sequence, reverse=True):
        sequence = _sequence(entries, entry, size)
        if sequence:
            best = sequence
            break
    if not best:
        return None
    sectors: dict[int, bytes | None] = {}
    for entry in best:
        sectors |= entry.sectors
    return Overlay(source, sectors, best[-1].file_size)


def _sequence(entries: dict[int, Entry], head: Entry, size: int) -> list[Entry]:
    """Return the entries from the tail that an entry names up to itself; nothing if one of them is missing."""
    found: list[Entry] = []
    offset = head.tail
    while len(found) <= len(entries):
        entry = entries.get(offset)
        if entry is None or (found and entry.sequence != found[-1].sequence + 1):
            return []
        found.append(entry)
        if entry is head:
            return found
        offset = (entry.offset + entry.size) % size
    return []


def _entries(log: bytes, identifier: UUID) -> Iterator[Entry]:
    """Yield every sound entry of the log, wherever it begins; one may wrap from the end to the start."""
    for offset in range(0, len(log), SECTOR):
        if log[offset : offset + 4] != b"loge":
            continue
        fields = _ENTRY.unpack_from(log, offset)
        length, tail, sequence, count = fields[2:6]
        if fields[7] != identifier.bytes_le or length % SECTOR or not SECTOR <= length <= len(log):
            continue
        block = (log[offset:] + log[:offset])[:length] if offset + length > len(log) else log[offset : offset + length]
        if crc32c(block[:4] + bytes(4) + block[8:]) != fields[1]:
            continue
        sectors = _sectors(block, count, sequence)
        if sectors is not None:
            yield Entry(offset=offset, size=length, tail=tail, sequence=sequence, file_size=fields[9], sectors=sectors)


def _sectors(block: bytes, count: int, sequence: int) -> dict[int, bytes | None] | None:
    """Return the sectors an entry writes; ``None`` if it is not sound."""
    start = -(-(64 + 32 * count) // SECTOR) * SECTOR
    if start > len(block):
        return None
    sectors: dict[int, bytes | None] = {}
    for number in range(count):
        mark, trailing, leading, offset, own = struct.unpack_from("<4s4s8sQQ", block, 64 + 32 * number)
        if mark not in _MARKS or own != sequence or offset % SECTOR:
            return None
        if mark == b"zero":
            length = int.from_bytes(leading, "little")
            if length % SECTOR or length > MAXIMUM_LOG_SIZE:
                return None
            sectors |= dict.fromkeys(range(offset, offset + length, SECTOR))
            continue
        sector = block[start : start + SECTOR]
        start += SECTOR
        high, low = sector[4:8], sector[4092:4096]
        if sector[:4] != b"data" or high + low != struct.pack("<II", sequence >> 32, sequence & 0xFFFFFFFF):
            return None
        sectors[offset] = leading + sector[8:4092] + trailing
    return sectors
