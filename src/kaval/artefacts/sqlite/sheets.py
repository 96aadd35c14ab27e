"""Pages made ready to be looked through: their spaces, and what can be told of these many at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log2

import numpy as np

from kaval.artefacts.sqlite.spaces import Space
from kaval.artefacts.sqlite.whole import Flags, WholeCell, whole_cells_in

_LARGE = 16_384


@dataclass
class Sheet:
    """The bytes of one page, and the spaces in it that are to be looked through.

    ``whole`` are the cells that read as whole in each space, by where it begins, with rowid and without.
    """

    block: bytes
    usable_size: int
    spaces: list[Space]
    whole: dict[tuple[int, bool], list[WholeCell]] = field(default_factory=dict)

    @cached_property
    def _block_places(self) -> list[int]:
        part = np.frombuffer(self.block, dtype=np.uint8)[: self.usable_size].astype(np.uint16)
        words = part[:-1] << 8 | part[1:]
        following, size = words[:-2], words[2:]
        at = np.flatnonzero((size >= 4) & ((following == 0) | (following <= self.usable_size - 4)))
        later, held = following[at].astype(np.int64), size[at].astype(np.int64)
        fitting = ((later == 0) | (later > at)) & (held <= self.usable_size - at)
        possible, later = at[fitting], later[fitting]
        if self.usable_size > _LARGE:
            possible = possible[(later == 0) | np.isin(later, possible)]
        return list(map(int, possible))

    @cached_property
    def block_bits(self) -> float:
        """How unlikely random bytes are to look like the beginning of a free block, in bits."""
        return 1.0 + 2.0 * (16 - log2(self.usable_size)) if self.usable_size > 1 else 0.0

    def block_places(self, space: Space) -> Sequence[int]:
        """Return the places of a space where bytes stand that a free block can begin with.

        Where a page is so large that most bytes do, the next block has to look like one as well.
        """
        places = self._block_places
        return places[bisect_left(places, space.start) : bisect_left(places, space.end - 3)]

    def looks_like_block(self, place: int) -> bool:
        """Whether four bytes can be those of a free block: where the next one is, and its own size."""
        following = self._following(place)
        size = int.from_bytes(self.block[place + 2 : place + 4], "big")
        later = following == 0 or place < following <= self.usable_size - 4
        return later and 4 <= size <= self.usable_size - place

    def _following(self, place: int) -> int:
        return int.from_bytes(self.block[place : place + 2], "big")

    def stated_end(self, place: int) -> int:
        """Return where a free block that begins at a place says it ends."""
        return place + int.from_bytes(self.block[place + 2 : place + 4], "big")


def find_whole(sheets: Sequence[Sheet], possible: Flags, *, keyed: bool) -> None:
    """Find the whole cells of many pages in one go, and note them on each."""
    places = list(_all_spaces(sheets))
    parts = [sheet.block[space.start : space.end] for sheet, space in places]
    if not parts:
        return
    for (sheet, space), found in zip(places, whole_cells_in(parts, possible, keyed=keyed), strict=True):
        sheet.whole[space.start, keyed] = [
            WholeCell(cell.start + space.start, cell.record + space.start, cell.size) for cell in found
        ]


def _all_spaces(sheets: Sequence[Sheet]) -> Iterator[tuple[Sheet, Space]]:
    for sheet in sheets:
        for space in sheet.spaces:
            yield sheet, space
