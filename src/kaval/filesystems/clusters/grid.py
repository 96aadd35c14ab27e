"""Where numbered clusters lie in their source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kaval.core.records import Extent

FIRST_CLUSTER = 2

Run = tuple[int, int]
"""First cluster and number of clusters of one contiguous run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The cluster heap: ``offset`` is the byte of cluster 2, ``count`` the number of clusters."""

    offset: int
    cluster_size: int
    count: int

    @property
    def end(self) -> int:
        """The first cluster number behind the heap."""
        return self.count + FIRST_CLUSTER

    def holds(self, cluster: int) -> bool:
        """Whether there is a cluster of that number."""
        return FIRST_CLUSTER <= cluster < self.count + FIRST_CLUSTER

    def place(self, cluster: int) -> int:
        """Return the byte of the source at which a cluster starts."""
        return self.offset + (cluster - FIRST_CLUSTER) * self.cluster_size

    def clusters_of(self, size: int) -> int:
        """Return how many clusters a stream of that size takes."""
        return -(-size // self.cluster_size)

    def extents(self, runs: Iterable[Run]) -> tuple[Extent, ...]:
        """Return runs of clusters as extents."""
        base, size = self.offset, self.cluster_size
        return tuple(Extent(offset=base + (first - FIRST_CLUSTER) * size, length=count * size) for first, count in runs)

    def concluded_extents(self, runs: Iterable[Run]) -> tuple[Extent, ...]:
        """Return runs of which nothing but the first cluster was stored, as extents."""
        extents: list[Extent] = []
        for first, count in runs:
            offset, length = self.place(first), count * self.cluster_size
            if not extents:
                extents.append(Extent(offset=offset, length=self.cluster_size))
                offset, length = offset + self.cluster_size, length - self.cluster_size
            if length:
                extents.append(Extent(offset=offset, length=length, assumed=True))
        return tuple(extents)
