"""Sound by its frames: MP3 (ISO/IEC 11172-3, 2.4.2.3), Ogg (RFC 3533), AMR voice notes (RFC 4867, section 5)."""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

LEAST_FRAMES = 24
"""Frames that have to follow one another before a sound is believed."""

_BIT_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_AMR_SIZES = (13, 14, 16, 18, 20, 21, 27, 32, 6)
_AMR_WIDE_SIZES = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6)


@CARVERS.register
class Mp3:
    """MP3 sound that starts with an ID3 tag or a frame."""

    name: ClassVar[str] = "carve-mp3"
    title: ClassVar[str] = "MP3 sound by its frames"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (
        Pattern(b"ID3"),
        *(Pattern(bytes((0xFF, second))) for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)),
    )

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        offset = _tag_end(steps)
        frames = 0
        while (size := _frame_size(steps.take(offset, 4))) and offset + size <= steps.size:
            offset += size
            frames += 1
        if frames < LEAST_FRAMES:
            return None
        if steps.take(offset, 3) == b"TAG":
            offset += 128
        return complete(offset, "audio/mpeg", "mp3")


def _tag_end(steps: Steps) -> int:
    """Return where an ID3v2 tag ends (ID3v2.4.0, 3.1), 0 where there is none."""
    head = steps.take(0, 10)
    if head[:3] != b"ID3" or len(head) < 10 or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _frame_size(head: bytes) -> int:
    """Return the bytes of the layer III frame with this header, 0 where it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version = head[1] >> 3 & 3
    rates = _SAMPLE_RATES.get(version)
    bit_rate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    if rates is None or not 0 < bit_rate < 15 or sample_rate == 3:
        return 0
    table, factor = (_BIT_RATES_1, 144_000) if version == 3 else (_BIT_RATES_2, 72_000)
    return factor * table[bit_rate] // rates[sample_rate] + (head[2] >> 1 & 1)


@CARVERS.register
class Ogg:
    """Ogg streams: Vorbis, Opus, Speex, Theora."""

    name: ClassVar[str] = "carve-ogg"
    title: ClassVar[str] = "Ogg sound and video by its pages"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"OggS"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        offset, pages = 0, 0
        open_streams: set[bytes] = set()
        while True:
            head = steps.take(offset, 27)
            if len(head) < 27 or head[:4] != b"OggS" or head[4] or head[5] > 7:
                break
            lengths = steps.take(offset + 27, head[26])
            end = offset + 27 + len(lengths) + sum(lengths)
            if end > steps.size or (not pages and not head[5] & 2):
                break
            if head[5] & 2:
                open_streams.add(head[14:18])
            if head[5] & 4:
                open_streams.discard(head[14:18])
            offset, pages = end, pages + 1
        if pages < 2:
            return None
        if open_streams:
            return broken(offset, "its last page is missing", "audio/ogg", "ogg", ended=offset >= steps.size)
        return complete(offset, "audio/ogg", "ogg")


@CARVERS.register
class Amr:
    """AMR and AMR-WB voice recordings of telephones."""

    name: ClassVar[str] = "carve-amr"
    title: ClassVar[str] = "AMR voice recordings by their frames"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"#!AMR\n"), Pattern(b"#!AMR-WB\n"))

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        wide = steps.take(0, 9) == b"#!AMR-WB\n"
        sizes = _AMR_WIDE_SIZES if wide else _AMR_SIZES
        offset, frames = (9 if wide else 6), 0
        while True:
            head = steps.big(offset, 1)
            kind = head >> 3 & 15
            if head < 0 or head & 0x83 or not head & 4:
                break
            size = sizes[kind] if kind < len(sizes) else 1 if kind == 15 else 0
            if not size or offset + size > steps.size:
                break
            offset, frames = offset + size, frames + 1
        return complete(offset, "audio/amr", "amr") if frames >= LEAST_FRAMES else None
