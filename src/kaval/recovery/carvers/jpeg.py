"""JPEG by its markers (ITU-T T.81, annex B).

The headers are walked by their lengths; entropy-coded data is searched for the next marker. Other bytes than a
picture's soon hold a marker that may not stand there, so the place where a picture was overwritten is found to within
some hundred bytes. What follows the end of the image (a second picture of a phone, a trailer) is not taken along.
"""

from __future__ import annotations

import re
from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete

MEDIA_TYPE, EXTENSION = "image/jpeg", "jpg"
BLOCK_SIZE = 1 << 18

_SOI, _EOI, _SOS, _DRI = 0xD8, 0xD9, 0xDA, 0xDD
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SEGMENTS = frozenset({0xC4, 0xCC, 0xDB, 0xDC, _DRI, 0xDE, 0xDF, 0xFE, *range(0xE0, 0xF0), *_FRAMES})
_BETWEEN_SCANS = frozenset({0xC4, 0xCC, 0xDB, 0xDC, _DRI, _SOS, 0xFE})
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_MARKER_BUT_RESTART = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


@CARVERS.register
class Jpeg:
    """JPEG pictures: baseline, extended, progressive, lossless."""

    name: ClassVar[str] = "carve-jpeg"
    title: ClassVar[str] = "JPEG pictures by their markers"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"\xff\xd8\xff"),)

    def carve(self, view: ByteSource) -> Carved | None:
        return _Walk(view).run()


def may_continue(block: bytes) -> bool:
    """Whether bytes may be the middle of a picture: none of their markers is one that may not stand there."""
    found = _MARKER_BUT_RESTART.search(block)
    while found is not None:
        marker = block[found.start() + 1]
        if marker == _EOI:
            return True
        if marker not in _BETWEEN_SCANS:
            return False
        found = _MARKER_BUT_RESTART.search(block, found.end())
    return any(block[-16:])


class _Walk:
    """One walk over the markers of one picture."""

    def __init__(self, view: ByteSource) -> None:
        self._view = view
        self._start = 0
        self._block = b""
        self._restarts = False
        self._framed = False
        self._scanned = False

    def run(self) -> Carved | None:
        offset = 2
        while True:
            head = self._bytes(offset, 4)
            if len(head) < 4:
                return self._broken(offset, "the space ends inside the headers", ended=True)
            if head[0] != 0xFF:
                return self._broken(offset, "no marker stands where one has to")
            marker = head[1]
            if marker == 0xFF:
                offset += 1
            elif marker == _EOI:
                return complete(offset + 2, MEDIA_TYPE, EXTENSION) if self._scanned else None
            elif marker == _SOS:
                if not self._framed:
                    return None
                offset += 2 + int.from_bytes(head[2:4], "big")
                found = self._scan(offset)
                if isinstance(found, Carved):
                    return found
                offset = found
            else:
                length = self._segment(offset, marker, int.from_bytes(head[2:4], "big"))
                if length is None:
                    return self._broken(offset, f"the marker {marker:02X} may not stand here")
                offset += 2 + length

    def _segment(self, offset: int, marker: int, length: int) -> int | None:
        """Return the length of a marker segment, ``None`` where it cannot be one."""
        if length < 2 or marker not in (_BETWEEN_SCANS if self._scanned else _SEGMENTS):
            return None
        if marker in _FRAMES:
            frame = self._bytes(offset + 4, 6)
            if len(frame) < 6 or frame[0] not in (2, 8, 12, 16) or not 1 <= frame[5] <= 4 or length != 8 + 3 * frame[5]:
                return None
            if not int.from_bytes(frame[3:5], "big"):
                return None
            self._framed = True
        elif marker == _DRI:
            self._restarts = self._bytes(offset + 4, 2) != b"\0\0"
        return length

    def _scan(self, offset: int) -> int | Carved:
        """Return where the marker behind entropy-coded data stands, or how far the data holds."""
        self._scanned = True
        pattern = _MARKER if self._restarts else _MARKER_BUT_RESTART
        expected = 0
        while True:
            block = self._bytes(offset, BLOCK_SIZE)
            found = pattern.search(block)
            if found is None:
                if len(block) < BLOCK_SIZE:
                    return _broken(offset + len(block), "the space ends inside the picture", ended=True)
                offset += len(block) - 1
                continue
            offset += found.start()
            marker = block[found.start() + 1]
            if 0xD0 <= marker <= 0xD7:
                if not self._restarts or marker != 0xD0 + expected:
                    return _broken(offset, "a restart marker stands out of turn")
                expected = (expected + 1) % 8
                offset += 2
            elif marker == _EOI or marker in _BETWEEN_SCANS:
                return offset
            else:
                return _broken(offset, f"the marker {marker:02X} may not stand inside a picture")

    def _broken(self, offset: int, reason: str, *, ended: bool = False) -> Carved | None:
        return _broken(offset, reason, ended=ended) if self._scanned else None

    def _bytes(self, offset: int, length: int) -> bytes:
        """Return bytes of the view; small reads are served from a block that was read before."""
        place = offset - self._start
        if not 0 <= place <= len(self._block) - length:
            self._start = offset
            self._block = self._view.read_at(offset, max(length, BLOCK_SIZE))
            place = 0
        return self._block[place : place + length]


def _broken(offset: int, reason: str, *, ended: bool = False) -> Carved:
    return broken(offset, reason, MEDIA_TYPE, EXTENSION, ended=ended)
