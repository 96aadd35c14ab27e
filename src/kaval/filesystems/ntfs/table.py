"""The master file table: where its records lie, and their bytes with the update sequence put back.

Every sector of a record ends in two bytes that stand in for the real ones; those are kept in the record's update
sequence array. Where sector and array disagree, the record was torn while it was written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.ntfs.boot import Boot
from kaval.filesystems.ntfs.segments import (
    DATA,
    Attribute,
    Run,
    Segment,
    decode_runs,
    parse_attribute_list,
    parse_segment,
)

STRUCTURE = "$MFT"
STRIDE = 512
BATCH_SIZE = 1 << 20
MAXIMUM_KEPT = 256
MAXIMUM_EXTENSIONS = 4096
MAXIMUM_LIST_SIZE = 256 << 10


class Batch(NamedTuple):
    """Records that lie side by side: ``block`` has their sequences put back, ``torn`` names those that do not fit."""

    first: int
    records: int
    block: bytes
    torn: frozenset[int]


class FileTable:
    """Reads records by number, one at a time or all in order.

    Raises:
        CorruptStructureError: Neither the first record nor its mirror can be used.
    """

    def __init__(self, source: ByteSource, boot: Boot) -> None:
        self._source = source
        self._boot = boot
        self._size = boot.record_size
        self.notices: list[Notice] = []
        self._kept: OrderedDict[int, Segment | None] = OrderedDict()
        self._runs: list[Run] = []
        self._firsts: list[int] = []
        self._locate()

    @property
    def count(self) -> int:
        """Number of records the table's size has room for."""
        return self._count

    def _locate(self) -> None:
        boot = self._boot
        for cluster in (boot.table_cluster, boot.mirror_cluster):
            try:
                raw = self._source.read_at(cluster * boot.cluster_size, self._size)
            except UnreadableError as error:
                self.note(NoticeCode.UNREADABLE, f"record 0 cannot be read: {error.reason}", error.offset)
                continue
            block, _ = put_back(raw, self._size)
            first = parse_segment(block, 0, self._size, 0) if len(raw) == self._size else None
            streams = [item for item in first.attributes if item.type == DATA and not item.name] if first else []
            if first is None or not streams or streams[0].resident:
                self.note(NoticeCode.DAMAGED, "record 0 describes no table", cluster * boot.cluster_size)
                continue
            self._follow(first, streams[0])
            return
        raise CorruptStructureError(STRUCTURE, "neither record 0 nor its mirror describes it", None)

    def _follow(self, first: Segment, stream: Attribute) -> None:
        """Take the runs of record 0, then those its attribute list leads to, each found by way of those before."""
        self._extend(stream)
        self._count = stream.size // self._size
        if first.attribute_list is None:
            return
        items = parse_attribute_list(self.value(first.attribute_list, MAXIMUM_LIST_SIZE))
        places = sorted({(item.first, item.segment) for item in items if item.type == DATA and item.segment})
        for start, number in places[:MAXIMUM_EXTENSIONS]:
            extension = self.segment(number)
            part = next((item for item in extension.attributes if item.type == DATA), None) if extension else None
            if part is None or part.first != start:
                self.note(NoticeCode.DAMAGED, f"record {number}, which continues the table, does not", None)
                return
            self._extend(part)

    def _extend(self, part: Attribute) -> None:
        runs, problem = decode_runs(part.pairs, self._boot.cluster_count)
        if problem:
            self.note(NoticeCode.DAMAGED, f"the runs of the table: {problem}", None)
        for cluster, length in runs:
            last = self._firsts[-1] + self._runs[-1][1] if self._runs else 0
            self._firsts.append(last)
            self._runs.append((cluster, length))

    def note(self, code: NoticeCode, message: str, offset: int | None) -> None:
        """Keep a notice for the listing."""
        if len(self.notices) < 256:
            self.notices.append(Notice(code=code, message=message, offset=offset, structure=STRUCTURE))

    def places(self, offset: int, length: int) -> Iterator[tuple[int, int]]:
        """Yield where a range of the table lies, as offset and length in the source; nothing for holes."""
        size = self._boot.cluster_size
        while length > 0:
            index = bisect_right(self._firsts, offset // size) - 1
            if index < 0:
                return
            cluster, count = self._runs[index]
            inside = offset - self._firsts[index] * size
            step = min(length, count * size - inside)
            if step <= 0:
                return
            if cluster >= 0:
                yield cluster * size + inside, step
            offset, length = offset + step, length - step

    def _raw(self, number: int, count: int) -> bytes:
        """Return the bytes of records; where they cannot be read zeros, with a notice: no record begins with those."""
        parts = []
        for offset, length in self.places(number * self._size, count * self._size):
            try:
                block = self._source.read_at(offset, length)
            except UnreadableError as error:
                self.note(NoticeCode.UNREADABLE, f"records from {number} on: {error.reason}", error.offset)
                block = b""
            if len(block) < length:
                if offset + len(block) >= self._source.size:
                    self.note(NoticeCode.TRUNCATED, "the table runs past the end of the image", self._source.size)
                block += bytes(length - len(block))
            parts.append(block)
        return b"".join(parts)

    def segment(self, number: int) -> Segment | None:
        """Return one record; ``None`` where there is none of that number."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        raw = self._raw(number, 1) if 0 <= number < self._limit() else b""
        block, torn = put_back(raw, self._size) if len(raw) == self._size else (b"", False)
        found = parse_segment(block, 0, self._size, number) if block else None
        if found is not None and torn and not found.problem:
            found = found._replace(problem="the record was torn while it was written")
        if len(self._kept) >= MAXIMUM_KEPT:
            self._kept.popitem(last=False)
        self._kept[number] = found
        return found

    def record_bytes(self, number: int) -> bytes:
        """Return the bytes of one record with its update sequence put back."""
        return put_back(self._raw(number, 1), self._size)[0]

    def _limit(self) -> int:
        last = self._firsts[-1] + self._runs[-1][1] if self._runs else 0
        return last * self._boot.cluster_size // self._size

    def batches(self) -> Iterator[Batch]:
        """Yield all records in order."""
        step = max(1, BATCH_SIZE // self._size)
        end = min(self._count, self._limit())
        if end < self._count:
            self.note(NoticeCode.DAMAGED, f"the table has room for {end} of its {self._count} records", None)
        for first in range(0, end, step):
            yield self.batch_of(first)

    def batch_of(self, number: int) -> Batch:
        """Return the batch that holds a record."""
        step = max(1, BATCH_SIZE // self._size)
        first = number // step * step
        count = min(step, min(self._count, self._limit()) - first)
        return self._batch(first, self._raw(first, count))

    def _batch(self, first: int, raw: bytes) -> Batch:
        """Put the update sequences of many records back at once."""
        import numpy as np

        size = self._size
        count = len(raw) // size
        words = np.frombuffer(raw, "<u2", count * size // 2).reshape(count, size // 2).copy()
        signed = (words[:, 0] == 0x4946) & (words[:, 1] == 0x454C)
        torn = np.zeros(count, bool)
        for place in np.unique(words[signed, 2]).tolist():
            rows = np.flatnonzero(signed & (words[:, 2] == place))
            start = place // 2
            if place % 2 or start + size // STRIDE + 1 > size // 2:
                torn[rows] = True
                continue
            mark = words[rows, start]
            for sector in range(size // STRIDE):
                last = (sector + 1) * (STRIDE // 2) - 1
                fits = words[rows, last] == mark
                torn[rows[~fits]] = True
                good = rows[fits]
                words[good, last] = words[good, start + 1 + sector]
        return Batch(first, count, words.tobytes(), frozenset((first + np.flatnonzero(torn)).tolist()))

    def value(self, attribute: Attribute, limit: int) -> bytes:
        """Return the value of an attribute kept in the table or outside, at most so many bytes.

        What cannot be read ends it; whoever needs it whole compares its length.
        """
        if attribute.resident:
            start, length = attribute.value
            return self.record_bytes(attribute.segment)[start : start + length]
        runs, _ = decode_runs(attribute.pairs, self._boot.cluster_count)
        left = min(attribute.size, limit)
        parts = []
        for cluster, count in runs:
            length = min(left, count * self._boot.cluster_size)
            if length <= 0 or cluster < 0:
                break
            try:
                block = self._source.read_at(cluster * self._boot.cluster_size, length)
            except UnreadableError:
                break
            parts.append(block)
            left -= length
            if len(block) < length:
                break
        return b"".join(parts)

    def resident_extents(self, attribute: Attribute) -> tuple[Extent, ...]:
        """Return where the bytes of a resident value lie in the source.

        The two bytes at the end of a sector are taken from the update sequence array, where the real ones are.
        """
        start, length = attribute.value
        base = attribute.segment * self._size
        if length and start // STRIDE == (start + length + 1) // STRIDE:
            return tuple(Extent(offset=offset, length=size) for offset, size in self.places(base + start, length))
        pieces = []
        array = int.from_bytes(self._raw(attribute.segment, 1)[4:6], "little")
        place, end = start, start + length
        while place < end:
            sector, inside = divmod(place, STRIDE)
            if inside < STRIDE - 2:
                stop = min(end, (sector + 1) * STRIDE - 2)
                pieces.append((base + place, stop - place))
            else:
                stop = min(end, (sector + 1) * STRIDE)
                pieces.append((base + array + 2 + 2 * sector + inside - (STRIDE - 2), stop - place))
            place = stop
        return tuple(
            Extent(offset=offset, length=size) for where, step in pieces for offset, size in self.places(where, step)
        )


def put_back(raw: bytes, size: int) -> tuple[bytes, bool]:
    """Return a record with its update sequence put back, and whether it was torn."""
    if raw[:4] != b"FILE" or len(raw) < size:
        return raw, False
    place = int.from_bytes(raw[4:6], "little")
    if place + 2 + 2 * (size // STRIDE) > size:
        return raw, True
    block = bytearray(raw)
    mark = raw[place : place + 2]
    torn = False
    for sector in range(size // STRIDE):
        end = (sector + 1) * STRIDE
        if block[end - 2 : end] == mark:
            block[end - 2 : end] = raw[place + 2 + 2 * sector : place + 4 + 2 * sector]
        else:
            torn = True
    return bytes(block), torn
