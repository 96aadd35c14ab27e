"""PNG by its chunks (PNG, third edition, section 5): each carries its length and a CRC, which is computed."""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

MEDIA_TYPE, EXTENSION = "image/png", "png"
_HEAD = b"\x89PNG\r\n\x1a\n"


@CARVERS.register
class Png:
    """PNG and APNG pictures."""

    name: ClassVar[str] = "carve-png"
    title: ClassVar[str] = "PNG pictures by their chunks"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(_HEAD),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        offset = len(_HEAD)
        seen_data = False
        if steps.take(offset, 8) != b"\x00\x00\x00\x0dIHDR":
            return None
        while True:
            length, kind = steps.big(offset, 4), steps.take(offset + 4, 4)
            if not 0 <= length < 1 << 31 or len(kind) < 4 or not kind.isalpha():
                ended = offset + 8 > steps.size
                return _broken(offset, "no chunk stands where one has to", ended=ended) if seen_data else None
            end = offset + 12 + length
            if end > steps.size:
                return _broken(offset, "the space ends inside a chunk", ended=True) if seen_data else None
            if steps.crc32(offset + 4, length + 4) != steps.big(end - 4, 4):
                return _broken(offset, "a chunk's CRC differs") if seen_data else None
            seen_data = seen_data or kind == b"IDAT"
            if kind == b"IEND":
                return complete(end, MEDIA_TYPE, EXTENSION, checked=True)
            offset = end


def _broken(offset: int, reason: str, *, ended: bool = False) -> Carved:
    return broken(offset, reason, MEDIA_TYPE, EXTENSION, ended=ended)
