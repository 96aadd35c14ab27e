"""Lost directories: clusters nobody owns that begin with the entries ``.`` and ``..``.

The first entry of every directory but the root names the directory's own first cluster, the second its parent's
(fatgen103, "FAT Directory Structure"): a cluster that names itself is a directory's first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kaval.core.errors import UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Notice
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters import ClusterSet
from kaval.filesystems.clusters.grid import FIRST_CLUSTER
from kaval.filesystems.clusters.unread import not_searched
from kaval.filesystems.fat.boot import Boot
from kaval.filesystems.fat.directory import DirectoryParser, Slot

_BLOCK_SIZE = 4 << 20
_PROBE_SIZE = 64
_PROBE_FROM = 16 << 10
_DOT = int.from_bytes(b".   ", "little")
_DOTS = int.from_bytes(b"..  ", "little")


@dataclass(frozen=True, kw_only=True, slots=True)
class LostDirectory:
    """A directory by its own word; ``parent`` is 0 for the root."""

    start: int
    parent: int
    slot: Slot


def scan(source: ByteSource, boot: Boot, owned: ClusterSet) -> Iterator[LostDirectory | Notice]:
    """Yield the directories that begin in clusters nobody owns, in order."""
    grid = boot.grid
    free = owned.inverted()
    free.discard(0, FIRST_CLUSTER)
    most = max(1, _BLOCK_SIZE // grid.cluster_size)
    for first, count in free.runs():
        for start in range(first, first + count, most):
            step = min(most, first + count - start)
            if grid.place(start) >= source.size:
                return
            advance()
            yield from _candidates(source, boot, start, step)


def _candidates(source: ByteSource, boot: Boot, first: int, count: int) -> Iterator[LostDirectory | Notice]:
    size = boot.cluster_size
    if size < _PROBE_FROM:
        try:
            block = source.read_at(boot.grid.place(first), count * size)
        except UnreadableError:
            pass
        else:
            for place in _matches(block, size):
                yield from _examined(block[place * size : place * size + _PROBE_SIZE], first + place, boot)
            return
    unread: list[UnreadableError] = []
    for cluster in range(first, first + count):
        try:
            head = source.read_at(boot.grid.place(cluster), _PROBE_SIZE)
        except UnreadableError as error:
            unread.append(error)
            continue
        if head.startswith(b".   "):
            yield from _examined(head, cluster, boot)
    yield from not_searched(unread, "FAT")


def _matches(block: bytes, size: int) -> list[int]:
    """Return which clusters of a block begin with the names of both entries."""
    import numpy as np

    count = len(block) // size
    words: Any = np.frombuffer(block, "<u4", count * size // 4).reshape(count, size // 4)
    found: list[int] = np.flatnonzero((words[:, 0] == _DOT) & (words[:, 8] == _DOTS)).tolist()
    return found


def _examined(head: bytes, cluster: int, boot: Boot) -> Iterator[LostDirectory]:
    slots = list(DirectoryParser(wide=boot.bits == 32).parse(head, boot.grid.place(cluster)))
    if len(slots) != 2:
        return
    dot, dots = slots
    if dot.raw != b".          " or dots.raw != b"..         ":
        return
    if dot.start == cluster and dot.is_directory and dots.is_directory and dots.start != cluster:
        yield LostDirectory(start=cluster, parent=dots.start, slot=dot)
