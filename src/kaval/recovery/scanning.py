"""Scanning: where in unallocated space a stream may start, all signatures at once, at the speed of reading.

Only the start of each sector is looked at: file systems begin a file at the start of a cluster, and a cluster is
made of whole sectors. One gather of two bytes a sector tells nearly all of them apart from a start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Carver, Certainty

SECTOR_SIZE = 512


@dataclass(frozen=True, slots=True)
class Start:
    """A place, in bytes of the block, where a carver has to be asked."""

    offset: int
    carver: Carver


HEAD_SIZE = 24

_Asked = dict[int, tuple[tuple[bytes, bytes, Carver], ...]]


@cache
def _asked() -> tuple[tuple[int, Any, _Asked], ...]:
    """Return for each place of a sector: a table over its two bytes, and what is asked where they stand."""
    import numpy as np

    by_place: dict[int, dict[int, list[tuple[bytes, bytes, Carver]]]] = {}
    for carver in CARVERS.available():
        for pattern in carver.patterns:
            word = int.from_bytes(pattern.content[:2], "little")
            by_place.setdefault(pattern.offset, {}).setdefault(word, []).append((pattern.content, pattern.only, carver))
    asked = []
    for offset, words in sorted(by_place.items()):
        table = np.zeros(1 << 16, dtype=bool)
        table[list(words)] = True
        asked.append((offset, table, {word: tuple(patterns) for word, patterns in words.items()}))
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
        column = words[:, offset // 2]
        sectors = np.flatnonzero(table[column])
        for sector, word in zip(sectors.tolist(), column[sectors].tolist(), strict=True):
            place = sector * SECTOR_SIZE
            for content, only, carver in patterns[word]:
                if only and block[place : place + HEAD_SIZE].translate(None, only):
                    continue
                if block.startswith(content, place + offset):
                    found.append((place, carver.rank, carver.name, carver))
    found.sort(key=lambda start: start[:3])
    for place, _, _, carver in found:
        yield Start(place, carver)


def ask(carver: Carver, view: ByteSource) -> Carved | None:
    """Return what a carver finds at the start of a view; it never reaches beyond the view's end."""
    carved = carver.carve(view)
    if carved is None or carved.size <= view.size:
        return carved
    return replace(
        carved,
        size=view.size,
        certainty=Certainty.TRUNCATED,
        damaged_offset=view.size,
        reason=carved.reason or "the space ends inside it",
    )
