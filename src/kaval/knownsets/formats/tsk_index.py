"""Index files of The Sleuth Kit (``<database>-md5.idx``): sorted digests with places in a text that is not here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import BY_HEX_LENGTH
from kaval.knownsets.batches import Batch, Column
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_at
from kaval.knownsets.sources import line_blocks
from kaval.knownsets.statements import Statement

_PLACE_DIGITS = 16


@SET_FORMATS.register
class TskIndex:
    """A file whose first line begins with zeros and a bar."""

    name: ClassVar[str] = "tsk-index"
    title: ClassVar[str] = "The Sleuth Kit index (.idx)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the first line is the header of an index."""
        first = sample.head.split(b"\n", 1)[0]
        zeros, bar, _ = first.partition(b"|")
        return bool(bar) and len(zeros) in (33, 41, 65) and set(zeros) == {ord("0")}

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests; lines of another shape are counted as skipped."""
        for block, position in line_blocks(reading.path, reading.start):
            yield self._batch(reading, block, position)

    def _batch(self, reading: Reading, block: bytes, position: int) -> Batch:
        text = np.frombuffer(block, dtype=np.uint8)
        starts = np.concatenate(([0], np.flatnonzero(text == 10) + 1))
        starts = starts[starts < len(text)]
        if not block.endswith(b"\n"):
            last = block[int(starts[-1]) :]
            if len(last.partition(b"|")[2].strip()) < _PLACE_DIGITS:
                raise CorruptStructureError(
                    f"index {reading.path.name}", "the file ends inside a line; it was cut off", position - len(last)
                )
        columns = {}
        taken = 0
        bars = np.flatnonzero(text == ord("|"))
        for length, algorithm in BY_HEX_LENGTH.items():
            places = starts[np.isin(starts + length, bars)]
            values, right = decode_at(text, places, length)
            if right.any():
                columns[algorithm] = Column(values=values[right])
                taken += int(right.sum())
        headers = sum(block[start : start + 33].startswith(b"0" * 32) for start in starts[:2].tolist())
        other = len(starts) - taken - headers
        return Batch(
            entries=taken, columns=columns, skipped={"line without a digest": other} if other else {}, position=position
        )

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: an index holds digests only."""
        return Statement()
