"""TIFF and camera raw by their directories (TIFF 6.0, section 2; TIFF/EP and Exif for what lies in sub-directories).

The stream ends where the last thing ends that a directory points at. What no directory points at (some makers' notes)
is not known to belong to it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SUB_DIRECTORIES = frozenset({330, 34665, 34853, 40965})
_PLACES = {273: 279, 324: 325, 513: 514, 288: 289}
"""Tags that hold offsets of data, and the tags that hold how long each is."""

_MAKE = 271
MAXIMUM_DIRECTORIES = 64
MAXIMUM_VALUES = 1 << 20


@CARVERS.register
class Tiff:
    """TIFF pictures and the camera raw formats built on them."""

    name: ClassVar[str] = "carve-tiff"
    title: ClassVar[str] = "TIFF and camera raw pictures by their directories"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"II*\0"), Pattern(b"MM\0*"))

    def carve(self, view: ByteSource) -> Carved | None:
        return _Directories(Steps(view)).carve()


class _Directories:
    """The directories of one picture and how far they reach."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._order: Literal["little", "big"] = "little" if steps.take(0, 2) == b"II" else "big"
        self._end = 8
        self._data = 0
        self._kinds: set[int] = set()
        self._raw = steps.take(8, 2) == b"CR"

    def carve(self) -> Carved | None:
        waiting = [self._number(4, 4)]
        seen: set[int] = set()
        while waiting:
            offset = waiting.pop(0)
            if offset in seen or not offset:
                continue
            if len(seen) >= MAXIMUM_DIRECTORIES or not 8 <= offset < self._steps.size:
                return None
            seen.add(offset)
            more = self._directory(offset)
            if more is None:
                return None
            waiting.extend(more)
        if not self._data or not self._kinds & {256, 257}:
            return None
        media_type, extension = self._type()
        if self._end > self._steps.size:
            return broken(self._steps.size, "the space ends before its data", media_type, extension, ended=True)
        return complete(self._end, media_type, extension)

    def _type(self) -> tuple[str, str]:
        if self._raw:
            return "image/x-canon-cr2", "cr2"
        if 50706 in self._kinds:
            return "image/x-adobe-dng", "dng"
        return "image/tiff", "tif"

    def _number(self, offset: int, width: int) -> int:
        found = self._steps.take(offset, width)
        return int.from_bytes(found, self._order) if len(found) == width else -1

    def _directory(self, offset: int) -> list[int] | None:
        """Take one directory into account and return the further ones it names; ``None`` where it is none."""
        count = self._number(offset, 2)
        if not 1 <= count <= 512:
            return None
        places: dict[int, list[int]] = {}
        more: list[int] = []
        previous = 0
        for entry in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind, number = self._number(entry, 2), self._number(entry + 2, 2), self._number(entry + 4, 4)
            width = _WIDTHS.get(kind)
            if width is None or tag < previous or not 0 <= number <= 1 << 28:
                return None
            previous = tag
            self._kinds.add(tag)
            length = width * number
            at = entry + 8 if length <= 4 else self._number(entry + 8, 4)
            if at < 8:
                return None
            self._end = max(self._end, at + length)
            if tag in _SUB_DIRECTORIES:
                more.extend(self._values(at, width, number))
            elif tag in _PLACES or tag in _PLACES.values():
                places[tag] = self._values(at, width, number)
        self._end = max(self._end, offset + 6 + 12 * count)
        self._reach(places)
        following = self._number(offset + 2 + 12 * count, 4)
        return None if following < 0 else [*more, following]

    def _values(self, offset: int, width: int, number: int) -> list[int]:
        if number > MAXIMUM_VALUES or width not in (2, 4):
            return []
        block = self._steps.take(offset, width * number)
        whole = len(block) // width * width
        return [int.from_bytes(block[at : at + width], self._order) for at in range(0, whole, width)]

    def _reach(self, places: dict[int, list[int]]) -> None:
        for tag, lengths in _PLACES.items():
            for start, length in zip(places.get(tag, ()), places.get(lengths, ()), strict=False):
                self._data += length
                self._end = max(self._end, start + length)
