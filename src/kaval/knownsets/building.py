"""Building a compiled set: batches go in, the files of a version come out, whole.

Memory stays the same however long the source: values are sorted on disk (``kaval.knownsets.sorting``), details are
written as they come. Digests of files of no bytes are left out and counted: real lists hold them, and a match on
one would accuse everybody.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError, LimitExceededError
from kaval.knownsets.algorithms import EXACT, WIDTHS, ZERO_LENGTH
from kaval.knownsets.batches import NO_DETAIL, Batch, Column, Rows
from kaval.knownsets.details import MANY
from kaval.knownsets.exact import TableWriter
from kaval.knownsets.hash_index import write_index
from kaval.knownsets.near import FLAT_BELOW
from kaval.knownsets.photodna import write_sums
from kaval.knownsets.sorting import Spill, changes

ZERO_LENGTH_REASON = "digest of a file of no bytes"


class Builder:
    """Takes batches and writes the files of a set into a folder that exists.

    ``says`` tells whether the source says something of its entries; without that nothing but values is kept.
    """

    def __init__(self, folder: Path, *, says: bool) -> None:
        self.folder = folder
        self.says = says
        self.entries = 0
        self.dropped: Counter[str] = Counter()
        self.tallies: Counter[str] = Counter()
        self.remarks: list[str] = []
        self.position = 0
        self.verbatim = False
        self.kept_before = 0
        self._spills: dict[str, Spill] = {}
        self._details = (folder / "details.data").open("ab")
        self._ends = (folder / "details.ends").open("ab")
        self._detail_count = 0
        self._detail_size = 0

    def add(self, batch: Batch) -> None:
        """Take a batch.

        Raises:
            LimitExceededError: There are more details than numbers for them.
        """
        self.entries += batch.entries
        self.dropped.update(batch.skipped)
        self.tallies.update(batch.tallies)
        self.remarks += batch.remarks
        first = self._detail_count
        if batch.detail_places is not None:
            self._add_places(batch.detail_places)
        elif len(batch.detail_sizes) and self.says:
            self._add_details(batch)
        for algorithm, column in batch.columns.items():
            kept = self._without_zero_length(algorithm, column)
            if len(kept.values):
                self._spill(algorithm).add(kept, first)
        self.position = batch.position

    def _spill(self, algorithm: str) -> Spill:
        if algorithm not in self._spills:
            path = self.folder / f"{algorithm}.unsorted"
            self._spills[algorithm] = Spill(path, WIDTHS[algorithm], linked=self.says)
        return self._spills[algorithm]

    def _add_details(self, batch: Batch) -> None:
        ends = self._detail_size + np.cumsum(np.asarray(batch.detail_sizes, dtype=np.uint64))
        if self._detail_count + len(ends) >= MANY:
            raise LimitExceededError("count of entries with details", MANY, "numbers of details have 31 bits")
        self._details.write(batch.details)
        self._ends.write(ends.astype("<u8").tobytes())
        self._detail_size += len(batch.details)
        self._detail_count += len(ends)

    def _add_places(self, places: NDArray[np.int64]) -> None:
        """Note where details stand in the sources, which are kept as they were, one after the other."""
        if self._detail_count + len(places) >= MANY:
            raise LimitExceededError("count of entries with details", MANY, "numbers of details have 31 bits")
        self.verbatim = True
        self._ends.write((places + self.kept_before).astype("<u8").tobytes())
        self._detail_count += len(places)

    def _without_zero_length(self, algorithm: str, column: Column) -> Column:
        if algorithm not in ZERO_LENGTH:
            return column
        nothing = np.frombuffer(ZERO_LENGTH[algorithm], dtype=np.uint8)
        suspects = np.flatnonzero(column.values[:, 0] == nothing[0])
        out = suspects[(column.values[suspects] == nothing).all(axis=1)]
        if not len(out):
            return column
        self.dropped[ZERO_LENGTH_REASON] += len(out)
        kept = np.ones(len(column.values), dtype=bool)
        kept[out] = False
        owners = None if column.owners is None else column.owners[kept]
        return Column(values=column.values[kept], owners=owners)

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on from here after an interruption; what it speaks of is on the disk."""
        spills = {algorithm: spill.state() for algorithm, spill in self._spills.items()}
        for file in (self._details, self._ends):
            file.flush()
            os.fsync(file.fileno())
        for spill in self._spills.values():
            os.fsync(spill.descriptor)
        return {
            "entries": self.entries,
            "dropped": dict(self.dropped),
            "tallies": dict(self.tallies),
            "remarks": self.remarks,
            "position": self.position,
            "details": [self._detail_count, self._detail_size],
            "verbatim": [self.verbatim, self.kept_before],
            "spills": spills,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state of an interrupted build in the same folder."""
        self.entries = state["entries"]
        self.dropped = Counter(state["dropped"])
        self.tallies = Counter(state["tallies"])
        self.remarks = list(state["remarks"])
        self.position = state["position"]
        self._detail_count, self._detail_size = state["details"]
        self.verbatim, self.kept_before = state["verbatim"]
        if self.verbatim:
            self._details.truncate(0)
        for file, size in ((self._details, self._detail_size), (self._ends, 8 * self._detail_count)):
            if os.fstat(file.fileno()).st_size < size:
                raise CorruptStructureError(f"interrupted import {self.folder}", "what was put aside is gone")
            file.truncate(size)
            file.seek(0, os.SEEK_END)
        for algorithm, spilled in state["spills"].items():
            self._spill(algorithm).restore(spilled)

    def finish(self) -> dict[str, int]:
        """Sort and write everything; return the number of distinct values by algorithm.

        What was put aside stays until ``clear``, so that a killed build can be finished from its last state.
        """
        counts = {}
        for algorithm in sorted(self._spills):
            spill = self._spills[algorithm]
            if algorithm in EXACT or algorithm == "pdq":
                counts[algorithm] = write_table(self.folder, algorithm, spill)
            else:
                counts[algorithm] = _write_plain(self.folder, algorithm, spill)
        self._details.close()
        self._ends.close()
        _place_starts(self.folder, verbatim=self.verbatim)
        if counts.get("pdq", 0) >= FLAT_BELOW:
            write_index(self.folder)
        if counts.get("photodna"):
            write_sums(self.folder)
        return counts

    def clear(self) -> None:
        """Remove what was put aside."""
        for spill in self._spills.values():
            spill.remove()
        (self.folder / "details.ends").unlink()

    def abandon(self) -> None:
        """Close what is open; the folder is the caller's to remove."""
        self._details.close()
        self._ends.close()
        for spill in self._spills.values():
            spill.close()


def _place_starts(folder: Path, *, verbatim: bool) -> None:
    """Write where details begin and the last one ends: a zero before where they end, or their places and the end."""
    ends = folder / "details.ends"
    with (folder / "details.starts").open("wb") as starts, ends.open("rb") as file:
        if not verbatim:
            starts.write(bytes(8))
        while block := file.read(1 << 20):
            starts.write(block)
        if verbatim:
            starts.write((folder / "details.data").stat().st_size.to_bytes(8, "little"))


def write_table(folder: Path, algorithm: str, spill: Spill) -> int:
    """Write the sorted distinct values of an algorithm, their buckets and links; return how many there are."""
    spill.put_aside()
    table = TableWriter(folder, algorithm, spill.records)
    links = _Links(folder, algorithm) if spill.linked else None
    for records in spill.groups():
        if links is None:
            table.add(records)
            continue
        first = changes(np.ascontiguousarray(records[:, : spill.width]))
        table.add(records[first, : spill.width])
        owners = np.ascontiguousarray(records[:, spill.width :]).view(">u4")[:, 0].astype(np.uint32)
        links.add(owners, np.flatnonzero(first))
    table.close()
    if links is not None:
        links.close()
    return table.count


class _Links:
    """Writes which details belong to which row (``kaval.knownsets.details``)."""

    def __init__(self, folder: Path, algorithm: str) -> None:
        self._links = (folder / f"{algorithm}.links").open("wb")
        self._more = (folder / f"{algorithm}.more").open("wb")
        self._place = 0

    def add(self, owners: NDArray[np.uint32], starts: NDArray[np.int64]) -> None:
        """Add rows: each begins at a start and has the owners up to the next."""
        links = owners[starts].astype("<u4")
        ends = np.append(starts[1:], len(owners))
        more: list[int] = []
        for row in np.flatnonzero(ends - starts > 1).tolist():
            several = [owner for owner in owners[starts[row] : ends[row]].tolist() if owner != NO_DETAIL]
            if len(several) > 1:
                links[row] = MANY | (self._place + len(more))
                more += [len(several), *several]
            elif several:
                links[row] = several[0]
        self._links.write(links.tobytes())
        self._more.write(np.array(more, dtype="<u4").tobytes())
        self._place += len(more)

    def close(self) -> None:
        """Give the files back."""
        self._links.close()
        self._more.close()


def _write_plain(folder: Path, algorithm: str, spill: Spill) -> int:
    """Write values that are only compared one by one, each with its detail beside it."""
    total = 0
    with (folder / f"{algorithm}.values").open("wb") as values, (folder / f"{algorithm}.owners").open("wb") as owners:
        for records in spill.groups():
            values.write(records[:, : spill.width].tobytes())
            owned: Rows = records[:, spill.width :]
            owners.write(owned.tobytes())
            total += len(records)
    return total
