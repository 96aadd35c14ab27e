"""Cells that are still whole, found in bytes that no page claims: every position at once.

A cell is its payload's length, its rowid, and a record whose header states its own length and the sizes of all
values (1.6, 2.1). So at each byte that may be the length of a header, the sizes behind it are summed, and the sum has
to be the length stated before the rowid. Of the schema only the possible lengths of headers are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaval.artefacts.sqlite.rows import Table

LONGEST_HEADER = 4000
_NEVER = 1 << 40
"""The size given to serial types that are never stored: no payload is as long."""
_GAP = bytes(12)
_SIZE_OF_BYTE = np.array(
    [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, _NEVER, _NEVER, *((byte - 12) >> 1 for byte in range(12, 128)), *(0,) * 128],
    dtype=np.int64,
)

Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WholeCell:
    """Where a cell begins, where its record does, and how long its payload is."""

    start: int
    record: int
    size: int


def header_lengths(tables: Iterable[Table]) -> Flags:
    """Return for each length whether the header of a record of these tables can have it."""
    possible = np.zeros(LONGEST_HEADER, dtype=np.bool_)
    for table in tables:
        count = len(table.columns)
        strings = sum(affinity != "REAL" for affinity in table.affinities)
        possible[max(2, count // 2 + 1) : count + 2 * strings + 3] = True
    return possible


def whole_cells_in(parts: Sequence[bytes], possible: Flags, *, keyed: bool = False) -> list[list[WholeCell]]:
    """Return the whole cells of each of some blocks, counted from its own beginning."""
    found: list[list[WholeCell]] = [[] for _ in parts]
    starts = np.cumsum([0, *(len(part) + len(_GAP) for part in parts)])
    for cell in whole_cells(_GAP.join(parts), possible, keyed=keyed):
        at = int(np.searchsorted(starts, cell.record, side="right")) - 1
        if cell.start >= starts[at]:
            first = int(starts[at])
            found[at].append(WholeCell(cell.start - first, cell.record - first, cell.size))
    return found


def whole_cells(block: bytes, possible: Flags, *, keyed: bool = False) -> list[WholeCell]:
    """Return every place where a cell of a leaf reads as whole, in order; ``keyed`` ones have no rowid."""
    if len(block) < 8:
        return []
    data = np.frombuffer(block, dtype=np.uint8)
    more = data >= 0x80
    head, size = _headers(data, more, possible, least=1 if keyed else 2)
    if not len(head):
        return []
    summed = _summed_sizes(data, more)
    # Counted up to and with the last byte of the header, and without the one or two bytes that state its length.
    last, length = head + size - 1, np.where(more[head], 2, 1)
    total = size + summed[last] - summed[head + length - 1]
    before = head - 1
    if not keyed:
        before = _before_rowid(more, head)
    return _with_length(data, more, head, total, before)


def _headers(data: Bytes, more: Flags, possible: Flags, *, least: int) -> tuple[Numbers, Numbers]:
    """Return where a header can begin, and how long it says it is: the bytes before it and its last one end numbers."""
    one = np.zeros(256, dtype=np.bool_)
    one[:128] = possible[:128]
    heads = [np.flatnonzero(one[data])]
    sizes = [data[heads[0]].astype(np.int64)]
    if possible[128:].any():
        pair = np.flatnonzero(more[:-1] & ~more[1:])
        value = (data[pair].astype(np.int64) & 0x7F) << 7 | data[pair + 1]
        kept = value < len(possible)
        kept[kept] = possible[value[kept]]
        heads.append(pair[kept])
        sizes.append(value[kept])
    head, size = np.concatenate(heads), np.concatenate(sizes)
    kept = (head >= least) & (head + size <= len(data))
    head, size = head[kept], size[kept]
    kept = ~(more[head - 1] | more[head + size - 1])
    return head[kept], size[kept]


def _summed_sizes(data: Bytes, more: Flags) -> Numbers:
    """Return the running sum of the sizes that the numbers of a block give as serial types, each at its last byte."""
    sizes = _SIZE_OF_BYTE[data]
    ends = np.flatnonzero(more[:-1] & ~more[1:]) + 1
    value = data[ends].astype(np.int64) | (data[ends - 1].astype(np.int64) & 0x7F) << 7
    longer: Flags = np.ones(len(ends), dtype=np.bool_)
    for back in (2, 3, 4):
        longer &= (ends >= back) & more[np.maximum(ends - back, 0)]
        part = (data[np.maximum(ends - back, 0)].astype(np.int64) & 0x7F) << 7 * back
        value += np.where(longer, part if back < 4 else _NEVER, 0)
    sizes[ends] = (value - 12) >> 1
    return np.cumsum(sizes)


def _before_rowid(more: Flags, head: Numbers) -> Numbers:
    """Return the byte before the rowid that ends before each header; -1 where no rowid is so long."""
    before = head - 2
    for _ in range(9):
        going = (before >= 0) & more[np.maximum(before, 0)]
        if not going.any():
            return before
        before = before - going
    return np.where((before >= 0) & more[np.maximum(before, 0)], -1, before)


def _with_length(data: Bytes, more: Flags, head: Numbers, size: Numbers, before: Numbers) -> list[WholeCell]:
    """Keep the places where the number that ends at ``before`` is the size of the payload."""
    kept = (before >= 0) & (size < 1 << 28)
    head, size, before = head[kept], size[kept], before[kept]
    found: list[WholeCell] = []
    for length in (1, 2, 3, 4):
        least = 0 if length == 1 else 1 << 7 * (length - 1)
        fits = np.flatnonzero((size >= least) & (size < 1 << 7 * length) & (before >= length - 1))
        value = data[before[fits]].astype(np.int64)
        right: Flags = value < 0x80
        for back in range(1, length):
            lead = before[fits] - back
            right &= more[lead]
            value |= (data[lead].astype(np.int64) & 0x7F) << 7 * back
        for at in fits[right & (value == size[fits])]:
            found.append(WholeCell(int(before[at]) - length + 1, int(head[at]), int(size[at])))
    found.sort(key=lambda cell: (cell.start, cell.record))
    return found
