"""Where the bytes of a file lie, and how those that are packed are unpacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kaval.core.errors import CorruptStructureError, LimitExceededError, UnsupportedError
from kaval.core.records import Extent
from kaval.filesystems.btrfs.inodes import INLINE, RESERVED, Inode, Stored
from kaval.filesystems.btrfs.space import Space
from kaval.filesystems.dissected.translation import translated

_MAXIMUM_PACKED = 1 << 18
_SPARSE = Extent(offset=0, length=0, sparse=True)


def is_plain(inode: Inode) -> bool:
    """Say whether all bytes of a file lie on the device as they are."""
    return not any(stored.compression or stored.encryption for stored in inode.extents)


def in_order(inode: Inode) -> Iterator[tuple[int, int, Stored | None]]:
    """Yield place, length and extent of each part of a stream; ``None`` stands for a hole.

    Raises:
        CorruptStructureError: The extents go backwards.
    """
    place = 0
    for stored in inode.extents:
        if stored.start < place:
            raise CorruptStructureError("Btrfs extents", f"inode {inode.number} goes back to byte {stored.start}")
        if stored.start >= inode.size:
            break
        if stored.start > place:
            yield place, stored.start - place, None
        length = min(stored.length, inode.size - stored.start)
        if length:
            hole = stored.kind == RESERVED or (stored.kind != INLINE and not stored.address)
            yield stored.start, length, None if hole else stored
        place = stored.start + length
    if place < inode.size:
        yield place, inode.size - place, None


def plain_extents(inode: Inode, space: Space) -> tuple[Extent, ...]:
    """Return the extents of a file in bytes of the device; they add up to its size.

    Raises:
        UnreadableError: A part lies on another device.
    """
    extents: list[Extent] = []
    for _, length, stored in in_order(inode):
        if stored is None:
            extents.append(Extent(offset=0, length=length, sparse=True))
            continue
        address, left = stored.address + stored.skip, length
        while left > 0:
            offset, taken = space.place(address, left)
            extents.append(Extent(offset=offset, length=taken))
            address += taken
            left -= taken
    return tuple(extents)


class PackedStream:
    """A file some of whose extents are compressed, unpacked by dissect.btrfs as it is read."""

    def __init__(self, inode: Inode, space: Space) -> None:
        self.size = inode.size
        self._space = space
        self._parts = list(in_order(inode))
        self._unpacked: tuple[Stored, bytes] | None = None

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        end = min(offset + length, self.size)
        parts = []
        for start, size, stored in self._parts:
            low, high = max(start, offset), min(start + size, end)
            if low < high:
                parts.append(self._read(stored, low - start, high - low))
        return b"".join(parts)

    def _read(self, stored: Stored | None, within: int, length: int) -> bytes:
        if stored is None:
            return bytes(length)
        if stored.encryption:
            raise UnsupportedError("an encrypted Btrfs extent", "examine the device with its keys in place")
        if not stored.compression:
            return self._space.read(stored.address + stored.skip + within, length)
        start = stored.skip + within
        content = self._unpack(stored)[start : start + length]
        if len(content) < length:
            raise CorruptStructureError(
                "Btrfs extent", f"the extent at byte {stored.start} of the file unpacks to too little"
            )
        return content

    def _unpack(self, stored: Stored) -> bytes:
        if self._unpacked is None or self._unpacked[0] is not stored:
            from dissect.btrfs import stream
            from dissect.btrfs.exceptions import Error

            errors = (Error, stream.zstd.ZstdError) if stream.HAS_ZSTD else (Error,)
            if stored.stored_length > _MAXIMUM_PACKED:
                raise LimitExceededError(
                    "memory for an extent", _MAXIMUM_PACKED, f"it has {stored.stored_length} bytes"
                )
            packed = self._space.read(stored.address, stored.stored_length)
            with translated("Btrfs extent", *errors):
                unpacked = stream.decode_extent(packed, stored.compression, 0, self._space.superblock.sector_size)
            self._unpacked = stored, bytes(unpacked)
        return self._unpacked[1]


def joined(extents: Sequence[Extent]) -> list[Extent]:
    """Return extents with those that lie side by side made one."""
    found: list[Extent] = []
    for extent in extents:
        if found and not extent.sparse and found[-1].offset + found[-1].length == extent.offset:
            found[-1] = Extent(offset=found[-1].offset, length=found[-1].length + extent.length)
        else:
            found.append(extent)
    return found
