"""GIF by its blocks (GIF89a, sections 15 to 27): a chain of sub-blocks that has to end in the trailer."""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

MEDIA_TYPE, EXTENSION = "image/gif", "gif"
_EXTENSION_BLOCK, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_EXTENSIONS = frozenset({0x01, 0xF9, 0xFE, 0xFF})


@CARVERS.register
class Gif:
    """GIF pictures, moving ones included."""

    name: ClassVar[str] = "carve-gif"
    title: ClassVar[str] = "GIF pictures by their blocks"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"GIF87a"), Pattern(b"GIF89a"))

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        head = steps.take(0, 13)
        if len(head) < 13 or not int.from_bytes(head[6:8], "little") or not int.from_bytes(head[8:10], "little"):
            return None
        offset = 13 + _table_size(head[10])
        pictures = 0
        while True:
            kind = steps.big(offset, 1)
            if kind == _TRAILER:
                return complete(offset + 1, MEDIA_TYPE, EXTENSION) if pictures else None
            if kind == _IMAGE:
                descriptor = steps.take(offset, 10)
                data = offset + 10 + (_table_size(descriptor[9]) if len(descriptor) == 10 else 0)
                end = _sub_blocks(steps, data + 1) if 2 <= steps.big(data, 1) <= 11 else None
                pictures += 1
            elif kind == _EXTENSION_BLOCK and steps.big(offset + 1, 1) in _EXTENSIONS:
                end = _sub_blocks(steps, offset + 2)
            else:
                end = None
            if end is None:
                ended = offset >= steps.size
                reason = "the space ends" if ended else "no block stands where one has to"
                return broken(offset, reason, MEDIA_TYPE, EXTENSION, ended=ended) if pictures > 1 else None
            offset = end


def _table_size(packed: int) -> int:
    """Return the bytes of a colour table from the packed field before it."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _sub_blocks(steps: Steps, offset: int) -> int | None:
    """Return where a chain of sub-blocks ends, ``None`` where the space ends first."""
    while True:
        length = steps.big(offset, 1)
        if length < 0:
            return None
        offset += 1 + length
        if length == 0:
            return offset
