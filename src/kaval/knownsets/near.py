"""Near matching of PDQ hashes: every known hash within a Hamming distance, none missed."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Rows
from kaval.knownsets.exact import map_file


@dataclass(frozen=True, slots=True)
class Near:
    """One row within reach of a query."""

    row: int
    distance: int


class HashTable:
    """The distinct PDQ hashes of a set, compared one by one in columns of eight bytes."""

    def __init__(self, folder: Path) -> None:
        values = map_file(folder / "pdq.values", mmap.MADV_WILLNEED)
        self.rows: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, WIDTHS["pdq"])
        self._words = np.ascontiguousarray(self.rows.view("<u8").T)

    def within(self, query: bytes, threshold: int) -> list[Near]:
        """Return the rows within a distance, in order of row."""
        wanted = np.frombuffer(query, dtype="<u8")
        distance = np.bitwise_count(self._words[0] ^ wanted[0]).astype(np.uint16)
        for word in range(1, 4):
            distance += np.bitwise_count(self._words[word] ^ wanted[word])
        rows = np.flatnonzero(distance <= threshold)
        return [Near(int(row), int(distance[row])) for row in rows]

    def within_any(self, turned: Sequence[bytes], threshold: int) -> list[tuple[Near, int]]:
        """Return the rows within a distance of any orientation, each once, with the nearest orientation."""
        best: dict[int, tuple[Near, int]] = {}
        for orientation, query in enumerate(turned):
            for near in self.within(query, threshold):
                known = best.get(near.row)
                if known is None or near.distance < known[0].distance:
                    best[near.row] = (near, orientation)
        return [best[row] for row in sorted(best)]
