"""Directory indexes: entries that stand behind the end of a block in use, or in blocks no longer in use.

An entry taken out is not wiped: those after it move up, and what stood last stays behind the new end. Its reference is
often overwritten by the entry that ends the block, its name and times seldom. Blocks that were given up keep all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.recovery.ntfs.structures import (
    ENTRY_HEADER,
    KEY_HEADER,
    REFERENCE_MASK,
    Name,
    file_name,
    index_entry,
    index_places,
    restored,
)
from kaval.recovery.ntfs.table import Sink, read_extents

if TYPE_CHECKING:
    from numpy import uint16
    from numpy.typing import NDArray

MAGIC = b"INDX"
HEADER = 24
MAXIMUM_BYTES = 1 << 30


class IndexReader:
    """Reads the indexes of directories one after the other, so many bytes in all.

    ``is_listed`` says which references the table still has, ``sink`` takes the entries of others;
    ``unnamed`` takes an address and a name that lost its reference, unless the directory has one called the same.
    """

    def __init__(
        self,
        source: ByteSource,
        is_listed: Callable[[int, int], bool],
        sink: Sink,
        unnamed: Callable[[str, Name], None],
    ) -> None:
        self._source = source
        self._is_listed = is_listed
        self._sink = sink
        self._unnamed = unnamed
        self._left = MAXIMUM_BYTES
        self._unreadable = 0
        self._in_force: set[bytes] = set()
        self._bare: list[tuple[str, Name]] = []

    def read(self, reference: int, extents: list[Extent]) -> None:
        """Read one index; ``reference`` is what children of the directory keep of it."""
        limit = min(self._left, sum(extent.length for extent in extents))
        self._left -= limit
        self._in_force, self._bare = set(), []
        for offset, raw, could in read_extents(self._source, extents, limit):
            self._unreadable += not could
            if could:
                self._blocks(reference, offset, raw)
        for address, name in self._bare:
            if name.text.encode("utf-16-le", "surrogatepass") not in self._in_force:
                self._unnamed(address, name)

    def notices(self) -> list[Notice]:
        """Return what could not be looked at."""
        found = []
        if self._unreadable:
            message = f"{self._unreadable} parts of directory indexes cannot be read; their slack was not searched"
            found.append(Notice(code=NoticeCode.UNREADABLE, message=message, structure="$I30"))
        if self._left <= 0:
            message = f"slack was searched in {MAXIMUM_BYTES} bytes of directory indexes; further ones were left out"
            found.append(Notice(code=NoticeCode.COUNT_LIMIT, message=message, structure="$I30"))
        return found

    def _blocks(self, reference: int, offset: int, raw: bytes) -> None:
        unit = _block_size(raw)
        if unit == 0:
            return
        words, signed = restored(raw, unit, MAGIC)
        block = words.tobytes()
        ends = [
            min(unit, HEADER + int.from_bytes(block[start + 28 : start + 32], "little"))
            for start in range(0, len(block), unit)
        ]
        named = set()
        for place in index_places(words.ravel()):
            row, inside = divmod(place, unit)
            if not signed[row]:
                continue
            is_active = inside < ends[row]
            if is_active:
                start = place + ENTRY_HEADER + KEY_HEADER
                self._in_force.add(block[start : start + 2 * block[start - 2]])
            else:
                named.add(place)
            told = int.from_bytes(block[place : place + 8], "little")
            if not self._is_listed(told & REFERENCE_MASK, told >> 48):
                found = index_entry(block[row * unit : (row + 1) * unit], inside)
                if found is not None:
                    self._sink(*found, is_active)
        self._without_reference(reference, offset, block, words, ends, named)

    def _without_reference(
        self, reference: int, offset: int, block: bytes, words: NDArray[uint16], ends: list[int], named: set[int]
    ) -> None:
        """Find names that stand behind the end and lost their reference to what was written over it."""
        unit = 2 * words.shape[1]
        for place in (8 * (words.ravel().view("<u8") == reference).nonzero()[0]).tolist():
            row, inside = divmod(place, unit)
            start = row * unit
            if inside < ends[row] or place - ENTRY_HEADER in named or block[start : start + 4] != MAGIC:
                continue
            name = file_name(block[start : start + unit], inside)
            if name is not None and inside + KEY_HEADER + 2 * len(name.text) <= unit and name.times[0]:
                self._bare.append((f"{_spelt(reference)}-at-{offset + place}", name))


def _block_size(raw: bytes) -> int:
    """Return the size of the blocks, told by the first that is one; nought where there is none."""
    place = raw.find(MAGIC)
    while place >= 0:
        size = 512 * (int.from_bytes(raw[place + 6 : place + 8], "little") - 1)
        if 512 <= size <= 65536 and size & (size - 1) == 0 and place % size == 0:
            return size
        place = raw.find(MAGIC, place + 4)
    return 0


def _spelt(reference: int) -> str:
    return f"{reference & REFERENCE_MASK}-{reference >> 48}"
