"""Sources with sectors that cannot be read, as a failing disk has them."""

from __future__ import annotations

from kaval.core.errors import UnreadableError
from kaval.core.sources import BytesSource

SECTOR = 512


class SpoiltSource(BytesSource):
    """Bytes of which some sectors cannot be read; ``asked`` are the sectors that reads have touched so far."""

    def __init__(self, content: bytes, bad: set[int] | frozenset[int] = frozenset()) -> None:
        super().__init__(content)
        self.bad = bad
        self.reads = 0
        self.asked: set[int] = set()

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads += 1
        length = min(length, self.size - offset)
        if offset >= 0 and length > 0:
            sectors = range(offset // SECTOR, -(-(offset + length) // SECTOR))
            self.asked.update(sectors)
            if not self.bad.isdisjoint(sectors):
                place = max(offset, min(self.bad.intersection(sectors)) * SECTOR)
                raise UnreadableError(place, offset + length - place, "a scratch")
        return super().read_at(offset, length)
