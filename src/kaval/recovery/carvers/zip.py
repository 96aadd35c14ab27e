"""ZIP by its members (APPNOTE 6.3.10): local headers, central directory, end record.

Members are inflated and their CRC computed. Where sizes stand behind a member (flag bit 3) its compressed data is
inflated to find its end.
"""

from __future__ import annotations

import struct
from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Inflation, Steps

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_DESCRIPTOR, _END_64, _LOCATOR_64, _SIGNATURE = b"PK\x07\x08", b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x05"
_STORED, _DEFLATED = 0, 8
MAXIMUM_MEMBERS = 1 << 20
CHECKED_SIZE = 256 << 20
"""Compressed bytes of one archive that are inflated to check them; what is beyond is walked by its sizes."""

RATIO = 1100
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    (b"AndroidManifest.xml", "application/vnd.android.package-archive", "apk"),
    (b"META-INF/MANIFEST.MF", "application/java-archive", "jar"),
)
_STATED = {
    b"application/epub+zip": ("application/epub+zip", "epub"),
    b"application/vnd.oasis.opendocument.text": ("application/vnd.oasis.opendocument.text", "odt"),
    b"application/vnd.oasis.opendocument.spreadsheet": ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    b"application/vnd.oasis.opendocument.presentation": ("application/vnd.oasis.opendocument.presentation", "odp"),
}


@CARVERS.register
class Zip:
    """ZIP archives and the documents that are ZIP archives."""

    name: ClassVar[str] = "carve-zip"
    title: ClassVar[str] = "ZIP archives and Office documents by their members"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(_LOCAL),)

    def carve(self, view: ByteSource) -> Carved | None:
        return _Archive(Steps(view)).carve()


class _Archive:
    """The walk over one archive."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._type = ("application/zip", "zip")
        self._members = 0
        self._inflated = 0
        self._all_checked = True

    def carve(self) -> Carved | None:
        offset = 0
        while self._steps.take(offset, 4) == _LOCAL and self._members < MAXIMUM_MEMBERS:
            end, reason = self._member(offset)
            if reason:
                ended = end >= self._steps.size
                return broken(offset, reason, *self._type, ended=ended) if self._members else None
            self._members += 1
            offset = end
        return self._directory(offset) if self._members else None

    def _member(self, offset: int) -> tuple[int, str]:
        """Return where a member ends and, where it is none or damaged, why."""
        head = self._steps.take(offset, 30)
        if len(head) < 30:
            return self._steps.size, "the space ends inside a member"
        flags, method, _, _, crc, packed, size, name_size, extra_size = struct.unpack_from("<HHHHIIIHH", head, 6)
        if method > 99 or not name_size:
            return offset, "a member's header is none"
        name = self._steps.take(offset + 30, name_size)
        data = offset + 30 + name_size + extra_size
        self._note(name, data, packed if method == _STORED else 0)
        if packed == 0xFFFFFFFF or size == 0xFFFFFFFF:
            packed = self._long_size(offset + 30 + name_size, extra_size, size == 0xFFFFFFFF)
        if flags & 8 and not packed:
            return self._undeclared(data, method)
        end = data + packed
        if end > self._steps.size:
            return self._steps.size, "the space ends inside a member"
        if not self._agrees(data, packed, method, crc, encrypted=bool(flags & 1), late=bool(flags & 8)):
            return offset, "a member's CRC differs"
        return (self._behind_descriptor(end) if flags & 8 else end), ""

    def _note(self, name: bytes, data: int, stored: int) -> None:
        """Learn from a member's name what kind of document this is."""
        if name == b"mimetype" and self._members == 0 and 0 < stored < 100:
            self._type = _STATED.get(self._steps.take(data, stored), self._type)
        elif self._type[1] == "zip":
            for start, media_type, extension in _OFFICE:
                if name.startswith(start):
                    self._type = (media_type, extension)

    def _long_size(self, extra: int, length: int, size_too: bool) -> int:
        """Return the compressed size from the ZIP64 extra field; a size past everything where there is none."""
        block = self._steps.take(extra, length)
        place = 0
        while place + 4 <= len(block):
            kind, width = struct.unpack_from("<HH", block, place)
            at = place + 4 + (8 if size_too else 0)
            if kind == 1 and at + 8 <= len(block):
                return int.from_bytes(block[at : at + 8], "little")
            place += 4 + width
        return 1 << 62

    def _agrees(self, data: int, packed: int, method: int, crc: int, *, encrypted: bool, late: bool) -> bool:
        """Whether a member's content has the CRC its header states; unchecked ones are taken at their word."""
        self._inflated += packed
        if encrypted or late or method not in (_STORED, _DEFLATED) or self._inflated > CHECKED_SIZE:
            self._all_checked = False
            return True
        if method == _STORED:
            return self._steps.crc32(data, packed) == crc
        inflation = Inflation(-15)
        for block in self._steps.blocks(data, packed):
            if not inflation.feed(block) or inflation.made > RATIO * packed + (1 << 20):
                return False
        return inflation.ended and inflation.crc == crc

    def _undeclared(self, data: int, method: int) -> tuple[int, str]:
        """Return where a member of undeclared size ends, by inflating it."""
        if method != _DEFLATED:
            return data, "a member of undeclared size is not deflated"
        inflation = Inflation(-15)
        for block in self._steps.blocks(data, min(self._steps.size - data, CHECKED_SIZE)):
            if not inflation.feed(block):
                return data, "a member's data is damaged"
            if inflation.ended:
                break
        if not inflation.ended:
            return self._steps.size, "the space ends inside a member"
        self._inflated += inflation.taken
        offset = data + inflation.taken
        at = offset + 4 if self._steps.take(offset, 4) == _DESCRIPTOR else offset
        if self._steps.little(at, 4) != inflation.crc:
            return data, "a member's CRC differs"
        return self._behind_descriptor(offset), ""

    def _behind_descriptor(self, offset: int) -> int:
        """Return where what follows a data descriptor starts; its form is told by what stands behind it."""
        signed = self._steps.take(offset, 4) == _DESCRIPTOR
        for width in (16, 24) if signed else (12, 20):
            if self._steps.take(offset + width, 2) == b"PK":
                return offset + width
        return offset + (16 if signed else 12)

    def _directory(self, offset: int) -> Carved | None:
        """Walk the central directory and the end records."""
        start = offset
        entries = 0
        while self._steps.take(offset, 4) == _CENTRAL:
            lengths = self._steps.take(offset + 28, 6)
            offset += 46 + sum(struct.unpack("<HHH", lengths)) if len(lengths) == 6 else 46
            entries += 1
        if self._steps.take(offset, 4) == _SIGNATURE:
            offset += 6 + self._steps.little(offset + 4, 2)
        if self._steps.take(offset, 4) == _END_64:
            offset += 12 + self._steps.little(offset + 4, 8)
        if self._steps.take(offset, 4) == _LOCATOR_64:
            offset += 20
        end = self._steps.take(offset, 22)
        if end[:4] != _END or len(end) < 22 or not entries:
            ended = offset + 22 > self._steps.size
            return broken(offset, "its directory is missing or damaged", *self._type, ended=ended)
        place, comment = struct.unpack_from("<IH", end, 16)
        if place not in (start, 0xFFFFFFFF):
            return broken(offset, "its directory names another place than its own", *self._type)
        size = offset + 22 + comment
        if size > self._steps.size:
            return broken(offset, "the space ends inside the comment", *self._type, ended=True)
        return complete(size, *self._type, checked=self._all_checked)
