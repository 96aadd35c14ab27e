"""Streams: chunks in bevies, maps over other streams, and streams that are one byte for ever."""

from __future__ import annotations

import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kaval.containers.aff4.turtle import AFF4, RDF_TYPE, Value
from kaval.containers.aff4.volume import Volumes
from kaval.containers.chunks import ChunkSource, Digests, Spans, Storage, Table
from kaval.containers.segments import MissingSource
from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.sources import ByteSource

FOREVER = 1 << 62
MAXIMUM_CHUNK = 64 << 20
MAXIMUM_INDEX = 256 << 20
MAXIMUM_MAP = 1 << 30
UNKNOWN, UNREADABLE = f"{AFF4}UnknownData", f"{AFF4}UnreadableData"
_STORAGES = {
    "http://code.google.com/p/snappy/": Storage.SNAPPY,
    "https://code.google.com/p/snappy/": Storage.SNAPPY,
    "https://github.com/google/snappy": Storage.SNAPPY,
    "https://www.ietf.org/rfc/rfc1950.txt": Storage.ZLIB,
    "https://tools.ietf.org/html/rfc1950": Storage.ZLIB,
    "https://tools.ietf.org/html/rfc1951": Storage.DEFLATE,
    "https://www.ietf.org/rfc/rfc1951.txt": Storage.DEFLATE,
    "https://code.google.com/p/lz4/": Storage.LZ4,
    f"{AFF4}NullCompressor": Storage.PLAIN,
    f"{AFF4}compression/stored": Storage.PLAIN,
}
_REASONS = {
    UNKNOWN: "it was not acquired (AFF4 UnknownData)",
    UNREADABLE: "it could not be read when it was acquired (AFF4 UnreadableData)",
}
_SYMBOL = re.compile(re.escape(AFF4) + r"SymbolicStream([0-9A-Fa-f]{2})")
_POINT = np.dtype([("start", "<u8"), ("length", "<u8"), ("offset", "<u8"), ("target", "<u4")])


class RepeatedSource:
    """One byte for ever."""

    def __init__(self, byte: int) -> None:
        self._byte = bytes([byte])

    @property
    def size(self) -> int:
        return FOREVER

    def read_at(self, offset: int, length: int) -> bytes:
        return self._byte * max(0, length)


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A part of a stream that cannot be read, and why."""

    start: int
    size: int
    reason: str


class MapSource:
    """Pieces of other streams laid out one beside the other; what no piece covers comes from ``gaps``."""

    def __init__(self, points: np.ndarray, targets: list[ByteSource], gaps: ByteSource, size: int) -> None:
        ordered = points[np.argsort(points["start"], kind="stable")]
        starts = ordered["start"]
        follow = np.append(starts[1:], np.uint64(size))
        ends = np.minimum(starts + np.minimum(ordered["length"], np.uint64(size)), follow)
        self._starts, self._ends = _packed(starts), _packed(ends)
        self._offsets, self._ids = _packed(ordered["offset"]), _packed(ordered["target"])
        self._targets = targets
        self._gaps = gaps
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        parts = [_piece(source, at, start, size) for source, at, start, size in self.pieces(offset, end)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def pieces(self, offset: int, end: int) -> Iterator[tuple[ByteSource, int, int, int]]:
        """Yield what a range is made of: the stream, the offset in it, the offset in the map, the length."""
        starts, last = self._starts, len(self._starts) - 1
        place = bisect_right(starts, offset) - 1
        while offset < end:
            stop = self._ends[place] if place >= 0 else 0
            if offset < stop:
                take = min(end, stop) - offset
                yield self._targets[self._ids[place]], self._offsets[place] + offset - starts[place], offset, take
            else:
                following = starts[place + 1] if place < last else self._size
                take = max(0, min(end, following) - offset)
                if take:
                    yield self._gaps, offset, offset, take
            offset += take
            while place < last and starts[place + 1] <= offset:
                place += 1

    def lost(self) -> Iterator[Lost]:
        """Yield the ranges of pieces that have no bytes, neighbours of the same kind as one."""
        waiting: Lost | None = None
        for start, end, target in zip(self._starts, self._ends, self._ids, strict=True):
            source = self._targets[target]
            if not isinstance(source, MissingSource) or end <= start:
                continue
            if waiting is not None and (waiting.reason, waiting.start + waiting.size) == (source.reason, start):
                waiting = Lost(start=waiting.start, size=end - waiting.start, reason=source.reason)
                continue
            if waiting is not None:
                yield waiting
            waiting = Lost(start=start, size=end - start, reason=source.reason)
        if waiting is not None:
            yield waiting


def _piece(source: ByteSource, at: int, start: int, size: int) -> bytes:
    try:
        part = source.read_at(at, size)
    except UnreadableError as error:
        raise UnreadableError(start, size, error.reason) from error
    if len(part) < size:
        raise UnreadableError(start + len(part), size - len(part), "the stream it is mapped from ends before it")
    return part


def _packed(numbers: np.ndarray) -> array[int]:
    packed = array("Q")
    packed.frombytes(numbers.astype("=u8").tobytes())
    return packed


class Streams:
    """Opens the streams of an image by their names."""

    def __init__(self, volumes: Volumes) -> None:
        self._volumes = volumes

    def values(self, name: str, key: str) -> list[Value]:
        """Return what a resource says under a key of the AFF4 schema."""
        return self._volumes.graph.get(name, {}).get(AFF4 + key, [])

    def one(self, name: str, key: str) -> str:
        """Return the first value of a key, empty if there is none."""
        return next((value.text for value in self.values(name, key)), "")

    def kinds(self, name: str) -> set[str]:
        """Return the types of a resource, without the prefix of the schema."""
        found = self._volumes.graph.get(name, {}).get(RDF_TYPE, [])
        return {value.text.removeprefix(AFF4) for value in found}

    def number(self, name: str, key: str, most: int) -> int:
        """Return a number that a resource must state."""
        text = self.one(name, key)
        if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > most:
            raise CorruptStructureError(f"the AFF4 stream {name}", f"its {key} is {text!r}")
        return int(text)

    def open(self, name: str) -> ByteSource:
        """Return a stream: chunks, a map, a symbol; one that is in no volume here is unreadable.

        Raises:
            CorruptStructureError: What is said of it cannot be.
            UnsupportedError: It is of a kind that is not read here.
        """
        if name == f"{AFF4}Zero":
            return RepeatedSource(0)
        if name in _REASONS:
            return MissingSource(FOREVER, _REASONS[name])
        symbol = _SYMBOL.fullmatch(name)
        if symbol is not None or name == f"{AFF4}FFDevice":
            return RepeatedSource(int(symbol[1], 16) if symbol else 0xFF)
        kinds = self.kinds(name)
        if "ImageStream" in kinds:
            return self._chunks(name)
        if "Map" in kinds:
            return self._map(name)
        if kinds:
            raise UnsupportedError(f"the AFF4 stream {name} ({', '.join(sorted(kinds))})", "convert it with its tool")
        return MissingSource(FOREVER, f"the stream {name} is in no volume beside this one")

    def _map(self, name: str) -> ByteSource:
        size = self.number(name, "size", FOREVER)
        stored = self._volumes.read(f"{name}/map", MAXIMUM_MAP)
        index = self._volumes.read(f"{name}/idx", MAXIMUM_MAP)
        if stored is None or index is None:
            return MissingSource(size, f"the map {name} is in no volume beside this one")
        if len(stored) % _POINT.itemsize:
            raise CorruptStructureError(f"the AFF4 map {name}", f"it has {len(stored)} bytes, no multiple of 28")
        points = np.frombuffer(stored, _POINT)
        names = index.decode("utf-8", "replace").split("\n")
        names = [line.strip("\r") for line in names if line.strip()]
        if len(points) and int(points["target"].max()) >= len(names):
            raise CorruptStructureError(f"the AFF4 map {name}", f"it names a stream beyond its {len(names)}")
        if any(target == name for target in names):
            raise CorruptStructureError(f"the AFF4 map {name}", "it maps to itself")
        if any("Map" in self.kinds(target) for target in names):
            raise UnsupportedError(f"the AFF4 map {name}, which maps to another map,", "convert it with its tool")
        gaps = self.one(name, "mapGapDefaultStream") or f"{AFF4}Zero"
        return MapSource(points, [self.open(target) for target in names], self.open(gaps), size)

    def _chunks(self, name: str) -> ByteSource:
        size = self.number(name, "size", FOREVER)
        chunk_size = self.number(name, "chunkSize", MAXIMUM_CHUNK)
        per_bevy = self.number(name, "chunksInSegment", 1 << 24)
        method = self.one(name, "compressionMethod")
        if method not in _STORAGES:
            raise UnsupportedError(f"the AFF4 stream {name}, compressed by {method or 'nothing said'},", "convert it")
        if not chunk_size or not per_bevy:
            raise CorruptStructureError(f"the AFF4 stream {name}", f"{per_bevy} chunks of {chunk_size} make a bevy")
        tables = list(self._bevies(name, per_bevy, chunk_size, _STORAGES[method]))

        def lost(chunk: int) -> str:
            return f"the bevy {chunk // per_bevy} of the stream {name} is missing or damaged, or ends before it"

        return ChunkSource(tables, chunk_size, size, lost)

    def _bevies(self, name: str, per_bevy: int, chunk_size: int, storage: Storage) -> Iterator[Table]:
        for number, member in self._volumes.numbered(name):
            bevy = self._volumes.find(member)
            count = min(self._volumes.size_of(f"{member}.index") // 12, per_bevy)
            if bevy is None or not count:
                continue
            yield Table(
                first=number * per_bevy,
                count=count,
                segment=bevy,
                segment_name=f"bevy {number}",
                load=self._loader(member, chunk_size, storage),
            )

    def _loader(self, member: str, chunk_size: int, storage: Storage) -> Callable[[], Spans]:
        def load() -> Spans:
            index = self._volumes.read(f"{member}.index", MAXIMUM_INDEX) or b""
            offsets, sizes, storages = array("Q"), array("Q"), bytearray()
            for offset, size in struct.iter_unpack("<QI", index[: len(index) // 12 * 12]):
                offsets.append(offset)
                sizes.append(min(size, 2 * chunk_size + 4096))
                storages.append(Storage.PLAIN if size == chunk_size else storage)
            return Spans(offsets=offsets, sizes=sizes, storages=bytes(storages), digests=self._digests(member))

        return load

    def _digests(self, member: str) -> Digests | None:
        for algorithm, size in (("sha1", 20), ("md5", 16), ("sha256", 32)):
            content = self._volumes.read(f"{member}.blockHash.{algorithm}", MAXIMUM_INDEX)
            if content:
                return Digests(algorithm=algorithm, size=size, content=content)
        return None
