"""Compound files (OLE2), by [MS-CFB]: sectors joined by chains, a directory, small streams inside one large one.

Only what lists streams is read: their names, sizes and where their bytes lie. A chain that returns to itself, or leaves
the file, ends with an error of the stream it belongs to.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Extent
from kaval.core.sources import ByteSource

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_HEAD_SIZE = 512
_HEAD_FAT_PLACES = 109
_STREAM, _ROOT = 2, 5
_MINI_SHIFT = 6
MOST_STREAMS = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One stream: its place in the directory, name, size and first sector."""

    number: int
    name: str
    size: int
    first: int


class CompoundFile:
    """A compound file, opened; nothing but its tables is read until streams are asked for."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        head = source.read_at(0, _HEAD_SIZE)
        if len(head) < _HEAD_SIZE or not head.startswith(SIGNATURE):
            raise CorruptStructureError("compound file", "its head is not that of a compound file", 0)
        shift, mini_shift = struct.unpack_from("<HH", head, 30)
        if shift not in (9, 12) or mini_shift != _MINI_SHIFT:
            raise CorruptStructureError("compound file", f"sectors of 2^{shift} and 2^{mini_shift} bytes are none", 30)
        self._sector = 1 << shift
        self._sectors = max(0, source.size // self._sector - 1)
        directory, self._cutoff = struct.unpack_from("<I4xI", head, 48)
        mini_fat, _, more, more_count = struct.unpack_from("<4I", head, 60)
        self._fat = self._read_fat(head, more, more_count)
        self._streams = list(self._directory(directory))
        self._mini_fat = self._table(self._chain(mini_fat)) if mini_fat < _END else []
        root = next((stream for stream in self._streams if stream.number == 0), None)
        self._mini = self._extents(root.first, root.size) if root is not None and root.first < _END else []

    def streams(self) -> Iterator[Stream]:
        """Yield the streams in the order of the directory."""
        return (stream for stream in self._streams if stream.number)

    def extents(self, stream: Stream) -> list[Extent]:
        """Return where the bytes of a stream lie in the file.

        Raises:
            CorruptStructureError: Its chain is broken, returns to itself or is shorter than the stream.
        """
        if stream.size == 0:
            return []
        if stream.size >= self._cutoff:
            return self._extents(stream.first, stream.size)
        return list(self._mini_extents(stream))

    def _offset(self, sector: int) -> int:
        return int((sector + 1) * self._sector)

    def _sector_bytes(self, sector: int) -> bytes:
        if not 0 <= sector < self._sectors:
            raise CorruptStructureError("compound file", f"it has no sector {sector}")
        return self._source.read_at(self._offset(sector), self._sector)

    def _table(self, sectors: list[int]) -> list[int]:
        block = b"".join(map(self._sector_bytes, sectors))
        return list(struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4]))

    def _read_fat(self, head: bytes, more: int, more_count: int) -> list[int]:
        """Return the table of chains; its sectors are named in the head and, of large files, in a chain beside it."""
        places = [place for place in struct.unpack_from(f"<{_HEAD_FAT_PLACES}I", head, 76) if place < _END]
        seen: set[int] = set()
        while more < _END and more_count and more not in seen:
            seen.add(more)
            block = self._table([more])
            places += [place for place in block[:-1] if place < _END]
            more = block[-1]
        return self._table(places[: self._sectors])

    def _chain(self, first: int) -> list[int]:
        chain: list[int] = []
        sector = first
        while sector < _END:
            if sector >= len(self._fat) or len(chain) > self._sectors:
                raise CorruptStructureError(
                    "compound file", f"the chain from sector {first} leaves the file or circles"
                )
            chain.append(sector)
            sector = self._fat[sector]
        return chain

    def _directory(self, first: int) -> Iterator[Stream]:
        for number, sector in enumerate(self._chain(first)):
            block = self._sector_bytes(sector)
            for place in range(0, len(block) - 127, 128):
                record = block[place : place + 128]
                kind, length = record[66], int.from_bytes(record[64:66], "little")
                index = number * (self._sector // 128) + place // 128
                if kind in (_STREAM, _ROOT) and index < MOST_STREAMS:
                    name = record[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
                    first_sector, size = struct.unpack_from("<II", record, 116)
                    yield Stream(number=index, name=name, size=size, first=first_sector)

    def _extents(self, first: int, size: int) -> list[Extent]:
        extents: list[Extent] = []
        left = size
        for sector in self._chain(first):
            if left <= 0:
                break
            take = min(left, self._sector)
            _join(extents, self._offset(sector), take)
            left -= take
        if left > 0:
            raise CorruptStructureError("compound file", f"a chain ends {left} bytes before its stream does")
        return extents

    def _mini_extents(self, stream: Stream) -> Iterator[Extent]:
        """Yield the extents of a small stream: its sectors of 64 bytes lie in the root's stream."""
        extents: list[Extent] = []
        sector, left, steps = stream.first, stream.size, 0
        while left > 0:
            if sector >= len(self._mini_fat) or steps > len(self._mini_fat):
                raise CorruptStructureError("compound file", f"the chain of the small stream {stream.name!r} is broken")
            take = min(left, 1 << _MINI_SHIFT)
            for extent in self._within_mini(sector << _MINI_SHIFT, take):
                _join(extents, extent.offset, extent.length)
            sector, left, steps = self._mini_fat[sector], left - take, steps + 1
        yield from extents

    def _within_mini(self, offset: int, length: int) -> Iterator[Extent]:
        passed = 0
        for extent in self._mini:
            start, end = max(offset, passed), min(offset + length, passed + extent.length)
            if start < end:
                yield Extent(offset=extent.offset + start - passed, length=end - start)
                length -= end - start
                offset = end
            passed += extent.length
            if length <= 0:
                return
        raise CorruptStructureError("compound file", "a small stream lies beyond the end of what holds them")


def _join(extents: list[Extent], offset: int, length: int) -> None:
    if extents and extents[-1].offset + extents[-1].length == offset:
        extents[-1] = Extent(offset=extents[-1].offset, length=extents[-1].length + length)
    else:
        extents.append(Extent(offset=offset, length=length))
