"""PDQ, the perceptual hash of 256 bits, computed from pixels, with its quality and its eight orientations.

By the reference implementation of its authors (facebook/ThreatExchange, ``pdq/cpp``), in the form without a
resize beforehand, as ``pdqhash`` and ``threatexchange`` compute it. The two box filters there are linear and only
64 by 64 points of their output are used, so each point is a weighted sum over a small window: the picture
is read once. Where floating-point order alone would decide (small, flat or regular pictures) the reference's own order
of operations is followed, so that the same pixels give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

METHOD = "kaval-pdq 1"

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_POINTS = 64
_MINIMUM_EDGE = 5
_REFERENCE_EDGE = 64
_REFERENCE_PIXELS = 1 << 24
_REFERENCE_PIXELS_FLAT = 1 << 20
_LUMA = (0.299, 0.587, 0.114)
_ROUNDING = 5e-3
_TIE = 1e-6
_QUALITY_ROUNDING = 2e-5


@dataclass(frozen=True, slots=True)
class Pdq:
    """The eight hashes of 32 bytes, the unturned one first, and the quality, 0 to 100.

    Order: original, rotate 90, rotate 180, rotate 270, flip x, flip y, flip plus 1, flip minus 1. A picture
    with an edge under five pixels has quality 0 and eight hashes of zeros.
    """

    hashes: tuple[bytes, ...]
    quality: int


def pdq_of_luma(luma: Pixels, gain: float = 1.0) -> Pdq:
    """Return the PDQ of a picture given as one plane of 8-bit luma, rows by columns.

    ``gain`` stretches a luma that does not use all 256 steps (255 / 219 of video); only the quality depends on it.
    """
    return _pdq(luma[:, :, np.newaxis], gain)


def pdq_of_rgb(rgb: Pixels) -> Pdq:
    """Return the PDQ of a picture given as rows by columns by red, green, blue; its luma is not rounded."""
    return _pdq(rgb)


def _pdq(planes: Pixels, gain: float = 1.0) -> Pdq:
    rows, columns, _ = planes.shape
    if min(rows, columns) < _MINIMUM_EDGE:
        return Pdq((bytes(32),) * 8, 0)
    if min(rows, columns) < _REFERENCE_EDGE or (rows, columns) == (_POINTS, _POINTS):
        return _of_points(_points_in_order(planes) * np.float32(gain))
    points = _points_at_once(planes) * gain
    frequencies = _frequencies(points)
    if rows * columns <= _doubtful_up_to(frequencies, points):
        return _of_points(_points_in_order(planes) * np.float32(gain))
    return Pdq(_turned(frequencies), _quality(points.astype(np.float32)))


def _of_points(points: Floats) -> Pdq:
    return Pdq(_turned(_frequencies_in_order(points).astype(np.float64)), _quality(points))


def _quality(points: Floats) -> int:
    """Return the sum of the gradients that show, scaled and capped as the reference does."""
    return min(100, int(_gradients(points).sum()) // 90)


def _gradients(points: Floats, shift: float = 0.0) -> NDArray[np.int64]:
    downwards = np.abs((points[:-1] - points[1:]) * np.float32(100) / np.float32(255)).ravel()
    sideways = np.abs((points[:, :-1] - points[:, 1:]) * np.float32(100) / np.float32(255)).ravel()
    return (np.concatenate((downwards, sideways)) + np.float32(shift)).astype(np.int64)


def _doubtful_up_to(frequencies: Doubles, points: Doubles) -> int:
    """Return up to how many pixels the reference's order is to be followed, because rounding may decide.

    That is so where several frequencies lie at the median, or the quality at the edge of a step. A flat picture is
    never matched, so a large one keeps what rounding made of it.
    """
    distances = np.sort(np.abs(frequencies - np.partition(frequencies, 127, axis=None)[127]), axis=None)
    tied = distances[1] < _TIE or distances[2] < _ROUNDING
    as_stored = points.astype(np.float32)
    low, high = (int(_gradients(as_stored, shift).sum()) // 90 for shift in (-_QUALITY_ROUNDING, _QUALITY_ROUNDING))
    if min(low, 100) != min(high, 100) or (tied and high > 0):
        return _REFERENCE_PIXELS
    return _REFERENCE_PIXELS_FLAT if tied else 0


# --- the points, each as one weighted sum -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kernel:
    """The weights of 64 points along one edge: where each starts, and its weights times ``scale``."""

    starts: tuple[int, ...]
    weights: tuple[Doubles, ...]
    single: tuple[Floats, ...]
    scale: float


@lru_cache(maxsize=64)
def _kernel(length: int) -> _Kernel:
    """Return the box filter applied twice, at the 64 points.

    Times the window's square, weights inside the edge are whole numbers: sums of 8-bit pixels stay exact.
    """
    window = _window(length)
    low, high = _box_bounds(length, window)
    starts, weights = [], []
    for centre in _centres(length):
        members = range(low[centre], high[centre])
        first, last = low[members[0]], high[members[-1]]
        weight = np.zeros(last - first)
        for member in members:
            share = window * window / (high[member] - low[member]) / len(members)
            weight[low[member] - first : high[member] - first] += share
        starts.append(first)
        weights.append(weight)
    single = tuple(weight.astype(np.float32) for weight in weights)
    return _Kernel(tuple(starts), tuple(weights), single, float(window * window))


def _window(length: int) -> int:
    return (length + 2 * _POINTS - 1) // (2 * _POINTS)


def _centres(length: int) -> list[int]:
    return [int((point + 0.5) * length / _POINTS) for point in range(_POINTS)]


def _box_bounds(length: int, window: int) -> tuple[list[int], list[int]]:
    """Return the first and the one after the last pixel of every box; the boxes are cut at the edges."""
    ahead = (window + 2) // 2
    low = [max(at + ahead - window, 0) for at in range(length)]
    high = [min(at + ahead, length) for at in range(length)]
    return low, high


def _points_at_once(planes: Pixels) -> Doubles:
    rows, columns, channels = planes.shape
    down, across = _kernel(rows), _kernel(columns)
    lines = planes.reshape(rows, columns * channels)
    block = np.empty((max(map(len, down.single)), columns * channels), dtype=np.float32)
    summed = np.empty((_POINTS, columns * channels), dtype=np.float32)
    for point, (start, weight) in enumerate(zip(down.starts, down.single, strict=True)):
        window = block[: len(weight)]
        window[...] = lines[start : start + len(weight)]
        np.dot(weight, window, out=summed[point])
    by_column = _one_plane(summed.reshape(_POINTS, columns, channels))
    points = np.empty((_POINTS, _POINTS), dtype=np.float64)
    for point, (start, exact) in enumerate(zip(across.starts, across.weights, strict=True)):
        np.dot(by_column[:, start : start + len(exact)], exact, out=points[point])
    return points.T / (down.scale * across.scale)


def _one_plane(planes: Floats) -> Doubles:
    """Return the luma of red, green and blue, or the only plane there is."""
    if planes.shape[2] == 1:
        return planes[:, :, 0].astype(np.float64)
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
    sizes = (np.array(high) - np.array(low)).astype(np.float32)
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
    """Return the hashes of the eight orientations; turning a picture changes signs and swaps axes."""
    odd: Doubles = np.where(np.arange(16) & 1, 1.0, -1.0)
    by_row, by_column = odd[:, np.newaxis], odd[np.newaxis, :]
    both = by_row * by_column
    turned = (
        frequencies,
        (frequencies * by_column).T,
        frequencies * both,
        (frequencies * by_row).T,
        frequencies * by_row,
        frequencies * by_column,
        frequencies.T,
        (frequencies * both).T,
    )
    return tuple(_bits(each) for each in turned)


def _bits(frequencies: Doubles) -> bytes:
    """Return one bit for each frequency above the lower median, the last one first."""
    flat = frequencies.ravel()
    median = np.partition(flat, 127)[127]
    return np.packbits((flat > median)[::-1]).tobytes()
