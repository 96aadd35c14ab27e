"""Rowids that are lost, concluded from the cells around them.

A page fills from its end, so where no space was used twice the rowids fall as the offsets rise. Between two
rowids that are known, as many damaged cells as numbers are missing can only bear those numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from kaval.artefacts.sqlite.remains import Remains

_FRAGMENT = 3
"""Bytes between cells that are too few for a free block (1.6)."""


def conclude_rowids(known: Sequence[tuple[int, int]], unknown: Sequence[Remains]) -> dict[int, int]:
    """Return rowids by the offset of the cell; ``known`` are offsets and rowids of the cells that tell theirs."""
    ordered = sorted(known)
    if any(first[1] <= second[1] for first, second in pairwise(ordered)):
        return {}
    concluded: dict[int, int] = {}
    ends = {remains.start: remains.end for remains in unknown}
    starts = sorted(ends)
    for (low, high_rowid), (high, low_rowid) in pairwise(ordered):
        between = starts[bisect_right(starts, low) : bisect_left(starts, high)]
        tiled = all(0 <= second - ends[first] <= _FRAGMENT for first, second in pairwise([*between, high]))
        if between and tiled and high_rowid - low_rowid - 1 == len(between):
            concluded.update(zip(between, range(high_rowid - 1, low_rowid, -1), strict=True))
    return concluded
