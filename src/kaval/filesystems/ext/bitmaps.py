"""Which blocks and inodes are in use (ext4 Data Structures, "Block and inode Bitmaps")."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.filesystems.ext.groups import BLOCK_UNINIT, INODE_UNINIT, Groups
from kaval.filesystems.ext.medium import Medium
from kaval.filesystems.ext.superblock import INCOMPAT_META_BG, Superblock, group_has_superblock

Bits = npt.NDArray[np.bool_]

_KEPT = 64


class Bitmaps:
    """Answers whether blocks and inodes are in use; keeps the bitmaps of the groups asked about last.

    The bitmap of a group that was never initialised is made up as the kernel would: nothing but the
    group's own metadata is in use. A bitmap that cannot be read counts as all in use: nothing is then called free.
    """

    def __init__(self, medium: Medium, superblock: Superblock, groups: Groups) -> None:
        self._medium = medium
        self._superblock = superblock
        self._groups = groups
        self._blocks: dict[int, Bits] = {}
        self._inodes: dict[int, Bits] = {}
        self.unreadable: list[tuple[int, str]] = []

    def group_range(self, group: int) -> range:
        """Return the blocks of a group."""
        start = self._superblock.first_block + group * self._superblock.blocks_per_group
        return range(start, min(start + self._superblock.blocks_per_group, self._superblock.block_count))

    def blocks_of(self, group: int) -> Bits:
        """Return for each cluster of a group whether it is in use; a cluster is a block unless bigalloc is on."""
        if group not in self._blocks:
            _make_room(self._blocks)
            self._blocks[group] = self._load_blocks(group)
        return self._blocks[group]

    def _load_blocks(self, group: int) -> Bits:
        blocks = self.group_range(group)
        ratio = self._superblock.cluster_blocks
        count = -(-len(blocks) // ratio)
        if not self._groups.flags[group] & BLOCK_UNINIT:
            return self._read(int(self._groups.block_bitmap[group]), count, group, "block bitmap")
        bits = np.zeros(count, np.bool_)
        for start, length in self._metadata_of(group):
            low, high = max(start, blocks.start), min(start + length, blocks.stop)
            if low < high:
                bits[(low - blocks.start) // ratio : -(-(high - blocks.start) // ratio)] = True
        return bits

    def _metadata_of(self, group: int) -> Iterator[tuple[int, int]]:
        """Yield the runs of blocks of a group that hold metadata, wherever the owner's group lies."""
        superblock = self._superblock
        start = self.group_range(group).start
        if group_has_superblock(superblock, group):
            descriptors = -(-len(self._groups) * superblock.descriptor_size // superblock.block_size)
            yield start, 1 + descriptors + superblock.field(0xCE, "H")
        elif superblock.incompat & INCOMPAT_META_BG:
            yield start, 1
        stop = start + superblock.blocks_per_group
        table_blocks = -(-superblock.inodes_per_group * superblock.inode_size // superblock.block_size)
        for column, length in (
            (self._groups.block_bitmap, 1),
            (self._groups.inode_bitmap, 1),
            (self._groups.inode_table, table_blocks),
        ):
            for block in column[(column + length > start) & (column < stop)].tolist():
                yield block, length

    def inodes_of(self, group: int) -> Bits:
        """Return for each inode of a group whether it is in use."""
        if group not in self._inodes:
            _make_room(self._inodes)
            count = self._superblock.inodes_per_group
            if self._groups.flags[group] & INODE_UNINIT:
                self._inodes[group] = np.zeros(count, np.bool_)
            else:
                self._inodes[group] = self._read(int(self._groups.inode_bitmap[group]), count, group, "inode bitmap")
        return self._inodes[group]

    def _read(self, block: int, count: int, group: int, what: str) -> Bits:
        try:
            content = self._medium.read_block(block)
        except (CorruptStructureError, UnreadableError) as error:
            self.unreadable.append((block, f"the {what} of group {group} counts as full: {error}"))
            return np.ones(count, np.bool_)
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[:count]
        return bits.astype(np.bool_)

    def inode_in_use(self, number: int) -> bool:
        group, index = divmod(number - 1, self._superblock.inodes_per_group)
        return bool(self.inodes_of(group)[index])

    def used_runs(self, first: int, count: int) -> list[tuple[int, int]]:
        """Return the runs (block, count) in use among blocks that lie side by side."""
        runs: list[tuple[int, int]] = []
        ratio = self._superblock.cluster_blocks
        end = first + count
        while first < end:
            group = (first - self._superblock.first_block) // self._superblock.blocks_per_group
            blocks = self.group_range(group)
            stop = min(end, blocks.stop)
            bits = self.blocks_of(group)
            low = first - blocks.start
            high = stop - blocks.start
            part = bits[low:high] if ratio == 1 else bits[np.arange(low, high) // ratio]
            if part.any():
                runs += [(first + start, length) for start, length in true_runs(part)]
            first = stop
        return runs

    def free_runs(self) -> Iterator[tuple[int, int]]:
        """Yield the runs (block, count) that no allocated structure owns, in order, joined across groups."""
        pending: tuple[int, int] | None = None
        for group in range(len(self._groups)):
            blocks = self.group_range(group)
            free = ~self.blocks_of(group)
            if self._superblock.cluster_blocks > 1:
                free = np.repeat(free, self._superblock.cluster_blocks)[: len(blocks)]
            for start, length in true_runs(free):
                run = (blocks.start + start, length)
                if pending is not None and pending[0] + pending[1] == run[0]:
                    pending = (pending[0], pending[1] + length)
                    continue
                if pending is not None:
                    yield pending
                pending = run
        if pending is not None:
            yield pending


def true_runs(bits: Bits) -> list[tuple[int, int]]:
    """Return the runs (start, length) of set bits."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], bits, [False])).astype(np.int8)))
    starts = edges[::2].tolist()
    ends = edges[1::2].tolist()
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def _make_room(kept: dict[int, Bits]) -> None:
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]
