"""Exact matching: sorted values and a table of buckets, mapped into memory, nothing else.

Files of an algorithm in a set's folder, all little-endian, all raw:

``A.values``   the distinct values, sorted, one after the other
``A.buckets``  2^b + 1 numbers (u32, u64 from 2^32 values on): values whose first b bits are k stand in rows
               ``buckets[k]`` to ``buckets[k + 1]``; b is such that the table costs at most 0.5 bytes a value

Opening maps both; the processes of a machine share one copy of the pages. A single look-up of a value that was
never read before costs one page of ``A.values``, two where a bucket lies across a page border.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.knownsets import fast
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Rows

_ROWS_A_BUCKET = 8
_LOOKUP_COST = 500.0
_FEW = 64
_WIDE = 1 << 32


def bucket_bits(count: int) -> int:
    """Return how many leading bits choose the bucket of a table of so many values."""
    wide = 2 if count >= _WIDE else 1
    return max(1, (count // (_ROWS_A_BUCKET * wide)).bit_length() - 1)


def prefixes(values: Rows) -> NDArray[np.uint64]:
    """Return the first eight bytes of each row as a number that sorts as the row does."""
    return np.ascontiguousarray(values[:, :8]).view(">u8")[:, 0].astype(np.uint64)


def write_buckets(path: Path, counts: NDArray[np.int64]) -> None:
    """Write the table of buckets from the number of values in each."""
    total = int(counts.sum())
    starts = np.zeros(len(counts) + 1, dtype="<u8" if total >= _WIDE else "<u4")
    np.cumsum(counts, out=starts[1:])
    path.write_bytes(starts.tobytes())


class DigestTable:
    """The distinct values of one algorithm; rows are numbered from 0 in sorted order."""

    def __init__(self, folder: Path, algorithm: str) -> None:
        self.algorithm = algorithm
        self.width = WIDTHS[algorithm]
        self._values = map_file(folder / f"{algorithm}.values", mmap.MADV_RANDOM)
        buckets = map_file(folder / f"{algorithm}.buckets", mmap.MADV_WILLNEED)
        self.count = len(self._values) // self.width
        self._bits = bucket_bits(self.count)
        kind = "<u8" if self.count >= _WIDE else "<u4"
        if len(self._values) % self.width or len(buckets) != ((1 << self._bits) + 1) * np.dtype(kind).itemsize:
            raise CorruptStructureError(f"known set {folder}", f"the files of {algorithm} do not fit each other")
        self._buckets = np.frombuffer(buckets, dtype=kind)
        self._starts: Sequence[int] = memoryview(cast("Any", self._buckets))
        self.rows: Rows = np.frombuffer(self._values, dtype=np.uint8).reshape(self.count, self.width)
        if int(self._buckets[-1]) != self.count:
            raise CorruptStructureError(f"known set {folder}", f"the bucket table of {algorithm} counts other values")

    def value(self, row: int) -> bytes:
        """Return the value of a row."""
        return self._values[row * self.width : (row + 1) * self.width]

    def find(self, value: bytes) -> int:
        """Return the row of one value, -1 where it is not in the table."""
        bucket = int.from_bytes(value[:8], "big") >> (64 - self._bits)
        low, high = self._starts[bucket], self._starts[bucket + 1]
        if high - low <= _FEW:
            run = self._values[low * self.width : high * self.width]
            place = run.find(value)
            while place > 0 and place % self.width:
                place = run.find(value, place + 1)
            return -1 if place < 0 else low + place // self.width
        row = bisect_left(range(high), value, low, high, key=self.value)
        return row if row < high and self.value(row) == value else -1

    def find_many(self, values: Sequence[bytes]) -> list[int]:
        """Return the row of each value, -1 where it is not in the table."""
        if len(values) < 32:
            return [self.find(value) for value in values]
        queries = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), self.width)
        found: list[int] = self.find_rows(queries).tolist()
        return found

    def find_rows(self, queries: Rows) -> NDArray[np.int64]:
        """Return the row of each query, -1 where it is not in the table."""
        if not self.count:
            return np.full(len(queries), -1, dtype=np.int64)
        if fast.EFFORT.pays(len(queries) * _LOOKUP_COST):
            flat = self.rows.reshape(-1)
            return fast.find(np.ascontiguousarray(queries), flat, self._buckets, self._bits)
        return self._search(queries)

    def _search(self, queries: Rows) -> NDArray[np.int64]:
        """Halve all buckets together until each has at most one row left, then compare."""
        wanted = prefixes(queries)
        bucket = (wanted >> np.uint64(64 - self._bits)).astype(np.int64)
        low = self._buckets[bucket].astype(np.int64)
        end = self._buckets[bucket + 1].astype(np.int64)
        high = end.copy()
        keys = np.ndarray((self.count,), ">u8", self._values, strides=(self.width,))
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            below = keys[np.minimum(middle, self.count - 1)] < wanted
            below &= low < high
            high = np.where(below, high, middle)
            low = np.where(below, middle + 1, low)
        at = np.minimum(low, self.count - 1)
        same = (low < end) & (keys[at] == wanted)
        equal = (self.rows[at, 8:] == queries[:, 8:]).all(axis=1)
        rows = np.where(same & equal, low, -1)
        for index in np.flatnonzero(same & ~equal):
            rows[index] = self._settle(queries[index].tobytes(), int(low[index]), int(end[index]))
        return rows

    def _settle(self, value: bytes, row: int, end: int) -> int:
        """Return the row among those that begin with the same eight bytes, from ``row`` on."""
        if self.value(row) == value:
            return row
        row = bisect_left(range(end), value, row, end, key=self.value)
        return row if row < end and self.value(row) == value else -1


def map_file(path: Path, advice: int) -> mmap.mmap | bytes:
    """Return the bytes of a file, mapped and shared; an empty file is empty bytes.

    Raises:
        CorruptStructureError: The file is missing.
    """
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                return b""
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise CorruptStructureError(f"known set {path.parent}", f"its file {path.name} is missing") from error
    mapped.madvise(advice)
    return mapped


def chunks_of(values: Rows, size: int = 1 << 20) -> Iterator[Rows]:
    """Yield rows in runs, so that what is made from them stays small."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
