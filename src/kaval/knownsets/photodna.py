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
TILE = 4096
_WIDTH = WIDTHS["photodna"]
_TILES_A_SCAN = 4
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
    """Write the block sums of ``photodna.values`` in a folder, in tiles that are read from end to end.

    A tile holds the sums of ``TILE`` rows, a block after the other; the last one is filled up with zeros.
    """
    values = map_file(folder / "photodna.values", mmap.MADV_SEQUENTIAL)
    vectors: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, _WIDTH)
    with (folder / "photodna.sums").open("wb") as file:
        for start in range(0, len(vectors), TILE):
            sums = np.zeros((BLOCKS, TILE), dtype="<i2")
            rows = vectors[start : start + TILE]
            sums[:, : len(rows)] = block_sums(rows)
            file.write(sums.tobytes())


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
        tiles = -(-len(values) // (_WIDTH * TILE))
        if len(values) % _WIDTH or len(sums) != 2 * BLOCKS * TILE * tiles:
            raise CorruptStructureError(f"known set {folder}", "its PhotoDNA files do not fit each other")
        self.rows: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, _WIDTH)
        owners = map_file(folder / "photodna.owners", mmap.MADV_RANDOM)
        self._owners = np.frombuffer(owners, dtype=">u4")
        self._sums: NDArray[np.int16] = np.frombuffer(sums, dtype="<i2").reshape(-1, BLOCKS, TILE)

    def details_of(self, row: int) -> list[int]:
        """Return the number of the detail of a row, if it has one."""
        owner = int(self._owners[row]) if row < len(self._owners) else NO_DETAIL
        return [] if owner == NO_DETAIL else [owner]

    def within(self, value: bytes, threshold: int = DEFAULT_THRESHOLD) -> list[NearVector]:
        """Return every row within a squared distance, in order of row."""
        query = np.frombuffer(value, dtype=np.uint8)
        sums = block_sums(query.reshape(1, -1))[:, 0]
        if fast.EFFORT.pays(len(self.rows) * _COMPARE_COST):
            rows, distances = fast.near_vectors(self._sums, sums, self.rows, query, threshold)
        else:
            rows = self._candidates(sums, threshold * (_WIDTH // BLOCKS))
            distances = ((self.rows[rows].astype(np.int32) - query) ** 2).sum(axis=1)
        near = distances <= threshold
        return [
            NearVector(row, distance)
            for row, distance in zip(rows[near].tolist(), distances[near].tolist(), strict=True)
        ]

    def _candidates(self, sums: NDArray[np.int16], limit: int) -> NDArray[np.int64]:
        found = []
        for tile in range(0, len(self._sums), _TILES_A_SCAN):
            part = self._sums[tile : tile + _TILES_A_SCAN]
            bound = np.zeros((len(part), TILE), dtype=np.int32)
            for block in range(BLOCKS // 2):
                difference = (part[:, block] - sums[block]).astype(np.int32)
                difference *= difference
                bound += difference
            tiles, places = np.nonzero(bound <= limit)
            rest = bound[tiles, places]
            for block in range(BLOCKS // 2, BLOCKS):
                rest += (part[tiles, block, places] - sums[block]).astype(np.int32) ** 2
            rows = (tile + tiles) * TILE + places
            found.append(rows[(rest <= limit) & (rows < len(self.rows))])
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
