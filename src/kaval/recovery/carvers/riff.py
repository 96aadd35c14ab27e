"""RIFF by its chunks (Multimedia Programming Interface 1.0; OpenDML for long AVI): WebP, AVI, WAV.

The stated size is believed only where the chunks inside fill it exactly.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

_FORMS = {
    b"WEBP": ("image/webp", "webp", (b"VP8 ", b"VP8L", b"VP8X")),
    b"AVI ": ("video/x-msvideo", "avi", (b"LIST", b"JUNK")),
    b"WAVE": ("audio/wav", "wav", (b"fmt ", b"JUNK", b"bext", b"LIST", b"ds64")),
}
_LIST_KINDS = (b"LIST", b"RIFF")
MAXIMUM_CHUNKS = 4_000_000


@CARVERS.register
class Riff:
    """WebP pictures, AVI videos, WAV sound."""

    name: ClassVar[str] = "carve-riff"
    title: ClassVar[str] = "WebP, AVI and WAV by their RIFF chunks"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"RIFF"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        form = _FORMS.get(steps.take(8, 4))
        if form is None or steps.take(12, 4) not in form[2]:
            return None
        media_type, extension, _ = form
        start, end = 0, _form_end(steps, 0)
        while True:
            offset = _walk(steps, start + 12, end)
            if offset is not None:
                return broken(offset, "no chunk stands where one has to", media_type, extension)
            if end > steps.size:
                return broken(steps.size, "the space ends inside it", media_type, extension, ended=True)
            if extension != "avi" or steps.take(end, 4) != b"RIFF" or steps.take(end + 8, 4) != b"AVIX":
                return complete(end, media_type, extension)
            start, end = end, _form_end(steps, end)


def _form_end(steps: Steps, start: int) -> int:
    """Return where a form ends that starts at a place, its padding included."""
    size = steps.little(start + 4, 4)
    return start + 8 + size + (size & 1)


def _walk(steps: Steps, offset: int, end: int) -> int | None:
    """Return where the chunks of a form stop to be chunks, ``None`` where they fill it to its end."""
    ends = [end]
    for _ in range(MAXIMUM_CHUNKS):
        while ends and offset >= ends[-1]:
            if offset > ends.pop():
                return offset
        if not ends:
            return None
        head = steps.take(offset, 12)
        if offset + 8 > steps.size:
            return None
        if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
            return offset
        length = int.from_bytes(head[4:8], "little")
        stop = offset + 8 + length + (length & 1)
        if stop > ends[-1] and not (stop == ends[-1] + 1 and length & 1):
            return offset
        if head[:4] in _LIST_KINDS and len(head) == 12 and length >= 4 and head[8:12] != b"INFO":
            ends.append(min(stop, ends[-1]))
            offset += 12
        else:
            offset = min(stop, ends[-1])
    return offset
