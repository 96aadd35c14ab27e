"""Scanning: where in unallocated space a stream may start, all signatures at once, at the speed of reading.

Only the start of each sector is looked at: file systems begin a file at the start of a cluster, and a cluster is
made of whole sectors. One gather of two bytes a sector tells nearly all of them apart from a start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from kaval.recovery.carvers import CARVERS, Carver, Pattern

SECTOR_SIZE = 512


@dataclass(frozen=True, slots=True)
class Start:
    """A place, in bytes of the block, where a carver has to be asked."""

    offset: int
    carver: Carver


@cache
def _asked() -> tuple[tuple[int, Any, tuple[tuple[Pattern, Carver], ...]], ...]:
    """Return for each place of a sector: a table over its two bytes, and the patterns that begin there."""
    import numpy as np

    by_offset: dict[int, list[tuple[Pattern, Carver]]] = {}
    for carver in CARVERS.available():
        for pattern in carver.patterns:
            by_offset.setdefault(pattern.offset, []).append((pattern, carver))
    asked = []
    for offset, patterns in sorted(by_offset.items()):
        table = np.zeros(1 << 16, dtype=bool)
        for pattern, _ in patterns:
            table[int.from_bytes(pattern.content[:2], "little")] = True
        asked.append((offset, table, tuple(patterns)))
    return tuple(asked)


def starts(block: bytes) -> Iterator[Start]:
    """Yield the places of a block (whole sectors) where a carver has to be asked, in order of place and rank."""
    import numpy as np

    count = len(block) // SECTOR_SIZE
    if not count:
        return
    words = np.frombuffer(block, dtype="<u2", count=count * (SECTOR_SIZE // 2)).reshape(count, SECTOR_SIZE // 2)
    found: list[tuple[int, int, str, Carver]] = []
    for offset, table, patterns in _asked():
        for sector in np.flatnonzero(table[words[:, offset // 2]]).tolist():
            place = sector * SECTOR_SIZE
            for pattern, carver in patterns:
                if block.startswith(pattern.content, place + offset):
                    found.append((place, carver.rank, carver.name, carver))
    found.sort(key=lambda start: start[:3])
    for place, _, _, carver in found:
        yield Start(place, carver)
