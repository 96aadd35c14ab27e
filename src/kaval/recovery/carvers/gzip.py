"""GZIP by inflating it (RFC 1952): it ends where its data ends, and its CRC and size are checked."""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Inflation, Steps

MEDIA_TYPE, EXTENSION = "application/gzip", "gz"
MAXIMUM_SIZE = 256 << 20
MAXIMUM_DECODED = 4 << 30
LEAST_TOLD = 4096


@CARVERS.register
class Gzip:
    """GZIP streams, several behind one another included."""

    name: ClassVar[str] = "carve-gzip"
    title: ClassVar[str] = "GZIP streams by inflating them"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"\x1f\x8b\x08"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        if steps.big(3, 1) & 0xE0:
            return None
        offset = 0
        while steps.take(offset, 3) == b"\x1f\x8b\x08":
            end, reason = _inflate(steps, offset)
            if reason:
                if offset:
                    break
                told = end >= LEAST_TOLD
                return broken(end, reason, MEDIA_TYPE, EXTENSION, ended=end >= steps.size) if told else None
            offset = end
        return complete(offset, MEDIA_TYPE, EXTENSION, checked=True)


def _inflate(steps: Steps, start: int) -> tuple[int, str]:
    """Return where a stream ends and, where it is damaged, why."""
    inflation = Inflation(31)
    for block in steps.blocks(start, min(steps.size - start, MAXIMUM_SIZE)):
        if not inflation.feed(block):
            return start + inflation.taken, "its data is damaged"
        if inflation.ended:
            return start + inflation.taken, ""
        if inflation.made > MAXIMUM_DECODED:
            return start + inflation.taken, "it decodes to more than 4 GiB"
    return start + inflation.taken, "the space ends inside it"
