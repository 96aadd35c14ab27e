"""CRC-32C as a state: no inversion at either end, the state after one part being the seed of the next."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78
_PIECE = 4096


@cache
def _byte_table() -> npt.NDArray[np.uint32]:
    words = []
    for word in range(256):
        for _ in range(8):
            word = word >> 1 ^ (_POLYNOMIAL if word & 1 else 0)  # noqa: PLW2901 - shifted in place, as the algorithm says
        words.append(word)
    return np.array(words, np.uint32)


@cache
def _position_tables() -> npt.NDArray[np.uint32]:
    """Return for every place in a piece, counted to its end, what each value of that byte adds to the sum."""
    single = _byte_table()
    tables = np.empty((_PIECE, 256), np.uint32)
    tables[_PIECE - 1] = single
    for place in range(_PIECE - 2, -1, -1):
        after = tables[place + 1]
        tables[place] = (after >> 8) ^ single[after & 0xFF]
    return tables


def crc32c_rows(seeds: npt.NDArray[np.uint32], rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return the checksum of each row, continued from its seed; rows are a multiple of four bytes long.

    The sum is linear over GF(2): each byte adds its own word, and the seed is laid over the first four bytes.
    """
    sums = seeds.astype(np.uint32)
    for start in range(0, rows.shape[1], _PIECE):
        sums = _sum_pieces(sums, rows[:, start : start + _PIECE])
    return sums


def _sum_pieces(seeds: npt.NDArray[np.uint32], rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    count, length = rows.shape
    tables = _position_tables()[_PIECE - length :]
    seeded = rows.copy()
    seeded[:, :4] ^= np.ascontiguousarray(seeds.astype("<u4")).view(np.uint8).reshape(count, 4)
    places = np.arange(length)
    sums = np.empty(count, np.uint32)
    step = max(1, (1 << 20) // length)
    for start in range(0, count, step):
        words = tables[places, seeded[start : start + step]]
        sums[start : start + step] = np.bitwise_xor.reduce(words, axis=1)
    return sums


def crc32c(seed: int, part: bytes) -> int:
    """Return the checksum of one part continued from ``seed``."""
    whole = len(part) & ~3
    if whole:
        rows = np.frombuffer(part, np.uint8, whole).reshape(1, -1)
        seed = int(crc32c_rows(np.array([seed], np.uint32), rows)[0])
    for byte in part[whole:]:
        seed = int(_byte_table()[(seed ^ byte) & 0xFF]) ^ seed >> 8
    return seed
