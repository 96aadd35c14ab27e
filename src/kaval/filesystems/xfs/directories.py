"""Directories: the names in them, and those that unused space still holds ("Directories")."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError
from kaval.core.records import EntryKind
from kaval.filesystems.xfs.inodes import LOCAL, Inode, runs_of
from kaval.filesystems.xfs.volume import Volume

_LEAF_BYTE = 32 << 30
_SINGLE, _DATA = (b"XD2B", b"XDB3"), (b"XD2D", b"XDD3")
_UNUSED = b"\xff\xff"
TYPE_KINDS = {
    1: EntryKind.FILE, 2: EntryKind.DIRECTORY, 3: EntryKind.DEVICE, 4: EntryKind.DEVICE, 5: EntryKind.FIFO,
    6: EntryKind.SOCKET, 7: EntryKind.SYMLINK,
}  # fmt: skip


class Name(NamedTuple):
    """A name and its inode; ``lost`` if it is no longer in use (then the upper half of the number may be missing)."""

    inode: int
    name: bytes
    file_type: int
    lost: bool = False


def names_of(volume: Volume, inode: Inode) -> Iterator[Name]:
    """Yield the names of a directory, without ``.`` and ``..``.

    Raises:
        CorruptStructureError: The directory makes no sense from there on.
    """
    if inode.format == LOCAL:
        yield from _short_form(inode, volume.superblock.has_types)
        return
    for offsets in _blocks(volume, inode):
        block = b"".join(volume.read(offset, volume.superblock.block_size) for offset in offsets)
        yield from block_names(block, volume.superblock.has_types, offsets[0])


def _blocks(volume: Volume, inode: Inode) -> Iterator[list[int]]:
    """Yield the bytes at which the parts of each block of names lie; what is mapped from 32 GiB on is the index."""
    block_size = volume.superblock.block_size
    together = volume.superblock.directory_block_size // block_size
    offsets: list[int] = []
    for run in runs_of(volume, inode):
        if run.logical * block_size >= _LEAF_BYTE:
            return
        for index in range(0 if run.reserved else run.length):
            if (run.logical + index) % together == 0:
                offsets = []
            offsets.append(run.offset + index * block_size)
            if len(offsets) == together:
                yield offsets
                offsets = []


def _short_form(inode: Inode, has_types: bool) -> Iterator[Name]:
    fork = inode.fork[: inode.size]
    if len(fork) < 6:
        raise CorruptStructureError("XFS directory", f"inode {inode.number} is too short for one", inode.offset)
    count, wide = fork[0], bool(fork[1])
    width = 8 if wide else 4
    place = 2 + width
    for _ in range(count):
        length = fork[place] if place < len(fork) else 0
        end = place + 3 + length + (1 if has_types else 0)
        if not length or end + width > len(fork):
            raise CorruptStructureError("XFS directory", f"a name of inode {inode.number} does not fit", inode.offset)
        number = int.from_bytes(fork[end : end + width], "big")
        yield Name(number, fork[place + 3 : place + 3 + length], fork[end - 1] if has_types else 0)
        place = end + width


def block_names(block: bytes, has_types: bool, offset: int) -> Iterator[Name]:
    """Yield the names in one block, first those in use, then those that unused space still holds."""
    if block[:4] not in _SINGLE + _DATA:
        raise CorruptStructureError("XFS directory", "a block of names has no signature", offset)
    place = 64 if block[:4] in (_SINGLE[1], _DATA[1]) else 16
    end = len(block)
    if block[:4] in _SINGLE:
        end -= 8 + 8 * struct.unpack_from(">I", block, len(block) - 8)[0]
    lost: list[Name] = []
    while place + 12 <= end:
        if block[place : place + 2] == _UNUSED:
            length = struct.unpack_from(">H", block, place + 2)[0]
            if length < 8 or length & 7 or place + length > len(block):
                raise CorruptStructureError("XFS directory", f"{length} unused bytes make no sense", offset + place)
            lost += _lost_names(block, place, min(place + length, end), has_types)
            place += length
            continue
        name, size = _entry(block, place, has_types)
        if not name.name or place + size > end:
            raise CorruptStructureError("XFS directory", "a name does not fit into its block", offset + place)
        if name.name not in (b".", b".."):
            yield name
        place += size
    yield from lost


def _entry(block: bytes, place: int, has_types: bool) -> tuple[Name, int]:
    number, length = struct.unpack_from(">QB", block, place)
    end = place + 9 + length
    file_type = block[end] if has_types and end < len(block) else 0
    size = 9 + length + (1 if has_types else 0) + 2
    return Name(number, block[place + 9 : end], file_type), (size + 7) & ~7


def _lost_names(block: bytes, start: int, end: int, has_types: bool) -> Iterator[Name]:
    """Yield what were entries: the last two bytes of each say where it began.

    Making space unused wrote over the upper half of the first entry's number, and over the place of the last one.
    """
    place = start
    while place + 16 <= end:
        name, size = _entry(block, place, has_types)
        tag = struct.unpack_from(">H", block, place + size - 2)[0] if place + size <= end else -1
        intact = tag == place or (tag == start and place + size == end)
        clean = b"\0" not in name.name and b"/" not in name.name
        if intact and name.name and clean and name.file_type <= 8 and name.inode & 0xFFFFFFFF:
            if name.name not in (b".", b".."):
                number = name.inode & 0xFFFFFFFF if place == start else name.inode
                yield Name(number, name.name, name.file_type, True)
            place += size
        else:
            place += 8
