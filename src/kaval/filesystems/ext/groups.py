"""The block groups: where bitmaps and inode tables lie (ext4 Data Structures, "Block Group Descriptors")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError
from kaval.filesystems.ext.medium import Medium
from kaval.filesystems.ext.superblock import INCOMPAT_META_BG, Superblock, group_has_superblock

INODE_UNINIT = 0x1
BLOCK_UNINIT = 0x2

_LOW = np.dtype(
    [
        ("block_bitmap", "<u4"), ("inode_bitmap", "<u4"), ("inode_table", "<u4"), ("free_blocks", "<u2"),
        ("free_inodes", "<u2"), ("used_directories", "<u2"), ("flags", "<u2"), ("exclude_bitmap", "<u4"),
        ("block_bitmap_checksum", "<u2"), ("inode_bitmap_checksum", "<u2"), ("inodes_unused", "<u2"),
        ("checksum", "<u2"),
    ]
)  # fmt: skip
_HIGH = np.dtype(
    [
        ("block_bitmap", "<u4"), ("inode_bitmap", "<u4"), ("inode_table", "<u4"), ("free_blocks", "<u2"),
        ("free_inodes", "<u2"), ("used_directories", "<u2"), ("inodes_unused", "<u2"), ("exclude_bitmap", "<u4"),
        ("block_bitmap_checksum", "<u2"), ("inode_bitmap_checksum", "<u2"), ("reserved", "<u4"),
    ]
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The descriptors of all groups as columns; block numbers are those of the file system."""

    block_bitmap: npt.NDArray[np.int64]
    inode_bitmap: npt.NDArray[np.int64]
    inode_table: npt.NDArray[np.int64]
    flags: npt.NDArray[np.int64]
    inodes_used: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.flags)


def read_groups(medium: Medium, superblock: Superblock) -> Groups:
    """Return the group descriptors, from beside the superblock that is in use.

    Raises:
        CorruptStructureError: There would be more groups than the bytes at hand could describe.
    """
    size = superblock.descriptor_size
    count = superblock.group_count
    if count * size > medium.size:
        reason = f"{count} block groups would need more descriptors than there are bytes"
        raise CorruptStructureError("ext superblock", reason, superblock.offset)
    table = b"".join(_descriptor_blocks(medium, superblock, count))[: count * size]
    rows = np.frombuffer(table, np.uint8).reshape(-1, size)
    low = np.ascontiguousarray(rows[:, :32]).view(_LOW)[:, 0]
    columns = {name: low[name].astype(np.int64) for name in ("block_bitmap", "inode_bitmap", "inode_table")}
    unused = low["inodes_unused"].astype(np.int64)
    if size >= 64:
        high = np.ascontiguousarray(rows[:, 32:64]).view(_HIGH)[:, 0]
        columns = {name: column | high[name].astype(np.int64) << 32 for name, column in columns.items()}
        unused |= high["inodes_unused"].astype(np.int64) << 16
    flags = low["flags"].astype(np.int64)
    if not superblock.has_uninitialised_groups:
        flags, unused = flags * 0, unused * 0
    used = np.where(flags & INODE_UNINIT, 0, np.clip(superblock.inodes_per_group - unused, 0, None))
    return Groups(flags=flags, inodes_used=used, **columns)


def _descriptor_blocks(medium: Medium, superblock: Superblock, count: int) -> list[bytes]:
    block_size = superblock.block_size
    per_block = block_size // superblock.descriptor_size
    blocks = -(-count // per_block)
    first = superblock.first_block + 1
    if superblock.group:
        first += superblock.group * superblock.blocks_per_group
    elif block_size == 1024 and superblock.cluster_blocks > 1:
        first = 2
    plain = blocks
    if superblock.incompat & INCOMPAT_META_BG:
        plain = min(blocks, superblock.first_meta_group)
    parts = [medium.read(first * block_size, plain * block_size)] if plain else []
    for index in range(plain, blocks):
        group = index * per_block
        block = superblock.first_block + group * superblock.blocks_per_group
        block += 1 if group_has_superblock(superblock, group) else 0
        parts.append(medium.read_block(block))
    return parts
