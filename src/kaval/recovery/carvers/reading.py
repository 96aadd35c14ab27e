"""Reading a view in small steps: served from one block, so that a walk over headers costs few reads."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from kaval.core.sources import ByteSource

BLOCK_SIZE = 1 << 16


class Steps:
    """Small reads at rising offsets of a view; bytes past its end are simply not there."""

    def __init__(self, view: ByteSource, block_size: int = BLOCK_SIZE) -> None:
        self.view = view
        self.size = view.size
        self._block_size = block_size
        self._start = 0
        self._block = b""

    def take(self, offset: int, length: int) -> bytes:
        """Return the bytes of a range, fewer where the view ends."""
        place = offset - self._start
        if not 0 <= place <= len(self._block) - length:
            self._start = offset
            self._block = self.view.read_at(offset, max(length, self._block_size)) if offset < self.size else b""
            place = 0
        return self._block[place : place + length]

    def little(self, offset: int, width: int) -> int:
        """Return an unsigned little-endian number; -1 where the view ends before it."""
        found = self.take(offset, width)
        return int.from_bytes(found, "little") if len(found) == width else -1

    def big(self, offset: int, width: int) -> int:
        """Return an unsigned big-endian number; -1 where the view ends before it."""
        found = self.take(offset, width)
        return int.from_bytes(found, "big") if len(found) == width else -1

    def blocks(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield a range in blocks, fewer bytes where the view ends."""
        while length > 0:
            block = self.view.read_at(offset, min(length, 1 << 20)) if offset < self.size else b""
            if not block:
                return
            yield block
            offset += len(block)
            length -= len(block)

    def crc32(self, offset: int, length: int) -> int:
        """Return the CRC-32 (ISO 3309) of a range."""
        value = 0
        for block in self.blocks(offset, length):
            value = zlib.crc32(block, value)
        return value


class Inflation:
    """Inflates a deflate stream block by block, without keeping what it makes.

    ``taken`` counts the compressed bytes used, ``made`` the bytes they decode to, ``crc`` is the CRC-32 of those;
    ``wbits`` is zlib's: -15 for a raw stream, 31 for GZIP.
    """

    def __init__(self, wbits: int) -> None:
        self._decoder = zlib.decompressobj(wbits)
        self.taken = self.made = self.crc = 0

    @property
    def ended(self) -> bool:
        """Whether the stream came to its own end."""
        return self._decoder.eof

    def feed(self, block: bytes) -> bool:
        """Take a block; false where it is not of such a stream. What stands behind the stream's end is not taken."""
        rest = block
        try:
            while rest and not self._decoder.eof:
                decoded = self._decoder.decompress(rest, 1 << 20)
                self.crc = zlib.crc32(decoded, self.crc)
                self.made += len(decoded)
                rest = self._decoder.unconsumed_tail
        except zlib.error:
            return False
        self.taken += len(block) - len(self._decoder.unused_data)
        return True
