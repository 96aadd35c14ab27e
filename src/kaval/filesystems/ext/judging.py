"""How much of a deleted file's bytes can still be its own."""

from __future__ import annotations

from dataclasses import replace

from kaval.core.records import ContentState, Entry, EntryKind
from kaval.filesystems.ext.claims import Claims
from kaval.filesystems.ext.mapping import Layout
from kaval.filesystems.ext.volume import Volume


class Judge:
    """Judges deleted files, those deleted last first, and keeps what each lays claim to."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._claims = Claims()

    def claim(self, first: int, count: int) -> None:
        """Count blocks as written over by something younger than what is judged from here on."""
        self._claims.add(first, count)

    def judge(self, entry: Entry, layout: Layout) -> Entry:
        """Return the entry with its content state and overlap, and claim its blocks."""
        block_size = self._volume.superblock.block_size
        blocks = -(-entry.size // block_size)
        shared = used_size = 0
        for run in layout.runs:
            count = min(run.length, blocks - run.logical)
            if count <= 0 or run.unwritten:
                continue
            for first, length in self._volume.bitmaps.used_runs(run.physical, count):
                used_size += _bytes(first, length, run.physical, run.logical, entry.size, block_size)
            shared += self._claims.overlap(run.physical, count)
        for run in layout.runs:
            self._claims.add(run.physical, run.length)
        for block in layout.tree_blocks:
            self._claims.add(block, 1)
        return _coloured(entry, used_size, min(entry.size, shared * block_size))


def _bytes(first: int, count: int, physical: int, logical: int, size: int, block_size: int) -> int:
    """Return how many bytes of a stream lie in blocks of one of its runs; the last block may be used in part."""
    start = (logical + first - physical) * block_size
    return max(0, min(start + count * block_size, size) - start)


def _coloured(entry: Entry, used_size: int, shared_size: int) -> Entry:
    if entry.kind is not EntryKind.FILE or entry.content is ContentState.ENCRYPTED:
        return replace(entry, overlap_size=min(entry.size, max(used_size, shared_size)))
    if not used_size and not shared_size:
        return entry
    if used_size >= entry.size:
        return replace(entry, content=ContentState.GONE, overlap_size=entry.size)
    content = ContentState.OVERLAPS_ALLOCATED if used_size else ContentState.OVERLAPS_DELETED
    return replace(entry, content=content, overlap_size=min(entry.size, max(used_size, shared_size)))
