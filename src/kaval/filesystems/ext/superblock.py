"""The superblock of ext2/3/4 and what follows from it (ext4 Data Structures, "Super Block")."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kaval.core.sources import ByteSource

SUPERBLOCK_OFFSET = 1024
SUPERBLOCK_SIZE = 1024
_MAGIC = 0xEF53

COMPAT_HAS_JOURNAL = 0x4
COMPAT_SPARSE_SUPER2 = 0x200
COMPAT_FAST_COMMIT = 0x400
INCOMPAT_FILETYPE = 0x2
INCOMPAT_RECOVER = 0x4
INCOMPAT_JOURNAL_DEV = 0x8
INCOMPAT_META_BG = 0x10
INCOMPAT_64BIT = 0x80
INCOMPAT_CSUM_SEED = 0x2000
INCOMPAT_LARGEDIR = 0x4000
RO_COMPAT_SPARSE_SUPER = 0x1
RO_COMPAT_GDT_CSUM = 0x10
RO_COMPAT_HUGE_FILE = 0x8
RO_COMPAT_BIGALLOC = 0x200
RO_COMPAT_METADATA_CSUM = 0x400

_COMPAT_NAMES = {
    0x4: "has_journal", 0x8: "ext_attr", 0x10: "resize_inode", 0x20: "dir_index", 0x200: "sparse_super2",
    0x400: "fast_commit", 0x1000: "orphan_file",
}  # fmt: skip
_INCOMPAT_NAMES = {
    0x1: "compression", 0x2: "filetype", 0x4: "needs_recovery", 0x8: "journal_dev", 0x10: "meta_bg", 0x40: "extents",
    0x80: "64bit", 0x100: "mmp", 0x200: "flex_bg", 0x400: "ea_inode", 0x1000: "dirdata", 0x2000: "metadata_csum_seed",
    0x4000: "large_dir", 0x8000: "inline_data", 0x10000: "encrypt", 0x20000: "casefold",
}  # fmt: skip
_RO_COMPAT_NAMES = {
    0x1: "sparse_super", 0x2: "large_file", 0x8: "huge_file", 0x10: "uninit_bg", 0x20: "dir_nlink", 0x40: "extra_isize",
    0x100: "quota", 0x200: "bigalloc", 0x400: "metadata_csum", 0x1000: "read-only", 0x2000: "project",
    0x4000: "shared_blocks", 0x8000: "verity", 0x10000: "orphan_present",
}  # fmt: skip

_BACKUPS = ((8193, 1024), (16384, 2048), (32768, 4096))
"""Where the first copy lies by default: block and block size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Superblock:
    """What the superblock says, checked so far that nothing below divides by zero or allocates without bound.

    ``offset`` is the byte it was read from; ``group`` the group it says it lies in.
    """

    offset: int
    group: int
    raw: bytes
    inode_count: int
    block_count: int
    first_block: int
    block_size: int
    cluster_blocks: int
    blocks_per_group: int
    inodes_per_group: int
    inode_size: int
    first_inode: int
    descriptor_size: int
    compat: int
    incompat: int
    ro_compat: int
    first_meta_group: int
    journal_inode: int
    last_orphan: int

    @property
    def group_count(self) -> int:
        return -(-(self.block_count - self.first_block) // self.blocks_per_group)

    @property
    def generation(self) -> str:
        """``ext2``, ``ext3`` or ``ext4``, by the features in use."""
        if self.incompat & 0x3C2C0 or self.ro_compat & 0x678:
            return "ext4"
        return "ext3" if self.compat & COMPAT_HAS_JOURNAL else "ext2"

    @property
    def has_checksums(self) -> bool:
        return bool(self.ro_compat & RO_COMPAT_METADATA_CSUM)

    @property
    def has_uninitialised_groups(self) -> bool:
        return bool(self.ro_compat & (RO_COMPAT_GDT_CSUM | RO_COMPAT_METADATA_CSUM))

    def field(self, offset: int, form: str) -> int:
        """Return one little-endian number of the superblock."""
        value: int = struct.unpack_from("<" + form, self.raw, offset)[0]
        return value

    def text(self, offset: int, size: int) -> str:
        return self.raw[offset : offset + size].split(b"\0")[0].decode("utf-8", "replace")

    @property
    def uuid(self) -> bytes:
        return self.raw[0x68:0x78]

    def features(self) -> str:
        """Return the names of the features, as mke2fs writes them; unknown ones as numbers."""
        words = []
        for value, names in (
            (self.compat, _COMPAT_NAMES),
            (self.incompat, _INCOMPAT_NAMES),
            (self.ro_compat, _RO_COMPAT_NAMES),
        ):
            words += [names.get(1 << bit, f"{1 << bit:#x}") for bit in range(32) if value >> bit & 1]
        return " ".join(words)

    def unknown_incompat(self) -> int:
        return self.incompat & ~sum(_INCOMPAT_NAMES)


def parse_superblock(raw: bytes, offset: int) -> Superblock | None:
    """Return the superblock in these bytes, ``None`` if they are none that could be worked with."""
    if len(raw) < SUPERBLOCK_SIZE or struct.unpack_from("<H", raw, 0x38)[0] != _MAGIC:
        return None
    inode_count, block_count = struct.unpack_from("<II", raw, 0)
    first_block, log_block, log_cluster, blocks_per_group, _, inodes_per_group = struct.unpack_from("<6I", raw, 0x14)
    revision = struct.unpack_from("<I", raw, 0x4C)[0]
    first_inode, inode_size, group, compat, incompat, ro_compat = struct.unpack_from("<IHHIII", raw, 0x54)
    if revision == 0:
        first_inode, inode_size, compat, incompat, ro_compat = 11, 128, 0, 0, 0
    if incompat & INCOMPAT_64BIT:
        block_count |= struct.unpack_from("<I", raw, 0x150)[0] << 32
    descriptor_size = struct.unpack_from("<H", raw, 0xFE)[0] if incompat & INCOMPAT_64BIT else 32
    if log_block > 6 or log_cluster > 20 or revision > 1:
        return None
    block_size = 1024 << log_block
    sound = (
        0 < inodes_per_group <= 8 * block_size
        and blocks_per_group > 0
        and first_block < block_count
        and 128 <= inode_size <= block_size
        and inode_size & (inode_size - 1) == 0
        and 32 <= descriptor_size <= block_size
        and descriptor_size & (descriptor_size - 1) == 0
    )
    cluster_blocks = 1 << (log_cluster - log_block) if ro_compat & RO_COMPAT_BIGALLOC and log_cluster > log_block else 1
    if not sound or blocks_per_group > 8 * block_size * cluster_blocks or first_block > 1:
        return None
    return Superblock(
        offset=offset,
        group=group,
        raw=raw[:SUPERBLOCK_SIZE],
        inode_count=inode_count,
        block_count=block_count,
        first_block=first_block,
        block_size=block_size,
        cluster_blocks=cluster_blocks,
        blocks_per_group=blocks_per_group,
        inodes_per_group=inodes_per_group,
        inode_size=inode_size,
        first_inode=first_inode,
        descriptor_size=descriptor_size,
        compat=compat,
        incompat=incompat,
        ro_compat=ro_compat,
        first_meta_group=struct.unpack_from("<I", raw, 0x104)[0],
        journal_inode=struct.unpack_from("<I", raw, 0xE0)[0] if compat & COMPAT_HAS_JOURNAL else 0,
        last_orphan=struct.unpack_from("<I", raw, 0xE8)[0],
    )


def find_superblock(source: ByteSource) -> Superblock | None:
    """Return the superblock, or the first copy of it where the superblock itself is destroyed."""
    found = parse_superblock(source.read_at(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE), SUPERBLOCK_OFFSET)
    if found is not None:
        return found
    for block, block_size in _BACKUPS:
        offset = block * block_size
        copy = parse_superblock(source.read_at(offset, SUPERBLOCK_SIZE), offset)
        if copy is not None and copy.block_size == block_size and copy.group == 1:
            return copy
    return None


def group_has_superblock(superblock: Superblock, group: int) -> bool:
    """Say whether a group starts with a copy of the superblock ("Layout", sparse_super)."""
    if group == 0:
        return True
    if superblock.compat & COMPAT_SPARSE_SUPER2:
        return group in struct.unpack_from("<II", superblock.raw, 0x24C)
    if not superblock.ro_compat & RO_COMPAT_SPARSE_SUPER or group == 1:
        return True
    return any(_is_power(group, base) for base in (3, 5, 7))


def _is_power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1
