"""What a picture says of its own taking: date as stored, make, model, orientation, position.

By the TIFF 6.0 and Exif 2.32 specifications (sections 4.6.4 to 4.6.6). Only these tags are read; a field that is not as
the specification says is left out, and the others are read all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

_MAKE, _MODEL, _ORIENTATION, _DATE_TIME = 0x010F, 0x0110, 0x0112, 0x0132
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_DATE_TIME_ORIGINAL, _DATE_TIME_DIGITIZED = 0x9003, 0x9004
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4

_ASCII, _SHORT, _LONG, _RATIONAL, _IFD = 2, 3, 4, 5, 13
_SIZES = {_ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, _IFD: 4}
_MAXIMUM_ENTRIES = 1000
_MAXIMUM_TEXT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Taking:
    """What Exif fields say; ``orientation`` is 1 to 8 (1: upright), the position is in decimal degrees."""

    taken_at: str | None = None
    make: str | None = None
    model: str | None = None
    orientation: int = 1
    latitude: float | None = None
    longitude: float | None = None


NOTHING_TOLD = Taking()


def read_exif(content: bytes | memoryview) -> Taking:
    """Return what a TIFF structure (the payload of an Exif segment, or a TIFF file) tells; never fails."""
    head = bytes(content[:8])
    if head[:6] == b"Exif\x00\x00":
        return read_exif(content[6:])
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return NOTHING_TOLD
    fields = _Fields(content, order)
    main = fields.directory(struct.unpack(order + "I", head[4:8])[0])
    exif = fields.directory(fields.number(main, _EXIF_IFD))
    gps = fields.directory(fields.number(main, _GPS_IFD))
    taken_at = fields.text(exif, _DATE_TIME_ORIGINAL) or fields.text(exif, _DATE_TIME_DIGITIZED)
    orientation = fields.number(main, _ORIENTATION)
    return Taking(
        taken_at=taken_at or fields.text(main, _DATE_TIME),
        make=fields.text(main, _MAKE),
        model=fields.text(main, _MODEL),
        orientation=orientation if orientation is not None and 1 <= orientation <= 8 else 1,
        latitude=fields.degrees(gps, _LATITUDE, _LATITUDE_REF, "S", 90),
        longitude=fields.degrees(gps, _LONGITUDE, _LONGITUDE_REF, "W", 180),
    )


_Directory = Mapping[int, tuple[int, int, int]]


class _Fields:
    """The fields of a TIFF structure; a directory maps a tag to type, count and the offset of its value."""

    def __init__(self, content: bytes | memoryview, order: str) -> None:
        self._content = content
        self._order = order

    def directory(self, offset: int | None) -> _Directory:
        if offset is None or not 8 <= offset <= len(self._content) - 2:
            return {}
        (count,) = self._unpack("H", offset)
        found: dict[int, tuple[int, int, int]] = {}
        for number in range(min(count, _MAXIMUM_ENTRIES)):
            at = offset + 2 + 12 * number
            if at + 12 > len(self._content):
                break
            tag, kind, values = self._unpack("HHI", at)
            size = _SIZES.get(kind, 0) * values
            if not size:
                continue
            place = at + 8 if size <= 4 else self._unpack("I", at + 8)[0]
            if place + size <= len(self._content):
                found.setdefault(tag, (kind, values, place))
        return found

    def number(self, directory: _Directory, tag: int) -> int | None:
        kind, count, place = directory.get(tag, (0, 0, 0))
        if kind not in (_SHORT, _LONG, _IFD) or count != 1:
            return None
        number: int = self._unpack("H" if kind == _SHORT else "I", place)[0]
        return number

    def text(self, directory: _Directory, tag: int) -> str | None:
        kind, count, place = directory.get(tag, (0, 0, 0))
        if kind != _ASCII:
            return None
        stored = bytes(self._content[place : place + min(count, _MAXIMUM_TEXT)]).split(b"\x00")[0]
        text = stored.decode("utf-8", "replace").strip()
        return "".join(character if character.isprintable() else "\ufffd" for character in text) or None

    def degrees(self, gps: _Directory, tag: int, reference: int, negative: str, bound: int) -> float | None:
        """Return degrees, minutes and seconds as one number; ``None`` where that is not on the earth."""
        kind, count, place = gps.get(tag, (0, 0, 0))
        side = self.text(gps, reference)
        if kind != _RATIONAL or count != 3 or side is None:
            return None
        parts = self._unpack("6I", place)
        if 0 in parts[1::2]:
            return None
        degrees, minutes, seconds = (top / bottom for top, bottom in zip(parts[::2], parts[1::2], strict=True))
        total = round(degrees + minutes / 60 + seconds / 3600, 7)
        if total > bound:
            return None
        return -total if side.upper() == negative else total

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + layout, self._content, offset)
