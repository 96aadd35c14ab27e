"""A worker's sign of life: two counters in shared memory that its supervisor reads.

``item`` is the number of the thing in work inside the unit, ``step`` rises while there is progress. A worker
whose counters stand still for longer than the limit is taken for hung; they also name the culprit when it dies.
"""

from __future__ import annotations

import mmap
import os
import struct

from kaval.core import progress

_FORMAT = struct.Struct("<qq")
SIZE = _FORMAT.size


class Heartbeat:
    """The two counters over a file descriptor that both sides hold."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)

    @staticmethod
    def descriptor() -> int:
        """Return a fresh descriptor to be shared with one worker."""
        descriptor = os.memfd_create("kaval-heartbeat")
        os.ftruncate(descriptor, SIZE)
        return descriptor

    def write(self, item: int, step: int) -> None:
        """Set both counters."""
        _FORMAT.pack_into(self._memory, 0, item, step)

    def read(self) -> tuple[int, int]:
        """Return item and step."""
        item, step = _FORMAT.unpack_from(self._memory, 0)
        return item, step


class _Current:
    heartbeat: Heartbeat | None = None
    item = -1
    step = 0


def attach(heartbeat: Heartbeat) -> None:
    """Let ``begin`` and ``beat`` of this process, and its readers' progress, speak to a supervisor."""
    _Current.heartbeat = heartbeat
    progress.listen(beat)


def begin(item: int) -> None:
    """Say that work on another item of the unit begins."""
    _Current.item = item
    _Current.step += 1
    if _Current.heartbeat is not None:
        _Current.heartbeat.write(item, _Current.step)


def beat() -> None:
    """Say that the item in work makes progress."""
    _Current.step += 1
    if _Current.heartbeat is not None:
        _Current.heartbeat.write(_Current.item, _Current.step)
