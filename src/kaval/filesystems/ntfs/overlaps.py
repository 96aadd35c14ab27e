"""Which deleted files claim the same clusters, and who of them had a cluster last.

A deleted record keeps the time of its last change, set by the system. The file that gave a cluster up was deleted, and
so changed last, before the other got it: the one changed later had the cluster last.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from kaval.filesystems.ntfs.segments import Run

MAXIMUM_ACTIVE = 64


class Claims:
    """The runs of deleted streams; ``settle`` it, then ask how many clusters a record lost to later ones."""

    def __init__(self) -> None:
        self._starts = array("q")
        self._ends = array("q")
        self._changed = array("q")
        self._owners = array("q")
        self._lost: dict[int, int] = {}

    def add(self, number: int, runs: Sequence[Run], changed: int) -> None:
        """Take note of one deleted stream."""
        for cluster, count in runs:
            self._starts.append(cluster)
            self._ends.append(cluster + count)
            self._changed.append(min(changed, 2**63 - 1))
            self._owners.append(number)

    def settle(self) -> None:
        """Find the overlaps."""
        import numpy as np

        if not self._starts:
            return
        order = np.argsort(np.frombuffer(self._starts, np.int64), kind="stable").tolist()
        active: list[int] = []
        for place in order:
            start = self._starts[place]
            active = [other for other in active if self._ends[other] > start]
            for other in active:
                self._meet(place, other, start)
            if len(active) < MAXIMUM_ACTIVE:
                active.append(place)

    def _meet(self, place: int, other: int, start: int) -> None:
        if self._owners[place] == self._owners[other]:
            return
        shared = min(self._ends[place], self._ends[other]) - start
        mine, theirs = self._changed[place], self._changed[other]
        if mine <= theirs:
            self._lose(self._owners[place], shared)
        if theirs <= mine:
            self._lose(self._owners[other], shared)

    def _lose(self, owner: int, clusters: int) -> None:
        self._lost[owner] = self._lost.get(owner, 0) + clusters

    def lost(self, number: int) -> int:
        """Return how many clusters of a record others had later."""
        return self._lost.get(number, 0)
