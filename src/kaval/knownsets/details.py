"""What a set says of its entries, beside the values, in the words of its format.

``details.data``    the details, each a JSON object: one after the other, or in the sources as they were received,
                    which the file then is, byte for byte
``details.starts``  where each begins (u64), and where the last one ends
``A.links``         for each row of an algorithm the number of its detail (u32): ``0xFFFFFFFF`` says there is none,
                    a set top bit says that the rest is a place in ``A.more``, where a count and so many numbers stand

One value with several details is kept with all of them: a set may contradict itself, and that is shown.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.batches import NO_DETAIL
from kaval.knownsets.exact import map_file

MANY = 0x80000000


class Details:
    """The details of a set, by number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = map_file(folder / "details.data", mmap.MADV_RANDOM)
        starts = map_file(folder / "details.starts", mmap.MADV_RANDOM)
        if len(starts) % 8 or len(starts) < 8:
            raise CorruptStructureError(f"known set {folder}", "its file details.starts is cut off")
        self._starts = np.frombuffer(starts, dtype="<u8")
        if int(self._starts[-1]) != len(self._data):
            raise CorruptStructureError(f"known set {folder}", "details.starts and details.data do not fit each other")

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> bytes:
        """Return one detail as it is stored."""
        if not 0 <= number < len(self):
            raise CorruptStructureError(f"known set {self._folder}", f"it has no detail {number}")
        return self._data[int(self._starts[number]) : int(self._starts[number + 1])]


class Links:
    """Which details belong to the rows of one algorithm; a set without details has none."""

    def __init__(self, folder: Path, algorithm: str, count: int) -> None:
        self._links: NDArray[np.uint32] | None = None
        if (folder / f"{algorithm}.links").exists():
            links = map_file(folder / f"{algorithm}.links", mmap.MADV_RANDOM)
            more = map_file(folder / f"{algorithm}.more", mmap.MADV_RANDOM)
            if len(links) != 4 * count or len(more) % 4:
                raise CorruptStructureError(f"known set {folder}", f"the links of {algorithm} do not fit its values")
            self._links = np.frombuffer(links, dtype="<u4")
            self._more = np.frombuffer(more, dtype="<u4")

    def numbers(self, row: int) -> list[int]:
        """Return the numbers of the details of a row, in order."""
        link = NO_DETAIL if self._links is None else int(self._links[row])
        if link == NO_DETAIL:
            return []
        if not link & MANY:
            return [link]
        place = link & ~MANY
        many: list[int] = self._more[place + 1 : place + 1 + int(self._more[place])].tolist()
        return many
