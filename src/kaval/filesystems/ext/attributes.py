"""Data kept in the inode itself (ext4 Data Structures, "Inline Data", "Extended Attributes")."""

from __future__ import annotations

import struct

from kaval.filesystems.ext.inodes import BLOCK_MAP_OFFSET, Inode

INLINE_IN_MAP = 60
_ATTRIBUTE_MAGIC = 0xEA020000
_SYSTEM = 7


def inline_ranges(inode: Inode) -> list[tuple[int, int]]:
    """Return the ranges (offset in the inode, length) that hold an inode's inline data, in order.

    The first sixty bytes lie in ``i_block``, the rest in the value of the attribute ``system.data``.
    """
    ranges = [(BLOCK_MAP_OFFSET, INLINE_IN_MAP)]
    rest = _attribute_range(inode.raw, _SYSTEM, b"data")
    if rest is not None and rest[1]:
        ranges.append(rest)
    return ranges


def _attribute_range(raw: bytes, name_index: int, name: bytes) -> tuple[int, int] | None:
    """Return where the value of an attribute lies in the inode's own space."""
    if len(raw) < 0x84:
        return None
    start = 0x80 + struct.unpack_from("<H", raw, 0x80)[0]
    if start + 8 > len(raw) or struct.unpack_from("<I", raw, start)[0] != _ATTRIBUTE_MAGIC:
        return None
    first = position = start + 4
    while position + 16 <= len(raw):
        name_length, index, value_offset, value_inode, value_size, _ = struct.unpack_from("<BBHIII", raw, position)
        if not (name_length or index or value_offset or value_inode):
            return None
        if index == name_index and raw[position + 16 : position + 16 + name_length] == name and not value_inode:
            place = first + value_offset
            return (place, value_size) if place + value_size <= len(raw) else None
        position += (16 + name_length + 3) & ~3
    return None
