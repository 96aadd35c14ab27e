"""Compiled inner loops (numba). Imported only through ``kaval.knownsets.fast``.

Each does what its numpy twin does; tests hold one against the other. Memory is asked for some steps ahead
(prefetch), because these loops wait for memory and for nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

ir: Any = importlib.import_module("llvmlite.ir")

F = TypeVar("F", bound=Callable[..., Any])

U = np.uint64
"""Numbers that index memory have no sign: numba then needs no branch for those that count from the end."""

AHEAD = U(16)
"""How many steps ahead memory is asked for."""

LONG_RUN = U(64)
"""Rows of a bucket above which it is halved and not walked."""

_TOGETHER = 64
"""How many look-ups wait for memory together."""


def _compiled(function: F) -> F:
    """Return a function that is compiled at its first call, and kept on the disk where there is a place for it."""
    try:
        return cast("F", numba.njit(cache=True, boundscheck=False, nogil=True)(function))
    except RuntimeError:  # numba finds no folder to keep it in
        return cast("F", numba.njit(boundscheck=False, nogil=True)(function))


def _popcount(typing_context: Any, number: Any) -> Any:
    """Count the bits that are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return number(number), generate


def _prefetch(typing_context: Any, address: Any) -> Any:
    """Ask for the memory at an address; nothing is read, so any address is allowed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(function, [builder.inttoptr(arguments[0], byte), word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(types.uint64), generate


def _leading(typing_context: Any, address: Any) -> Any:
    """Read the eight bytes at an address as a number that sorts as they do: big-endian, wherever they lie."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        loaded = builder.load(builder.inttoptr(arguments[0], word.as_pointer()), align=1)
        return builder.bswap(loaded)

    return types.uint64(types.uint64), generate


popcount: Any = intrinsic(_popcount)
prefetch: Any = intrinsic(_prefetch)
leading: Any = intrinsic(_leading)


@_compiled
def ask_for(entries: NDArray[np.uint32], low: Any, high: Any) -> None:
    """Ask for the memory of a run of entries."""
    address = U(entries.ctypes.data) + U(4) * low
    end = U(entries.ctypes.data) + U(4) * high
    while address < end:
        prefetch(address)
        address += U(64)


@_compiled
def passes(entries: NDArray[np.uint32], low: Any, high: Any, tag: Any, limit: Any) -> Any:
    """Return whether a tag of a run differs by few enough bits; long runs are counted whole, many at a time."""
    if high - low > U(12):
        passed = np.uint32(0)
        for entry in range(high - low):
            passed += np.uint32(popcount(entries[low + U(entry)] ^ tag) <= limit)
        return passed > 0
    for entry in range(low, high):  # noqa: SIM110 (numba compiles loops, not generators)
        if popcount(entries[U(entry)] ^ tag) <= limit:
            return True
    return False


@_compiled
def near(
    places: NDArray[np.uint32],
    tags: NDArray[np.uint32],
    wanted: NDArray[np.uint64],
    words: NDArray[np.uint64],
    starts: NDArray[np.uint32],
    entry_tags: NDArray[np.uint32],
    entry_ids: NDArray[np.uint32],
    table_of_band: NDArray[np.int64],
    mask: NDArray[np.uint32],
    allowed: NDArray[np.uint8],
    first: NDArray[np.int64],
    count: int,
    threshold: int,
    found: NDArray[np.int64],
) -> int:
    """Write query, row, distance of every pair within a distance; return how many there are, room or not."""
    total = 0
    bands = len(first) - 1
    widest = 0
    for band in range(bands):
        widest = max(widest, first[band + 1] - first[band])
    lows = np.empty(widest, dtype=np.uint64)
    highs = np.empty(widest, dtype=np.uint64)
    for query in range(len(places)):
        for band in range(bands):
            start, probes = U(first[band]), U(first[band + 1] - first[band])
            for probe in range(probes):
                place = U(places[query, band] ^ mask[start + U(probe)]) + U(table_of_band[band])
                lows[probe] = U(starts[place]) + U(band * count)
                highs[probe] = U(starts[place + U(1)]) + U(band * count)
            for probe in range(min(probes, AHEAD)):
                ask_for(entry_tags, lows[probe], highs[probe])
            tag = tags[query, band]
            for probe in range(probes):
                ahead = U(probe) + AHEAD
                if ahead < probes:
                    ask_for(entry_tags, lows[ahead], highs[ahead])
                limit = np.uint32(allowed[start + U(probe)])
                low, high = lows[probe], highs[probe]
                if passes(entry_tags, low, high, tag, limit):
                    for entry in range(low, high):
                        if popcount(entry_tags[U(entry)] ^ tag) <= limit:
                            row = U(entry_ids[U(entry)])
                            distance = U(0)
                            for word in range(4):
                                distance += popcount(words[row, U(word)] ^ wanted[query, U(word)])
                            if distance <= U(threshold):
                                if total < found.shape[1]:
                                    found[0, total] = query
                                    found[1, total] = row
                                    found[2, total] = distance
                                total += 1
    return total


@_compiled
def order(value: Any, query: Any, width: Any) -> int:
    """Return -1, 0 or 1 as the value at an address sorts before, is, or sorts after the one at another.

    The first eight bytes are known to be equal; the rest is compared eight at a time, the last eight whole.
    """
    place = U(8)
    while True:
        if place + U(8) > width:
            place = width - U(8)
        mine, other = leading(value + place), leading(query + place)
        if mine != other:
            return -1 if mine < other else 1
        place += U(8)
        if place >= width:
            return 0


@_compiled
def lower_bound(memory: Any, step: Any, low: Any, high: Any, guess: Any, wanted: Any, query: Any) -> Any:
    """Return the first row of a run whose first eight bytes are not before the wanted ones.

    Short runs are walked from where evenly spread values would have it. Long ones are halved, by all bytes: there the
    row is the first that is not before the query, however many begin alike.
    """
    if high - low > LONG_RUN:
        while low < high:
            middle = (low + high) >> U(1)
            first = leading(memory + step * middle)
            if first < wanted or (first == wanted and order(memory + step * middle, query, step) < 0):
                low = middle + U(1)
            else:
                high = middle
        return low
    row = guess
    while row < high and leading(memory + step * row) < wanted:
        row += U(1)
    while row > low and leading(memory + step * (row - U(1))) >= wanted:
        row -= U(1)
    return row


@_compiled
def find(
    queries: NDArray[np.uint8],
    values: NDArray[np.uint8],
    buckets: NDArray[np.uint32],
    bits: int,
    rows: NDArray[np.int64],
) -> None:
    """Write the row of each query, -1 where it is not there.

    Queries are taken some at a time: their buckets are asked for, then the values in them, then all are searched.
    """
    step = U(queries.shape[1])
    low = np.empty(_TOGETHER, dtype=np.uint64)
    high = np.empty(_TOGETHER, dtype=np.uint64)
    guess = np.empty(_TOGETHER, dtype=np.uint64)
    wanted = np.empty(_TOGETHER, dtype=np.uint64)
    asked, memory, table = U(queries.ctypes.data), U(values.ctypes.data), U(buckets.ctypes.data)
    item, shift = U(buckets.itemsize), U(64 - bits)
    for start in range(0, len(queries), _TOGETHER):
        count = min(_TOGETHER, len(queries) - start)
        for place in range(count):
            wanted[place] = leading(asked + step * U(start + place))
            prefetch(table + item * (wanted[place] >> shift))
        for place in range(count):
            bucket = wanted[place] >> shift
            low[place], high[place] = U(buckets[bucket]), U(buckets[bucket + U(1)])
            within = (wanted[place] << U(bits)) >> U(32)
            guess[place] = low[place] + ((within * (high[place] - low[place])) >> U(32))
            address = memory + step * guess[place]
            prefetch(address - U(64))
            prefetch(address)
            prefetch(address + U(64))
        for place in range(count):
            rows[start + place] = -1
            query = asked + step * U(start + place)
            row = lower_bound(memory, step, low[place], high[place], guess[place], wanted[place], query)
            while row < high[place] and leading(memory + step * row) == wanted[place]:
                rest = order(memory + step * row, query, step)
                if rest == 0:
                    rows[start + place] = row
                if rest >= 0:
                    break
                row += U(1)


@_compiled
def squared_distance(row: NDArray[np.uint8], query: NDArray[np.int32]) -> Any:
    """Return the squared Euclidean distance of two vectors."""
    distance = np.int32(0)
    for place in range(len(query)):
        difference = np.int32(row[place]) - query[place]
        distance += difference * difference
    return distance


@_compiled
def near_vectors(
    sums: NDArray[np.int16],
    wanted: NDArray[np.int16],
    rows: NDArray[np.uint8],
    query: NDArray[np.int32],
    limit: Any,
    threshold: Any,
    found: NDArray[np.int64],
) -> int:
    """Write row and squared distance of the vectors within a threshold; return how many there are, room or not.

    ``limit`` bounds the squares of the differences of the block sums, added up for the rows of a tile at once, four
    blocks in a step; their number is a multiple of four.
    """
    tiles, blocks, size = sums.shape
    width = rows.shape[1]
    memory = U(rows.ctypes.data)
    bound = np.empty(size, dtype=np.int32)
    candidates = np.empty(size, dtype=np.int64)
    total = 0
    for tile in range(tiles):
        bound[:] = 0
        for block in range(0, blocks, 4):
            one, two, three, four = (
                sums[tile, block],
                sums[tile, block + 1],
                sums[tile, block + 2],
                sums[tile, block + 3],
            )
            w, x, y, z = wanted[block], wanted[block + 1], wanted[block + 2], wanted[block + 3]
            for place in range(size):
                first, second = np.int32(np.int16(one[place] - w)), np.int32(np.int16(two[place] - x))
                third, fourth = np.int32(np.int16(three[place] - y)), np.int32(np.int16(four[place] - z))
                bound[place] += first * first + second * second + third * third + fourth * fourth
        start = tile * size
        waiting = 0
        for place in range(min(size, len(rows) - start)):
            if bound[place] <= limit:
                candidates[waiting] = start + place
                waiting += 1
                address = memory + U((start + place) * width)
                prefetch(address)
                prefetch(address + U(64))
                prefetch(address + U(width - 1))
        for place in range(waiting):
            row = candidates[place]
            distance = squared_distance(rows[row], query)
            if distance <= threshold:
                if total < found.shape[1]:
                    found[0, total] = row
                    found[1, total] = distance
                total += 1
    return total
