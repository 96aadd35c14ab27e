"""Exact matching: sorted values and a table of buckets, mapped into memory, nothing else.

Files of an algorithm in a set's folder, all little-endian, all raw:

``A.values``   the distinct values, sorted, one after the other
``A.buckets``  2^b + 1 numbers (u32, u64 from 2^32 values on): values whose first b bits are k stand in rows
               ``buckets[k]`` to ``buckets[k + 1]``
``A.fences``   for each page of 4096 bytes of ``A.values`` the first eight bytes of the first value that begins in it,
               as a number (u64); buckets and fences together cost less than 0.5 bytes a value

Opening maps them; the processes of a machine share one copy of the pages. Where the rows of a bucket lie on two pages,
the fence between them says which one can hold a value, so that a single look-up reads one page of values.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.knownsets import fast
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Rows

PAGE_SIZE = 4096

_ROWS_A_BUCKET = 10
_LOOKUP_COST = 500.0
_FEW = PAGE_SIZE // 2
_WIDEST = (1 << 64) - 1
_WIDE = 1 << 32


def bucket_bits(count: int) -> int:
    """Return how many leading bits choose the bucket of a table of so many values."""
    wide = 2 if count >= _WIDE else 1
    return max(1, (count // (_ROWS_A_BUCKET * wide)).bit_length() - 1)


def prefixes(values: Rows) -> NDArray[np.uint64]:
    """Return the first eight bytes of each row as a number that sorts as the row does."""
    return np.ascontiguousarray(values[:, :8]).view(">u8")[:, 0].astype(np.uint64)


class TableWriter:
    """Writes the files of one algorithm from distinct values that come in order.

    ``most`` is how many values there may be at most; how many there are shows at the end.
    """

    def __init__(self, folder: Path, algorithm: str, most: int) -> None:
        self._buckets = folder / f"{algorithm}.buckets"
        self._values = (folder / f"{algorithm}.values").open("wb")
        self._fences = (folder / f"{algorithm}.fences").open("wb")
        self._width = WIDTHS[algorithm]
        self._finest = bucket_bits(most)
        self._counts = np.zeros(1 << self._finest, dtype=np.int64)
        self.count = 0

    def add(self, values: Rows) -> None:
        """Write more values; each comes behind those before."""
        if not len(values):
            return
        self._values.write(np.ascontiguousarray(values).data)
        leading = prefixes(values)
        places = (leading >> np.uint64(64 - self._finest)).astype(np.int64)
        low, high = int(places[0]), int(places[-1]) + 1
        self._counts[low:high] += np.bincount(places - low, minlength=high - low)
        before, behind = _pages(self.count, self._width), _pages(self.count + len(values), self._width)
        begins = -(-np.arange(before, behind, dtype=np.int64) * PAGE_SIZE // self._width) - self.count
        self._fences.write(leading[begins].astype("<u8").tobytes())
        self.count += len(values)

    def close(self) -> None:
        """Write the table of buckets and give the files back."""
        bits = bucket_bits(self.count)
        starts = np.zeros((1 << bits) + 1, dtype="<u8" if self.count >= _WIDE else "<u4")
        np.cumsum(self._counts.reshape(1 << bits, -1).sum(axis=1), out=starts[1:])
        self._buckets.write_bytes(starts.tobytes())
        self._values.close()
        self._fences.close()


def _pages(count: int, width: int) -> int:
    """Return on how many pages a value begins."""
    return 0 if not count else (count - 1) * width // PAGE_SIZE + 1


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
        fences = map_file(folder / f"{algorithm}.fences", mmap.MADV_WILLNEED)
        if len(fences) != 8 * _pages(self.count, self.width):
            raise CorruptStructureError(f"known set {folder}", f"the fences of {algorithm} do not fit its values")
        self._fences: Sequence[int] = memoryview(fences).cast("Q") if fences else ()
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
        start, end = low * self.width, high * self.width
        if start == end:
            return -1
        if end - start <= _FEW:
            if start // PAGE_SIZE == (end - 1) // PAGE_SIZE:
                return self._within(value, start, end)
            found = (self._within(value, *span) for span in self._spans(value, start, end))
            return next((row for row in found if row >= 0), -1)
        row = bisect_left(range(high), value, low, high, key=self.value)
        return row if row < high and self.value(row) == value else -1

    def _within(self, value: bytes, start: int, end: int) -> int:
        """Return the row of a value among the whole ones between two bytes, -1 where it is not there."""
        run = self._values[start:end]
        place = run.find(value)
        while place > 0 and place % self.width:
            place = run.find(value, place + 1)
        return -1 if place < 0 else (start + place) // self.width

    def _spans(self, value: bytes, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Return the parts of a short run of rows over two pages in which a value can be, the likelier first."""
        border = (end - 1) // PAGE_SIZE * PAGE_SIZE
        upper = -(-border // self.width) * self.width
        wanted, fence = int.from_bytes(value[:8], "big"), self._fences[border // PAGE_SIZE] if upper < end else _WIDEST
        if wanted >= fence:
            return ((upper, end), (start, upper)) if wanted == fence else ((upper, end),)
        across = upper - self.width
        if upper > border and self._values[across:border] == value[: border - across]:
            return ((across, upper), (start, across))
        return ((start, border),)

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
