"""Matroska and WebM by their elements (RFC 8794, RFC 9559): the elements of the segment are walked one by one."""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

_EBML, _SEGMENT, _CLUSTER, _VOID, _CRC = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xEC, 0xBF
_LEVEL_ONE = frozenset(
    {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, _VOID, _CRC}
)
_IN_CLUSTER = frozenset({0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0x5854, 0xAF, _VOID, _CRC})
MAXIMUM_ELEMENTS = 4_000_000


@CARVERS.register
class Matroska:
    """Matroska and WebM videos."""

    name: ClassVar[str] = "carve-matroska"
    title: ClassVar[str] = "Matroska and WebM videos by their elements"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"\x1a\x45\xdf\xa3"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        head = _element(steps, 0)
        if head is None or head[2] is None or not 8 <= head[2] < 4096:
            return None
        webm = b"webm" in steps.take(0, head[1] + head[2])
        media_type, extension = ("video/webm", "webm") if webm else ("video/x-matroska", "mkv")
        segment = _element(steps, head[1] + head[2])
        if segment is None or segment[0] != _SEGMENT:
            return None
        start = head[1] + head[2] + segment[1]
        end = None if segment[2] is None else start + segment[2]
        offset, clusters = _walk(steps, start, end)
        if clusters and (offset == end or (end is None and offset < steps.size)):
            return complete(offset, media_type, extension)
        if not clusters:
            return None
        return broken(offset, "no element stands where one has to", media_type, extension, ended=offset >= steps.size)


def _walk(steps: Steps, offset: int, end: int | None) -> tuple[int, int]:
    """Return how far the elements of a segment follow one another, and how many clusters are among them."""
    clusters = 0
    for _ in range(MAXIMUM_ELEMENTS):
        if end is not None and offset >= end:
            break
        element = _element(steps, offset)
        if element is None:
            break
        kind, head, size = element
        if kind == _CLUSTER:
            if not _cluster_holds(steps, offset + head, size):
                break
            clusters += 1
        elif kind not in _LEVEL_ONE and not (size is not None and clusters and kind in _IN_CLUSTER):
            break
        following = offset + head + (size or 0)
        if following > steps.size:
            break
        offset = following
    return offset, clusters


def _cluster_holds(steps: Steps, offset: int, size: int | None) -> bool:
    """Whether the elements of a cluster fill it to its end; one of unknown size is walked with the segment's."""
    if size is None:
        return True
    end = offset + size
    while offset < end:
        element = _element(steps, offset)
        if element is None or element[0] not in _IN_CLUSTER or element[2] is None:
            return False
        offset += element[1] + element[2]
    return offset == end


def _element(steps: Steps, offset: int) -> tuple[int, int, int | None] | None:
    """Return identifier, size of the head and size of the content (``None``: unknown) of the element at a place."""
    head = steps.take(offset, 12)
    if len(head) < 2 or not head[0]:
        return None
    width = 9 - head[0].bit_length()
    if width > 4 or len(head) <= width or not head[width]:
        return None
    length = 9 - head[width].bit_length()
    if length > 8 or len(head) < width + length:
        return None
    size = int.from_bytes(head[width : width + length], "big") & ((1 << 7 * length) - 1)
    unknown = size == (1 << 7 * length) - 1
    return int.from_bytes(head[:width], "big"), width + length, None if unknown else size
