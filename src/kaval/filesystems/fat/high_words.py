"""First clusters whose upper half is gone: Windows clears DIR_FstClusHI of a deleted entry on FAT32.

Where no deleted entry of a volume has an upper half, but living files lie beyond cluster 65535, the lower half alone is
left. A deleted directory proves its place by its own first entry. That of a file is concluded: among the
clusters with that lower half that are free and not empty, the one that shows the end of the file where it should,
else the one nearest to where the driver stood when the file was made.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters import ClusterSet
from kaval.filesystems.clusters.remnants import Occupied
from kaval.filesystems.clusters.tails import Tails
from kaval.filesystems.fat.boot import Boot
from kaval.filesystems.fat.directory import DirectoryParser, Slot, born

HALF = 1 << 16
MAXIMUM_ASKED = 64
_BIRTH_TOLERANCE = 2_000_000_000


class HighWords:
    """Restores first clusters of one FAT32 volume."""

    def __init__(self, source: ByteSource, boot: Boot, used: ClusterSet, occupied: Occupied) -> None:
        self._source = source
        self._boot = boot
        self._used = used
        self._tails = Tails(source, boot.grid)
        heads = [
            (made, start)
            for made, start, head in zip(occupied.created, occupied.starts, occupied.heads, strict=True)
            if head
        ]
        heads.sort()
        self._moments = [made for made, _ in heads]
        self._places = [start for _, start in heads]

    def are_missing(self, slots: Iterable[Slot]) -> bool:
        """Whether the deleted entries of the volume have lost their upper halves."""
        if self._boot.bits != 32 or self._boot.grid.end <= HALF or not any(place >= HALF for place in self._places):
            return False
        return all(slot.start < HALF for slot in slots)

    def _candidates(self, slot: Slot) -> list[int]:
        """Return the free clusters with the lower half of a slot, nearest to where the driver stood first."""
        expected = self._expected(slot)
        found = [
            cluster
            for cluster in range(slot.start % HALF, self._boot.grid.end, HALF)
            if self._boot.grid.holds(cluster) and cluster not in self._used
        ]
        return sorted(found, key=lambda cluster: abs(cluster - expected))

    def _expected(self, slot: Slot) -> int:
        made = born(slot)
        if made is None or not self._moments:
            return slot.start
        return self._places[max(0, bisect_right(self._moments, made) - 1)]

    def of_directory(self, slot: Slot) -> Slot | None:
        """Return a directory's slot with its whole first cluster, proved by the directory's own first entry."""
        for cluster in self._candidates(slot):
            head = self._read(cluster, 32)
            if not head.startswith(b".          "):
                continue
            dot = next(DirectoryParser(wide=True).parse(head, 0), None)
            if dot is None or dot.start != cluster:
                continue
            mine, theirs = born(dot), born(slot)
            if mine is None or theirs is None or abs(mine - theirs) <= _BIRTH_TOLERANCE:
                return slot._replace(start=cluster)
        return None

    def of_file(self, slot: Slot) -> Slot | None:
        """Return a file's slot with the first cluster that is concluded; ``None`` where none is left."""
        count = self._boot.grid.clusters_of(slot.size)
        first = None
        for cluster in self._candidates(slot)[:MAXIMUM_ASKED]:
            if not any(self._read(cluster, min(512, slot.size))):
                continue
            if self._tails.fits(slot.size, cluster + count - 1):
                return slot._replace(start=cluster)
            first = first if first is not None else cluster
        return slot._replace(start=first) if first is not None else None

    def _read(self, cluster: int, length: int) -> bytes:
        try:
            return self._source.read_at(self._boot.grid.place(cluster), length)
        except UnreadableError:
            return b""
