"""The same steps compiled by numba, where it is installed and there is enough to do; the answers are the same.

``KAVAL_FAST=0`` in the environment keeps to numpy.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kaval.knownsets.bands import Probes

if TYPE_CHECKING:
    from kaval.knownsets.hash_index import HashIndex

_WORTH_IT = 2e8
"""Nanoseconds of work after which loading the compiled steps pays."""


@cache
def installed() -> bool:
    """Whether numba can be used here."""
    return os.environ.get("KAVAL_FAST", "1") != "0" and importlib.util.find_spec("numba") is not None


class Effort:
    """What this process has been asked to do so far, in about nanoseconds."""

    def __init__(self) -> None:
        self.spent = 0.0

    def pays(self, cost: float) -> bool:
        """Whether work of so many nanoseconds should run compiled, after what was asked before."""
        self.spent += cost
        return self.spent > _WORTH_IT and installed()


EFFORT = Effort()
"""The effort of this process."""


@cache
def _kernels() -> ModuleType:
    return importlib.import_module("kaval.knownsets.kernels")


def find(queries: NDArray[np.uint8], values: NDArray[np.uint8], buckets: NDArray[Any], bits: int) -> NDArray[np.int64]:
    """Return the row of each query in a table of sorted values, -1 where it is not there."""
    kernels: Any = _kernels()
    rows = np.empty(len(queries), dtype=np.int64)
    kernels.find(queries, values, buckets, np.int64(bits), rows)
    return rows


def near(
    index: HashIndex,
    words: NDArray[np.uint64],
    wanted: NDArray[np.uint64],
    places: NDArray[np.uint32],
    tags: NDArray[np.uint32],
    probes: Probes,
    threshold: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return query, row and distance of every pair within a distance, pairs found twice twice."""
    kernels: Any = _kernels()
    room = 16 * len(wanted) + 1024
    while True:
        found = np.empty((3, room), dtype=np.int64)
        count = kernels.near(
            places, tags, wanted, words, index.starts, index.tags, index.ids, index.table_of_band,
            probes.mask, probes.allowed, probes.first, np.int64(index.count), np.int64(threshold), found,
        )  # fmt: skip
        if count <= room:
            return found[0, :count], found[1, :count], found[2, :count]
        room = int(count)


def near_vectors(
    sums: NDArray[np.int16],
    wanted: NDArray[np.int16],
    rows: NDArray[np.uint8],
    query: NDArray[np.uint8],
    threshold: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and squared distance of the vectors within a threshold, by their block sums and then in full."""
    kernels: Any = _kernels()
    limit = np.int32(min(threshold * (rows.shape[1] // len(wanted)), 2**31 - 1))
    room = 4096
    while True:
        found = np.empty((2, room), dtype=np.int64)
        count = int(kernels.near_vectors(sums, wanted, rows, query.astype(np.int32), limit, np.int32(threshold), found))
        if count <= room:
            return found[0, :count], found[1, :count]
        room = count
