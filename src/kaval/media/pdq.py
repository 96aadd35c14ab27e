"""PDQ, the perceptual hash of 256 bits, computed from pixels, with its quality and its eight orientations.

By the reference implementation of its authors (facebook/ThreatExchange, ``pdq/cpp``), in the form without a
resize beforehand, as ``pdqhash`` and ``threatexchange`` compute it. The two box filters there are linear and only
64 by 64 points of their output are used, so each point is a weighted sum over a small window: the picture
is read once. Where floating-point order alone would decide (small, flat or regular pictures) the reference's own order
of operations is followed, so that the same pixels give the same bits.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

METHOD = "kaval-pdq 1"

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_POINTS = 64
_BLOCK = 8
_SCRATCH_SIZE = 1 << 22
_MINIMUM_EDGE = 5
_REFERENCE_EDGE = 64
_REFERENCE_PIXELS = 1 << 24
_REFERENCE_PIXELS_MINOR = 1 << 20
_LUMA = (0.299, 0.587, 0.114)
_ROUNDING = 5e-3
_TIE = 1e-6
_CROWD = 7
_QUALITY_ROUNDING = 2e-5
_CERTAIN_QUALITY = 120


@dataclass(frozen=True, slots=True)
class Pdq:
    """The eight hashes of 32 bytes, the unturned one first, and the quality, 0 to 100.

    Order: original, rotate 90, rotate 180, rotate 270, flip x, flip y, flip plus 1, flip minus 1. A picture
    with an edge under five pixels has quality 0 and eight hashes of zeros.
    """

    hashes: tuple[bytes, ...]
    quality: int


def pdq_of_luma(luma: Pixels) -> Pdq:
    """Return the PDQ of a picture given as one plane of 8-bit luma, rows by columns."""
    return _pdq(luma[:, :, np.newaxis])


def pdq_of_rgb(rgb: Pixels) -> Pdq:
    """Return the PDQ of a picture given as rows by columns by red, green, blue; its luma is not rounded."""
    return _pdq(rgb)


def _pdq(planes: Pixels) -> Pdq:
    rows, columns, _ = planes.shape
    if min(rows, columns) < _MINIMUM_EDGE:
        return Pdq((bytes(32),) * 8, 0)
    if min(rows, columns) < _REFERENCE_EDGE or (rows, columns) == (_POINTS, _POINTS):
        return _of_points(_points_in_order(planes))
    points = _points_at_once(planes)
    frequencies = _frequencies(points)
    gradients = _gradients(points.astype(np.float32))
    quality = _quality(gradients)
    if rows * columns <= _doubtful_up_to(frequencies, gradients, quality):
        return _of_points(_points_in_order(planes))
    return Pdq(_turned(frequencies), min(100, quality))


def _of_points(points: Floats) -> Pdq:
    return Pdq(_turned(_frequencies_in_order(points).astype(np.float64)), min(100, _quality(_gradients(points))))


def _gradients(points: Floats) -> Floats:
    """Return how far neighbouring points lie apart, in percent of the whole range."""
    apart = np.empty(2 * _POINTS * (_POINTS - 1), dtype=np.float32)
    downwards, sideways = (
        apart[: len(apart) // 2].reshape(_POINTS - 1, -1),
        apart[len(apart) // 2 :].reshape(_POINTS, -1),
    )
    np.subtract(points[:-1], points[1:], out=downwards)
    np.subtract(points[:, :-1], points[:, 1:], out=sideways)
    np.abs(apart, out=apart)
    apart *= np.float32(100)
    apart /= np.float32(255)
    return apart


def _quality(gradients: Floats, shift: float = 0.0) -> int:
    """Return the sum of the gradients that show, in whole percent each, scaled but not capped."""
    shifted = gradients + np.float32(shift) if shift else gradients
    return int(shifted.astype(np.int32).sum()) // 90


def _doubtful_up_to(frequencies: Doubles, gradients: Floats, quality: int) -> int:
    """Return up to how many pixels the reference's order is to be followed, because rounding may decide.

    That is so where a crowd of frequencies lies at the median or two are the same, as in regular pictures, or where the
    quality lies at the edge of a step. Of a large picture a quality one off is borne, and so are the bits of a flat
    one, which is never matched.
    """
    distances = np.abs(frequencies - np.partition(frequencies, 127, axis=None)[127])
    nearest = np.partition(distances, (1, _CROWD), axis=None)
    tied = nearest[1] < _TIE or nearest[_CROWD] < _ROUNDING
    low = high = quality
    if quality < _CERTAIN_QUALITY:
        low, high = (min(100, _quality(gradients, shift)) for shift in (-_QUALITY_ROUNDING, _QUALITY_ROUNDING))
    if tied and high > 0:
        return _REFERENCE_PIXELS
    return _REFERENCE_PIXELS_MINOR if tied or low != high else 0


# --- the points, each as one weighted sum -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kernel:
    """The weights of 64 points along one edge, times ``scale``: one by one, and eight to a matrix.

    Each comes with the first pixel it applies to. A matrix has a row for each pixel and a column for each point.
    """

    points: tuple[tuple[int, Floats], ...]
    blocks: tuple[tuple[int, Doubles], ...]
    scale: float


@lru_cache(maxsize=64)
def _kernel(length: int) -> _Kernel:
    """Return the box filter applied twice, at the 64 points.

    Times the window's square, weights inside the edge are whole numbers: sums of 8-bit pixels stay exact.
    """
    window = _window(length)
    low, high = _box_bounds(length, window)
    centres = np.array(_centres(length))
    first, last = low[low[centres]], high[high[centres] - 1]
    members = low[centres][:, np.newaxis] + np.arange(window)
    boxes = high[centres] - low[centres]
    inside = np.arange(window) < boxes[:, np.newaxis]
    members[~inside] = 0
    shares = inside * float(window * window) / (high - low)[members] / boxes[:, np.newaxis]
    steps = np.zeros((_POINTS, 2 * window + 2))
    rows = np.arange(_POINTS)[:, np.newaxis]
    np.add.at(steps, (rows, np.where(inside, low[members] - first[:, np.newaxis], 0)), shares)
    np.subtract.at(steps, (rows, np.where(inside, high[members] - first[:, np.newaxis], 0)), shares)
    sums = steps.cumsum(axis=1)
    weights = [(int(first[point]), sums[point, : last[point] - first[point]]) for point in range(_POINTS)]
    points = tuple((first, weight.astype(np.float32)) for first, weight in weights)
    blocks = tuple(_block(weights[point : point + _BLOCK]) for point in range(0, _POINTS, _BLOCK))
    return _Kernel(points, blocks, float(window * window))


def _block(weights: list[tuple[int, Doubles]]) -> tuple[int, Doubles]:
    """Return the weights of neighbouring points as the columns of one matrix, and the first pixel it applies to."""
    start = weights[0][0]
    matrix = np.zeros((max(first + len(weight) for first, weight in weights) - start, len(weights)))
    for column, (first, weight) in enumerate(weights):
        matrix[first - start : first - start + len(weight), column] = weight
    return start, matrix


def _window(length: int) -> int:
    return (length + 2 * _POINTS - 1) // (2 * _POINTS)


def _centres(length: int) -> list[int]:
    return [int((point + 0.5) * length / _POINTS) for point in range(_POINTS)]


def _box_bounds(length: int, window: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the one after the last pixel of every box; the boxes are cut at the edges."""
    ahead = (window + 2) // 2
    at = np.arange(length)
    return np.maximum(at + ahead - window, 0), np.minimum(at + ahead, length)


def _points_at_once(planes: Pixels) -> Doubles:
    rows, columns, channels = planes.shape
    down, across = _kernel(rows), _kernel(columns)
    lines = planes.reshape(rows, columns * channels)
    summed = _SCRATCH.array("summed", (_POINTS, columns * channels), np.float32)
    highest = max(len(weight) for _, weight in down.points)
    buffer = _SCRATCH.array("lines", (highest, columns * channels), np.float32)
    for (start, weight), point in zip(down.points, summed, strict=True):
        window = buffer[: len(weight)]
        window[...] = lines[start : start + len(weight)]
        np.dot(weight, window, out=point)
    by_column = _SCRATCH.array("plane", (_POINTS, columns), np.float64)
    by_column[...] = _one_plane(summed.reshape(_POINTS, columns, channels))
    points = np.empty((_POINTS, _POINTS), dtype=np.float64)
    for number, (start, matrix) in enumerate(across.blocks):
        points[:, number * _BLOCK : (number + 1) * _BLOCK] = by_column[:, start : start + len(matrix)] @ matrix
    points /= down.scale * across.scale
    return points


class _Scratch(threading.local):
    """Memory kept from one picture to the next: to be given it anew each time costs as much as the sums."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[np.floating]] = {}

    def array(self, use: str, shape: tuple[int, int], kind: type[np.floating]) -> NDArray[np.floating]:
        """Return an array of any content; the one given out before for this use is overwritten."""
        size = shape[0] * shape[1]
        if size > _SCRATCH_SIZE:
            return np.empty(shape, dtype=kind)
        kept = self._kept.get(use)
        if kept is None or kept.size < size:
            kept = self._kept[use] = np.empty(size, dtype=kind)
        return kept[:size].reshape(shape)


_SCRATCH = _Scratch()


def _one_plane(planes: Floats) -> Floats | Doubles:
    """Return the luma of red, green and blue, or the only plane there is."""
    if planes.shape[2] == 1:
        return planes[:, :, 0]
    red, green, blue = (planes[:, :, channel].astype(np.float64) for channel in range(3))
    return red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]


# --- the points, in the reference's order of operations -----------------------------------------------


def _points_in_order(planes: Pixels) -> Floats:
    rows, columns, _ = planes.shape
    filtered = _luma_in_order(planes)
    if (rows, columns) != (_POINTS, _POINTS):
        for _ in range(2):
            filtered = _boxes_in_order(filtered, _window(columns))
            filtered = np.ascontiguousarray(_boxes_in_order(filtered.T, _window(rows)).T)
    points: Floats = filtered[_centres(rows)][:, _centres(columns)]
    return points


def _luma_in_order(planes: Pixels) -> Floats:
    if planes.shape[2] == 1:
        same = planes[:, :, 0].astype(np.float64)
        return (same * _LUMA[0] + same * _LUMA[1] + same * _LUMA[2]).astype(np.float32)
    return _one_plane(planes.astype(np.float32)).astype(np.float32)


def _boxes_in_order(values: Floats, window: int) -> Floats:
    """Return every line's running box averages as the reference adds and subtracts them."""
    length = values.shape[1]
    ahead = (window + 2) // 2
    moving = length - window
    steps = np.empty((length + moving + ahead - 1,), dtype=np.int64)
    steps[:window] = np.arange(window)
    steps[window : window + 2 * moving : 2] = np.arange(window, length)
    steps[window + 1 : window + 2 * moving : 2] = np.arange(moving)
    steps[window + 2 * moving :] = np.arange(moving, moving + ahead - 1)
    sign = np.ones(len(steps), dtype=np.float32)
    sign[window + 1 : window + 2 * moving : 2] = -1
    sign[window + 2 * moving :] = -1
    written = np.concatenate(
        (
            np.arange(ahead - 1, window),
            np.arange(window + 1, window + 2 * moving, 2),
            np.arange(window + 2 * moving, len(steps)),
        )
    )
    low, high = _box_bounds(length, window)
    sizes = (high - low).astype(np.float32)
    averages = np.empty(values.shape, dtype=np.float32)
    lines = max(1, (1 << 20) // len(steps))
    for first in range(0, len(values), lines):
        sums = np.add.accumulate(values[first : first + lines][:, steps] * sign, axis=1, dtype=np.float32)
        averages[first : first + lines] = sums[:, written] / sizes
    return averages


# --- frequencies and bits -------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _cosines() -> Floats:
    """Return rows 1 to 16 of the 64-point cosine transform."""
    row, column = np.arange(1, 17)[:, np.newaxis], np.arange(_POINTS)[np.newaxis, :]
    factor = float(np.float32(np.sqrt(2.0 / _POINTS)))
    cosines: Doubles = factor * np.cos((np.pi / 2.0 / _POINTS) * row * (2 * column + 1))
    return cosines.astype(np.float32)


def _frequencies(points: Doubles) -> Doubles:
    cosines = _cosines().astype(np.float64)
    product: Doubles = cosines @ points @ cosines.T
    return product


def _frequencies_in_order(points: Floats) -> Floats:
    cosines = _cosines()
    products = cosines[:, :, np.newaxis] * points[np.newaxis, :, :]
    halfway = np.add.accumulate(products, axis=1, dtype=np.float32)[:, -1, :]
    products = halfway[:, np.newaxis, :] * cosines[np.newaxis, :, :]
    whole: Floats = np.add.accumulate(products, axis=2, dtype=np.float32)[:, :, -1]
    return whole


def _turned(frequencies: Doubles) -> tuple[bytes, ...]:
    """Return the hashes of the eight orientations; turning a picture changes signs and swaps axes.

    One bit for each frequency above the lower median, the last one first.
    """
    turned = frequencies * _signs()
    turned[_TRANSPOSED] = turned[_TRANSPOSED].transpose(0, 2, 1)
    flat = turned.reshape(8, 256)
    medians = np.partition(flat, 127, axis=1)[:, 127:128]
    packed = np.packbits((flat > medians)[:, ::-1], axis=1)
    return tuple(row.tobytes() for row in packed)


_TRANSPOSED = [1, 3, 6, 7]
"""Rotate 90, rotate 270, flip plus 1 and flip minus 1 swap the axes."""


@lru_cache(maxsize=1)
def _signs() -> Doubles:
    """Return the sign of every frequency in each of the eight orientations, before the axes are swapped."""
    odd = np.where(np.arange(16) & 1, 1.0, -1.0)
    same = np.ones((16, 16))
    by_row, by_column = same * odd[:, np.newaxis], same * odd[np.newaxis, :]
    both = by_row * by_column
    return np.stack((same, by_column, both, by_row, by_row, by_column, same, both))
