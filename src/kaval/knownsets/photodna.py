"""PhotoDNA values: stored and passed on as they came; compared only where the operator switches it on, never made.

Computing PhotoDNA needs a licence of its owner; a value somebody sent may be kept, exported and compared. Values of
144 bytes are near when their squared Euclidean distance is at most a threshold (40 000 in public readers).

Comparing looks at sums of blocks first: the squared difference of two sums over *k* places, divided by *k*, is never
more than the squared distance over these places (Cauchy-Schwarz). Twelve such sums turn away nearly everything
before a vector is read, and nothing that is near.
"""

from __future__ import annotations

import base64
import binascii
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.knownsets import fast
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import NO_DETAIL, Rows
from kaval.knownsets.exact import map_file
from kaval.knownsets.hexadecimal import decode_value

DEFAULT_THRESHOLD = 40_000
"""Greatest squared distance of values taken for near, as public readers have it."""

BLOCKS = 12
_WIDTH = WIDTHS["photodna"]
_ROWS_A_SCAN = 1 << 16
_COMPARE_COST = 10.0


def photodna_bytes(text: str | None) -> bytes | None:
    """Return the 144 bytes of a value written in base64 (192) or hexadecimal (288 characters); nothing else."""
    if not text:
        return None
    found = decode_value(text, _WIDTH)
    if found is not None:
        return found
    try:
        decoded = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == _WIDTH else None


def block_sums(vectors: Rows) -> NDArray[np.int16]:
    """Return the sums of the blocks of vectors: a row for each block."""
    sums = vectors.reshape(len(vectors), BLOCKS, _WIDTH // BLOCKS).sum(axis=2, dtype=np.int16)
    return np.ascontiguousarray(sums.T)


def write_sums(folder: Path) -> None:
    """Write the block sums of ``photodna.values`` in a folder, a block after the other."""
    values = map_file(folder / "photodna.values", mmap.MADV_SEQUENTIAL)
    vectors: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, _WIDTH)
    with (folder / "photodna.sums").open("wb") as file:
        file.truncate(2 * BLOCKS * len(vectors))
        for start in range(0, len(vectors), _ROWS_A_SCAN):
            for block, sums in enumerate(block_sums(vectors[start : start + _ROWS_A_SCAN])):
                file.seek(2 * (block * len(vectors) + start))
                file.write(sums.astype("<i2").tobytes())


@dataclass(frozen=True, slots=True)
class NearVector:
    """One row within reach of a query, by squared Euclidean distance."""

    row: int
    distance: int


class PhotoDnaTable:
    """The PhotoDNA values of a set, in order of value."""

    def __init__(self, folder: Path) -> None:
        values = map_file(folder / "photodna.values", mmap.MADV_RANDOM)
        sums = map_file(folder / "photodna.sums", mmap.MADV_WILLNEED)
        if len(values) % _WIDTH or len(sums) * _WIDTH != 2 * BLOCKS * len(values):
            raise CorruptStructureError(f"known set {folder}", "its PhotoDNA files do not fit each other")
        self.rows: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, _WIDTH)
        owners = map_file(folder / "photodna.owners", mmap.MADV_RANDOM)
        self._owners = np.frombuffer(owners, dtype=">u4")
        self._sums: NDArray[np.int16] = np.frombuffer(sums, dtype="<i2").reshape(BLOCKS, -1)

    def details_of(self, row: int) -> list[int]:
        """Return the number of the detail of a row, if it has one."""
        owner = int(self._owners[row]) if row < len(self._owners) else NO_DETAIL
        return [] if owner == NO_DETAIL else [owner]

    def within(self, value: bytes, threshold: int = DEFAULT_THRESHOLD) -> list[NearVector]:
        """Return every row within a squared distance, in order of row."""
        query = np.frombuffer(value, dtype=np.uint8)
        sums = block_sums(query.reshape(1, -1))[:, 0]
        limit = threshold * (_WIDTH // BLOCKS)
        if fast.EFFORT.pays(len(self.rows) * _COMPARE_COST):
            candidates = fast.near_sums(self._sums, sums, limit)
        else:
            candidates = self._candidates(sums, limit)
        distances = ((self.rows[candidates].astype(np.int32) - query) ** 2).sum(axis=1)
        near = distances <= threshold
        return [
            NearVector(row, distance)
            for row, distance in zip(candidates[near].tolist(), distances[near].tolist(), strict=True)
        ]

    def _candidates(self, sums: NDArray[np.int16], limit: int) -> NDArray[np.int64]:
        found = []
        for start in range(0, self._sums.shape[1], _ROWS_A_SCAN):
            part = self._sums[:, start : start + _ROWS_A_SCAN]
            bound = np.zeros(part.shape[1], dtype=np.int32)
            for block in range(BLOCKS // 2):
                difference = (part[block] - sums[block]).astype(np.int32)
                difference *= difference
                bound += difference
            left = np.flatnonzero(bound <= limit)
            bound = bound[left]
            for block in range(BLOCKS // 2, BLOCKS):
                bound += (part[block, left] - sums[block]).astype(np.int32) ** 2
            found.append(left[bound <= limit] + start)
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
