"""Bands: how 256 bits are cut so that near hashes are found without looking at all of them, and none is missed.

Every hash is cut into the same bands. Give each band *i* a radius *r(i)*, -1 for a band that is not asked. Two
hashes within distance *t* differ by at most *r(i)* in some band whenever the sum of *r(i)* + 1 is at least *t* + 1:
else every band would cost *r(i)* + 1 bits. More is true when the bands are seen as a ring (the cycle lemma): there
is a band from which on, however many bands one goes on, the bits spent stay below the sum of *r* + 1 so far. So
it is enough to ask, band by band, for hashes that agree with the query so far *and* over the 32 bits that follow
on the ring; almost no stranger passes that.

A band is asked through its first ``bits`` bits, the directory. The 32 bits that follow, the tag, lie beside the
row number. What remains is compared in full, so that nothing false is ever reported either.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

HASH_BITS = 256
TAG_BITS = 32
LARGEST_RADIUS = 3
BUILT_FOR = 31
"""The threshold for which the cut is best; any other is answered as exactly."""

_VISIT_COST, _ENTRY_COST = 25.0, 2.0
_BYTES_A_HASH = 150.0
_DIRECTORY_BITS = range(4, 29)


@dataclass(frozen=True, slots=True)
class Band:
    """``width`` bits from ``offset`` on; the first ``bits`` of them are the directory."""

    offset: int
    width: int
    bits: int


def visits(bits: int, radius: int) -> int:
    """Return how many directory places lie within a radius."""
    return sum(comb(bits, flipped) for flipped in range(radius + 1))


def _cost(bits: int, radius: int, count: int) -> float:
    return visits(bits, radius) * (_VISIT_COST + _ENTRY_COST * count / (1 << bits))


def _best_bits(width: int, radius: int, count: int) -> tuple[float, int]:
    return min((_cost(bits, radius, count), bits) for bits in _DIRECTORY_BITS if bits <= width)


@lru_cache(maxsize=64)
def choose_bands(count: int) -> tuple[Band, ...]:
    """Return the cut that costs least for so many hashes within the memory allowed."""
    best: tuple[float, list[tuple[int, int]]] | None = None
    for widths in _cuts():
        chosen = [_best_bits(width, radius, count) for width, radius in widths]
        size = HASH_BITS // 8 + sum(8 + 4 * (1 << bits) / max(1, count) for _, bits in chosen)
        cost = sum(cost for cost, _ in chosen)
        if size <= _BYTES_A_HASH and (best is None or cost < best[0]):
            best = cost, [(width, bits) for (width, _), (_, bits) in zip(widths, chosen, strict=True)]
    pairs = best[1] if best else [(16, 4)] * 16
    offsets = np.cumsum([0, *(width for width, _ in pairs)])
    return tuple(Band(int(offset), width, bits) for offset, (width, bits) in zip(offsets, pairs, strict=False))


@lru_cache(maxsize=1)
def _cuts() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return the cuts worth comparing: narrow bands of radius 1 and wide ones of radius 2, exact at 31."""
    found = []
    for wide in range(0, 11, 2):
        narrow = (BUILT_FOR + 1 - 3 * wide) // 2
        for width in range(10, 29):
            rest = HASH_BITS - narrow * width
            if (wide and not width <= rest // wide <= 30) or (not wide and rest):
                continue
            spread = [rest // wide + (number < rest % wide) for number in range(wide)] if wide else []
            found.append((*((width, 1),) * narrow, *((part, 2) for part in spread)))
    return tuple(found)


@lru_cache(maxsize=256)
def choose_radii(bands: tuple[Band, ...], count: int, threshold: int) -> tuple[float, tuple[int, ...]]:
    """Return the radii that are exact for a threshold at the least cost, and that cost in about nanoseconds."""
    needed = threshold + 1
    costs = [0.0] + [float("inf")] * needed
    trails: list[tuple[int, ...]] = [()] * (needed + 1)
    for band in bands:
        new_costs, new_trails = list(costs), [(*trail, -1) for trail in trails]
        for radius in range(LARGEST_RADIUS + 1):
            spent = _cost(band.bits, radius, count)
            for reached, cost in enumerate(costs):
                place = min(needed, reached + radius + 1)
                if cost + spent < new_costs[place]:
                    new_costs[place], new_trails[place] = cost + spent, (*trails[reached], radius)
        costs, trails = new_costs, new_trails
    return costs[needed], trails[needed]


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Everything a search of one threshold asks, prepared.

    Probe *p* belongs to band ``band[p]``: its directory place is that of the query with the bits ``mask[p]``
    flipped, and an entry there is worth comparing when its tag differs by at most ``allowed[p]`` bits. The probes
    of band *i* are those from ``first[i]`` to ``first[i + 1]``.
    """

    band: NDArray[np.int64]
    mask: NDArray[np.uint32]
    allowed: NDArray[np.uint8]
    first: NDArray[np.int64]
    cost: float


@lru_cache(maxsize=64)
def probes_for(bands: tuple[Band, ...], count: int, threshold: int) -> Probes:
    """Return the probes of a threshold; ``cost`` is infinite where these bands cannot be exact for it."""
    cost, radii = choose_radii(bands, count, threshold)
    owners: list[int] = []
    masks: list[int] = []
    allowed: list[int] = []
    first = [0]
    for number, radius in enumerate(radii):
        reach = _reach(bands, radii, number)
        for flipped in range(radius + 1):
            for places in combinations(range(bands[number].bits), flipped):
                owners.append(number)
                masks.append(sum(1 << place for place in places))
                allowed.append(min(TAG_BITS, reach - flipped))
        first.append(len(masks))
    return Probes(
        band=np.array(owners, dtype=np.int64),
        mask=np.array(masks, dtype=np.uint32),
        allowed=np.array(allowed, dtype=np.uint8),
        first=np.array(first, dtype=np.int64),
        cost=cost,
    )


def _reach(bands: tuple[Band, ...], radii: tuple[int, ...], number: int) -> int:
    """Return how many bits may differ over directory and tag of a band, by the rule of the ring."""
    covered = bands[number].width - bands[number].bits
    spent = radii[number]
    following = number
    while covered < TAG_BITS:
        following = (following + 1) % len(bands)
        covered += bands[following].width
        spent += radii[following] + 1
    return spent
