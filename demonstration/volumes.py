"""What every volume writer offers: files are written and deleted in order, then the volume is finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from demonstration.space import Placement, Run, Space


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """Where a file came to lie: ``runs`` are clusters; none where its bytes lie inside its description.

    ``number`` is that of its description: the record, inode or directory slot it was written to.
    """

    runs: tuple[Run, ...]
    number: int


class VolumeWriter(Protocol):
    """Writes one volume into a buffer. Folders come into being with the first file in them."""

    space: Space
    cluster_size: int

    def write(self, path: str, content: bytes, *, at: datetime, writer: int, placement: Placement) -> Placed:
        """Store a file; ``writer`` is its number in the truth."""
        ...

    def delete(self, path: str, *, at: datetime) -> None:
        """Delete a file as the file system's usual driver does."""
        ...

    def is_described(self, placed: Placed) -> bool:
        """Whether the description of a deleted file was not used again for another."""
        ...

    def finish(self) -> None:
        """Bring everything to the buffer that was kept back."""
        ...


def fragments(runs: Sequence[Run]) -> int:
    """Return in how many places the clusters of a file lie."""
    return sum(
        1
        for number, run in enumerate(runs)
        if number == 0 or runs[number - 1].start + runs[number - 1].length != run.start
    )
