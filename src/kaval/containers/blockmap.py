"""Block maps: the common reader of images that keep a table of where each block of the disk is stored.

VMDK, QCOW2, VHD, VHDX and VDI differ in their tables only; the rest is here: neighbouring blocks are read at once, a
block that is nowhere reads as zeros because the format says so, and bytes that should be in the file and are not are
unreadable.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource

CACHE_SIZE = 4 << 20
"""Decoded bytes of compressed blocks that are kept."""


class Place(IntEnum):
    """Where a block is if not at an offset of the file; all are negative, offsets are not."""

    ZERO = -1
    """Nowhere: it reads as zeros."""
    PARENT = -2
    """In the image this one is based on."""
    COMPRESSED = -3
    """Compressed: the map decodes it."""


Locate = Callable[[int], int]
"""Returns the offset of a block in the file, or a ``Place``; raises UnreadableError where the table cannot be read."""

Decode = Callable[[int], bytes]
"""Returns a whole block that is stored compressed; raises UnreadableError where it cannot be decoded."""


class BlockSource:
    """The decoded bytes of an image with a block map.

    Args:
        locate: Looks a block up in the map.
        stored: The file the offsets of the map count in.
        size: Bytes of the disk.
        block_size: Bytes of a block of the map.
        title: What to call the image in errors.
        decode: Decodes compressed blocks, for formats that have some.
        parent: The image this one is based on; behind its end it reads as zeros.
    """

    def __init__(
        self,
        locate: Locate,
        stored: ByteSource,
        *,
        size: int,
        block_size: int,
        title: str,
        decode: Decode | None = None,
        parent: ByteSource | None = None,
    ) -> None:
        self._locate = locate
        self._decode = decode
        self._stored = stored
        self._size = size
        self._block_size = block_size
        self._title = title
        self._parent = parent
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached = max(2, CACHE_SIZE // block_size)

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        parts = []
        while offset < end:
            block, start = divmod(offset, self._block_size)
            place = self._locate(block)
            if place == Place.COMPRESSED:
                part = self._decoded(block)[start : start + end - offset]
            else:
                part = self._run(place, block, start, offset, end)
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _run(self, place: int, block: int, start: int, offset: int, end: int) -> bytes:
        """Return the bytes from an offset on that lie side by side in the file, or are of the same kind."""
        size = self._block_size
        reach = min(end, (block + 1) * size)
        step = size if place >= 0 else 0
        expected = place
        while reach < end:
            block += 1
            expected += step
            if self._locate(block) != expected:
                break
            reach = min(end, reach + size)
        if place >= 0:
            return self._read(place + start, reach - offset, offset)
        if place == Place.PARENT and self._parent is not None:
            return self._inherited(offset, reach - offset)
        return bytes(reach - offset)

    def _read(self, place: int, length: int, offset: int) -> bytes:
        try:
            part = self._stored.read_at(place, length)
        except UnreadableError as error:
            raise UnreadableError(offset, length, f"{self._title}: {error.reason}") from error
        if len(part) < length:
            reason = f"{self._title} ends at its byte {self._stored.size}, before the block that should stand there"
            raise UnreadableError(offset + len(part), length - len(part), reason)
        return part

    def _inherited(self, offset: int, length: int) -> bytes:
        assert self._parent is not None
        part = self._parent.read_at(offset, length)
        return part if len(part) == length else part + bytes(length - len(part))

    def _decoded(self, block: int) -> bytes:
        kept = self._cache.get(block)
        if kept is not None:
            self._cache.move_to_end(block)
            return kept
        assert self._decode is not None
        decoded = self._decode(block)
        wanted = min(self._block_size, self._size - block * self._block_size)
        if len(decoded) < wanted:
            reason = f"a compressed block of {self._title} holds {len(decoded)} bytes where {wanted} belong"
            raise UnreadableError(block * self._block_size, wanted, reason)
        while len(self._cache) >= self._cached:
            self._cache.popitem(last=False)
        self._cache[block] = decoded = decoded[: self._block_size]
        return decoded
