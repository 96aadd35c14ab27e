"""Streams with a stored checksum: compared when they were read from their first byte to their last."""

from __future__ import annotations

from kaval.containers.decoders import crc32
from kaval.core.errors import CorruptStructureError
from kaval.core.sources import ByteSource


class VerifiedSource:
    """The bytes of another source; the read that reaches their end fails where their CRC-32 is not the stored one.

    Only reading in order shows the CRC: after a jump ahead nothing is compared.
    """

    def __init__(self, inner: ByteSource, crc: int | None, title: str) -> None:
        self._inner = inner
        self._stored = crc
        self._title = title
        self._crc = 0
        self._seen = 0

    @property
    def size(self) -> int:
        return self._inner.size

    def read_at(self, offset: int, length: int) -> bytes:
        block = self._inner.read_at(offset, length)
        if self._stored is None or not block:
            return block
        if offset == 0:
            self._crc = self._seen = 0
        if offset == self._seen:
            self._crc = crc32(block, self._crc)
            self._seen += len(block)
            if self._seen == self.size and self._crc != self._stored:
                reason = f"its CRC-32 is {self._crc:08x}, stored is {self._stored:08x}"
                raise CorruptStructureError(self._title, reason)
        return block
