"""Thumbnails: small JPEG pictures made anew from decoded pixels, upright, never bytes of the evidence.

Grey: they serve to tell files apart, are kinder to those who have to look, and cost no second decoding for the
colours. Who needs the colours extracts the file.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

_QUALITY = 80
_LINES = 4

Pixels = NDArray[np.uint8]


def thumbnail(pixels: Pixels, edge: int, orientation: int = 1) -> bytes:
    """Return a JPEG of at least half and at most ``edge`` each way, turned upright by the Exif orientation.

    ``pixels`` are rows by columns of luma, or of red, green, blue. Each pixel is the mean of a box of whole pixels; of
    a box higher than four lines, four lines of it. Less than one box at the right and lower edge is left out.
    """
    shrink = -(-max(pixels.shape[:2]) // edge)
    small = _shrunk(pixels, shrink)
    if small.ndim == 3:
        small = np.asarray(Image.fromarray(small).convert("L"))
    upright = np.ascontiguousarray(_upright(small, orientation))
    jpeg: bytes = simplejpeg.encode_jpeg(upright[:, :, np.newaxis], _QUALITY, "GRAY")
    return jpeg


def _shrunk(pixels: Pixels, shrink: int) -> Pixels:
    if shrink == 1:
        return pixels
    height, width = pixels.shape[:2]
    down, across = min(shrink, height), min(shrink, width)
    lines = pixels[: height // down * down].reshape(height // down, down, -1)
    if down > _LINES:
        lines = lines[:, :: down // _LINES][:, :_LINES]
    means = np.add.reduce(lines, axis=1, dtype=np.uint16)
    means //= np.uint16(lines.shape[1])
    narrow = means.astype(np.uint8).reshape(height // down, *pixels.shape[1:])
    return np.asarray(Image.fromarray(narrow[:, : width // across * across]).reduce((across, 1)))


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
