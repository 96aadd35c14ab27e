"""What names, times and places of other files tell about the time a deleted one was written.

The rules these questions serve stand in ``layout.py``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property

from kaval.filesystems.clusters.grid import Run
from kaval.filesystems.clusters.remnants import TOLERANCE, Occupied, Remnant

MAXIMUM_ASKED = 64


def not_before(moment: int | None, finished: int | None) -> bool:
    """Whether something of that moment was there when a file was finished; unknown times count as yes."""
    return moment is None or finished is None or moment < finished + TOLERANCE


class Witnesses:
    """The remnants of one file system in the order of their first clusters, among its living files.

    Of remnants with the same first cluster the youngest stands first.
    """

    def __init__(self, remnants: Sequence[Remnant], occupied: Occupied) -> None:
        self.remnants = remnants
        self._occupied = occupied
        self.by_start = sorted(
            range(len(remnants)), key=lambda index: (remnants[index].start, -(remnants[index].began or 0))
        )
        self.starts = [remnants[index].start for index in self.by_start]

    def within(self, first: int, end: int) -> Iterator[int]:
        """Yield the indices of the remnants that start in a range of clusters."""
        low = bisect_left(self.starts, first)
        while low < len(self.starts) and self.starts[low] < end:
            yield self.by_start[low]
            low += 1

    def starting(self, first: int, end: int) -> Iterator[Remnant]:
        """Yield the remnants that start in a range of clusters."""
        return (self.remnants[index] for index in self.within(first, end))

    def meets_another(self, remnant: Remnant, runs: Sequence[Run]) -> bool:
        """Whether another starts inside these runs that was there before this one was finished."""
        return any(
            other.start != remnant.start and not_before(other.began, remnant.finished)
            for first, count in runs
            for other in self.starting(first, first + count)
        )

    def lies_in_the_way(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether another was there when this one was written, and nothing shows that it was deleted by then."""
        if not not_before(other.began, remnant.finished):
            return False
        return self.was_there_meanwhile(other, remnant) or not self.was_gone(other, remnant)

    def was_there_meanwhile(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether another was being written while this one was, or was alive later: then neither was deleted yet."""
        if not not_before(other.began, remnant.finished):
            return False
        if other.finished is None or remnant.began is None or other.finished + TOLERANCE > remnant.began:
            return True
        return other.alive_until is not None and other.alive_until > remnant.began

    def was_gone(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether a younger file that lies in another shows that it was deleted before this one was written."""
        if other.finished is None or remnant.finished is None:
            return False
        after, before = other.finished + TOLERANCE, remnant.finished
        return any(after <= made <= before for made in self._made_inside(other))

    def may_be_gone(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether another name of the same directory leads to what was gone when a remnant was written."""
        if self.was_there_meanwhile(other, remnant) or remnant.finished is None:
            return False
        if other.alive_until is not None and other.alive_until == remnant.began:
            return False
        seen = self._gone_by.get(other.family)
        return seen is not None and seen <= remnant.finished

    @cached_property
    def _gone_by(self) -> dict[int, int]:
        """For each directory the earliest moment at which one of its deleted files is seen to have been gone."""
        earliest: dict[int, int] = {}
        for remnant in self.remnants:
            if remnant.finished is None or remnant.count < 2:
                continue
            for made in self._made_inside(remnant):
                if made >= remnant.finished + TOLERANCE and made < earliest.get(remnant.family, 2**63):
                    earliest[remnant.family] = made
        return earliest

    def _made_inside(self, remnant: Remnant) -> Iterator[int]:
        """Yield when those files were made that start inside a remnant, were it in one piece."""
        first, end = remnant.start + 1, remnant.start + remnant.count
        low = bisect_left(self.starts, first)
        for place in range(low, min(bisect_left(self.starts, end), low + MAXIMUM_ASKED)):
            began = self.remnants[self.by_start[place]].began
            if began is not None:
                yield began
        occupied = self._occupied
        low = bisect_left(occupied.starts, first)
        for place in range(low, min(bisect_left(occupied.starts, end), low + MAXIMUM_ASKED)):
            yield occupied.created[place]

    def made_meanwhile(self, remnant: Remnant, first: int, end: int) -> int:
        """Return how many files start in a range that were made no earlier than a remnant."""
        if remnant.began is None:
            return 0
        occupied = self._occupied
        low, high = bisect_left(occupied.starts, first), bisect_left(occupied.starts, end)
        living = range(low, min(high, low + MAXIMUM_ASKED))
        total = sum(1 for place in living if occupied.heads[place] and occupied.created[place] >= remnant.began)
        low, high = bisect_left(self.starts, first), bisect_left(self.starts, end)
        for place in range(low, min(high, low + MAXIMUM_ASKED)):
            began = self.remnants[self.by_start[place]].began
            total += began is not None and began >= remnant.began
        return total

    def next_starts(self, remnant: Remnant, runs: Sequence[Run]) -> bool:
        """Whether the cluster behind these runs is the first one of a file made after this one."""
        if not runs or remnant.began is None:
            return False
        cluster = runs[-1][0] + runs[-1][1]
        made = self._occupied.head_at(cluster)
        if made is not None and made + TOLERANCE >= remnant.began:
            return True
        return any(
            other.began is not None and other.began + TOLERANCE >= remnant.began
            for other in self.starting(cluster, cluster + 1)
        )

    def went_on(self, other: Remnant, runs: Sequence[Run], remnant: Remnant) -> bool:
        """Whether another file was written to clearly after a remnant was finished, and that may have made it grow.

        Where the file behind its runs was made before that, it had grown already.
        """
        if other.finished is None or remnant.finished is None or remnant.finished + TOLERANCE > other.finished:
            return False
        behind = self._first_made_behind(runs[-1][0] + runs[-1][1])
        return behind is None or behind + TOLERANCE > other.finished

    def _first_made_behind(self, cluster: int) -> int | None:
        """Return when the first file was made that starts at a cluster or behind it, deleted or living."""
        low = bisect_left(self.starts, cluster)
        deleted = self.remnants[self.by_start[low]] if low < len(self.starts) else None
        occupied = self._occupied
        low = bisect_left(occupied.starts, cluster)
        for place in range(low, min(len(occupied.starts), low + MAXIMUM_ASKED)):
            if deleted is not None and occupied.starts[place] > deleted.start:
                break
            if occupied.heads[place]:
                return occupied.created[place]
        return deleted.began if deleted is not None else None
