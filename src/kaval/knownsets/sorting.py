"""Sorting on disk: values in any order go in, distinct sorted ones come out, in little memory.

Values of an algorithm are put aside in runs; each run is grouped by first byte, so that all values with the same
first bytes can be fetched, sorted and written in turn. A record is the value, followed where entries have details
by the number of its detail (u32, big-endian, so that records sort by value, then detail).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.batches import NO_DETAIL, Column, Rows

RUN_SIZE = 4 << 20
"""Bytes gathered before a run is put aside."""

GROUP_SIZE = 4 << 20
"""Bytes sorted together where values allow it."""

_LARGEST_GROUP = 192 << 20
_INDEX_BITS = 24
_PLACES = np.uint64((1 << _INDEX_BITS) - 1)


class Spill:
    """Values of one algorithm on their way: ``add`` them all, then take the sorted ``groups``.

    ``depth`` is the byte by which runs are grouped; bytes before it are the same in all values.
    """

    def __init__(self, path: Path, width: int, *, linked: bool, depth: int = 0) -> None:
        self.width = width
        self.linked = linked
        self.record_size = width + (4 if linked else 0)
        self._path = path
        self._depth = depth
        self._file = path.open("ab")
        self._borders: list[NDArray[np.int64]] = []
        self._waiting: list[Rows] = []
        self._waiting_size = 0

    def add(self, column: Column, first_detail: int = 0) -> None:
        """Add values; the owners of the column are counted from ``first_detail``."""
        records = column.values
        if self.linked:
            owners = np.full(len(records), NO_DETAIL, dtype=np.uint32)
            if column.owners is not None:
                owners = np.where(column.owners == NO_DETAIL, NO_DETAIL, column.owners + np.uint32(first_detail))
            tail = owners.astype(">u4").view(np.uint8).reshape(-1, 4)
            records = np.concatenate([records, tail], axis=1)
        self.add_records(records)

    def add_records(self, records: Rows) -> None:
        """Add records as they are."""
        self._waiting.append(records)
        self._waiting_size += records.nbytes
        if self._waiting_size >= RUN_SIZE:
            self.put_aside()

    def put_aside(self) -> None:
        """Write what waits as a run."""
        if not self._waiting:
            return
        records = np.concatenate(self._waiting) if len(self._waiting) > 1 else self._waiting[0]
        first = records[:, self._depth]
        order = np.argsort(first, kind="stable")
        start = self._file.tell()
        self._file.write(taken(records, order).data)
        sizes = np.bincount(first, minlength=256) * self.record_size
        self._borders.append(start + np.concatenate(([0], np.cumsum(sizes))))
        self._waiting, self._waiting_size = [], 0

    def state(self) -> dict[str, Any]:
        """Return what an interrupted import needs to go on from here; everything is on the disk then."""
        self.put_aside()
        self._file.flush()
        return {"size": self._file.tell(), "borders": [borders.tolist() for borders in self._borders]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state: what was put aside after it is forgotten.

        Raises:
            CorruptStructureError: What was put aside is gone.
        """
        if self._path.stat().st_size < int(state["size"]):
            raise CorruptStructureError(f"interrupted import {self._path}", "what was put aside is gone")
        self._file.truncate(int(state["size"]))
        self._file.seek(0, 2)
        self._borders = [np.array(borders, dtype=np.int64) for borders in state["borders"]]

    @property
    def descriptor(self) -> int:
        """The descriptor of the file, to flush it to the disk."""
        return self._file.fileno()

    @property
    def records(self) -> int:
        """How many records were put aside."""
        return sum(int(borders[-1] - borders[0]) for borders in self._borders) // self.record_size

    def groups(self) -> Iterator[Rows]:
        """Yield sorted records, each once, in runs of rising values."""
        self.put_aside()
        self._file.flush()
        parts = np.array(self._borders, dtype=np.int64).reshape(-1, 257)
        sizes = (parts[:, 1:] - parts[:, :-1]).sum(axis=0)
        with self._path.open("rb") as file:
            for low, high in _grouped(sizes):
                if sizes[low:high].sum() > _LARGEST_GROUP:
                    yield from self._deeper(file, parts[:, low : low + 2])
                elif sizes[low:high].any():
                    yield sorted_records(self._fetch(file, parts[:, [low, high]]), self.width, self._depth)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def remove(self) -> None:
        """Give the file back and remove it."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _fetch(self, file: Any, spans: NDArray[np.int64]) -> Rows:
        total = int((spans[:, 1] - spans[:, 0]).sum())
        buffer = bytearray(total)
        room = memoryview(buffer)
        place = 0
        for start, end in spans.tolist():
            file.seek(start)
            place += file.readinto(room[place : place + end - start])
        return np.frombuffer(buffer, dtype=np.uint8).reshape(-1, self.record_size)

    def _deeper(self, file: Any, spans: NDArray[np.int64]) -> Iterator[Rows]:
        """Yield the records of one first byte that is too common to be sorted at once, by the next byte."""
        if self._depth + 1 == self.width:
            yield from self._all_alike(file, spans)
            return
        inner = Spill(
            self._path.with_name(f"{self._path.name}.{self._depth + 1}"),
            self.width,
            linked=self.linked,
            depth=self._depth + 1,
        )
        try:
            for piece in self._pieces(file, spans):
                inner.add_records(piece)
            yield from inner.groups()
        finally:
            inner.remove()

    def _pieces(self, file: Any, spans: NDArray[np.int64]) -> Iterator[Rows]:
        step = max(1, RUN_SIZE // self.record_size) * self.record_size
        for start, end in spans.tolist():
            for low in range(start, end, step):
                yield self._fetch(file, np.array([[low, min(end, low + step)]]))

    def _all_alike(self, file: Any, spans: NDArray[np.int64]) -> Iterator[Rows]:
        """Yield one value, with each of its details once."""
        found: Rows = np.empty((0, self.record_size), dtype=np.uint8)
        for piece in self._pieces(file, spans):
            found = sorted_records(np.concatenate([found, piece]), self.width, 0)
        yield found


def _grouped(sizes: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield ranges of first bytes whose records can be sorted together; a large one is one byte alone."""
    low, size = 0, 0
    for byte in range(256):
        if size and size + sizes[byte] > GROUP_SIZE:
            yield low, byte
            size = 0
        if not size:
            low = byte
        size += int(sizes[byte])
    yield low, 256


def sorted_records(records: Rows, width: int, depth: int) -> Rows:
    """Return records in order, each once.

    The first five bytes behind ``depth`` and the place of a record make one number; numbers sort fast. What
    agrees in all of these is then sorted by all bytes.
    """
    whole = f"S{records.shape[1]}"
    records = np.ascontiguousarray(records)
    if len(records) >= 1 << _INDEX_BITS or depth + 8 > width:
        return distinct(np.sort(records.view(whole)[:, 0]).view(np.uint8).reshape(records.shape))
    keys = np.ndarray((len(records),), ">u8", records, depth, (records.shape[1],)).astype(np.uint64)
    keys &= ~_PLACES
    keys |= np.arange(len(records), dtype=np.uint64)
    keys.sort()
    ordered = taken(records, (keys & _PLACES).astype(np.int64))
    keys >>= np.uint64(_INDEX_BITS)
    if not (keys[1:] == keys[:-1]).any():
        return ordered
    first = changes(ordered)
    ordered, keys = ordered[first], keys[first]
    tied = np.zeros(len(ordered), dtype=bool)
    tied[1:] = keys[1:] == keys[:-1]
    tied[:-1] |= tied[1:]
    again = np.sort(np.ascontiguousarray(ordered[tied]).view(whole)[:, 0])
    ordered[tied] = again.view(np.uint8).reshape(-1, records.shape[1])
    return distinct(ordered)


def taken(records: Rows, places: NDArray[np.int64]) -> Rows:
    """Return records in another order; whole records are moved, not their bytes."""
    records = np.ascontiguousarray(records)
    whole = records.view(f"V{records.shape[1]}")[:, 0]
    return whole.take(places).view(np.uint8).reshape(-1, records.shape[1])


def distinct(ordered: Rows) -> Rows:
    """Return sorted rows, each once."""
    first = changes(ordered)
    return ordered if first.all() else ordered[first]


def changes(ordered: Rows) -> NDArray[np.bool_]:
    """Return which rows differ from the row before."""
    first = np.ones(len(ordered), dtype=bool)
    width = ordered.shape[1]
    if width % 4 == 0 and ordered.flags.c_contiguous:
        words = ordered.view(np.uint32)
        differing = words[1:, 0] != words[:-1, 0]
        for word in range(1, width // 4):
            differing |= words[1:, word] != words[:-1, word]
        first[1:] = differing
    else:
        first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return first
