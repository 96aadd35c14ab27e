"""What FAT and exFAT say alike of living clusters: whose they are, which are free, which nobody's name leads to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters.grid import FIRST_CLUSTER, Grid, Run
from kaval.filesystems.clusters.remnants import Conclusion, Occupied
from kaval.filesystems.clusters.sets import ClusterSet
from kaval.filesystems.clusters.table import ChainTable

MAXIMUM_CHAINS = 1000
LOST = "$LostChains"


class Owners:
    """Takes note of the clusters of living entries as they are listed."""

    def __init__(self, grid: Grid) -> None:
        self.owned = ClusterSet(grid.end)
        self.occupied = Occupied()

    def add(self, runs: Sequence[Run], created: int | None) -> int:
        """Take note of one entry; return how many of its clusters had an owner already."""
        self.occupied.add(runs, created)
        return sum(self.owned.add(first, count) for first, count in runs)


def first_clusters(runs: Sequence[Run], needed: int) -> list[Run]:
    """Return runs cut to a number of clusters."""
    kept = []
    for first, count in runs:
        if needed <= 0:
            break
        kept.append((first, min(count, needed)))
        needed -= count
    return kept


def free_extents(source: ByteSource, grid: Grid, used: ClusterSet) -> Iterator[Extent]:
    """Yield the extents of free clusters that the image holds, in order."""
    free = used.inverted()
    free.discard(0, FIRST_CLUSTER)
    for first, count in free.runs():
        offset = grid.place(first)
        length = min(count * grid.cluster_size, source.size - offset)
        if length > 0:
            yield Extent(offset=offset, length=length)


def content_of(
    source: ByteSource, grid: Grid, size: int, conclusion: Conclusion | None, *, stored: bool
) -> tuple[ContentState, int]:
    """Return how far a deleted stream can be trusted, and how many of its bytes others have had since.

    ``stored`` says that its runs were stored, not concluded.
    """
    if size == 0:
        return ContentState.INTACT, 0
    if conclusion is None:
        return ContentState.GONE, 0
    if conclusion.overlap_allocated >= conclusion.count:
        return ContentState.GONE, size
    if conclusion.overlap_allocated:
        return ContentState.OVERLAPS_ALLOCATED, min(size, conclusion.overlap_allocated * grid.cluster_size)
    if conclusion.overlap_deleted:
        return ContentState.OVERLAPS_DELETED, min(size, conclusion.overlap_deleted * grid.cluster_size)
    first, count = conclusion.runs[-1]
    if conclusion.count < grid.clusters_of(size) or grid.place(first + count) > source.size:
        return ContentState.PARTIAL, 0
    certain = (stored or conclusion.count == 1) and not conclusion.doubtful
    return (ContentState.INTACT if certain else ContentState.ASSUMED), 0


def lost_chains(
    source: ByteSource, grid: Grid, table: ChainTable, used: ClusterSet, owned: ClusterSet, unknown: ClusterSet
) -> Iterator[Entry | Notice]:
    """Yield the chains in use that no name leads to, as their table still tells them.

    Of the ``unknown`` clusters nobody can say whether they are in use: none of them is made a chain.
    """
    lost = used.without(owned).without(unknown)
    lost.discard(FIRST_CLUSTER + max(0, -(-(source.size - grid.offset) // grid.cluster_size)), grid.count)
    followers = table.followers(lost)
    heads = (range(first, first + count) for first, count in lost.without(followers).runs())
    for number, start in enumerate(chain.from_iterable(heads)):
        offset = grid.place(start)
        if number >= MAXIMUM_CHAINS:
            message = f"more than {MAXIMUM_CHAINS} chains of clusters are in use without a name; the rest is left out"
            yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, offset=offset)
            return
        if table.next_of(start) == table.bad_mark:
            message = f"cluster {start} is marked defective"
            yield Notice(code=NoticeCode.SKIPPED, message=message, offset=offset)
            continue
        yield _lost_chain(grid, start, *table.chain(start))


def _lost_chain(grid: Grid, start: int, runs: list[Run], problem: str) -> Entry:
    return Entry(
        address=f"chain-{start}",
        path=f"{LOST}/cluster-{start}",
        kind=EntryKind.FILE,
        size=sum(count for _, count in runs) * grid.cluster_size,
        state=EntryState.ORPHAN,
        content=ContentState.PARTIAL if problem else ContentState.ASSUMED,
        extents=grid.extents(runs),
    )
