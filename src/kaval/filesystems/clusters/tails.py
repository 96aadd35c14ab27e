"""Last clusters: what stands behind the end of a file tells where it ended.

Drivers write whole sectors, and what lies in the last one behind the end of the file is zero. A cluster in which the
last byte before the end is none, and zeros follow up to the end of the sector, fits a size; few others do.
"""

from __future__ import annotations

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters.grid import Grid

SECTOR = 512
LEAST_ZEROS = 4
LAST_BYTES = 2


class Tails:
    """Asks clusters of one source whether a file of some size may have ended in them."""

    def __init__(self, source: ByteSource, grid: Grid) -> None:
        self._source = source
        self._grid = grid

    def fits(self, size: int, cluster: int) -> bool:
        """Whether a file of that size may have ended in a cluster; false where nothing can be told."""
        inside = size % self._grid.cluster_size
        zeros = -inside % SECTOR
        if inside < LAST_BYTES or zeros < LEAST_ZEROS or not self._grid.holds(cluster):
            return False
        place = self._grid.place(cluster) + inside - LAST_BYTES
        try:
            block = self._source.read_at(place, LAST_BYTES + zeros)
        except UnreadableError:
            return False
        return len(block) == LAST_BYTES + zeros and any(block[:LAST_BYTES]) and not any(block[LAST_BYTES:])
