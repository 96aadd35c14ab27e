"""Directories: names in use, and those whose slots were freed but not yet written over ("Directory Structure")."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError
from kaval.core.records import EntryKind
from kaval.filesystems.f2fs.nodes import Inode, ReadNode, runs_of
from kaval.filesystems.f2fs.volume import BLOCK, Volume

_SLOT, _SLOT_NAME = 11, 8
_BLOCK_SLOTS, _BLOCK_BITMAP, _BLOCK_RESERVED = 214, 27, 3
TYPE_KINDS = {
    1: EntryKind.FILE, 2: EntryKind.DIRECTORY, 3: EntryKind.DEVICE, 4: EntryKind.DEVICE, 5: EntryKind.FIFO,
    6: EntryKind.SOCKET, 7: EntryKind.SYMLINK,
}  # fmt: skip


class Name(NamedTuple):
    """A name and the inode it leads to; ``lost`` if its slot is free."""

    inode: int
    name: bytes
    file_type: int
    lost: bool


def names_of(volume: Volume, inode: Inode, read_node: ReadNode) -> Iterator[Name]:
    """Yield the names of a directory, without ``.`` and ``..``.

    Raises:
        CorruptStructureError: The map of the directory makes no sense from there on.
        UnreadableError: A block of it cannot be had.
    """
    if inode.has_inline_names:
        start, room = inode.inline
        content = volume.read(inode.block)[start : start + room]
        slots = room * 8 // ((_SLOT + _SLOT_NAME) * 8 + 1)
        bitmap = (slots + 7) // 8
        yield from slot_names(content, slots, bitmap, room - (_SLOT + _SLOT_NAME) * slots - bitmap)
        return
    if inode.size > volume.superblock.block_count * BLOCK:
        raise CorruptStructureError("F2FS directory", f"inode {inode.number} claims {inode.size} bytes of names")
    for _, first, count in runs_of(inode, volume, read_node):
        for block in range(first, first + count):
            yield from slot_names(volume.read(block), _BLOCK_SLOTS, _BLOCK_BITMAP, _BLOCK_RESERVED)


def slot_names(content: bytes, slots: int, bitmap_size: int, reserved: int) -> Iterator[Name]:
    """Yield the names in slots; a name longer than eight bytes takes several."""
    bitmap = int.from_bytes(content[:bitmap_size], "little")
    table = bitmap_size + reserved
    names = table + _SLOT * slots
    slot = 0
    while slot < slots:
        used = bool(bitmap >> slot & 1)
        _, number, length, file_type = struct.unpack_from("<IIHB", content, table + _SLOT * slot)
        taken = max(1, -(-length // _SLOT_NAME))
        start = names + _SLOT_NAME * slot
        name = content[start : start + length]
        fits = 0 < length <= 255 and slot + taken <= slots
        if used and fits:
            if name not in (b".", b".."):
                yield Name(number, name, file_type, False)
            slot += taken
            continue
        free = not bitmap >> slot & (1 << taken) - 1
        if not used and fits and free and number and 0 < file_type <= 7 and b"\0" not in name and b"/" not in name:
            if name not in (b".", b".."):
                yield Name(number, name, file_type, True)
            slot += taken
            continue
        slot += 1
