"""Space: which clusters of a volume are in use, and whose bytes lie in each since it was last written."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

NOBODY = -1
METADATA = -2


class Placement(StrEnum):
    """How a file system looks for room; grammar: one adverb of place."""

    FIRST = "first"
    AFTER = "after"
    SCATTERED = "scattered"


class Fate(StrEnum):
    """What became of the bytes of a file; grammar: one adjective."""

    WHOLE = "whole"
    PARTLY = "partly-overwritten"
    OVERWRITTEN = "overwritten"


@dataclass(frozen=True, slots=True)
class Run:
    """Clusters that lie side by side."""

    start: int
    length: int


class VolumeFullError(Exception):
    """There is no room of the kind asked for."""


class Space:
    """The clusters ``first`` to ``first + count`` of a volume; each cluster remembers who wrote it last."""

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.count = count
        self._used = bytearray(count)
        self._writer = array("i", [NOBODY]) * count
        self._cursor = 0

    def allocate(self, count: int, writer: int, placement: Placement = Placement.FIRST) -> list[Run]:
        """Take clusters for a file.

        ``FIRST`` takes the first hole that is large enough, ``AFTER`` the first one behind what was taken last,
        ``SCATTERED`` fills up to four holes, from the front.

        Raises:
            VolumeFullError: No such holes are left.
        """
        if count == 0:
            return []
        if placement is Placement.SCATTERED:
            runs = self._scattered(count)
        else:
            start = self._cursor if placement is Placement.AFTER else 0
            runs = [self._hole(count, start)]
        for run in runs:
            self.take(run, writer)
        self._cursor = max(self._cursor, runs[-1].start - self.first + runs[-1].length)
        return runs

    def _holes(self, position: int) -> Iterator[tuple[int, int]]:
        """Yield start and length of each hole from a position on, counted from zero."""
        while (start := self._used.find(0, position)) >= 0:
            end = self._used.find(1, start)
            end = self.count if end < 0 else end
            yield start, end - start
            position = end

    def _hole(self, count: int, position: int) -> Run:
        for start, length in self._holes(position):
            if length >= count:
                return Run(self.first + start, count)
        if position:
            return self._hole(count, 0)
        raise VolumeFullError(f"no hole of {count} clusters is left")

    def _scattered(self, count: int) -> list[Run]:
        window: list[tuple[int, int]] = []
        for hole in self._holes(0):
            window = [*window[-3:], hole]
            if sum(length for _, length in window) >= count:
                return list(self._fill(window, count))
        return [self._hole(count, 0)]

    def _fill(self, window: Iterable[tuple[int, int]], count: int) -> Iterator[Run]:
        for start, length in window:
            taken = min(length, count)
            if taken:
                yield Run(self.first + start, taken)
            count -= taken

    def take(self, run: Run, writer: int) -> None:
        """Mark clusters as used and written by somebody."""
        begin, end = run.start - self.first, run.start - self.first + run.length
        self._used[begin:end] = b"\1" * run.length
        self._writer[begin:end] = array("i", [writer]) * run.length

    def release(self, runs: Iterable[Run]) -> None:
        """Mark clusters as free; their bytes, and who wrote them, stay."""
        for run in runs:
            begin = run.start - self.first
            self._used[begin : begin + run.length] = bytes(run.length)

    def is_used(self, cluster: int) -> bool:
        """Whether a cluster is in use."""
        return bool(self._used[cluster - self.first])

    @property
    def free_count(self) -> int:
        """Clusters that are free."""
        return self._used.count(0)

    def bitmap(self) -> bytes:
        """Return one bit a cluster, the lowest bit of the first byte first."""
        import numpy as np

        return np.packbits(np.frombuffer(self._used, dtype=np.uint8), bitorder="little").tobytes()

    def fate(self, runs: Sequence[Run], writer: int) -> Fate:
        """Return how much of what somebody wrote to these clusters is still there."""
        held = [
            self._writer[cluster - self.first] == writer
            for run in runs
            for cluster in range(run.start, run.start + run.length)
        ]
        if all(held):
            return Fate.WHOLE
        return Fate.PARTLY if any(held) else Fate.OVERWRITTEN
