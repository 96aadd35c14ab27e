"""BMP by its two headers (Windows bitmap): sizes and offsets have to agree with the picture's dimensions."""

from __future__ import annotations

import struct
from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

MEDIA_TYPE, EXTENSION = "image/bmp", "bmp"
_HEADER_SIZES = (40, 52, 56, 64, 108, 124)
_DEPTHS = (1, 4, 8, 16, 24, 32)
_SLACK = 4096


@CARVERS.register
class Bmp:
    """Windows bitmaps."""

    name: ClassVar[str] = "carve-bmp"
    title: ClassVar[str] = "BMP pictures by their headers"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"BM"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view, 512)
        head = steps.take(0, 54)
        if len(head) < 54:
            return None
        size, reserved, data, header = struct.unpack_from("<IIII", head, 2)
        width, height, planes, depth, compression, data_size = struct.unpack_from("<iiHHII", head, 18)
        if reserved or header not in _HEADER_SIZES or planes != 1 or depth not in _DEPTHS or compression > 6:
            return None
        if not 0 < width < 1 << 20 or not 0 < abs(height) < 1 << 20 or not 14 + header <= data < 1 << 16:
            return None
        stored = (width * depth + 31) // 32 * 4 * abs(height) if compression in (0, 3, 6) else data_size
        least = data + stored
        if not least <= size <= least + _SLACK or not stored:
            return None
        if size > steps.size:
            return broken(steps.size, "the space ends inside the picture", MEDIA_TYPE, EXTENSION, ended=True)
        return complete(size, MEDIA_TYPE, EXTENSION)
