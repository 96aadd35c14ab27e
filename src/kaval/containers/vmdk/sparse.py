"""Sparse extents: the grain tables of hosted (KDMV), COW (COWD) and space-efficient files."""

from __future__ import annotations

import struct
from array import array
from collections import OrderedDict
from dataclasses import dataclass

from kaval.containers.blockcodecs import unzlib
from kaval.containers.blockmap import Place
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.sources import ByteSource

SECTOR = 512
MAXIMUM_TABLES = 256
MAXIMUM_GRAIN = 16 << 20
AT_END = 0xFFFFFFFFFFFFFFFF

_HOSTED = struct.Struct("<4sIIQQQQIQQQB4sH")
_COW = struct.Struct("<4sIIIIIII")
_EFFICIENT = struct.Struct("<26Q")
_MARKER = struct.Struct("<QI")
_ZEROED, _COMPRESSED, _MARKERS = 4, 1 << 16, 1 << 17


@dataclass(frozen=True, kw_only=True)
class SparseHeader:
    """What the header of a sparse extent says, in sectors; ``directories`` are the directory and its copy."""

    kind: str
    capacity: int
    grain: int
    entries: int
    directories: tuple[int, ...]
    descriptor_offset: int = 0
    descriptor_size: int = 0
    compressed: bool = False
    zeroed: bool = False
    data_start: int = 0
    efficient: tuple[int, int] = (0, 0)

    @property
    def grain_size(self) -> int:
        return self.grain * SECTOR


def read_header(source: ByteSource, title: str) -> SparseHeader:
    """Return the header of a sparse extent; that of a stream-optimised one may stand at its end."""
    block = source.read_at(0, SECTOR)
    if len(block) < SECTOR:
        raise CorruptStructureError(title, "its header is cut off", len(block))
    if block[:4] == b"COWD":
        header = _cow(block)
    elif block[:4] == b"KDMV":
        header = _hosted(block)
        footer = source.read_at(source.size - 1024, SECTOR) if header.directories[0] == AT_END else b""
        if footer[:4] == b"KDMV":
            header = _hosted(footer)
    else:
        header = _space_efficient(block)
    largest = header.entries * header.grain
    if not 0 < header.grain_size <= MAXIMUM_GRAIN or not 0 < header.entries <= 1 << 20 or header.capacity > 1 << 45:
        reason = f"it claims {header.capacity} sectors in grains of {header.grain} and tables of {header.entries}"
        raise CorruptStructureError(title, reason, 0)
    if header.directories[0] != AT_END and 4 * -(-header.capacity // largest) > source.size:
        raise CorruptStructureError(title, "its grain directory would be larger than the file", 0)
    return header


def _hosted(block: bytes) -> SparseHeader:
    fields = _HOSTED.unpack_from(block)
    flags = fields[2]
    return SparseHeader(
        kind="sparse",
        capacity=fields[3],
        grain=fields[4],
        entries=fields[7],
        directories=(fields[9], fields[8]) if fields[8] else (fields[9],),
        descriptor_offset=fields[5],
        descriptor_size=fields[6],
        compressed=bool(flags & _COMPRESSED),
        zeroed=bool(flags & _ZEROED) and fields[1] >= 2,
        data_start=fields[10],
    )


def _cow(block: bytes) -> SparseHeader:
    fields = _COW.unpack_from(block)
    return SparseHeader(kind="cow", capacity=fields[3], grain=fields[4], entries=4096, directories=(fields[5],))


def _space_efficient(block: bytes) -> SparseHeader:
    fields = _EFFICIENT.unpack_from(block)
    return SparseHeader(
        kind="space-efficient",
        capacity=fields[2],
        grain=fields[3],
        entries=fields[4] * SECTOR // 8,
        directories=(fields[16],),
        efficient=(fields[18], fields[24]),
    )


class GrainMap:
    """Directory and tables of grains of a hosted or COW extent. Tables are read when they are needed."""

    def __init__(self, source: ByteSource, header: SparseHeader, absent: Place, title: str) -> None:
        self._source = source
        self._header = header
        self._absent = absent
        self._title = title
        count = -(-header.capacity // (header.grain * header.entries))
        self._directories = [self._directory(at, count) for at in header.directories]
        if not any(self._directories):
            at = header.directories[0] * SECTOR
            raise CorruptStructureError(title, "its grain directory lies outside the file", at)
        self._tables: OrderedDict[int, array[int] | None] = OrderedDict()

    def _directory(self, sector: int, count: int) -> array[int] | None:
        block = self._source.read_at(sector * SECTOR, 4 * count)
        return array("I", block) if len(block) == 4 * count else None

    def locate(self, block: int) -> int:
        number, place = divmod(block, self._header.entries)
        table = self._tables[number] if number in self._tables else self._table(number)
        entry = table[place] if table is not None else 0
        if entry == 0:
            return self._absent
        if entry == 1 and self._header.zeroed:
            return Place.ZERO
        return Place.COMPRESSED if self._header.compressed else entry * SECTOR

    def _table(self, number: int) -> array[int] | None:
        """Return a grain table; where the first one cannot be read, its copy."""
        size = 4 * self._header.entries
        table: array[int] | None = None
        listed = [directory[number] for directory in self._directories if directory is not None]
        if any(listed):
            for sector in listed:
                block = self._source.read_at(sector * SECTOR, size) if sector else b""
                if len(block) == size:
                    table = array("I", block)
                    break
            else:
                start = number * self._header.entries * self._header.grain_size
                reason = f"the grain table {number} of {self._title} lies outside the file"
                raise UnreadableError(start, self._header.entries * self._header.grain_size, reason)
        while len(self._tables) >= MAXIMUM_TABLES:
            self._tables.popitem(last=False)
        self._tables[number] = table
        return table

    def decode(self, block: int) -> bytes:
        number, place = divmod(block, self._header.entries)
        table = self._tables.get(number) or self._table(number)
        assert table is not None
        return read_grain(self._source, table[place] * SECTOR, block, self._header.grain_size, self._title)


def read_grain(source: ByteSource, offset: int, block: int, grain_size: int, title: str) -> bytes:
    """Return a compressed grain: its marker says which it is and how long; then follows a zlib stream."""
    head = source.read_at(offset, _MARKER.size)
    if len(head) == _MARKER.size:
        lba, size = _MARKER.unpack(head)
        if lba * SECTOR == block * grain_size and 0 < size <= 2 * grain_size + 4096:
            decoded = unzlib(source.read_at(offset + _MARKER.size, size), grain_size)
            if decoded is not None:
                return decoded
    reason = f"the grain {block}, at byte {offset} of {title}, cannot be decoded or belongs elsewhere"
    raise UnreadableError(block * grain_size, grain_size, reason)


class StreamMap:
    """The grains of a stream-optimised extent that was cut off before its directory, found one behind the other."""

    def __init__(self, source: ByteSource, header: SparseHeader, title: str) -> None:
        self._source = source
        self._header = header
        self._title = title
        self._places: dict[int, int] = {}
        self.end = self._walk(header.data_start * SECTOR)

    def _walk(self, offset: int) -> int:
        """Follow the markers from the first grain on; return where the last whole one ends."""
        while True:
            head = self._source.read_at(offset, 16)
            if len(head) < 16:
                return offset
            lba, size, kind = struct.unpack("<QII", head)
            if size:
                reach = offset + -(-(_MARKER.size + size) // SECTOR) * SECTOR
                if lba % self._header.grain or size > 2 * self._header.grain_size + 4096 or reach > self._source.size:
                    return offset
                self._places[lba // self._header.grain] = offset
            elif kind in (1, 2, 3) and lba <= 1 << 20:
                reach = offset + SECTOR + lba * SECTOR
            else:
                return offset
            offset = reach

    @property
    def count(self) -> int:
        return len(self._places)

    def locate(self, block: int) -> int:
        if block not in self._places:
            reason = f"{self._title} was cut off before its grain directory, and no such grain was found"
            raise UnreadableError(block * self._header.grain_size, self._header.grain_size, reason)
        return Place.COMPRESSED

    def decode(self, block: int) -> bytes:
        return read_grain(self._source, self._places[block], block, self._header.grain_size, self._title)


class EfficientMap:
    """Directory and tables of a space-efficient extent; entries have 64 bits, their top bits say what they are."""

    def __init__(self, source: ByteSource, header: SparseHeader, absent: Place, title: str) -> None:
        self._source = source
        self._header = header
        self._absent = absent
        self._title = title
        count = -(-header.capacity // (header.grain * header.entries))
        block = source.read_at(header.directories[0] * SECTOR, 8 * count)
        if len(block) < 8 * count:
            at = header.directories[0] * SECTOR
            raise CorruptStructureError(title, "its grain directory lies outside the file", at)
        self._directory = array("Q", block)
        self._tables: OrderedDict[int, array[int]] = OrderedDict()

    def locate(self, block: int) -> int:
        number, place = divmod(block, self._header.entries)
        listed = self._directory[number]
        if not listed:
            return self._absent
        if listed >> 32 != 0x10000000:
            raise self._unreadable(block, f"the entry {listed:#x} of its grain directory means nothing known")
        entry = self._table(block, number, listed & 0xFFFFFFFF)[place]
        kind = entry >> 60
        if kind in (0, 1):
            return self._absent
        if kind == 2:
            return Place.ZERO
        if kind != 3:
            raise self._unreadable(block, f"the entry {entry:#x} of a grain table means nothing known")
        grain = (entry & 0x0FFF000000000000) >> 48 | (entry & 0x0000FFFFFFFFFFFF) << 12
        return (self._header.efficient[1] + grain * self._header.grain) * SECTOR

    def _table(self, block: int, number: int, table: int) -> array[int]:
        if number not in self._tables:
            size = 8 * self._header.entries
            stored = self._source.read_at(self._header.efficient[0] * SECTOR + table * size, size)
            if len(stored) < size:
                raise self._unreadable(block, f"its grain table {number} lies outside the file")
            while len(self._tables) >= MAXIMUM_TABLES:
                self._tables.popitem(last=False)
            self._tables[number] = array("Q", stored)
        return self._tables[number]

    def _unreadable(self, block: int, reason: str) -> UnreadableError:
        size = self._header.grain_size
        return UnreadableError(block * size, size, f"{self._title}: {reason}")
