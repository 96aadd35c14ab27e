"""Which blocks deleted files lay claim to, so that two are not both called intact on the same bytes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt


class Claims:
    """A set of blocks, kept as runs that neither touch nor overlap."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, first: int, count: int) -> None:
        """Claim blocks that lie side by side."""
        end = first + count
        low = bisect_left(self._ends, first)
        high = bisect_right(self._starts, end)
        if low < high:
            first = min(first, self._starts[low])
            end = max(end, self._ends[high - 1])
        self._starts[low:high] = [first]
        self._ends[low:high] = [end]

    def among(self, first: int, count: int) -> npt.NDArray[np.bool_]:
        """Say of blocks that lie side by side which are claimed already."""
        claimed = np.zeros(count, np.bool_)
        end = first + count
        index = bisect_right(self._ends, first)
        while index < len(self._starts) and self._starts[index] < end:
            claimed[max(0, self._starts[index] - first) : self._ends[index] - first] = True
            index += 1
        return claimed
