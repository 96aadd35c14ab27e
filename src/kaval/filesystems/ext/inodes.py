"""Inodes: what is known of a file but its name (ext4 Data Structures, "Index Nodes")."""

from __future__ import annotations

import stat
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import EntryKind, Times
from kaval.filesystems.checksums.crc32c import crc32c
from kaval.filesystems.ext.groups import Groups
from kaval.filesystems.ext.medium import Medium
from kaval.filesystems.ext.superblock import (
    INCOMPAT_CSUM_SEED,
    INCOMPAT_LARGEDIR,
    RO_COMPAT_HUGE_FILE,
    Superblock,
)

INDEX_FLAG = 0x1000
ENCRYPT_FLAG = 0x800
HUGE_FILE_FLAG = 0x40000
EXTENTS_FLAG = 0x80000
EA_INODE_FLAG = 0x200000
INLINE_DATA_FLAG = 0x10000000
CASEFOLD_FLAG = 0x40000000
COMPRESSED_FLAG = 0x4

ROOT_INODE = 2
BLOCK_MAP_OFFSET = 0x28

KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.DIRECTORY,
    stat.S_IFLNK: EntryKind.SYMLINK,
    stat.S_IFBLK: EntryKind.DEVICE,
    stat.S_IFCHR: EntryKind.DEVICE,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}

_FIXED = struct.Struct("<HHIiiiIHHIII60sIIIIHHHHHH")
_EXTRA = struct.Struct("<HHIIIiI")
_SHORT_RESOLUTION = "m=1s a=1s c=1s d=1s"
_LONG_RESOLUTION = "m=1ns a=1ns c=1ns b=1ns d=1s"
_READ_AHEAD = 1 << 16
_KEPT_PIECES = 256


class Inode(NamedTuple):
    """One inode as stored; ``block_count`` is in units of 512 bytes; ``deleted`` is the raw ``i_dtime``.

    ``created`` is ``None`` where the inode is too small to hold a time of birth.
    """

    number: int
    mode: int
    owner: int
    group: int
    size: int
    links: int
    block_count: int
    flags: int
    block_map: bytes
    generation: int
    attribute_block: int
    modified: int
    accessed: int
    changed: int
    created: int | None
    deleted: int
    raw: bytes

    @property
    def kind(self) -> EntryKind:
        return KINDS.get(self.mode & 0xF000, EntryKind.UNKNOWN)

    def times(self) -> Times:
        """Return the times; ``i_dtime`` counts as one only where no link is left."""
        return Times(
            modified=self.modified,
            accessed=self.accessed,
            changed=self.changed,
            created=self.created,
            deleted=self.deleted * 1_000_000_000 if self.deleted and not self.links else None,
            zone="utc",
            resolution=_SHORT_RESOLUTION if self.created is None else _LONG_RESOLUTION,
        )


def parse_inode(raw: bytes, number: int, superblock: Superblock) -> Inode:
    """Return the inode in these bytes (at least 128)."""
    (
        mode, uid, size, atime, ctime, mtime, dtime, gid, links, blocks, flags, _, block_map, generation, attributes,
        size_high, _, blocks_high, attributes_high, uid_high, gid_high, _, _,
    ) = _FIXED.unpack_from(raw)  # fmt: skip
    created: int | None = None
    ctime, mtime, atime = ctime * 1_000_000_000, mtime * 1_000_000_000, atime * 1_000_000_000
    if len(raw) >= 0x9C:
        extra_size, _, ctime_extra, mtime_extra, atime_extra, crtime, crtime_extra = _EXTRA.unpack_from(raw, 0x80)
        if extra_size >= 16:
            ctime += _extra(ctime_extra)
            mtime += _extra(mtime_extra)
            atime += _extra(atime_extra)
        if extra_size >= 24 and (crtime or crtime_extra):
            created = crtime * 1_000_000_000 + _extra(crtime_extra)
    form = mode & 0xF000
    if form == stat.S_IFREG or (form == stat.S_IFDIR and superblock.incompat & INCOMPAT_LARGEDIR):
        size |= size_high << 32
    if superblock.ro_compat & RO_COMPAT_HUGE_FILE:
        blocks |= blocks_high << 32
        if flags & HUGE_FILE_FLAG:
            blocks *= superblock.block_size // 512
    return Inode(
        number, mode, uid | uid_high << 16, gid | gid_high << 16, size, links, blocks, flags, block_map, generation,
        attributes | attributes_high << 32, mtime, atime, ctime, created, dtime, raw,
    )  # fmt: skip


def _extra(extra: int) -> int:
    """Return what an ``_extra`` field adds, in nanoseconds: two bits of epoch, thirty of nanoseconds."""
    return (extra & 3) * 4_294_967_296_000_000_000 + (extra >> 2)


def column(inodes: npt.NDArray[np.uint8], offset: int, form: str) -> npt.NDArray[np.int64]:
    """Return one field of many inodes; the last axis of ``inodes`` is the bytes of one."""
    width = int(form[-1])
    return np.ascontiguousarray(inodes[..., offset : offset + width]).view(form)[..., 0].astype(np.int64)


def has_map(inodes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Say of many inodes whether they have a size and still tell where their bytes lie."""
    flags = column(inodes, 0x20, "<u4")
    form = column(inodes, 0, "<u2") & 0xF000
    in_tree = (flags & EXTENTS_FLAG != 0) & (flags & INLINE_DATA_FLAG == 0)
    mapped = np.where(in_tree, column(inodes, 0x2A, "<u2") != 0, inodes[..., 0x28:0x64].any(axis=-1))
    has_size = (column(inodes, 4, "<u4") != 0) | ((form == stat.S_IFREG) & (column(inodes, 0x6C, "<u4") != 0))
    with_stream = (form == stat.S_IFREG) | (form == stat.S_IFDIR) | (form == stat.S_IFLNK)
    found: npt.NDArray[np.bool_] = mapped & has_size & with_stream
    return found


class InodeTable:
    """Finds inodes by number; keeps the pieces of the table it read last."""

    def __init__(self, medium: Medium, superblock: Superblock, groups: Groups) -> None:
        self._medium = medium
        self._superblock = superblock
        self._tables = groups.inode_table.tolist()
        self._size = superblock.inode_size
        self._per_group = superblock.inodes_per_group
        self._pieces: dict[int, bytes] = {}
        self._limit = min(superblock.inode_count, len(groups) * superblock.inodes_per_group)
        self._table_size = superblock.inodes_per_group * superblock.inode_size

    def __len__(self) -> int:
        return self._limit

    def offset(self, number: int) -> int:
        """Return the byte of the file system an inode starts at.

        Raises:
            CorruptStructureError: There is no such inode.
        """
        if not 0 < number <= self._limit:
            raise CorruptStructureError("ext directory entry", f"inode {number} is none of the {self._limit} there are")
        group, index = divmod(number - 1, self._per_group)
        return int(self._tables[group]) * self._superblock.block_size + index * self._size

    def raw(self, number: int) -> bytes:
        """Return the bytes of an inode."""
        if not 0 < number <= self._limit:
            self.offset(number)
        group, index = divmod(number - 1, self._per_group)
        start = index * self._size
        within = start % _READ_AHEAD
        key = group << 32 | start - within
        piece = self._pieces.get(key)
        if piece is None:
            piece = self._load(key, self.offset(number) - within, min(_READ_AHEAD, self._table_size - start + within))
        content = piece[within : within + self._size]
        return content if len(content) == self._size else self._medium.read(self.offset(number), self._size)

    def _load(self, key: int, offset: int, length: int) -> bytes:
        while len(self._pieces) >= _KEPT_PIECES:
            del self._pieces[next(iter(self._pieces))]
        length = max(0, min(length, self._medium.size - offset))
        try:
            piece = self._medium.read(offset, length) if length else b""
        except UnreadableError:
            piece = b""
        self._pieces[key] = piece
        return piece

    def get(self, number: int) -> Inode:
        """Return an inode."""
        return parse_inode(self.raw(number), number, self._superblock)


def checksum_seed(superblock: Superblock) -> int:
    """Return the seed of all metadata checksums: kept in the superblock, or made of its UUID."""
    if superblock.incompat & INCOMPAT_CSUM_SEED:
        return superblock.field(0x270, "I")
    return crc32c(0xFFFFFFFF, superblock.uuid)


def inode_seed(superblock: Superblock, number: int, generation: int) -> int:
    """Return the seed of the checksums of one inode's structures."""
    return crc32c(checksum_seed(superblock), struct.pack("<II", number, generation))
