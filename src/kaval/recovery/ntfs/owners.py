"""Whose clusters are now what once was the content of a file whose record is gone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate

from kaval.core.contracts import Tree
from kaval.core.records import ContentState, Entry, EntryState, Extent
from kaval.recovery.ntfs.traces import Body


class Ranges:
    """Ranges of bytes; tells how many bytes of an extent lie in them."""

    def __init__(self, extents: Iterable[Extent]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for extent in sorted(extents, key=lambda extent: extent.offset):
            end = extent.offset + extent.length
            if self._ends and extent.offset <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(extent.offset)
                self._ends.append(end)
        lengths = (end - start for start, end in zip(self._starts, self._ends, strict=True))
        self._before = [0, *accumulate(lengths)]

    def below(self, place: int) -> int:
        """Return how many bytes before a place lie in the ranges."""
        index = bisect_right(self._starts, place)
        if index == 0:
            return 0
        return self._before[index] - max(0, self._ends[index - 1] - place)

    def shared(self, extent: Extent) -> int:
        """Return how many bytes of an extent lie in the ranges."""
        return self.below(extent.offset + extent.length) - self.below(extent.offset)


class Claims:
    """Ranges of bytes claimed one after the other; they are kept apart from each other and in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def claim(self, extent: Extent) -> int:
        """Claim a range and return how many of its bytes were claimed before."""
        start, end = extent.offset, extent.offset + extent.length
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        starts, ends = self._starts[first:last], self._ends[first:last]
        shared = sum(max(0, min(end, b) - max(start, a)) for a, b in zip(starts, ends, strict=True))
        self._starts[first:last] = [min(start, *starts[:1])] if starts else [start]
        self._ends[first:last] = [max(end, *ends[-1:])] if ends else [end]
        return shared


class Owners:
    """Judges bodies by the allocation of the volume, by the deleted files the table still has, and by one another.

    They have to be judged in order, the newest first.
    """

    def __init__(self, tree: Tree, cluster_size: int) -> None:
        self._cluster_size = cluster_size
        self._free = Ranges(tree.unallocated())
        self._deleted = Ranges(
            extent
            for entry in tree.entries()
            if isinstance(entry, Entry) and entry.state is not EntryState.ALLOCATED
            for extent in entry.extents or ()
            if not extent.sparse
        )
        self._newer = Claims()

    def judge(self, body: Body, size: int) -> tuple[int, ContentState, tuple[Extent, ...], int]:
        """Return the size of a body, how far it can be trusted, where it lies, and how much of it is another's by now.

        Where no size is known, the runs are taken to be full.
        """
        is_assumed = size == 0
        size = size or sum(count for _, count in body.runs) * self._cluster_size
        extents, missing = laid_out(body, size, self._cluster_size, is_assumed=is_assumed)
        stored = [extent for extent in extents if not extent.sparse]
        total = sum(extent.length for extent in stored)
        taken = total - sum(self._free.shared(extent) for extent in stored)
        newer = sum(self._newer.claim(extent) for extent in stored)
        if total and taken == total:
            return size, ContentState.GONE, extents, size
        if missing:
            return size, ContentState.PARTIAL, extents, 0
        if taken:
            return size, ContentState.OVERLAPS_ALLOCATED, extents, taken
        others = max(newer, sum(self._deleted.shared(extent) for extent in stored))
        if others:
            return size, ContentState.OVERLAPS_DELETED, extents, others
        return size, ContentState.ASSUMED if is_assumed else ContentState.INTACT, extents, 0


def laid_out(body: Body, size: int, cluster_size: int, *, is_assumed: bool) -> tuple[tuple[Extent, ...], int]:
    """Return the extents of so many bytes of a body, and how many bytes its runs do not hold.

    What lies behind the valid length reads as zeros; where that was never told all of it is taken for valid.
    """
    left, valid = size, body.valid if body.size else size
    extents = []
    for cluster, count in body.runs:
        length = min(left, count * cluster_size)
        if length <= 0:
            break
        stored = 0 if cluster < 0 else min(length, valid)
        if stored:
            extents.append(Extent(offset=cluster * cluster_size, length=stored, assumed=is_assumed))
        if length > stored:
            extents.append(Extent(offset=0, length=length - stored, sparse=True))
        left -= length
        valid = max(0, valid - length)
    return tuple(extents), left
