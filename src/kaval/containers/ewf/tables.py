"""Chunk tables of version 1: which chunk is stored where, by table, by its copy, or by walking the chunks themselves.

Offsets have 31 bits; the top bit says compressed. EnCase 6.7 and later write segments beyond 2 GiB:
once a chunk reaches past that, all later offsets of the table have 32 bits and their chunks are not compressed.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from isal import isal_zlib

from kaval.containers.blockcodecs import ISAL_ERROR
from kaval.containers.chunks import Spans, Storage, checked
from kaval.containers.ewf.sections import Section
from kaval.core.sources import ByteSource

_HEADER = struct.Struct("<I4xQ4xI")
_TOP = 1 << 31
MAXIMUM_ENTRIES = 1 << 24
"""A table with more entries than this is taken for damaged (the format allows 2**31, tools write 65534)."""


@dataclass(frozen=True, kw_only=True)
class StoredTable:
    """A sound table: where its entries stand, what their offsets count from, and where sections begin behind them."""

    source: ByteSource
    entries_offset: int
    count: int
    base: int
    chunk_size: int
    boundaries: list[int] = field(repr=False)
    first: None = None

    def load(self) -> Spans:
        """Return the places of its chunks; each ends where the next begins, the last where its section ends."""
        entries = np.frombuffer(self.source.read_at(self.entries_offset, 4 * self.count), "<u4").astype(np.int64)
        offsets = entries & (_TOP - 1)
        compressed = entries >= _TOP
        begins = self._past_two_gib(entries, offsets)
        offsets[begins:] = entries[begins:]
        compressed[begins:] = False
        offsets += self.base
        sizes = np.empty_like(offsets)
        sizes[:-1] = np.diff(offsets)
        sizes[-1] = self._end_of(int(offsets[-1])) - offsets[-1]
        most = np.where(compressed, 2 * self.chunk_size + 4096, self.chunk_size + 4)
        sizes = np.clip(sizes, 0, most)
        storages = np.where(compressed, Storage.ZLIB, Storage.CHECKED).astype(np.uint8)
        return Spans(offsets=_packed(offsets), sizes=_packed(sizes), storages=storages.tobytes())

    def _past_two_gib(self, entries: np.ndarray, offsets: np.ndarray) -> int:
        """Return from which entry on offsets have 32 bits; the number of entries if none has."""
        falls = np.flatnonzero(np.diff(offsets) < 0)
        if not len(falls):
            return len(entries)
        first = int(falls[0]) + 1
        return first if entries[first] > offsets[first - 1] else len(entries)

    def _end_of(self, offset: int) -> int:
        place = bisect_right(self.boundaries, offset)
        return self.boundaries[place] if place < len(self.boundaries) else self.source.size


@dataclass(frozen=True, kw_only=True)
class WalkedTable:
    """Chunks found one behind the other in a ``sectors`` section whose tables are lost."""

    spans: Spans
    end: int
    first: None = None

    @property
    def count(self) -> int:
        return len(self.spans.offsets)

    def load(self) -> Spans:
        return self.spans


def read_table(source: ByteSource, section: Section, chunk_size: int, boundaries: list[int]) -> StoredTable | str:
    """Return the table of a section, or the reason why it cannot be trusted."""
    block = source.read_at(section.content_offset, 24) if section.content_size >= 24 else b""
    if len(block) < 24:
        return "it is cut off"
    count, base, checksum = _HEADER.unpack(block)
    if zlib.adler32(block[:20]) != checksum:
        return "the checksum of its header does not match"
    entries_offset = section.content_offset + 24
    if not 0 < count <= MAXIMUM_ENTRIES or entries_offset + 4 * count > section.end:
        return f"it claims {count} entries, which its section cannot hold" if count else "it has no entries"
    reason = _check_entries(source, section, entries_offset, count, base)
    if reason:
        return reason
    return StoredTable(
        source=source,
        entries_offset=entries_offset,
        count=count,
        base=base,
        chunk_size=chunk_size,
        boundaries=boundaries,
    )


def _check_entries(source: ByteSource, section: Section, offset: int, count: int, base: int) -> str:
    """Compare the checksum behind the entries; S01 has none, there the chunks follow at once."""
    size = 4 * count
    block = source.read_at(offset, size + 4)
    if len(block) < size:
        return "it is cut off"
    first = int.from_bytes(block[:4], "little") & (_TOP - 1)
    if base + first == offset + size:
        return ""
    if len(block) < size + 4 or offset + size + 4 > section.end:
        return "the checksum of its entries is cut off"
    if zlib.adler32(memoryview(block)[:size]) != int.from_bytes(block[size:], "little"):
        return "the checksum of its entries does not match"
    return ""


def walk_chunks(source: ByteSource, start: int, end: int, chunk_size: int, maximum: int) -> WalkedTable:
    """Return the chunks that stand one behind the other from ``start``, up to the first that is none.

    A chunk counts only with its checksum: the one of the zlib stream, or the Adler-32 behind a plain one.
    """
    offsets, sizes, storages = array("Q"), array("Q"), bytearray()
    while start < end and len(offsets) < maximum:
        block = source.read_at(start, min(end - start, 2 * chunk_size + 4096))
        length, storage = _measure(block, chunk_size)
        if not length:
            break
        offsets.append(start)
        sizes.append(length)
        storages.append(storage)
        start += length
    return WalkedTable(spans=Spans(offsets=offsets, sizes=sizes, storages=bytes(storages)), end=start)


def _measure(block: bytes, chunk_size: int) -> tuple[int, Storage]:
    """Return how many bytes the chunk at the start of a block takes, 0 if there is none."""
    if block[:1] == b"\x78":
        decoder = isal_zlib.decompressobj()
        with suppress(ISAL_ERROR):
            decoder.decompress(block, chunk_size + 1)
            if decoder.eof:
                return len(block) - len(decoder.unused_data), Storage.ZLIB
    plain = memoryview(block)[: chunk_size + 4]
    if len(plain) == chunk_size + 4 and checked(plain) is not None:
        return chunk_size + 4, Storage.CHECKED
    return 0, Storage.CHECKED


def _packed(numbers: np.ndarray) -> array[int]:
    packed = array("q")
    packed.frombytes(numbers.astype("=i8").tobytes())
    return packed
