"""JPEG through libjpeg-turbo: full-resolution luma, and the Exif facts.

By ITU-T T.81 (Annex B, the marker segments) and Exif 2.32. Only the luma is decoded: PDQ and thumbnail need no more.
Pictures that are not YCbCr or grey (CMYK, Adobe RGB) go through Pillow.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from kaval.core.errors import LimitExceededError
from kaval.media import MediaFacts, MediaLimits
from kaval.media.exif import NOTHING_TOLD, Taking, read_exif
from kaval.media.facts import picture_facts
from kaval.media.pdq import METHOD, pdq_of_luma
from kaval.media.pillow import decode_with_pillow
from kaval.media.thumbnails import thumbnail

DECODER = f"simplejpeg {importlib.metadata.version('simplejpeg')}"

_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_STAND_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MAXIMUM_SEGMENTS = 2000


def decode_jpeg(content: memoryview, limits: MediaLimits) -> MediaFacts:
    """Return the facts of one picture, of a damaged one as far as it can be decoded.

    What this library gives up is tried once more through Pillow, which is more patient.
    """
    try:
        height, width, colour, _ = simplejpeg.decode_jpeg_header(content, strict=False)
        if height * width > limits.pixels:
            raise LimitExceededError("pixels", limits.pixels, f"the picture has {width} by {height}")
        if colour not in ("YCbCr", "Gray"):
            return decode_with_pillow(content, ("JPEG",), "JPEG", limits)
        luma, problem = _luma(content)
    except (ValueError, KeyError):  # KeyError: a colour space that simplejpeg has no name for
        return decode_with_pillow(content, ("JPEG",), "JPEG", limits)
    taking = exif_of_jpeg(content)
    return picture_facts(
        pdq_of_luma(luma),
        thumbnail(luma, limits.thumbnail_edge, taking.orientation),
        taking,
        kind="JPEG",
        size=(width, height),
        decoder=DECODER,
        pdq_method=f"{METHOD}; luma full resolution; {DECODER}",
        problem=problem,
    )


def _luma(content: memoryview) -> tuple[NDArray[np.uint8], str | None]:
    """Return the luma plane, and what was wrong where the decoder had to help itself.

    Raises:
        ValueError: It cannot help itself.
    """
    try:
        return simplejpeg.decode_jpeg(content, "GRAY")[:, :, 0], None
    except ValueError as error:
        complaint = str(error)
    luma = simplejpeg.decode_jpeg(content, "GRAY", strict=False)[:, :, 0]
    return luma, f"{complaint}; {_decoded_part(luma)}"


def _decoded_part(luma: NDArray[np.uint8]) -> str:
    """Say how far down the picture the lines are more than the filler a decoder puts in their place."""
    told = np.flatnonzero((luma != luma[:, :1]).any(axis=1))
    lines = int(told[-1]) + 1 if told.size else 0
    return f"decoded as far as line {lines} of {len(luma)}" if lines < len(luma) else "decoded to its last line"


def exif_of_jpeg(content: memoryview) -> Taking:
    """Return what the first Exif segment tells."""
    for marker, payload in _segments(content):
        if marker == _APP1 and bytes(payload[:6]) == b"Exif\x00\x00":
            return read_exif(payload)
    return NOTHING_TOLD


def _segments(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the marker segments before the first scan (T.81 B.1.1.4); stops at the first thing that is none."""
    at = 2
    for _ in range(_MAXIMUM_SEGMENTS):
        while at + 1 < len(content) and content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1
        if at + 4 > len(content) or content[at] != 0xFF:
            return
        marker = content[at + 1]
        if marker in _STAND_ALONE:
            at += 2
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2:
            return
        yield marker, content[at + 4 : at + 2 + length]
        at += 2 + length
