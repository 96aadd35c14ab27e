"""Thumbnails: small JPEG pictures made anew from decoded pixels, upright, never bytes of the evidence.

Grey: they serve to tell files apart, are kinder to those who have to look, and need no second decoding for
colour. Who needs the colours extracts the file.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

_QUALITY = 80
_FINE = 4

Pixels = NDArray[np.uint8]


def thumbnail_of_luma(luma: Pixels, edge: int, orientation: int = 1) -> bytes:
    """Return a JPEG no larger than ``edge`` each way, of one plane of luma, turned upright by its Exif orientation.

    Of a large picture every second to fourth line is averaged, not every line.
    """
    shrink = max(1, max(luma.shape) // (2 * edge))
    step = min(_FINE, max(1, shrink // 2))
    lines = np.ascontiguousarray(luma[::step])
    picture: Image.Image = Image.fromarray(lines)
    if shrink > 1:
        picture = picture.reduce((shrink, max(1, shrink // step)))
    size = _fitting(luma.shape[1], luma.shape[0], edge)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    return _encoded(np.asarray(picture), orientation)


def _fitting(width: int, height: int, edge: int) -> tuple[int, int]:
    largest = max(width, height)
    if largest <= edge:
        return width, height
    return max(1, round(width * edge / largest)), max(1, round(height * edge / largest))


def _encoded(luma: Pixels, orientation: int) -> bytes:
    upright = np.ascontiguousarray(_upright(luma, orientation))
    jpeg: bytes = simplejpeg.encode_jpeg(upright[:, :, np.newaxis], _QUALITY, "GRAY")
    return jpeg


def _upright(luma: Pixels, orientation: int) -> Pixels:
    """Return the picture as Exif 2.32 section 4.6.4 A says it is to be seen (0th row and column)."""
    if orientation in (2, 3):
        luma = luma[:, ::-1]
    if orientation in (3, 4):
        luma = luma[::-1]
    if orientation in (5, 6, 7, 8):
        luma = luma.T
        if orientation in (6, 7):
            luma = luma[:, ::-1]
        if orientation in (7, 8):
            luma = luma[::-1]
    return luma


def thumbnail_of_picture(picture: Image.Image, edge: int, orientation: int = 1) -> bytes:
    """Return a JPEG as ``thumbnail_of_luma`` gives it, of an RGB or grey picture."""
    shrink = max(1, max(picture.size) // (2 * edge))
    small = picture.reduce(shrink) if shrink > 1 else picture
    size = _fitting(*picture.size, edge)
    if small.size != size:
        small = small.resize(size, Image.Resampling.BILINEAR)
    return _encoded(np.asarray(small.convert("L")), orientation)
