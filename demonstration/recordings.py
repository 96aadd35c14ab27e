"""Videos: test patterns that move, and stills of a painted picture; the same seed gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demonstration.pictures import Recipe, paint

_RATE = 12
_SIZE = (320, 240)
CONTAINERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "avi": "avi"}
"""Extension, and what FFmpeg calls the container."""


def pattern(seed: int, seconds: int, extension: str) -> bytes:
    """Return a moving test pattern."""
    return _encode(_moving(seed, seconds * _RATE), extension)


def still(recipe: Recipe, seconds: int, extension: str) -> bytes:
    """Return a video that shows one painted picture."""
    pixels = np.asarray(paint(recipe).resize(_SIZE, Image.Resampling.LANCZOS))
    return _encode((pixels for _ in range(seconds * _RATE)), extension)


def _moving(seed: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    chance = np.random.default_rng(seed)
    columns, rows = np.meshgrid(np.arange(_SIZE[0]), np.arange(_SIZE[1]))
    pace = chance.uniform(1, 5, 3)
    width = chance.uniform(15, 60, 3)
    for frame in range(frames):
        waves = [
            np.sin((columns * (part != 1) + rows * (part != 0) + frame * pace[part]) / width[part]) for part in range(3)
        ]
        yield (127 + 120 * np.stack(waves, -1)).astype(np.uint8)


def _encode(frames: Iterator[NDArray[np.uint8]], extension: str) -> bytes:
    import av

    target = io.BytesIO()
    options = {"fflags": "+bitexact"}
    with av.open(target, "w", format=CONTAINERS[extension], options=options) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(_RATE))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *_SIZE, "yuv420p", 500_000
        stream.codec_context.options = {"flags": "+bitexact", "threads": "1", "g": str(_RATE)}
        for pixels in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return target.getvalue()
