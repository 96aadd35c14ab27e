"""Where the clusters of deleted files were, concluded from what is left of their names.

FAT keeps of a deleted file its first cluster, its size and its times; the chain is gone. What is known of the
drivers makes the rest a puzzle with rules, for all of them hand out clusters in rising order:

1. A file takes clusters one after the other from its first one, and leaves out those in use at the time.
2. A cluster of a living file was in use if that file was made before ours was finished. If it was made later,
   the cluster may well have been ours and is overwritten by now: it is kept in the run, and counted as overlap.
3. Where another deleted file *starts*, ours had no cluster, if that file was made before ours was finished.
4. A file in whose way no other starts lies in one piece: it claims its clusters first.
5. Files in whose way others start were written in turns: the one finished first had its clusters first. A file of
   rule 4 that was written to after that, or leaves nothing else for it, makes room.
6. A deleted file older than ours may have been deleted before ours was written, and ours then went through it.
   That is taken to be so where another, younger file is seen to lie in it, or where the file made next
   starts exactly where ours then ends. Names of one directory that are both still there share a fate: where one
   is seen to have been gone, so may be others.
7. Drivers put a new name into the first gap of a directory that is wide enough. Where a deleted name is still there,
   and a younger name no wider lies behind it, the deleted file was alive when that one was made.
8. Where several answers are left, or ours has a gap that may have been wider, the one wins whose last cluster shows the
   end of a file of that size.

Nothing of this is certain: every extent beyond the first cluster is marked *assumed*.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice, pairwise

from kaval.filesystems.clusters.claims import ClaimMap
from kaval.filesystems.clusters.grid import Grid, Run
from kaval.filesystems.clusters.paths import Obstacle, Paths
from kaval.filesystems.clusters.remnants import Conclusion, Occupied, Remnant
from kaval.filesystems.clusters.sets import ClusterSet
from kaval.filesystems.clusters.tails import Tails
from kaval.filesystems.clusters.witnesses import Witnesses

MAXIMUM_VARIANTS = 512
"""Variants that are tried for one file, ..."""

MAXIMUM_VARIANTS_IN_ALL = 100_000
"""... and for all files of a volume together: what is left then keeps its first answer."""

Runs = tuple[Run, ...]


class Layout:
    """Concludes the runs of all remnants of one file system together."""

    def __init__(
        self, grid: Grid, used: ClusterSet, occupied: Occupied, remnants: Sequence[Remnant], tails: Tails
    ) -> None:
        self._used = used
        self._remnants = remnants
        self._tails = tails
        self._witnesses = Witnesses(remnants, occupied)
        self._claims = ClaimMap()
        self._paths = Paths(grid, used, occupied, self._witnesses, self._claims)
        self._tentative: set[int] = set()
        self._variants_left = MAXIMUM_VARIANTS_IN_ALL
        self._runs: list[Runs] = [()] * len(remnants)

    def conclude(self) -> list[Conclusion]:
        """Return one conclusion for each remnant, in their order."""
        contested = self._divide()
        for index in sorted(self._tentative, key=lambda index: (self._remnants[index].began or 0, index)):
            self._claim(index)
        heapify(contested)
        while contested:
            _, index = heappop(contested)
            displaced = self._contest(index)
            self._claim(index, displaced)
            for other in displaced:
                heappush(contested, (self._turn(other), other))
        doubtful = self._passed_by()
        return [self._conclusion(index, doubtful=index in doubtful) for index in range(len(self._remnants))]

    def _passed_by(self) -> set[int]:
        """Return the remnants that a younger one was concluded to go around, without proof that they were alive."""
        found: set[int] = set()
        for remnant, runs in zip(self._remnants, self._runs, strict=True):
            if remnant.stored is not None:
                continue
            for (first, count), (following, _) in pairwise(runs):
                for other in islice(self._witnesses.within(first + count, following), MAXIMUM_VARIANTS):
                    if self._may_be_overwritten(self._remnants[other], remnant):
                        found.add(other)
        return found

    @staticmethod
    def _may_be_overwritten(other: Remnant, remnant: Remnant) -> bool:
        if other.began is None or remnant.began is None or other.began > remnant.began:
            return False
        return other.alive_until is None or other.alive_until <= remnant.began

    def _divide(self) -> list[tuple[tuple[int, int, int], int]]:
        """Tell files that lie alone (rule 4) from those in whose way others start; return the latter."""
        contested = []
        previous = -1
        for index in self._witnesses.by_start:
            remnant = self._remnants[index]
            alone = [self._paths.living(remnant)]
            runs = remnant.stored or self._paths.take(remnant, alone)
            self._runs[index] = runs
            if remnant.start == previous:
                continue
            previous = remnant.start
            if remnant.stored is None and self._witnesses.meets_another(remnant, runs):
                contested.append((self._turn(index), index))
                continue
            self._tentative.add(index)
            if remnant.stored is None and len(runs) > 1 and not self._fits(remnant, runs):
                self._runs[index] = next(self._fitting(remnant, runs, alone), runs)
        return contested

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

    def _contest(self, index: int) -> list[int]:
        """Find the runs of a remnant in whose way others start; return those that have to make room for it."""
        remnant = self._remnants[index]
        witnesses, paths = self._witnesses, self._paths
        in_the_way = paths.around(remnant, index, witnesses.lies_in_the_way)
        around = paths.take(remnant, in_the_way)
        through = paths.take(remnant, paths.around(remnant, index, witnesses.was_there_meanwhile))
        pressing = paths.around(
            remnant, index, witnesses.lies_in_the_way, lambda owner: self._can_make_room(owner, remnant)
        )
        pushing = paths.take(remnant, pressing)
        chosen = min((around, through), key=lambda runs: self._strain(remnant, runs)) if through != around else around
        if self._should_push(index, chosen, pushing):
            chosen = pushing
        if not self._fits(remnant, chosen):
            others = (runs for runs in (pushing, around, through) if self._fits(remnant, runs))
            better = next(others, None) or next(self._fitting(remnant, pushing, pressing), None)
            chosen = better or next(self._fitting(remnant, around, in_the_way), chosen)
        self._runs[index] = chosen
        displaced = self._displaced(index, chosen)
        self._tentative.difference_update(displaced)
        return displaced

    def _displaced(self, index: int, runs: Runs) -> list[int]:
        remnant = self._remnants[index]
        owners = self._claims.owners(runs)
        return [owner for owner in owners if owner != index and self._can_make_room(owner, remnant)]

    def _should_push(self, index: int, chosen: Runs, pushing: Runs) -> bool:
        """Whether others make room (rule 5): they went on later, or nothing else is left that nobody had since."""
        displaced = self._displaced(index, pushing)
        if not displaced:
            return False
        saved = self._had_later(index, chosen) - self._had_later(index, pushing, set(displaced))
        if saved:
            return saved > 0
        remnant, witnesses = self._remnants[index], self._witnesses
        return all(witnesses.went_on(self._remnants[owner], self._runs[owner], remnant) for owner in displaced)

    def _can_make_room(self, owner: int, remnant: Remnant) -> bool:
        """Whether a claim of rule 4 is that of a file which was still being written when this one was finished."""
        other = self._remnants[owner]
        if owner not in self._tentative or other.start == remnant.start or other.count < 2 or other.stored:
            return False
        if other.finished is None or remnant.finished is None or other.began is None:
            return False
        return other.began <= remnant.finished <= other.finished

    def _strain(self, remnant: Remnant, runs: Runs) -> int:
        """Return how much these runs ask us to believe.

        That a file was written in turns with others made meanwhile, each of them whole, is hard to believe, and so
        is that it went through others of which nothing shows that they were gone. A fitting end is a good sign.
        """
        witnesses = self._witnesses
        strain = -2 if witnesses.next_starts(remnant, runs) else 0
        gaps = [(first + count, following - first - count) for (first, count), (following, _) in pairwise(runs)]
        strain += sum(witnesses.made_meanwhile(remnant, first, first + count) for first, count in gaps)
        for owner in self._claims.owners(runs):
            other = self._remnants[owner]
            if witnesses.lies_in_the_way(other, remnant) and not witnesses.may_be_gone(other, remnant):
                strain += 3 if other.alive_until is not None and other.alive_until == remnant.began else 1
        avoided = (self._remnants[owner] for owner in self._claims.owners(gaps))
        return strain + sum(1 for other in avoided if witnesses.may_be_gone(other, remnant))

    def _fits(self, remnant: Remnant, runs: Runs) -> bool:
        if not runs or sum(count for _, count in runs) != remnant.count:
            return False
        return self._tails.fits(remnant.size, runs[-1][0] + runs[-1][1] - 1)

    def _fitting(self, remnant: Remnant, runs: Runs, obstacles: Sequence[Obstacle]) -> Iterator[Runs]:
        """Yield variants of runs, with one of their gaps wider, whose last cluster shows the end of the file."""
        asked = 0
        reach = self._paths.reach(obstacles, remnant.start + 1)
        for place in range(len(runs) - 1, 0, -1):
            begun, (start, _) = runs[:place], runs[place]
            need = remnant.count - sum(count for _, count in begun)
            for wider in range(1, max(2, MAXIMUM_VARIANTS // len(runs))):
                asked += 1
                self._variants_left -= 1
                if asked > MAXIMUM_VARIANTS or self._variants_left < 0:
                    return
                last = reach.last(start + wider, need)
                if last is not None and self._tails.fits(remnant.size, last):
                    variant = self._paths.take(remnant, obstacles, begun, start + wider)
                    if self._fits(remnant, variant):
                        yield variant

    def _conclusion(self, index: int, *, doubtful: bool) -> Conclusion:
        runs = self._runs[index]
        return Conclusion(
            runs=runs,
            overlap_allocated=sum(self._used.members(first, count) for first, count in runs),
            overlap_deleted=self._had_later(index, runs),
            doubtful=doubtful,
        )

    def _had_later(self, index: int, runs: Runs, except_of: Container[int] = ()) -> int:
        """Return how many of these clusters other deleted files had afterwards."""
        remnant = self._remnants[index]
        total = 0
        for first, count in runs:
            for low, high, owner in self._claims.within(first, first + count):
                other = self._remnants[owner]
                same = other.start == remnant.start and other.began == remnant.began
                if owner != index and not same and owner not in except_of and _came_after(other, remnant):
                    total += high - low
        return total


def _came_after(other: Remnant, remnant: Remnant) -> bool:
    if other.began is None or remnant.began is None:
        return True
    return other.began >= remnant.began
