"""What blocks were: older copies of those that hold maps, and what bitmaps and copies say of a block's later owners."""

from __future__ import annotations

import numpy as np

from kaval.core.errors import CorruptStructureError
from kaval.filesystems.checksums.crc32c import crc32c
from kaval.filesystems.ext.bitmaps import Bits
from kaval.filesystems.ext.inodes import inode_seed
from kaval.filesystems.ext.journal import Column, Log
from kaval.filesystems.ext.mapping import ReadBlock
from kaval.filesystems.ext.volume import Volume

_EXTENT_MAGIC = b"\x0a\xf3"
_KEPT_BITMAPS = 1 << 14


class PastBlocks:
    """Answers for blocks of one volume as of a transaction."""

    def __init__(self, volume: Volume, log: Log) -> None:
        self._volume = volume
        self._log = log
        self._order = np.argsort(log.blocks, kind="stable")
        self._blocks = log.blocks[self._order]
        self._bitmaps: dict[int, tuple[Column, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]] = {}

    def _copies(self, first: int, count: int) -> Column:
        """Return the copies of blocks that lie side by side, by block and then in order."""
        low, high = np.searchsorted(self._blocks, (first, first + count))
        return self._order[low:high]

    def reader(self, number: int, generation: int, until: int, *, in_tree: bool) -> ReadBlock:
        """Return what reads the map blocks of an inode as they were before a transaction.

        A block of an extent tree is believed if its signature and checksum fit, any other if it comes from the journal
        or nothing else uses it now.
        """
        seed = inode_seed(self._volume.superblock, number, generation)

        def read(block: int) -> bytes:
            for index in self._copies(block, 1)[::-1].tolist():
                if self._log.sequences[index] < until:
                    content = self._log.read(index)
                    if not in_tree or self._fits(content, seed):
                        return content
            content = self._volume.medium.read_block(block)
            if not (self._fits(content, seed) if in_tree else not self._volume.bitmaps.used_runs(block, 1)):
                reason = f"block {block}, a part of its map, holds something else now, and the journal has no copy"
                raise CorruptStructureError("ext block map", reason, block * self._volume.superblock.block_size)
            return content

        return read

    def _fits(self, content: bytes, seed: int) -> bool:
        if content[:2] != _EXTENT_MAGIC:
            return False
        if not self._volume.superblock.has_checksums:
            return True
        tail = 12 + 12 * int.from_bytes(content[4:6], "little")
        if tail + 4 > len(content):
            return False
        return crc32c(seed, content[:tail]) == int.from_bytes(content[tail : tail + 4], "little")

    def reused(self, first: int, count: int, since: int, until: int) -> Bits:
        """Say of blocks which were given to something else after transaction ``since``.

        Two things tell: a copy of the block itself, as metadata, from ``until`` on; and a bitmap that has it free and
        a later one that has it in use.
        """
        found = np.zeros(count, np.bool_)
        copies = self._copies(first, count)
        later = copies[self._log.sequences[copies] >= until]
        found[self._log.blocks[later] - first] = True
        superblock = self._volume.superblock
        end = first + count
        block = first
        while block < end:
            group = (block - superblock.first_block) // superblock.blocks_per_group
            blocks = self._volume.bitmaps.group_range(group)
            stop = min(end, blocks.stop)
            found[block - first : stop - first] |= self._freed_and_taken(
                group, np.arange(block - blocks.start, stop - blocks.start) // superblock.cluster_blocks, since
            )
            block = stop
        return found

    def _freed_and_taken(self, group: int, bits: Column, since: int) -> Bits:
        sequences, rows = self._bitmap_copies(group)
        rows = rows[np.searchsorted(sequences, since) :]
        if len(rows) < 2:
            return np.zeros(len(bits), np.bool_)
        low = int(bits[0]) >> 3
        part = rows[:, low : (int(bits[-1]) >> 3) + 1]
        freed = np.bitwise_or.accumulate(~part, axis=0)[:-1]
        taken = np.bitwise_or.reduce(freed & part[1:], axis=0)
        return np.unpackbits(taken, bitorder="little").astype(np.bool_)[bits - (low << 3)]

    def _bitmap_copies(self, group: int) -> tuple[Column, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        if group not in self._bitmaps:
            while sum(len(kept[0]) for kept in self._bitmaps.values()) > _KEPT_BITMAPS:
                del self._bitmaps[next(iter(self._bitmaps))]
            copies = self._copies(int(self._volume.groups.block_bitmap[group]), 1)
            rows = self._log.read_rows(copies)
            sound = self._log.sound(copies, rows)
            self._bitmaps[group] = (self._log.sequences[copies][sound], rows[sound])
        return self._bitmaps[group]
