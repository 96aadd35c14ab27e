"""The bytes of a file system as its metadata readers see them: the source, with the journal's last word over it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Extent
from kaval.core.sources import ByteSource


class Medium:
    """Reads blocks; one that the journal holds a newer committed copy of is read from there.

    Attributes:
        replayed: File-system block number to the byte of the source its copy starts at.
        escaped: Those whose copy has its first four bytes blanked out (they are the journal's magic number).
    """

    def __init__(self, source: ByteSource, block_size: int, block_count: int) -> None:
        self.source = source
        self.size = source.size
        self.block_size = block_size
        self.block_count = block_count
        self.replayed: Mapping[int, int] = {}
        self.escaped: frozenset[int] = frozenset()

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly the bytes of a range.

        Raises:
            UnreadableError: They lie past the end of a cut image, or cannot be had.
        """
        if self.replayed:
            return self._read_replayed(offset, length)
        return self.read_stored(offset, length)

    def read_block(self, block: int) -> bytes:
        """Return one block of the file system.

        Raises:
            CorruptStructureError: The number lies outside the file system.
        """
        if not 0 <= block < self.block_count:
            reason = f"block {block} lies outside the file system of {self.block_count} blocks"
            raise CorruptStructureError("ext block pointer", reason)
        return self.read(block * self.block_size, self.block_size)

    def read_stored(self, offset: int, length: int) -> bytes:
        """Return bytes as they stand on the source, whatever the journal says."""
        content = self.source.read_at(offset, length)
        if len(content) < length:
            raise UnreadableError(offset + len(content), length - len(content), "the image ends before the file system")
        return content

    def place_of(self, offset: int) -> int:
        """Return the byte of the source at which the metadata byte ``offset`` is read."""
        block, within = divmod(offset, self.block_size)
        return self.replayed[block] + within if block in self.replayed else offset

    def placed(self, extents: tuple[Extent, ...]) -> tuple[Extent, ...] | None:
        """Return extents as they lie on the source; ``None`` if an escaped copy, no plain run, is among them."""
        placed: list[Extent] = []
        numbers = sorted(self.replayed)
        for extent in extents:
            first, last = extent.offset // self.block_size, (extent.offset + extent.length - 1) // self.block_size
            held = [] if extent.sparse else numbers[bisect_left(numbers, first) : bisect_right(numbers, last)]
            if not self.escaped.isdisjoint(held):
                return None
            placed += self._split(extent, held)
        return tuple(placed)

    def _split(self, extent: Extent, held: list[int]) -> Iterator[Extent]:
        """Yield an extent in pieces; the blocks ``held`` by the journal lie there."""
        position, end = extent.offset, extent.offset + extent.length
        for block in held:
            start = block * self.block_size
            if start > position:
                yield replace(extent, offset=position, length=start - position)
            length = min(self.block_size, end - start)
            yield replace(extent, offset=self.replayed[block], length=length)
            position = start + length
        if position < end:
            yield replace(extent, offset=position, length=end - position)

    def _read_replayed(self, offset: int, length: int) -> bytes:
        parts = []
        end = offset + length
        while offset < end:
            block, within = divmod(offset, self.block_size)
            take = min(end - offset, self.block_size - within)
            if block in self.replayed:
                content = self.read_stored(self.replayed[block], self.block_size)
                if block in self.escaped:
                    content = JOURNAL_MAGIC + content[4:]
                parts.append(content[within : within + take])
            else:
                parts.append(self.read_stored(offset, take))
            offset += take
        return b"".join(parts)


JOURNAL_MAGIC = b"\xc0\x3b\x39\x98"
"""Starts every block of the journal's own (jbd2); a copy that starts so is escaped."""
