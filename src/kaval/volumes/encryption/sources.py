"""Sources over what lies encrypted in another source, or behind a foreign library's stream."""

from __future__ import annotations

from typing import Protocol

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource


class SectorCipher(Protocol):
    """What decrypts runs of whole sectors."""

    sector_size: int

    def number_of(self, offset: int) -> int:
        """Return the number of the sector that starts so many bytes behind number 0."""
        ...

    def decrypt(self, block: bytes, sector: int) -> bytes:
        """Return the plain bytes of whole sectors, the first of them being number ``sector``."""
        ...


class SectorSource:
    """The plain bytes of a range of encrypted sectors.

    ``offset`` is where the range starts in the source that holds it, ``first`` the number its first sector goes by.
    """

    def __init__(self, inner: ByteSource, offset: int, size: int, cipher: SectorCipher, first: int = 0) -> None:
        self._inner = inner
        self._offset = offset
        self._size = size - size % cipher.sector_size
        self._cipher = cipher
        self._first = first

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        sector_size = self._cipher.sector_size
        start = offset - offset % sector_size
        stop = -(-(offset + length) // sector_size) * sector_size
        block = self._inner.read_at(self._offset + start, stop - start)
        if len(block) < stop - start:
            missing = stop - start - len(block)
            place = self._offset + start + len(block)
            raise UnreadableError(place, missing, "the encrypted range runs past the end of what holds it")
        plain = self._cipher.decrypt(block, self._first + self._cipher.number_of(start))
        return plain if len(plain) == length else plain[offset - start : offset - start + length]


class Stream(Protocol):
    """What foreign libraries give to read from."""

    def seek(self, offset: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


class StreamSource:
    """The bytes of a foreign library's stream; ``failures`` are what it raises where it cannot read.

    Small reads are served from whole windows of ``window`` bytes where that is given: for decryption that costs as much
    for one sector as for many.
    """

    def __init__(self, stream: Stream, size: int, failures: tuple[type[Exception], ...], window: int = 0) -> None:
        self._stream = stream
        self._size = size
        self._failures = failures
        self._window = window
        self._kept: dict[int, bytes] = {}

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        start = offset - offset % self._window if self._window else offset
        if not self._window or offset + length > start + self._window:
            return self._read(offset, length)
        if start not in self._kept:
            while len(self._kept) >= _KEPT_WINDOWS:
                del self._kept[next(iter(self._kept))]
            self._kept[start] = self._read(start, min(self._window, self._size - start))
        return self._kept[start][offset - start : offset - start + length]

    def _read(self, offset: int, length: int) -> bytes:
        try:
            self._stream.seek(offset)
            block = self._stream.read(length)
        except UnreadableError:
            raise
        except self._failures as error:
            raise UnreadableError(offset, length, f"{type(error).__name__}: {error}") from error
        if len(block) < length:
            missing = length - len(block)
            raise UnreadableError(offset + len(block), missing, "the encrypted bytes end before the volume does")
        return bytes(block)


_KEPT_WINDOWS = 16
