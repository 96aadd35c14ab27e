"""A window over a source: many small reads that lie close together become few larger ones."""

from __future__ import annotations

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource

NEAR = 1 << 16
"""A read that starts at most this far behind the last one is taken for a walk forwards."""


class Window:
    """Reads small structures of a source; the block they lie in is kept for the next.

    A walk forwards reads ``block_size`` bytes at once, a jump only what was asked for and a little more; of what cannot
    be read only the bytes asked for count.
    """

    def __init__(self, inner: ByteSource, block_size: int = NEAR) -> None:
        self.inner = inner
        self._block_size = block_size
        self._start = 0
        self._block = b""

    @property
    def size(self) -> int:
        return self.inner.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes of a range, fewer only where the source ends."""
        begin = offset - self._start
        if begin >= 0 and begin + length <= len(self._block):
            return self._block[begin : begin + length]
        if offset < 0 or length <= 0:
            return b""
        near = 0 <= begin <= len(self._block) + NEAR
        ahead = self._block_size if near else 1024
        try:
            self._block = self.inner.read_at(offset, max(length, ahead))
        except UnreadableError:
            if length >= ahead:
                raise
            self._block = self.inner.read_at(offset, length)
        self._start = offset
        return self._block[:length]
