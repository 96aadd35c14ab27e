"""The clusters a driver would have handed out, from the first one upwards, around what was in its way."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from kaval.filesystems.clusters.claims import ClaimMap
from kaval.filesystems.clusters.grid import Grid, Run
from kaval.filesystems.clusters.remnants import Occupied, Remnant
from kaval.filesystems.clusters.sets import ClusterSet
from kaval.filesystems.clusters.witnesses import Witnesses, not_before

MAXIMUM_RUNS = 4096

Obstacle = Callable[[int], tuple[bool, int]]
"""Says of a cluster whether it was out of reach, and up to which cluster (exclusive) that answer holds."""

Blocks = Callable[[Remnant, Remnant], bool]
"""Whether the first remnant was in the way of the second."""

MakesRoom = Callable[[int], bool]
"""Whether the claim of a remnant, by its index, may be passed over."""


def remembering(obstacles: Sequence[Obstacle]) -> Obstacle:
    """Return several obstacles as one that answers each cluster once; for as long as no claim changes."""
    answers: dict[int, tuple[bool, int]] = {}

    def obstacle(cluster: int) -> tuple[bool, int]:
        answer = answers.get(cluster)
        if answer is None:
            limit = -1
            for one in obstacles:
                blocked, until = one(cluster)
                if blocked:
                    answer = (True, until)
                    break
                limit = until if limit < 0 else min(limit, until)
            else:
                answer = (False, limit)
            answers[cluster] = answer
        return answer

    return obstacle


class Reach:
    """Where a file ends that takes all free clusters from some place upwards; asked often for one set of obstacles."""

    def __init__(self, obstacle: Obstacle, start: int, end: int) -> None:
        self._obstacle = obstacle
        self._next = start
        self._end = end
        self._firsts: list[int] = []
        self._before = [0]

    def last(self, cluster: int, need: int) -> int | None:
        """Return the last of ``need`` free clusters from ``cluster`` upwards, ``None`` where the volume ends first."""
        while self._next <= cluster and self._next < self._end:
            self._advance()
        place = bisect_right(self._firsts, cluster) - 1
        passed = 0
        if place >= 0:
            length = self._before[place + 1] - self._before[place]
            passed = self._before[place] + min(cluster - self._firsts[place], length)
        wanted = passed + need
        while self._before[-1] < wanted and self._next < self._end:
            self._advance()
        if self._before[-1] < wanted:
            return None
        place = bisect_left(self._before, wanted) - 1
        return self._firsts[place] + wanted - self._before[place] - 1

    def _advance(self) -> None:
        blocked, until = self._obstacle(self._next)
        until = min(until, self._end)
        if not blocked:
            self._firsts.append(self._next)
            self._before.append(self._before[-1] + until - self._next)
        self._next = until


class Paths:
    """Finds paths over one heap of clusters; ``used`` are those in use now, by whomever."""

    def __init__(
        self, grid: Grid, used: ClusterSet, occupied: Occupied, witnesses: Witnesses, claims: ClaimMap
    ) -> None:
        self._grid = grid
        self._used = used
        self._occupied = occupied
        self._witnesses = witnesses
        self._claims = claims

    def take(
        self, remnant: Remnant, obstacles: Sequence[Obstacle], begun: Sequence[Run] = (), cluster: int = 0
    ) -> tuple[Run, ...]:
        """Return the clusters of a remnant; ``begun`` are its first runs, which go on from ``cluster`` upwards."""
        runs: list[Run] = [*begun] or [(remnant.start, 1)]
        need = remnant.count - sum(count for _, count in runs)
        cluster = cluster or remnant.start + 1
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
                first, length = runs[-1]
                if first + length == cluster:
                    runs[-1] = (first, length + count)
                else:
                    runs.append((cluster, count))
                need, cluster = need - count, cluster + count
        return tuple(runs)

    def reach(self, obstacles: Sequence[Obstacle], start: int) -> Reach:
        """Return how far files reach that begin at ``start`` or behind it, for as long as no claim changes."""
        return Reach(remembering(obstacles), start, self._grid.end)

    def living(self, remnant: Remnant) -> Obstacle:
        """Clusters in use now that were in use then; whoever holds the first cluster now came later."""
        occupied, finished = self._occupied, remnant.finished
        holder = occupied.at(remnant.start)
        holder_made = occupied.created[holder] if holder >= 0 else None

        def obstacle(cluster: int) -> tuple[bool, int]:
            index = bisect_right(occupied.starts, cluster) - 1
            if index >= 0 and cluster < occupied.ends[index]:
                made = occupied.created[index]
                later = holder_made is not None and made >= holder_made
                return not later and not_before(made, finished), occupied.ends[index]
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

    def around(
        self, remnant: Remnant, index: int, blocks: Blocks, makes_room: MakesRoom | None = None
    ) -> list[Obstacle]:
        """Return all that a remnant had to go around: living files, claims and first clusters of others."""
        return [
            self.living(remnant),
            self._claimed(remnant, index, blocks, makes_room),
            self._starting(remnant, blocks),
        ]

    def _claimed(self, remnant: Remnant, index: int, blocks: Blocks, makes_room: MakesRoom | None) -> Obstacle:
        def obstacle(cluster: int) -> tuple[bool, int]:
            owner, until = self._claims.at(cluster, self._grid.end)
            if owner is None or owner == index or (makes_room is not None and makes_room(owner)):
                return False, until
            return blocks(self._witnesses.remnants[owner], remnant), until

        return obstacle

    def _starting(self, remnant: Remnant, blocks: Blocks) -> Obstacle:
        starts = self._witnesses.starts

        def obstacle(cluster: int) -> tuple[bool, int]:
            if any(blocks(other, remnant) for other in self._witnesses.starting(cluster, cluster + 1)):
                return True, cluster + 1
            place = bisect_left(starts, cluster + 1)
            return False, starts[place] if place < len(starts) else self._grid.end

        return obstacle
