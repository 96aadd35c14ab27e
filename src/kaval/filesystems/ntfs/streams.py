"""Streams: the data attributes of a file put together, and where their bytes lie."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from kaval.core.errors import UnreadableError
from kaval.core.records import Extent
from kaval.core.sources import ByteSource
from kaval.filesystems.ntfs.boot import Boot
from kaval.filesystems.ntfs.lznt1 import decompress
from kaval.filesystems.ntfs.segments import COMPRESSED, ENCRYPTED, Attribute, Run, decode_runs
from kaval.filesystems.ntfs.table import FileTable

MAXIMUM_UNIT = 1 << 20


class Stream(NamedTuple):
    """One stream: ``runs`` are its clusters, ``problem`` says why they are not all there."""

    name: str
    id: int
    segment: int
    size: int
    valid: int
    flags: int
    unit: int
    resident: Attribute | None
    runs: list[Run]
    problem: str

    @property
    def is_compressed(self) -> bool:
        return bool(self.flags & 0xFF & COMPRESSED) and self.resident is None and self.unit > 0

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & ENCRYPTED)

    @property
    def stored_runs(self) -> list[Run]:
        """The runs that are no holes."""
        return [run for run in self.runs if run[0] >= 0]


def streams_of(attributes: Sequence[Attribute], kind: int, boot: Boot) -> list[Stream]:
    """Return the streams of one attribute type, the unnamed one first, others in the order they stand."""
    if len(attributes) == 1:
        only = attributes[0]
        return [_stream(only.name, [only], boot)] if only.type == kind else []
    grouped: dict[str, list[Attribute]] = {}
    for attribute in attributes:
        if attribute.type == kind:
            grouped.setdefault(attribute.name, []).append(attribute)
    names = sorted(grouped, key=lambda name: name != "")
    return [_stream(name, grouped[name], boot) for name in names]


def _stream(name: str, parts: list[Attribute], boot: Boot) -> Stream:
    if len(parts) > 1:
        parts.sort(key=lambda part: part.first)
    head = parts[0]
    if head.resident:
        problem = "" if len(parts) == 1 else "it is kept in the table and outside as well"
        return Stream(name, head.id, head.segment, head.size, head.size, head.flags, 0, head, [], problem)
    if head.first:
        problem = f"the part that starts at cluster 0 of it is missing; this one starts at {head.first}"
        return Stream(name, head.id, head.segment, 0, 0, head.flags, 0, None, [], problem)
    runs, problem = decode_runs(head.pairs, boot.cluster_count)
    for part in parts[1:]:
        if problem:
            break
        here = sum(count for _, count in runs)
        if part.resident or part.first != here:
            problem = f"the part that starts at cluster {here} of it is missing"
            break
        more, problem = decode_runs(part.pairs, boot.cluster_count)
        runs.extend(more)
    here = sum(count for _, count in runs) * boot.cluster_size
    if not problem and here < head.size:
        problem = f"its runs hold {here} of its {head.size} bytes"
    return Stream(name, head.id, head.segment, head.size, head.valid, head.flags, head.unit, None, runs, problem)


def extents_of(stream: Stream, boot: Boot, table: FileTable) -> tuple[Extent, ...] | None:
    """Return the extents of a stream; ``None`` where its bytes are no plain run of the source.

    Holes, and what lies behind the valid length, are sparse: the file system reads zeros there whatever is on disk.
    """
    if stream.is_compressed or stream.is_encrypted:
        return None
    if stream.resident is not None:
        return table.resident_extents(stream.resident) if stream.size else ()
    size = boot.cluster_size
    left, valid = stream.size, min(stream.valid, stream.size)
    if len(stream.runs) == 1 and valid == left and 0 < left <= stream.runs[0][1] * size and stream.runs[0][0] >= 0:
        return (Extent(offset=stream.runs[0][0] * size, length=left),)
    extents: list[Extent] = []
    for cluster, count in stream.runs:
        length = min(count * size, left)
        if length <= 0:
            break
        left -= length
        stored = 0 if cluster < 0 else min(length, valid)
        if stored:
            extents.append(Extent(offset=cluster * size, length=stored))
        if length > stored:
            _add_hole(extents, length - stored)
        valid = max(0, valid - length)
    return tuple(extents)


def _add_hole(extents: list[Extent], length: int) -> None:
    if extents and extents[-1].sparse:
        length += extents.pop().length
    extents.append(Extent(offset=0, length=length, sparse=True))


class CompressedSource:
    """A stream compressed with LZNT1, unit by unit; the unit read last is kept."""

    def __init__(self, source: ByteSource, boot: Boot, stream: Stream) -> None:
        self._source = source
        self._cluster_size = boot.cluster_size
        self._stream = stream
        self._unit_clusters = 1 << min(stream.unit, 16)
        self._unit_size = min(self._unit_clusters * boot.cluster_size, MAXIMUM_UNIT)
        self._unit_clusters = self._unit_size // boot.cluster_size
        self._starts = [0]
        for _, count in stream.runs:
            self._starts.append(self._starts[-1] + count)
        self._kept: tuple[int, bytes] = (-1, b"")

    @property
    def size(self) -> int:
        return self._stream.size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        end = min(offset + length, self.size)
        parts = []
        while offset < end:
            number, inside = divmod(offset, self._unit_size)
            step = min(end - offset, self._unit_size - inside)
            parts.append(self._unit(number)[inside : inside + step])
            offset += step
        return b"".join(parts)

    def _unit(self, number: int) -> bytes:
        if self._kept[0] != number:
            self._kept = (number, self._decode(number))
        return self._kept[1]

    def _decode(self, number: int) -> bytes:
        start = number * self._unit_size
        if start >= self._stream.valid:
            return bytes(self._unit_size)
        block = b"".join(self._clusters(number))
        if not block:
            return bytes(self._unit_size)
        unit = block if len(block) == self._unit_size else decompress(block, self._unit_size)
        known = self._stream.valid - start
        return unit if known >= self._unit_size else unit[:known] + bytes(self._unit_size - known)

    def _clusters(self, number: int) -> list[bytes]:
        """Return the stored clusters of a unit."""
        first = number * self._unit_clusters
        end = first + self._unit_clusters
        index = bisect_right(self._starts, first) - 1
        blocks = []
        if index >= len(self._stream.runs):
            raise UnreadableError(number * self._unit_size, self._unit_size, "the runs end before the stream does")
        while first < end and index < len(self._stream.runs):
            cluster, _ = self._stream.runs[index]
            step = min(end, self._starts[index + 1]) - first
            if cluster >= 0:
                offset = (cluster + first - self._starts[index]) * self._cluster_size
                length = step * self._cluster_size
                block = self._source.read_at(offset, length)
                if len(block) < length:
                    raise UnreadableError(offset, length, "the extent lies outside the image")
                blocks.append(block)
            first += step
            index += 1
        return blocks
