"""Generated pictures: noise landscapes and plain shapes, as pixels and as files."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def landscape(width: int, height: int, seed: int = 1) -> Pixels:
    """Return hills of layered waves under a sky of noise, in colour."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width].astype(np.float64)
    scene = np.zeros((height, width, 3))
    for layer in range(7):
        frequency = random.uniform(2, 40, 2) / (width, height)
        phase, strength = random.uniform(0, 6.3), random.uniform(4, 30, 3)
        wave = np.sin(2 * np.pi * (across * frequency[0] + down * frequency[1]) + phase)
        scene += wave[:, :, np.newaxis] * strength * (down[:, :, np.newaxis] / height + layer / 7)
    scene += random.normal(0, 6, scene.shape) + 120
    return scene.clip(0, 255).astype(np.uint8)


def shapes(width: int, height: int) -> dict[str, Pixels]:
    """Return regular pictures, of which rounding alone would decide many bits."""
    down, across = np.mgrid[0:height, 0:width]
    return {
        "ramp across": _grey(across * 255 // max(1, width - 1)),
        "ramp down": _grey(down * 255 // max(1, height - 1)),
        "board": _grey((across // (width // 8 + 1) + down // (height // 8 + 1)) % 2 * 255),
        "disc": _grey(((across - width / 2) ** 2 + (down - height / 2) ** 2 < (min(width, height) / 3) ** 2) * 200),
        "stripes": _grey((across % max(2, width // 10) == 0) * 255),
        "flat": _grey(np.full((height, width), 77)),
    }


def _grey(values: NDArray[np.generic]) -> Pixels:
    return np.repeat(values.astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


def stored(pixels: Pixels | NDArray[np.uint16], plugin: str, **options: object) -> bytes:
    """Return pixels as a file of one of Pillow's formats."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, plugin, **options)
    return stream.getvalue()
