"""How much of a deleted file's bytes can still be its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kaval.core.records import ContentState, Entry, EntryKind
from kaval.filesystems.deleted.claims import Claims
from kaval.filesystems.ext.bitmaps import Bits
from kaval.filesystems.ext.mapping import Layout
from kaval.filesystems.ext.volume import Volume

Witness = Callable[[int, int], Bits]
"""Says of blocks that lie side by side (first, count) which were given to something else since."""


class Judge:
    """Judges deleted files, those that held their blocks last first, and keeps what each lays claim to."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._claims = Claims()

    def claim(self, layout: Layout) -> None:
        """Count the blocks of a layout as held by something younger than what is judged from here on."""
        for run in layout.runs:
            self._claims.add(run.physical, run.length)
        for block in layout.tree_blocks:
            self._claims.add(block, 1)

    def judge(self, entry: Entry, layout: Layout, witness: Witness | None = None) -> Entry:
        """Return the entry with its content state and overlap, and claim its blocks."""
        block_size = self._volume.superblock.block_size
        blocks = -(-entry.size // block_size)
        used_size = reused_size = 0
        for run in layout.runs:
            count = min(run.length, blocks - run.logical)
            if count <= 0:
                continue
            used = self._used(run.physical, count)
            reused = self._claims.among(run.physical, count)
            if witness is not None:
                reused |= witness(run.physical, count)
            past_end = max(0, (run.logical + count) * block_size - entry.size)
            used_size += _size(used, block_size, past_end)
            reused_size += _size(reused & ~used, block_size, past_end)
        self.claim(layout)
        return _coloured(entry, used_size, reused_size)

    def _used(self, first: int, count: int) -> Bits:
        used = np.zeros(count, np.bool_)
        for start, length in self._volume.bitmaps.used_runs(first, count):
            used[start - first : start - first + length] = True
        return used


def _size(blocks: Bits, block_size: int, past_end: int) -> int:
    """Return the bytes of a stream in these blocks; ``past_end`` bytes of the last block are none of it."""
    return int(blocks.sum()) * block_size - (past_end if blocks[-1] else 0)


def _coloured(entry: Entry, used_size: int, reused_size: int) -> Entry:
    if not used_size and not reused_size:
        return entry
    entry = replace(entry, overlap_size=used_size + reused_size)
    if entry.kind is not EntryKind.FILE or entry.content is ContentState.ENCRYPTED:
        return entry
    if used_size >= entry.size:
        return replace(entry, content=ContentState.GONE)
    content = ContentState.OVERLAPS_ALLOCATED if used_size else ContentState.OVERLAPS_DELETED
    return replace(entry, content=content)
