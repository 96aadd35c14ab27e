"""Near matching of PDQ hashes: every known hash within a Hamming distance, none missed, none invented.

Small sets, and distances beyond what bands can do, are compared one by one. All else goes through the index
(``kaval.knownsets.bands``). With numba installed the same steps run compiled; the answers are the same.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import UsageError
from kaval.knownsets import fast
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.bands import HASH_BITS, Probes, probes_for
from kaval.knownsets.batches import Rows
from kaval.knownsets.exact import map_file
from kaval.knownsets.hash_index import HashIndex

FLAT_BELOW = 50_000
"""Sets with fewer hashes get no index: comparing all of them costs less."""

_SCAN_COST = 3.0
_ROWS_A_SCAN = 1 << 16
_QUERIES_A_RUN = 64


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which query is near to which row, and how near; sorted by query and row, each pair once."""

    query: NDArray[np.int64]
    row: NDArray[np.int64]
    distance: NDArray[np.int64]


class HashTable:
    """The distinct PDQ hashes of a set; rows are numbered from 0 in sorted order."""

    def __init__(self, folder: Path) -> None:
        values = map_file(folder / "pdq.values", mmap.MADV_RANDOM)
        self.rows: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, WIDTHS["pdq"])
        self._words: NDArray[np.uint64] = self.rows.view("<u8")
        self._probes: dict[int, Probes] = {}
        self._index = HashIndex(folder, len(self.rows)) if (folder / "pdq.index.json").exists() else None

    def search(self, queries: Rows, threshold: int) -> Pairs:
        """Return every pair of query and row within a distance.

        Raises:
            UsageError: The threshold is no number of bits.
        """
        if not 0 <= threshold <= HASH_BITS:
            raise UsageError(f"a PDQ distance lies between 0 and {HASH_BITS}; {threshold} does not")
        queries = np.ascontiguousarray(queries)
        if self._index is None or self._probes_of(self._index, threshold).cost > _SCAN_COST * len(self.rows):
            return self.scan(queries, threshold)
        return self.ask(queries, threshold)

    def search_any(self, turned: Sequence[Sequence[bytes]], threshold: int) -> list[list[tuple[int, int, int]]]:
        """Return for each picture, given in several orientations, the rows near to it.

        A row is told once, as (row, distance, orientation), by the orientation that comes nearest, the earlier
        of two that come equally near.
        """
        flat = [value for hashes in turned for value in hashes]
        if not flat:
            return [[] for _ in turned]
        pairs = self.search(np.frombuffer(b"".join(flat), dtype=np.uint8).reshape(len(flat), -1), threshold)
        picture = np.repeat(np.arange(len(turned)), [len(hashes) for hashes in turned])
        first = np.cumsum([0, *map(len, turned)])
        best: list[dict[int, tuple[int, int, int]]] = [{} for _ in turned]
        for query, row, distance in zip(pairs.query.tolist(), pairs.row.tolist(), pairs.distance.tolist(), strict=True):
            found = best[picture[query]]
            if row not in found or distance < found[row][1]:
                found[row] = (row, distance, int(query - first[picture[query]]))
        return [list(found.values()) for found in best]

    def scan(self, queries: Rows, threshold: int) -> Pairs:
        """Return the same by comparing every query with every row."""
        wanted: NDArray[np.uint64] = queries.view("<u8")
        found: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = []
        for start in range(0, len(self._words), _ROWS_A_SCAN):
            words = np.ascontiguousarray(self._words[start : start + _ROWS_A_SCAN].T)
            for query in range(len(wanted)):
                distance = np.bitwise_count(words[0] ^ wanted[query, 0])
                distance += np.bitwise_count(words[1] ^ wanted[query, 1])
                left = np.flatnonzero(distance <= threshold)
                whole = distance[left].astype(np.int64)
                for word in (2, 3):
                    whole += np.bitwise_count(words[word, left] ^ wanted[query, word])
                kept = whole <= threshold
                if kept.any():
                    found.append((query, left[kept] + start, whole[kept]))
        return _pairs(
            np.concatenate([np.full(len(rows), query, dtype=np.int64) for query, rows, _ in found] or [_NONE]),
            np.concatenate([rows for _, rows, _ in found] or [_NONE]),
            np.concatenate([distances for _, _, distances in found] or [_NONE]),
        )

    def _probes_of(self, index: HashIndex, threshold: int) -> Probes:
        found = self._probes.get(threshold)
        if found is None:
            found = self._probes.setdefault(threshold, probes_for(index.bands, index.count, threshold))
        return found

    def ask(self, queries: Rows, threshold: int) -> Pairs:
        """Return the same through the index.

        Raises:
            UsageError: There is none, or its bands are not exact for so wide a distance.
        """
        index = self._index
        probes = None if index is None else self._probes_of(index, threshold)
        if index is None or probes is None or probes.cost == float("inf"):
            raise UsageError(f"no index answers for a distance of {threshold}")
        places, tags = index.asked(queries)
        wanted: NDArray[np.uint64] = queries.view("<u8")
        if fast.EFFORT.pays(len(queries) * probes.cost):
            return _pairs(*fast.near(index, self._words, wanted, places, tags, probes, threshold))
        parts = []
        for start in range(0, len(queries), _QUERIES_A_RUN):
            run = slice(start, start + _QUERIES_A_RUN)
            asking, rows = _candidates(index, places[run], tags[run], probes)
            asking += start
            distance = np.bitwise_count(self._words[rows] ^ wanted[asking]).sum(axis=1, dtype=np.int64)
            near = distance <= threshold
            parts.append((asking[near], rows[near], distance[near]))
        query, row, distances = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return _pairs(query, row, distances)


_NONE: NDArray[np.int64] = np.empty(0, dtype=np.int64)


def _pairs(query: NDArray[np.int64], row: NDArray[np.int64], distance: NDArray[np.int64]) -> Pairs:
    """Return pairs in order, each once: a near hash may be found through several bands."""
    order = np.lexsort((row, query))
    query, row, distance = query[order], row[order], distance[order]
    kept = np.ones(len(query), dtype=bool)
    kept[1:] = (query[1:] != query[:-1]) | (row[1:] != row[:-1])
    return Pairs(query[kept], row[kept], distance[kept])


def _candidates(
    index: HashIndex, places: NDArray[np.uint32], tags: NDArray[np.uint32], probes: Probes
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (query, row) pairs that pass the rule of the ring."""
    queries, rows = [], []
    base = np.arange(len(index.bands), dtype=np.int64) * index.count
    for query in range(len(places)):
        at = (places[query][probes.band] ^ probes.mask).astype(np.int64) + index.table_of_band[probes.band]
        low = index.starts[at].astype(np.int64)
        sizes = index.starts[at + 1].astype(np.int64) - low
        ends = np.cumsum(sizes)
        position = np.repeat(low + base[probes.band] - (ends - sizes), sizes)
        position += np.arange(len(position))
        differing = index.tags[position]
        borders = np.concatenate(([0], ends))[probes.first]
        for band, (start, end) in enumerate(pairwise(borders)):
            differing[start:end] ^= tags[query, band]
        passed = np.flatnonzero(np.bitwise_count(differing) <= np.repeat(probes.allowed, sizes))
        rows.append(index.ids[position[passed]].astype(np.int64))
        queries.append(np.full(len(passed), query, dtype=np.int64))
    return np.concatenate(queries or [_NONE]), np.concatenate(rows or [_NONE])
