"""ISO base media by its boxes (ISO/IEC 14496-12; QuickTime file format): MP4, MOV, 3GP, M4A, HEIC, AVIF.

The chain of boxes at the top is walked; it ends where no known box follows. A film is whole where its index (``moov``)
and its data are both there and every place the index names lies inside.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

_TOP = frozenset(
    {
        b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"meta", b"uuid", b"pdin", b"moof", b"mfra", b"sidx",
        b"styp", b"udta", b"pnot", b"PICT", b"idat", b"emsg", b"prft", b"ssix", b"meco", b"junk",
    }
)  # fmt: skip
_STILL = {b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"heim": "heic", b"avif": "avif", b"avis": "avif"}
_MEDIA_TYPES = {
    "heic": "image/heic", "avif": "image/avif", "mp4": "video/mp4", "mov": "video/quicktime", "3gp": "video/3gpp",
    "m4a": "audio/mp4",
}  # fmt: skip
_INSIDE = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
MAXIMUM_BOXES = 100_000
MAXIMUM_INDEX_SIZE = 64 << 20


@CARVERS.register
class IsoBaseMedia:
    """Videos and pictures in boxes."""

    name: ClassVar[str] = "carve-isobmff"
    title: ClassVar[str] = "MP4, MOV, 3GP, M4A, HEIC and AVIF by their boxes"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (
        Pattern(b"ftyp", 4),
        Pattern(b"moov", 4),
        Pattern(b"mdat", 4),
        Pattern(b"wide", 4),
    )

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        extension = _extension(steps)
        offset = highest = 0
        seen: set[bytes] = set()
        for _ in range(MAXIMUM_BOXES):
            box = _box(steps, offset)
            if box is None:
                break
            kind, head, size = box
            if kind == b"moov":
                last = _last_place(steps, offset + head, offset + size)
                if last is None:
                    return _broken(offset, "the index is damaged", extension) if seen & {b"mdat"} else None
                highest = max(highest, last)
            seen.add(kind)
            if offset + size > steps.size:
                return _broken(offset, "the space ends inside a box", extension, ended=True)
            offset += size
        return _verdict(offset, seen, highest, extension)


def _verdict(offset: int, seen: set[bytes], highest: int, extension: str) -> Carved | None:
    indexed = seen & {b"moov", b"meta", b"moof"}
    if b"mdat" in seen and indexed:
        if highest > offset:
            return _broken(offset, "its index names places beyond its end", extension)
        return complete(offset, _MEDIA_TYPES[extension], extension)
    if b"ftyp" in seen and (b"mdat" in seen or indexed):
        return _broken(offset, "its index is missing" if not indexed else "its data is missing", extension)
    return None


def _broken(offset: int, reason: str, extension: str, *, ended: bool = False) -> Carved:
    return broken(offset, reason, _MEDIA_TYPES[extension], extension, ended=ended)


def _extension(steps: Steps) -> str:
    """Return the extension by the brands of the first box."""
    if steps.take(4, 4) != b"ftyp":
        return "mov"
    size = min(max(steps.big(0, 4), 16), 256)
    brands = steps.take(8, 4), *(steps.take(place, 4) for place in range(16, size - 3, 4))
    for brand in (brands[0], *(brand for brand in brands if brand in (b"avif", b"heic", b"heix"))):
        if brand in _STILL:
            return "avif" if b"avif" in brands else _STILL[brand]
    if brands[0].startswith((b"3gp", b"3g2")):
        return "3gp"
    if brands[0].startswith(b"M4A"):
        return "m4a"
    return "mov" if brands[0] == b"qt  " else "mp4"


def _box(steps: Steps, offset: int) -> tuple[bytes, int, int] | None:
    """Return kind, header size and whole size of the box at a place, ``None`` where no known box stands there."""
    size, kind = steps.big(offset, 4), steps.take(offset + 4, 4)
    if kind not in _TOP:
        return None
    if size == 1:
        long_size = steps.big(offset + 8, 8)
        return (kind, 16, long_size) if 16 <= long_size < 1 << 48 else None
    return (kind, 8, size) if size >= 8 else None


def _last_place(steps: Steps, offset: int, end: int) -> int | None:
    """Return the greatest byte offset that a film's index names (``stco``, ``co64``), ``None`` where it is damaged."""
    if end - offset > MAXIMUM_INDEX_SIZE or end > steps.size:
        return None
    index = steps.view.read_at(offset, end - offset)
    highest = 0
    waiting = [(0, len(index))]
    boxes = 0
    while waiting:
        place, stop = waiting.pop()
        while place < stop:
            boxes += 1
            size, kind = int.from_bytes(index[place : place + 4], "big"), index[place + 4 : place + 8]
            if size == 0 and stop - place <= 8:
                break
            if size < 8 or place + size > stop or boxes > MAXIMUM_BOXES:
                return None
            if kind in _INSIDE:
                waiting.append((place + 8, place + size))
            elif kind in (b"stco", b"co64"):
                highest = max(highest, _greatest(index[place + 8 : place + size], 4 if kind == b"stco" else 8))
            place += size
    return highest


def _greatest(table: bytes, width: int) -> int:
    """Return the greatest entry of a table of chunk offsets."""
    count = min(int.from_bytes(table[4:8], "big"), (len(table) - 8) // width)
    return max((int.from_bytes(table[8 + at * width : 8 + (at + 1) * width], "big") for at in range(count)), default=0)
