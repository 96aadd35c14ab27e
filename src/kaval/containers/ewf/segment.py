"""What one segment file of an image holds, whichever version it is of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from kaval.containers.chunks import Spans
from kaval.core.records import Notice
from kaval.core.sources import ByteSource

MAXIMUM_CHUNK_SIZE = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """How the image is cut: bytes of a sector and of a chunk, size of the whole, and the identifier of its set."""

    sector_size: int
    chunk_size: int
    size: int
    set_identifier: bytes = b""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def chunk_count(self) -> int:
        return -(-self.size // self.chunk_size)

    @property
    def possible(self) -> bool:
        """Whether an image can be cut like this."""
        return 0 < self.chunk_size <= MAXIMUM_CHUNK_SIZE and 0 < self.size <= 1 << 60


class ChunkTable(Protocol):
    """A list of stored chunks; ``first`` is the number of its first one where the format says it."""

    @property
    def count(self) -> int: ...

    @property
    def first(self) -> int | None: ...

    def load(self) -> Spans: ...


@dataclass(kw_only=True)
class Segment:
    """What one segment file holds.

    ``runs`` are its tables; a new run begins where chunks are lost between. ``ending`` is ``next`` or ``done`` where
    its last section stands, ``foreign`` where it belongs to another image, empty where it is cut off or damaged.
    """

    number: int
    name: str
    source: ByteSource
    geometry: Geometry | None = None
    runs: list[list[ChunkTable]] = field(default_factory=lambda: [[]])
    ending: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    bad_sectors: list[tuple[int, int]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
