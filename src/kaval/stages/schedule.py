"""Scheduling: which entries are analysed, in which order, cut into which units.

The order depends on the entries alone: likely places and media first, then by place on the disk, so that the
first hits come early and the disk is read forwards. It is the same whatever the number of workers.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

from kaval.folder.segments import UnitRecord
from kaval.stages.analysis import Task
from kaval.stages.opening import Layout
from kaval.stages.plan import Plan
from kaval.stages.units import AnalysisUnit

_COLUMNS = [
    "entry_id", "locator", "path", "kind", "size", "state", "content", "extents", "overlap_size", "depth",
]  # fmt: skip
_READ_KINDS = frozenset({"file", "stream", "system"})
_UNREADABLE_CONTENTS = frozenset({"gone", "encrypted", "none"})

_PART = re.compile(r"\.(?i:[els][0-9a-z]{2}|ex[0-9a-z]{2}|[0-9]{3}|a[a-z]|vmdk|a?vhdx?|vdi|qcow2?|aff4|img|raw|dd)$")
"""The extensions of images that come in parts, or lean on another one."""

MAXIMUM_PARTS = 4096

MAXIMUM_NAMES = 1024
"""Names of one stream that are analysed with it; further ones have it read once more."""

_PACKED = frozenset({"tar", "sevenzip", "compressed"})
PACKED_PRIORITY = 1
"""Streams that can only be reached by decoding what stands before them are read in the order they are stored in."""

Chains = Mapping[str, tuple[tuple[str, Layout], ...]]
"""For the locator of an enclosing source: the entries that hold it, outermost first."""


def layer_of(locator: str) -> str:
    """Return the layer that an entry's locator ends with."""
    return locator[locator.rindex("/") + 1 :].partition(":")[0]


def parent_of(locator: str) -> str:
    """Return the locator of the source that an entry's tree lies in."""
    return locator[: locator.rindex("/")]


class Schedule:
    """The analysis of one wave of listed trees, as units made one at a time."""

    def __init__(self, folder: Path, plan: Plan, listed: Sequence[UnitRecord], chains: Chains, wave: int) -> None:
        self._plan = plan
        self._chains = chains
        self._wave = wave
        self._places = frozenset(plan.likely_places)
        self._extensions = frozenset(plan.media_extensions)
        self._table = _read(folder, listed)
        self._order, self._priorities = self._sort()
        self._repeated: set[int] = set()
        self._join_names()
        self.files = len(self._order)
        self.size = int(sum(self._table.column("size").take(self._order).to_pylist())) if self.files else 0

    @staticmethod
    def warm_up() -> None:
        """Load what scheduling needs while the workers are still opening the source."""
        Thread(target=lambda: importlib.import_module("pyarrow.parquet"), daemon=True).start()

    def _sort(self) -> tuple[Any, dict[int, int]]:
        import numpy as np

        table = self._table
        wanted, priorities, offsets = [], [], []
        names = ("path", "kind", "size", "content", "overlap_size", "extents", "locator")
        columns = [table.column(name) for name in names]
        for start in range(0, table.num_rows, 8192):
            rows = zip(*(column.slice(start, 8192).to_pylist() for column in columns), strict=True)
            for number, (path, kind, size, content, overlap, extents, locator) in enumerate(rows, start):
                if kind not in _READ_KINDS or content in _UNREADABLE_CONTENTS or size < 0 or (size and overlap >= size):
                    continue
                wanted.append(number)
                packed = extents is None and layer_of(locator) in _PACKED
                priorities.append(PACKED_PRIORITY if packed else self._priority(path))
                offsets.append(next((extent["offset"] for extent in extents or () if not extent["sparse"]), 0))
        self._offsets: Any = ()
        if not wanted:
            return [], {}
        ordered = np.lexsort((np.array(wanted), np.array(offsets), np.array(priorities)))
        self._offsets = np.array(offsets)[ordered]
        order = [wanted[place] for place in ordered]
        return order, {wanted[place]: priorities[place] for place in ordered}

    def _join_names(self) -> None:
        """Move every further name of a stream behind the first one in order, so that it is read once for all."""
        places = self._candidates()
        if not places:
            return
        rows = self._table.select(["locator", "size", "extents"]).take([self._order[place] for place in places])
        leaders: dict[Hashable, int] = {}
        followers: dict[int, list[int]] = {}
        for place, row in zip(places, rows.to_pylist(), strict=True):
            key = stream_of(row)
            if key is None:
                continue
            leader = leaders.setdefault(key, place)
            if leader == place:
                continue
            followers.setdefault(leader, []).append(place)
            if len(followers[leader]) >= MAXIMUM_NAMES:
                del leaders[key]
        moved = {place for behind in followers.values() for place in behind}
        self._repeated = {self._order[place] for place in moved}
        self._order = [
            self._order[behind]
            for place in range(len(self._order))
            if place not in moved
            for behind in (place, *followers.get(place, ()))
        ]

    def _candidates(self) -> list[int]:
        """Return the places in the order of streams that may have several names: as large, and starting alike."""
        import numpy as np

        count = len(self._order)
        if count < 2:
            return []
        sizes = np.array(self._table.column("size").take(self._order).to_pylist(), dtype="<i8")
        offsets = self._offsets
        ordered = np.lexsort((np.arange(count), offsets, sizes))
        same = (np.diff(sizes[ordered]) == 0) & (np.diff(offsets[ordered]) == 0) & (sizes[ordered][1:] > 0)
        chosen = np.zeros(count, dtype=bool)
        chosen[ordered[1:][same]] = True
        chosen[ordered[:-1][same]] = True
        return [int(place) for place in chosen.nonzero()[0]]

    def _priority(self, path: str) -> int:
        *places, name = path.lower().split("/")
        media = name.rpartition(".")[2] in self._extensions
        likely = not self._places.isdisjoint(places)
        if media:
            return 0 if likely else 1
        return 2 if likely else 3

    def units(self) -> Iterator[AnalysisUnit]:
        """Yield the units in order; the first are small, so that first hits come within seconds."""
        tasks: list[Task] = []
        size = number = 0
        for task in self._tasks():
            most_files, most_size = self._limits(number)
            if tasks and not task.repeats and (len(tasks) >= most_files or size + task.size > most_size):
                yield self._unit(number, tasks)
                tasks, size, number = [], 0, number + 1
            tasks.append(task)
            size += 0 if task.repeats else task.size
        if tasks:
            yield self._unit(number, tasks)

    def _limits(self, number: int) -> tuple[int, int]:
        part = 8 if number < 4 else 1
        return max(1, self._plan.unit_files // part), max(1, self._plan.unit_size // part)

    def _tasks(self) -> Iterator[Task]:
        for start in range(0, len(self._order), 4096):
            chosen = self._order[start : start + 4096]
            for number, row in zip(chosen, self._table.take(chosen).to_pylist(), strict=True):
                yield replace(task_of(row, self._priorities[number]), repeats=number in self._repeated)

    def _unit(self, number: int, tasks: Sequence[Task]) -> AnalysisUnit:
        chain: dict[str, Layout] = {}
        for task in tasks:
            chain.update(self._chains.get(parent_of(task.locator), ()))
        return AnalysisUnit(unit=f"analyse-{self._wave}-{number:06d}", tasks=tuple(tasks), chain=tuple(chain.items()))

    def find(self, entry_ids: Sequence[int]) -> list[Task]:
        """Return the tasks of these entries, in order of their numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self._table.filter(pc.is_in(self._table.column("entry_id"), pa.array(sorted(entry_ids), pa.int64())))
        return sorted((task_of(row, 0) for row in rows.to_pylist()), key=lambda task: task.entry_id)

    def beside(self, task: Task) -> tuple[tuple[str, Layout], ...]:
        """Return the entries that may be further parts of an image: in its folder, with a part's extension."""
        import pyarrow.compute as pc

        folder, _, name = task.path.rpartition("/")
        if not _PART.search(name):
            return ()
        path = self._table.column("path")
        prefix = f"{folder}/" if folder else ""
        near = pc.and_(pc.starts_with(path, prefix), pc.match_substring_regex(path, _PART.pattern))
        rows = self._table.filter(near).slice(0, MAXIMUM_PARTS).to_pylist()
        tree = task.locator[: task.locator.rfind(":") + 1]
        tasks = [task_of(row, 0) for row in rows if row["locator"].startswith(tree) and row["kind"] in _READ_KINDS]
        return tuple(
            (part.locator, part.layout())
            for part in tasks
            if part.path.rpartition("/")[0] == folder and part.locator != task.locator
        )


def stream_of(row: Mapping[str, Any]) -> Hashable:
    """Return what two entries have in common that are names of one stream, ``None`` where that cannot be told.

    Streams laid out alike in the same source are one; of others the address says it: ``inode@directory``.
    """
    if row["extents"]:
        extents = tuple((extent["offset"], extent["length"], extent["sparse"]) for extent in row["extents"])
        return parent_of(row["locator"]), row["size"], extents
    if row["extents"] is None:
        inode, at, _ = row["locator"][len(parent_of(row["locator"])) + 1 :].partition("@")
        return (parent_of(row["locator"]), row["size"], inode) if at else None
    return None


def task_of(row: Mapping[str, Any], priority: int) -> Task:
    """Return the task that a row of ``entries`` amounts to."""
    extents = row["extents"]
    return Task(
        entry_id=row["entry_id"],
        locator=row["locator"],
        path=row["path"],
        size=row["size"],
        state=row["state"],
        content=row["content"],
        priority=priority,
        depth=row["depth"],
        extents=None
        if extents is None
        else tuple((extent["offset"], extent["length"], extent["sparse"]) for extent in extents),
    )


def _read(folder: Path, listed: Sequence[UnitRecord]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from kaval.folder.tables import schema

    names = [segment.name for record in listed for segment in record.segments if segment.table == "entries"]
    tables = [pq.read_table(folder / name, columns=_COLUMNS) for name in names]
    if not tables:
        return schema("entries").empty_table().select(_COLUMNS)
    return pa.concat_tables(tables)
