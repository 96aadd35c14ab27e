"""The bytes of a page that no cell of it uses: free blocks, fragments, and the space before the cells (1.6)."""

from __future__ import annotations

from dataclasses import dataclass

from kaval.artefacts.sqlite.records import varint
from kaval.artefacts.sqlite.trees import INDEX_INTERIOR, TABLE_INTERIOR, TABLE_LEAF, TreePage, local_size

SMALLEST_CELL = 4
ALWAYS_LOCAL = 39
"""Bytes of payload that stay in the cell whatever the size of the page."""


@dataclass(frozen=True, slots=True)
class Space:
    """A run of bytes between cells, from ``start`` up to ``end``; ``blocks`` are the free blocks that begin in it.

    ``behind_pointers`` is where the pointers to cells that are no more end, which can look like much.
    """

    start: int
    end: int
    blocks: tuple[tuple[int, int], ...] = ()
    behind_pointers: int = 0


def cell_end(block: bytes, pointer: int, kind: int, usable_size: int) -> int | None:
    """Return where a cell ends; ``None`` where the page cannot hold it."""
    try:
        if kind == TABLE_INTERIOR:
            return varint(block, pointer + 4)[1]
        place = pointer + 4 if kind == INDEX_INTERIOR else pointer
        size = block[place]
        place += 1
        if size >= 0x80:
            size, place = varint(block, place - 1)
        if kind == TABLE_LEAF:
            for byte in block[place : place + 9]:
                place += 1
                if byte < 0x80:
                    break
    except IndexError:
        return None
    if size > ALWAYS_LOCAL:
        local = local_size(size, usable_size, kind)
        size = local if local == size else local + 4
    end = place + size
    return max(end, pointer + SMALLEST_CELL) if end <= usable_size else None


def free_blocks(page: TreePage, usable_size: int) -> dict[int, int]:
    """Return the free blocks of a page by where they begin, with their sizes; a chain that goes wrong ends there."""
    found: dict[int, int] = {}
    block = page.block
    place = int.from_bytes(block[page.start + 1 : page.start + 3], "big")
    while place and place not in found and place + 4 <= min(usable_size, len(block)):
        size = int.from_bytes(block[place + 2 : place + 4], "big")
        if size < SMALLEST_CELL or place + size > usable_size:
            break
        found[place] = size
        place = int.from_bytes(block[place : place + 2], "big")
    return found


def spaces(page: TreePage, usable_size: int) -> list[Space]:
    """Return the runs of a page that hold no live cell, left to right, without those that hold next to nothing."""
    block = page.block
    head = page.start + (8 if page.kind > TABLE_INTERIOR else 12) + 2 * len(page.pointers)
    used: list[tuple[int, int]] = []
    for pointer in page.pointers:
        if head <= pointer < usable_size:
            end = cell_end(block, pointer, page.kind, usable_size)
            if end is not None:
                used.append((pointer, end))
    used.sort()
    blocks = free_blocks(page, usable_size)
    found: list[Space] = []
    place = head
    for start, end in [*used, (min(usable_size, len(block)), usable_size)]:
        if start - place > SMALLEST_CELL and block[place:start].count(0) < start - place - SMALLEST_CELL:
            inside = tuple((at, size) for at, size in blocks.items() if place <= at < start)
            behind = _behind_pointers(block, place, start, usable_size) if place == head else place
            found.append(Space(place, start, tuple(sorted(inside)), behind))
        place = max(place, end)
    return found


def _behind_pointers(block: bytes, place: int, end: int, usable_size: int) -> int:
    """Return where numbers of two bytes end that can be pointers to cells of the page."""
    least = place
    while place + 2 <= end and least < int.from_bytes(block[place : place + 2], "big") < usable_size:
        place += 2
    return place
