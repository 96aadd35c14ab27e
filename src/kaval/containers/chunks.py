"""Chunks: images cut into pieces of one size, each compressed by itself (EWF, AFF4).

Where each chunk is stored, and the source that decodes them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from isal import isal_zlib

from kaval.containers.blockcodecs import Codec, unbzip2, undeflate, unlz4, unsnappy, unzlib
from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource

CACHE_SIZE = 4 << 20
"""Decoded bytes kept for readers that ask for less than a chunk."""

MAXIMUM_TABLES = 16
"""Tables whose entries are kept in memory."""

RUN_SIZE = 2 << 20
"""Stored bytes read at once at most."""


SMALL = 256
"""Stored chunks up to this size are mostly empty space, and repeat."""


class Storage(IntEnum):
    """How one chunk is stored."""

    PLAIN = 0
    """As it is, without a checksum."""
    CHECKED = 1
    """As it is, an Adler-32 behind it."""
    ZLIB = 2
    BZIP2 = 3
    PATTERN = 4
    """Eight bytes repeated; they stand in the place of the offset."""
    DEFLATE = 5
    SNAPPY = 6
    LZ4 = 7


_CODECS: dict[int, Codec] = {
    Storage.BZIP2: unbzip2,
    Storage.DEFLATE: undeflate,
    Storage.SNAPPY: unsnappy,
    Storage.LZ4: unlz4,
}


@dataclass(frozen=True, kw_only=True)
class Digests:
    """A digest of each decoded chunk, one behind the other."""

    algorithm: str
    size: int
    content: bytes

    def match(self, index: int, decoded: bytes) -> bool:
        """Whether a chunk is the one that was stored; one without a digest is not doubted."""
        stored = self.content[index * self.size : (index + 1) * self.size]
        if len(stored) < self.size:
            return True
        return hashlib.new(self.algorithm, decoded, usedforsecurity=False).digest() == stored


@dataclass(frozen=True, kw_only=True)
class Spans:
    """The stored place of consecutive chunks: arrays of offsets in their segment, sizes, and ``Storage``."""

    offsets: Sequence[int]
    sizes: Sequence[int]
    storages: Sequence[int]
    digests: Digests | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A run of chunks that one table lists; ``load`` reads its entries again."""

    first: int
    count: int
    segment: ByteSource
    segment_name: str
    load: Callable[[], Spans]


class ChunkSource:
    """The decoded bytes of an image, chunk by chunk."""

    def __init__(self, tables: Sequence[Table], chunk_size: int, size: int, lost: Callable[[int], str]) -> None:
        self._tables = tables
        self._firsts = [table.first for table in tables]
        self._chunk_size = chunk_size
        self._size = size
        self._lost = lost
        self._spans: OrderedDict[int, Spans] = OrderedDict()
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached = max(2, CACHE_SIZE // chunk_size)
        self._small: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        chunk_size = self._chunk_size
        first, start = divmod(offset, chunk_size)
        last = (end - 1) // chunk_size
        stop = end - last * chunk_size
        if first == last:
            return self._chunk(first)[start:stop]
        parts = []
        if start:
            parts.append(self._chunk(first)[start:])
            first += 1
        whole = last + 1 if stop == self._length_of(last) else last
        parts.extend(self._decoded(first, whole))
        if whole == last:
            parts.append(self._chunk(last)[:stop])
        return b"".join(parts)

    def _length_of(self, chunk: int) -> int:
        return min(self._chunk_size, self._size - chunk * self._chunk_size)

    def _chunk(self, chunk: int) -> bytes:
        """Return one chunk and keep it: who reads a part of it reads the next part soon."""
        kept = self._cache.get(chunk)
        if kept is not None:
            self._cache.move_to_end(chunk)
            return kept
        decoded = next(self._decoded(chunk, chunk + 1))
        while len(self._cache) >= self._cached:
            self._cache.popitem(last=False)
        self._cache[chunk] = decoded
        return decoded

    def _decoded(self, first: int, stop: int) -> Iterator[bytes]:
        """Yield chunks in order; the stored bytes of neighbours are read at once."""
        while first < stop:
            number = bisect_right(self._firsts, first) - 1
            table = self._tables[number] if number >= 0 else None
            if table is None or first >= table.first + table.count:
                at = first * self._chunk_size
                raise UnreadableError(at, self._length_of(first), self._lost(first))
            end = min(stop, table.first + table.count)
            yield from self._of_table(number, first, end)
            first = end

    def _of_table(self, number: int, first: int, stop: int) -> Iterator[bytes]:
        base = self._tables[number].first
        spans = self._loaded(number)
        offsets, sizes, storages = spans.offsets, spans.sizes, spans.storages
        index, end = first - base, stop - base
        while index < end:
            if storages[index] == Storage.PATTERN:
                yield self._pattern(offsets[index], self._length_of(base + index))
                index += 1
                continue
            begin = offsets[index]
            reach = begin + sizes[index]
            after = index + 1
            while after < end and offsets[after] == reach and reach + sizes[after] - begin <= RUN_SIZE:
                reach += sizes[after]
                after += 1
            block = memoryview(self._stored(number, index, begin, reach - begin))
            for place in range(index, after):
                at = offsets[place] - begin
                yield self._decode(number, place, block[at : at + sizes[place]], spans)
            index = after

    def _stored(self, number: int, index: int, offset: int, length: int) -> bytes:
        try:
            block = self._tables[number].segment.read_at(offset, length)
        except UnreadableError as error:
            raise self._unreadable(number, index, error.reason) from error
        if len(block) < length:
            raise self._unreadable(number, index, f"the segment ends {length - len(block)} bytes before its chunks do")
        return block

    def _loaded(self, number: int) -> Spans:
        if number not in self._spans:
            while len(self._spans) >= MAXIMUM_TABLES:
                self._spans.popitem(last=False)
            self._spans[number] = self._tables[number].load()
        return self._spans[number]

    def _pattern(self, stored: int, length: int) -> bytes:
        return (stored.to_bytes(8, "little") * (length // 8 + 1))[:length]

    def _decode(self, number: int, index: int, stored: Any, spans: Spans) -> bytes:
        length = self._length_of(self._tables[number].first + index)
        storage = spans.storages[index]
        decoded: bytes | None
        if storage == Storage.ZLIB:
            decoded = self._inflate(stored)
        elif storage == Storage.CHECKED:
            decoded = checked(stored)
        elif storage == Storage.PLAIN:
            decoded = bytes(stored)
        else:
            decoded = _CODECS[storage](stored, self._chunk_size)
        if decoded is None:
            raise self._unreadable(number, index, "its checksum does not match, or it cannot be decoded")
        if len(decoded) < length:
            raise self._unreadable(number, index, f"it holds {len(decoded)} bytes where {length} belong")
        if spans.digests is not None and not spans.digests.match(index, decoded):
            raise self._unreadable(number, index, f"its {spans.digests.algorithm} is another than the stored one")
        return decoded if len(decoded) == length else decoded[:length]

    def _inflate(self, stored: Any) -> bytes | None:
        """Decode a chunk; the last few tiny ones are kept, for most of them are the same empty space."""
        if len(stored) > SMALL:
            return unzlib(stored, self._chunk_size)
        key = bytes(stored)
        if key not in self._small:
            decoded = unzlib(key, self._chunk_size)
            if decoded is None:
                return None
            while len(self._small) >= 8:
                self._small.popitem(last=False)
            self._small[key] = decoded
        return self._small[key]

    def _unreadable(self, number: int, index: int, reason: str) -> UnreadableError:
        table = self._tables[number]
        chunk = table.first + index
        place = f"chunk {chunk}, at byte {self._loaded(number).offsets[index]} of {table.segment_name}"
        return UnreadableError(chunk * self._chunk_size, self._length_of(chunk), f"{place}: {reason}")


def checked(stored: Any) -> bytes | None:
    """Return a plain chunk without the Adler-32 behind it; ``None`` where that does not match."""
    content = stored[:-4]
    if isal_zlib.adler32(content) != int.from_bytes(stored[-4:], "little"):
        return None
    return bytes(content)
