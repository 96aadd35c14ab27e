"""What is left of deleted files, what is concluded from it, and the living files among which they lay."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kaval.filesystems.clusters.grid import Run

TOLERANCE = 2_000_000_000
"""Nanoseconds by which two times of a FAT may be wrong against each other: its step is two seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remnant:
    """What is left of a deleted file: times in nanoseconds, ``None`` where none is stored.

    ``count`` is how many clusters it took, ``size`` how many bytes; 0 for a directory, whose end nothing shows.
    ``stored`` are its runs, where the file system kept them; ``in_pieces`` says that they are lost, but known to have
    been more than one. ``alive_until`` is a moment at which it was not deleted yet; ``family`` tells the directories
    apart.
    """

    start: int
    count: int
    size: int
    created: int | None
    modified: int | None
    stored: tuple[Run, ...] | None = None
    in_pieces: bool = False
    alive_until: int | None = None
    family: int = 0

    @property
    def began(self) -> int | None:
        """When its first cluster was taken."""
        return self.modified if self.created is None else self.created

    @property
    def finished(self) -> int | None:
        """When it had all its clusters; a copy keeps a modification time older than itself."""
        if self.created is None or self.modified is None:
            return self.began
        return max(self.created, self.modified)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conclusion:
    """Where a remnant's clusters were, and how many of them others have had since.

    ``doubtful`` says that a younger deleted file was concluded to go around it, and may have gone through it.
    """

    runs: tuple[Run, ...]
    overlap_allocated: int = 0
    overlap_deleted: int = 0
    doubtful: bool = False

    @property
    def count(self) -> int:
        """How many clusters were found; fewer than asked for where the heap had no more."""
        return sum(count for _, count in self.runs)


class Occupied:
    """The runs of living files, with the time each file was made; ``seal`` it before asking."""

    def __init__(self) -> None:
        self.starts = array("q")
        self.ends = array("q")
        self.created = array("q")
        self.heads = array("b")

    def add(self, runs: Sequence[Run], created: int | None) -> None:
        """Take note of one file; an unknown time counts as older than everything."""
        head = 1
        for first, count in runs:
            self.starts.append(first)
            self.ends.append(first + count)
            self.created.append(-(2**63) if created is None else created)
            self.heads.append(head)
            head = 0

    def seal(self) -> None:
        """Order the runs by cluster."""
        import numpy as np

        order: Any = np.argsort(np.frombuffer(self.starts, np.int64), kind="stable") if self.starts else []
        for name in ("starts", "ends", "created"):
            values = getattr(self, name)
            if values:
                setattr(self, name, array("q", np.frombuffer(values, np.int64)[order].tobytes()))
        if self.heads:
            self.heads = array("b", np.frombuffer(self.heads, np.int8)[order].tobytes())

    def at(self, cluster: int) -> int:
        """Return the index of the run that holds a cluster, or -1."""
        index = bisect_right(self.starts, cluster) - 1
        return index if index >= 0 and cluster < self.ends[index] else -1

    def head_at(self, cluster: int) -> int | None:
        """Return when the living file was made that starts at a cluster; ``None`` if none does."""
        index = self.at(cluster)
        if index < 0 or not self.heads[index] or self.starts[index] != cluster:
            return None
        return self.created[index]


def alive_until(names: Sequence[tuple[int, int | None]]) -> list[int | None]:
    """Return for each name of a directory, in their order, a moment at which it was not deleted yet (rule 7).

    A name is given by its width in entries and the time it was made.
    """
    latest: dict[int, int] = {}
    answers: list[int | None] = []
    for width, made in reversed(names):
        moments = [moment for other, moment in latest.items() if other <= width]
        answers.append(max(moments, default=None))
        if made is not None and made > latest.get(width, -(2**63)):
            latest[width] = made
    answers.reverse()
    return answers
