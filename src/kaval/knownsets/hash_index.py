"""The index of PDQ hashes: made once when a set is compiled, then only mapped.

Files in a set's folder, little-endian, raw; *n* hashes, *b* bands:

``pdq.values``      the distinct hashes, sorted, 32 bytes each (as ``kaval.knownsets.exact`` keeps them)
``pdq.index.json``  the order in which the 256 bits are taken, and the bands
``pdq.starts``      for each band 2^bits + 1 numbers (u32): where the entries of a directory place begin
``pdq.tags``        for each band *n* tags (u32), in order of directory place and row
``pdq.ids``         for each band *n* row numbers (u32) in the same order

Bits are taken in a fixed random order, because neighbouring bits of a PDQ hash are not independent and bands
of neighbours collide several times as often.
"""

from __future__ import annotations

import json
import mmap
import random
from collections.abc import Iterator
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError, LimitExceededError
from kaval.folder.durable import place_json
from kaval.knownsets.bands import HASH_BITS, Band, choose_bands
from kaval.knownsets.batches import Rows
from kaval.knownsets.exact import map_file

Words = NDArray[np.uint32]
"""Hashes with their bits in the order of the index: eight words a row."""

_NEXT_WORD = np.array([1, 2, 3, 4, 5, 6, 7, 0])
_ROWS_A_CHUNK = 1 << 17
_ENTRIES_A_PASS = 1 << 24
_LARGEST = 1 << 32


def bit_order() -> list[int]:
    """Return the order in which an index made today takes the bits; it is stored with the index."""
    order = list(range(HASH_BITS))
    random.Random("kaval pdq bands 1").shuffle(order)  # noqa: S311
    return order


def permuted(hashes: Rows, order: NDArray[np.int64]) -> Words:
    """Return hashes with their bits taken in an order."""
    bits = np.unpackbits(hashes, axis=1)
    return np.packbits(bits.take(order, axis=1), axis=1).view(">u4").astype(np.uint32)


def window(words: Words, offset: int) -> NDArray[np.uint32]:
    """Return the 32 bits of each row from a bit on, going on at the first one after the last."""
    word, shift = divmod(offset % HASH_BITS, 32)
    if not shift:
        return words[:, word]
    following = words[:, (word + 1) % 8]
    return (words[:, word] << np.uint32(shift)) | (following >> np.uint32(32 - shift))


def directory(words: Words, band: Band) -> NDArray[np.uint32]:
    """Return the directory place of each row in a band."""
    return window(words, band.offset) >> np.uint32(32 - band.bits)


def tags(words: Words, band: Band) -> NDArray[np.uint32]:
    """Return the tag of each row in a band: the 32 bits behind the directory."""
    return window(words, band.offset + band.bits)


def write_index(folder: Path, bands: tuple[Band, ...] | None = None) -> None:
    """Write the index of ``pdq.values`` in a folder; memory stays within some hundred megabytes.

    Raises:
        LimitExceededError: There are more hashes than row numbers of 32 bits.
    """
    values = map_file(folder / "pdq.values", mmap.MADV_SEQUENTIAL)
    hashes: Rows = np.frombuffer(values, dtype=np.uint8).reshape(-1, HASH_BITS // 8)
    if len(hashes) >= _LARGEST:
        raise LimitExceededError("count of PDQ hashes", _LARGEST, "row numbers of an index have 32 bits")
    chosen = bands or choose_bands(len(hashes))
    order = bit_order()
    aside = folder / "pdq.permuted"
    _write_permuted(aside, hashes, np.array(order))
    words = np.frombuffer(map_file(aside, mmap.MADV_NORMAL), dtype=np.uint32).reshape(-1, 8)
    with (
        (folder / "pdq.starts").open("wb") as starts,
        (folder / "pdq.tags").open("wb") as tagged,
        (folder / "pdq.ids").open("wb") as ids,
    ):
        for band in chosen:
            starts.write(_starts(words, band).tobytes())
            for rows in _rows_by_place(words, band):
                ids.write(rows.astype("<u4").tobytes())
                for part in _chunks(rows):
                    tagged.write(tags(words[part], band).astype("<u4").tobytes())
    aside.unlink()
    place_json({"order": order, "bands": [astuple(band) for band in chosen]}, folder / "pdq.index.json")


def _chunks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), _ROWS_A_CHUNK):
        yield rows[start : start + _ROWS_A_CHUNK]


def _write_permuted(path: Path, hashes: Rows, order: NDArray[np.int64]) -> None:
    with path.open("wb") as file:
        for start in range(0, len(hashes), _ROWS_A_CHUNK):
            file.write(permuted(hashes[start : start + _ROWS_A_CHUNK], order).tobytes())


def _counts(words: Words, band: Band) -> NDArray[np.int64]:
    counts = np.zeros(1 << band.bits, dtype=np.int64)
    for start in range(0, len(words), _ENTRIES_A_PASS):
        counts += np.bincount(directory(words[start : start + _ENTRIES_A_PASS], band), minlength=len(counts))
    return counts


def _starts(words: Words, band: Band) -> NDArray[np.uint32]:
    starts = np.zeros((1 << band.bits) + 1, dtype="<u4")
    np.cumsum(_counts(words, band), out=starts[1:])
    return starts


def _rows_by_place(words: Words, band: Band) -> Iterator[NDArray[np.int64]]:
    """Yield the row numbers in order of directory place, some millions at a time.

    Each pass looks at all rows and keeps those of one range of places.
    """
    passes = max(1, -(-len(words) // _ENTRIES_A_PASS))
    borders = [(1 << band.bits) * number // passes for number in range(passes + 1)]
    for low, high in pairwise(borders):
        kept = []
        for start in range(0, len(words), _ENTRIES_A_PASS):
            places = directory(words[start : start + _ENTRIES_A_PASS], band)
            keyed: NDArray[np.uint64] = places.astype(np.uint64) << np.uint64(32)
            keyed += np.arange(start, start + len(places), dtype=np.uint64)
            kept.append(keyed if passes == 1 else keyed[(places >= low) & (places < high)])
        ordered = kept[0] if len(kept) == 1 else np.concatenate(kept)
        ordered.sort()
        yield ordered.astype(np.uint32).astype(np.int64)


class HashIndex:
    """An index that is there, mapped; ``None`` of it is read before it is asked."""

    def __init__(self, folder: Path, count: int) -> None:
        try:
            record = json.loads((folder / "pdq.index.json").read_text(encoding="utf-8"))
            self.bands = tuple(Band(*numbers) for numbers in record["bands"])
            self.order = np.array(record["order"], dtype=np.int64)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptStructureError(
                f"known set {folder}", f"its index of hashes cannot be read ({error})"
            ) from error
        starts = map_file(folder / "pdq.starts", mmap.MADV_WILLNEED)
        tagged = map_file(folder / "pdq.tags", mmap.MADV_WILLNEED)
        ids = map_file(folder / "pdq.ids", mmap.MADV_RANDOM)
        sizes = [(1 << band.bits) + 1 for band in self.bands]
        if (
            (len(starts), len(tagged), len(ids)) != (4 * sum(sizes), 4 * count * len(sizes), 4 * count * len(sizes))
            or sorted(self.order) != list(range(HASH_BITS))
            or sum(band.width for band in self.bands) != HASH_BITS
        ):
            raise CorruptStructureError(f"known set {folder}", "the files of its index of hashes do not fit each other")
        self.count = count
        self.starts = np.frombuffer(starts, dtype="<u4")
        self.tags = np.frombuffer(tagged, dtype="<u4")
        self.ids = np.frombuffer(ids, dtype="<u4")
        offsets = [band.offset for band in self.bands] + [band.offset + band.bits for band in self.bands]
        self._windows = np.array(offsets, dtype=np.int64) % HASH_BITS
        self._shifts = (32 - self._windows % 32).astype(np.uint64)
        self._unused = np.array([32 - band.bits for band in self.bands], dtype=np.uint32)
        self.table_of_band = np.cumsum([0, *sizes[:-1]], dtype=np.int64)

    def asked(self, hashes: Rows) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return directory places and tags of queries, a row each, a column for each band."""
        words = permuted(hashes, self.order).astype(np.uint64)
        pairs = (words << np.uint64(32)) | words.take(_NEXT_WORD, axis=1)
        kept: NDArray[np.uint64] = pairs.take(self._windows >> 5, axis=1)
        found = (kept >> self._shifts).astype(np.uint32)
        bands = len(self.bands)
        return found[:, :bands] >> self._unused, found[:, bands:]
