"""Where the clusters of deleted files were, concluded from what is left of their names.

FAT keeps of a deleted file its first cluster, its size and its times; the chain is gone. What is known of the
drivers makes the rest a puzzle with rules, for all of them hand out clusters in rising order:

1. A file takes clusters one after the other from its first one, and leaves out those in use at the time.
2. A cluster of a living file was in use if that file was made before ours was finished. If it was made later,
   the cluster may well have been ours and is overwritten by now: it is kept in the run, and counted as overlap.
3. Where another deleted file *starts*, ours had no cluster, if that file was made before ours was finished.
4. A file in whose way no other starts lies in one piece: it claims its clusters first.
5. Files in whose way others start were written in turns: the one finished first had its clusters first. Where
   nothing is left for it that nobody had later, a file of rule 4 that was still being written makes room.
6. A deleted file older than ours may have been deleted before ours was written, and ours then went through it.
   That is taken to be so where another, younger file is seen to lie in it, or where the file made next
   starts exactly where ours then ends.
   Names of one directory that are both still there share a fate: where one is seen to have been gone, so may be others.
7. Drivers put a new name into the first gap of a directory that is wide enough. Where a deleted name is still there,
   and a younger name no wider lies behind it, the deleted file was alive when that one was made.

Nothing of this is certain: every extent beyond the first cluster is marked *assumed*.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

from kaval.filesystems.clusters.grid import Grid, Run
from kaval.filesystems.clusters.sets import ClusterSet

TOLERANCE = 2_000_000_000
"""Nanoseconds by which two times of a FAT may be wrong against each other: its step is two seconds."""

MAXIMUM_RUNS = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Remnant:
    """What is left of a deleted file: times in nanoseconds, ``None`` where none is stored.

    ``stored`` are its runs, where the file system kept them; ``in_pieces`` says that they are lost, but known to
    have been more than one. ``alive_until`` is a moment at which it was not deleted yet (rule 7);
    ``family`` tells the directories apart.
    """

    start: int
    count: int
    created: int | None
    modified: int | None
    stored: tuple[Run, ...] | None = None
    in_pieces: bool = False
    alive_until: int | None = None
    family: int = 0

    @property
    def began(self) -> int | None:
        """When its first cluster was taken."""
        return self.modified if self.created is None else self.created

    @property
    def finished(self) -> int | None:
        """When it had all its clusters; a copy keeps a modification time older than itself."""
        if self.created is None or self.modified is None:
            return self.began
        return max(self.created, self.modified)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conclusion:
    """Where a remnant's clusters were, and how many of them others have had since."""

    runs: tuple[Run, ...]
    overlap_allocated: int = 0
    overlap_deleted: int = 0

    @property
    def count(self) -> int:
        """How many clusters were found; fewer than asked for where the heap had no more."""
        return sum(count for _, count in self.runs)


class Occupied:
    """The runs of living files, with the time each file was made; ``seal`` it before asking."""

    def __init__(self) -> None:
        self.starts = array("q")
        self.ends = array("q")
        self.created = array("q")
        self.heads = array("b")

    def add(self, runs: Sequence[Run], created: int | None) -> None:
        """Take note of one file; an unknown time counts as older than everything."""
        head = 1
        for first, count in runs:
            self.starts.append(first)
            self.ends.append(first + count)
            self.created.append(-(2**63) if created is None else created)
            self.heads.append(head)
            head = 0

    def seal(self) -> None:
        """Order the runs by cluster."""
        import numpy as np

        order: Any = np.argsort(np.frombuffer(self.starts, np.int64), kind="stable") if self.starts else []
        for name in ("starts", "ends", "created"):
            values = getattr(self, name)
            if values:
                setattr(self, name, array("q", np.frombuffer(values, np.int64)[order].tobytes()))
        if self.heads:
            self.heads = array("b", np.frombuffer(self.heads, np.int8)[order].tobytes())

    def at(self, cluster: int) -> int:
        """Return the index of the run that holds a cluster, or -1."""
        index = bisect_right(self.starts, cluster) - 1
        return index if index >= 0 and cluster < self.ends[index] else -1

    def head_at(self, cluster: int) -> int | None:
        """Return when the living file was made that starts at a cluster; ``None`` if none does."""
        index = self.at(cluster)
        if index < 0 or not self.heads[index] or self.starts[index] != cluster:
            return None
        return self.created[index]


def alive_until(names: Sequence[tuple[int, int | None]]) -> list[int | None]:
    """Return for each name of a directory, in their order, a moment at which it was not deleted yet (rule 7).

    A name is given by its width in entries and the time it was made.
    """
    latest: dict[int, int] = {}
    answers: list[int | None] = []
    for width, made in reversed(names):
        moments = [moment for other, moment in latest.items() if other <= width]
        answers.append(max(moments, default=None))
        if made is not None and made > latest.get(width, -(2**63)):
            latest[width] = made
    answers.reverse()
    return answers


Obstacle = Callable[[int], tuple[bool, int]]
"""Says of a cluster whether it was out of reach, and up to which cluster (exclusive) that answer holds."""


def _not_before(moment: int | None, finished: int | None) -> bool:
    """Whether something of that moment was there when a file was finished; unknown times count as yes."""
    return moment is None or finished is None or moment < finished + TOLERANCE


class Layout:
    """Concludes the runs of all remnants of one file system together.

    ``used`` are the clusters in use now, by whomever. Of remnants that start at the same cluster the youngest
    had it last.
    """

    def __init__(self, grid: Grid, used: ClusterSet, occupied: Occupied, remnants: Sequence[Remnant]) -> None:
        self._grid = grid
        self._used = used
        self._occupied = occupied
        self._remnants = remnants
        order = sorted(range(len(remnants)), key=lambda index: (remnants[index].start, -(remnants[index].began or 0)))
        self._by_start = order
        self._starts = [remnants[index].start for index in order]
        self._claims = ClaimMap()
        self._tentative: set[int] = set()
        self._runs: list[tuple[Run, ...]] = [()] * len(remnants)

    def conclude(self) -> list[Conclusion]:
        """Return one conclusion for each remnant, in their order."""
        contested = []
        previous = -1
        for place, index in enumerate(self._by_start):
            remnant = self._remnants[index]
            self._runs[index] = remnant.stored or self._take(remnant, [self._living(remnant)])
            if remnant.start == previous:
                continue
            previous = remnant.start
            if remnant.stored is None and self._starters(remnant, place, self._runs[index]):
                contested.append((self._turn(index), index))
            else:
                self._tentative.add(index)
        for index in sorted(self._tentative, key=lambda index: (self._remnants[index].began or 0, index)):
            self._claim(index)
        heapify(contested)
        while contested:
            _, index = heappop(contested)
            displaced = self._contest(index)
            self._claim(index, displaced)
            for other in displaced:
                heappush(contested, (self._turn(other), other))
        return [self._conclusion(index) for index in range(len(self._remnants))]

    def _turn(self, index: int) -> tuple[int, int, int]:
        remnant = self._remnants[index]
        return remnant.finished or 0, remnant.began or 0, remnant.start

    def _claim(self, index: int, displaced: Sequence[int] = ()) -> None:
        """Give a remnant its runs but for what others had later; the displaced lose all of theirs."""
        began = self._remnants[index].began

        def yields(owner: int) -> bool:
            other = self._remnants[owner].began
            return other is None or began is None or other <= began

        for other in displaced:
            self._claims.release(other, self._runs[other])
        for first, count in self._runs[index]:
            self._claims.assign(first, first + count, index, yields)

    def _starters(self, remnant: Remnant, place: int, runs: Sequence[Run]) -> bool:
        """Whether another remnant starts inside these runs that was there before this one was finished."""
        for first, count in runs:
            low = bisect_left(self._starts, first, place + 1 if first >= remnant.start else 0)
            while low < len(self._starts) and self._starts[low] < first + count:
                other = self._remnants[self._by_start[low]]
                if other.start != remnant.start and _not_before(other.began, remnant.finished):
                    return True
                low += 1
        return False

    def _contest(self, index: int) -> list[int]:
        """Find the runs of a remnant in whose way others start; return those that have to make room for it."""
        remnant = self._remnants[index]
        around = self._take(remnant, self._obstacles(remnant, index, self._lies_in_the_way))
        through = self._take(remnant, self._obstacles(remnant, index, self._was_there_meanwhile))
        chosen = min((around, through), key=lambda runs: self._strain(remnant, runs)) if through != around else around
        self._runs[index] = chosen
        lost = self._had_later(index, chosen)
        pushing = self._take(remnant, self._obstacles(remnant, index, self._lies_in_the_way, pushing=True))
        displaced = [
            owner for owner in self._claims.owners(pushing) if owner != index and self._can_make_room(owner, remnant)
        ]
        if not displaced:
            return []
        saved = lost - self._had_later(index, pushing, set(displaced))
        if saved > 0 or (saved == 0 and all(self._went_on(owner, remnant) for owner in displaced)):
            self._runs[index] = pushing
            self._tentative.difference_update(displaced)
            return displaced
        return []

    def _went_on(self, owner: int, remnant: Remnant) -> bool:
        """Whether a file was written to clearly after a remnant was finished, and that may have made it grow.

        Where the file behind it was made before that, it had grown already.
        """
        other = self._remnants[owner]
        assert other.finished is not None
        assert remnant.finished is not None
        if remnant.finished + TOLERANCE > other.finished:
            return False
        behind = self._first_start_behind(self._runs[owner])
        return behind is None or behind + TOLERANCE > other.finished

    def _first_start_behind(self, runs: Sequence[Run]) -> int | None:
        """Return when the first file was made that starts behind these runs, deleted or living."""
        cluster = runs[-1][0] + runs[-1][1]
        low = bisect_left(self._starts, cluster)
        deleted = self._remnants[self._by_start[low]] if low < len(self._starts) else None
        low = bisect_left(self._occupied.starts, cluster)
        while low < len(self._occupied.starts) and not self._occupied.heads[low]:
            low += 1
        if low < len(self._occupied.starts) and (deleted is None or self._occupied.starts[low] < deleted.start):
            return self._occupied.created[low]
        return deleted.began if deleted is not None else None

    def _can_make_room(self, owner: int, remnant: Remnant) -> bool:
        """Whether a claim of rule 4 is that of a file which was still being written when this one was finished."""
        other = self._remnants[owner]
        if owner not in self._tentative or other.start == remnant.start or other.count < 2 or other.stored:
            return False
        if other.finished is None or remnant.finished is None or other.began is None:
            return False
        return other.began <= remnant.finished <= other.finished

    def _obstacles(
        self,
        remnant: Remnant,
        index: int,
        blocks: Callable[[Remnant, Remnant], bool],
        *,
        pushing: bool = False,
    ) -> list[Obstacle]:
        return [
            self._living(remnant),
            self._claimed(remnant, index, blocks, pushing=pushing),
            self._starting(remnant, blocks),
        ]

    def _lies_in_the_way(self, other: Remnant, remnant: Remnant) -> bool:
        if not _not_before(other.began, remnant.finished):
            return False
        return self._was_there_meanwhile(other, remnant) or not self._was_gone(other, remnant)

    def _was_there_meanwhile(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether another was being written while this one was: then neither was deleted yet."""
        if not _not_before(other.began, remnant.finished):
            return False
        if other.finished is None or remnant.began is None or other.finished + TOLERANCE > remnant.began:
            return True
        return other.alive_until is not None and other.alive_until > remnant.began

    def _was_gone(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether a younger file that lies in another shows that it was deleted before this one was written."""
        if other.finished is None or remnant.finished is None:
            return False
        after, before = other.finished + TOLERANCE, remnant.finished
        return any(after <= made <= before for made in self._made_inside(other))

    def _strain(self, remnant: Remnant, runs: Sequence[Run]) -> int:
        """Return how much these runs ask us to believe.

        That a file was written in turns with others made meanwhile, each of them whole, is hard to believe, and so
        is that it went through others of which nothing shows that they were gone. A fitting end is a good sign.
        """
        strain = -2 if self._next_starts(remnant, runs) else 0
        if 1:
            strain += sum(self._made_meanwhile(remnant, a + count, b) for (a, count), (b, _) in pairwise(runs))
        for owner in self._claims.owners(runs):
            other = self._remnants[owner]
            if self._lies_in_the_way(other, remnant) and not self._may_be_gone(other, remnant):
                strain += 3 if other.alive_until is not None and other.alive_until == remnant.began else 1
        gaps = [(a + count, b - a - count) for (a, count), (b, _) in pairwise(runs)]
        avoided = (self._remnants[owner] for owner in self._claims.owners(gaps))
        return strain + sum(1 for other in avoided if self._may_be_gone(other, remnant))

    def _may_be_gone(self, other: Remnant, remnant: Remnant) -> bool:
        """Whether another name of the same directory leads to what was gone when a remnant was written."""
        if self._was_there_meanwhile(other, remnant) or remnant.finished is None:
            return False
        if other.alive_until is not None and other.alive_until == remnant.began:
            return False
        seen = self._gone_by.get(other.family)
        return seen is not None and seen <= remnant.finished

    @cached_property
    def _gone_by(self) -> dict[int, int]:
        """For each directory the earliest moment at which one of its deleted files is seen to have been gone."""
        earliest: dict[int, int] = {}
        for remnant in self._remnants:
            if remnant.finished is None or remnant.count < 2:
                continue
            for moment in self._made_inside(remnant):
                if moment >= remnant.finished + TOLERANCE and moment < earliest.get(remnant.family, 2**63):
                    earliest[remnant.family] = moment
        return earliest

    def _made_inside(self, remnant: Remnant) -> Iterator[int]:
        """Yield when those files were made that start inside a remnant, were it in one piece."""
        first, end = remnant.start + 1, remnant.start + remnant.count
        low = bisect_left(self._starts, first)
        for place in range(low, min(bisect_left(self._starts, end), low + 64)):
            began = self._remnants[self._by_start[place]].began
            if began is not None:
                yield began
        low = bisect_left(self._occupied.starts, first)
        for place in range(low, min(bisect_left(self._occupied.starts, end), low + 64)):
            yield self._occupied.created[place]

    def _made_meanwhile(self, remnant: Remnant, first: int, end: int) -> int:
        """Return how many files start in a range that were made no earlier than a remnant."""
        if remnant.began is None:
            return 0
        occupied = self._occupied
        low, high = bisect_left(occupied.starts, first), bisect_left(occupied.starts, end)
        living = range(low, min(high, low + 64))
        total = sum(1 for place in living if occupied.heads[place] and occupied.created[place] >= remnant.began)
        low, high = bisect_left(self._starts, first), bisect_left(self._starts, end)
        for place in range(low, min(high, low + 64)):
            began = self._remnants[self._by_start[place]].began
            total += began is not None and began >= remnant.began
        return total

    def _next_starts(self, remnant: Remnant, runs: Sequence[Run]) -> bool:
        """Whether the next cluster a driver would hand out is the first one of a file made after this one."""
        if not runs or remnant.began is None:
            return False
        cluster = runs[-1][0] + runs[-1][1]
        made = self._occupied.head_at(cluster)
        if made is not None and made + TOLERANCE >= remnant.began:
            return True
        low = bisect_left(self._starts, cluster)
        while low < len(self._starts) and self._starts[low] == cluster:
            began = self._remnants[self._by_start[low]].began
            if began is not None and began + TOLERANCE >= remnant.began:
                return True
            low += 1
        return False

    def _take(self, remnant: Remnant, obstacles: Sequence[Obstacle]) -> tuple[Run, ...]:
        """Return the clusters a driver would have handed out, from the first one upwards."""
        runs: list[Run] = [(remnant.start, 1)]
        need, cluster = remnant.count - 1, remnant.start + 1
        while need > 0 and cluster < self._grid.end and len(runs) < MAXIMUM_RUNS:
            limit = self._grid.end
            for obstacle in obstacles:
                blocked, until = obstacle(cluster)
                if blocked:
                    cluster = until
                    break
                limit = min(limit, until)
            else:
                count = min(need, limit - cluster)
                last_first, last_count = runs[-1]
                if last_first + last_count == cluster:
                    runs[-1] = (last_first, last_count + count)
                else:
                    runs.append((cluster, count))
                need, cluster = need - count, cluster + count
        return tuple(runs)

    def _living(self, remnant: Remnant) -> Obstacle:
        """Clusters in use now that were in use then: rule 2. One who holds the first cluster came later."""
        occupied, finished = self._occupied, remnant.finished
        holder = occupied.at(remnant.start)
        holder_made = occupied.created[holder] if holder >= 0 else None

        def obstacle(cluster: int) -> tuple[bool, int]:
            index = bisect_right(occupied.starts, cluster) - 1
            if index >= 0 and cluster < occupied.ends[index]:
                made = occupied.created[index]
                later = holder_made is not None and made >= holder_made
                return not later and _not_before(made, finished), occupied.ends[index]
            until = occupied.starts[index + 1] if index + 1 < len(occupied.starts) else self._grid.end
            if cluster in self._used:
                return True, cluster + 1
            return False, self._before_used(cluster, until)

        return obstacle

    def _before_used(self, cluster: int, until: int) -> int:
        """Return how far a stretch without a living file is free of clusters in use without an owner."""
        if not self._used.members(cluster, until - cluster):
            return until
        low, high = cluster, until
        while high - low > 1:
            middle = (low + high) // 2
            if self._used.members(low, middle - low):
                high = middle
            else:
                low = middle
        return low

    def _claimed(
        self, remnant: Remnant, index: int, blocks: Callable[[Remnant, Remnant], bool], *, pushing: bool
    ) -> Obstacle:
        def obstacle(cluster: int) -> tuple[bool, int]:
            owner, until = self._claims.at(cluster, self._grid.end)
            if owner is None or owner == index or (pushing and self._can_make_room(owner, remnant)):
                return False, until
            return blocks(self._remnants[owner], remnant), until

        return obstacle

    def _starting(self, remnant: Remnant, blocks: Callable[[Remnant, Remnant], bool]) -> Obstacle:
        starts = self._starts

        def obstacle(cluster: int) -> tuple[bool, int]:
            place = bisect_left(starts, cluster)
            blocked = False
            while place < len(starts) and starts[place] == cluster:
                blocked = blocked or blocks(self._remnants[self._by_start[place]], remnant)
                place += 1
            if blocked:
                return True, cluster + 1
            return False, starts[place] if place < len(starts) else self._grid.end

        return obstacle

    def _conclusion(self, index: int) -> Conclusion:
        runs = self._runs[index]
        allocated = sum(self._used.members(first, count) for first, count in runs)
        return Conclusion(runs=runs, overlap_allocated=allocated, overlap_deleted=self._had_later(index, runs))

    def _had_later(self, index: int, runs: Sequence[Run], except_of: Container[int] = ()) -> int:
        """Return how many of these clusters others had afterwards, deleted ones or (not counted twice) living ones."""
        remnant = self._remnants[index]
        total = 0
        for first, count in runs:
            for low, high, owner in self._claims.within(first, first + count):
                other = self._remnants[owner]
                same = other.start == remnant.start and other.began == remnant.began
                if owner != index and not same and owner not in except_of and self._came_after(other, remnant):
                    total += high - low
        return total

    @staticmethod
    def _came_after(other: Remnant, remnant: Remnant) -> bool:
        if other.began is None or remnant.began is None:
            return True
        return other.began >= remnant.began


class ClaimMap:
    """Which remnant had a cluster last, as ordered spans that never overlap."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int, int]] = []

    def _from(self, cluster: int) -> int:
        """Return the index of the first span that ends behind a cluster."""
        index = bisect_left(self._spans, (cluster, 0, 0))
        return index - 1 if index and self._spans[index - 1][1] > cluster else index

    def at(self, cluster: int, end: int) -> tuple[int | None, int]:
        """Return who had a cluster, and up to where (exclusive) that holds."""
        index = self._from(cluster)
        if index == len(self._spans):
            return None, end
        first, stop, owner = self._spans[index]
        return (owner, stop) if first <= cluster else (None, first)

    def within(self, first: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of spans that lie in a range."""
        index = self._from(first)
        while index < len(self._spans) and self._spans[index][0] < end:
            low, high, owner = self._spans[index]
            yield max(low, first), min(high, end), owner
            index += 1

    def owners(self, runs: Sequence[Run]) -> list[int]:
        """Return who had any of these clusters, each once."""
        return list(dict.fromkeys(owner for first, n in runs for _, _, owner in self.within(first, first + n)))

    def assign(self, first: int, end: int, owner: int, yields: Callable[[int], bool]) -> None:
        """Give a range to an owner, but for what those hold who do not yield."""
        low = self._from(first)
        high = low
        spans: list[tuple[int, int, int]] = []
        cursor = first
        while high < len(self._spans) and self._spans[high][0] < end:
            start, stop, other = self._spans[high]
            high += 1
            if other == owner or yields(other):
                if start < first:
                    spans.append((start, first, other))
                if stop > end:
                    spans.append((end, stop, other))
                continue
            if cursor < start:
                spans.append((cursor, start, owner))
            spans.append((start, stop, other))
            cursor = stop
        if cursor < end:
            spans.append((cursor, end, owner))
        self._spans[low:high] = sorted(spans)

    def release(self, owner: int, runs: Sequence[Run]) -> None:
        """Take from an owner what it holds of these runs."""
        for first, count in runs:
            low = self._from(first)
            high = low
            while high < len(self._spans) and self._spans[high][0] < first + count:
                high += 1
            self._spans[low:high] = [span for span in self._spans[low:high] if span[2] != owner]
