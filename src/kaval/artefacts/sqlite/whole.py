"""Cells that are still whole, found in bytes that no page claims: every position at once.

A cell is its payload's length, its rowid, and a record whose header states its own length and the sizes of all
values (1.6, 2.1). So at each byte that may be the length of a header, the sizes behind it are summed, and the sum has
to be the length stated before the rowid. No schema is needed for that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LONGEST_HEADER = 4000
_LARGEST = 1 << 27
_SIZES = np.array([0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0], dtype=np.int64)

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WholeCell:
    """Where a cell begins, where its record does, and how long its payload is."""

    start: int
    record: int
    size: int


class _Varints:
    """The number that ends at each byte of a block, read back over as many bytes as belong to it."""

    def __init__(self, block: bytes) -> None:
        bytes_ = np.frombuffer(block, dtype=np.uint8).astype(np.int64)
        self.ends: Flags = bytes_ < 0x80
        more = ~self.ends
        low = bytes_ & 0x7F
        value = low.copy()
        leads = np.zeros(len(low), dtype=np.int64)
        going: Flags = np.ones(len(low), dtype=np.bool_)
        for back in (1, 2, 3):
            before = np.zeros(len(low), dtype=np.bool_)
            before[back:] = more[:-back] if back < len(low) else before[back:]
            going &= before
            value[back:] += np.where(going[back:], low[:-back] << (7 * back), 0)
            leads += going
        before = np.zeros(len(low), dtype=np.bool_)
        before[4:] = more[:-4]
        self.too_long: Flags = going & before & self.ends
        self.value: Numbers = value
        self.leads: Numbers = leads
        at = np.arange(len(low), dtype=np.int64)
        last = np.maximum.accumulate(np.where(self.ends, at, -1))
        self.end_before: Numbers = np.concatenate((np.array([-1], dtype=np.int64), last[:-1]))


def whole_cells(block: bytes, *, keyed: bool = False) -> list[WholeCell]:
    """Return every place where a cell of a leaf reads as whole, in order; ``keyed`` ones have no rowid."""
    if len(block) < 8:
        return []
    numbers = _Varints(block)
    sizes = np.where(numbers.value < 12, _SIZES[np.minimum(numbers.value, 11)], (numbers.value - 12) >> 1)
    wrong = numbers.ends & ((numbers.value == 10) | (numbers.value == 11) | numbers.too_long | (sizes > _LARGEST))
    summed = np.cumsum(np.where(numbers.ends & ~wrong, sizes, 0))
    wrongs = np.cumsum(wrong)

    at = np.flatnonzero(numbers.ends & (numbers.value >= 2) & (numbers.value <= _LONGEST_HEADER) & (numbers.leads <= 1))
    head = at - numbers.leads[at]
    last = head + numbers.value[at] - 1
    kept = (head >= (1 if keyed else 2)) & (last < len(block))
    at, head, last = at[kept], head[kept], last[kept]
    kept = numbers.ends[last] & (wrongs[last] == wrongs[at]) & numbers.ends[head - 1]
    at, head, last = at[kept], head[kept], last[kept]
    size = numbers.value[at] + summed[last] - summed[at]
    before = head - 1 if keyed else numbers.end_before[head - 1]
    kept = (before >= 0) & (head - before <= 10)
    return _with_length(numbers, head[kept], size[kept], before[kept])


def _with_length(numbers: _Varints, head: Numbers, size: Numbers, before: Numbers) -> list[WholeCell]:
    """Keep the places where the number that ends at ``before`` is the size of the payload."""
    low = numbers.value[before] & 0x7F
    found: list[WholeCell] = []
    for length in (1, 2, 3):
        least = 0 if length == 1 else 1 << 7 * (length - 1)
        fits = (size >= least) & (size < 1 << 7 * length) & (numbers.leads[before] >= length - 1)
        value = low if length == 1 else numbers.value[before] & ((1 << 7 * length) - 1)
        for at in np.flatnonzero(fits & (value == size)):
            found.append(WholeCell(int(before[at]) - length + 1, int(head[at]), int(size[at])))
    found.sort(key=lambda cell: (cell.start, cell.record))
    return found
