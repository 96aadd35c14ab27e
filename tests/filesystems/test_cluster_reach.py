"""How far a file reaches is the same, counted run by run or cluster by cluster."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaval.filesystems.clusters.paths import Obstacle, Reach


def _obstacle(used: set[int], end: int) -> Obstacle:
    def obstacle(cluster: int) -> tuple[bool, int]:
        blocked = cluster in used
        until = cluster + 1
        while until < end and (until in used) == blocked:
            until += 1
        return blocked, until

    return obstacle


@given(st.sets(st.integers(2, 60)), st.lists(st.tuples(st.integers(3, 70), st.integers(1, 20)), min_size=1, max_size=9))
def test_the_last_cluster_is_that_of_a_walk(used: set[int], asked: list[tuple[int, int]]) -> None:
    end = 64
    reach = Reach(_obstacle(used, end), 3, end)
    for cluster, need in asked:
        free = [place for place in range(cluster, end) if place not in used]

        assert reach.last(cluster, need) == (free[need - 1] if len(free) >= need else None)
