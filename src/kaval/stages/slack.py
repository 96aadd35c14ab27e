"""Slack: which bytes behind the ends of files and of the file system are searched, where the plan asks for it.

Each run is searched by itself, unlike unallocated space: what lies behind one file has nothing to do with what lies
behind the next. Nothing that an allocated entry or unallocated space owns is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kaval.core.contracts import Tree
from kaval.core.errors import KavalError
from kaval.core.locators import Locator
from kaval.core.records import EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.recovery.ntfs.slack import behind_valid
from kaval.recovery.slack import Range, end_of, grain_of, joined, parts_of
from kaval.stages.carving import Chain, LostError, placed, whole_sectors, without
from kaval.stages.desk import desk_of
from kaval.stages.discovery import Remark
from kaval.stages.fence import notice_of
from kaval.stages.heartbeat import beat, begin
from kaval.stages.opening import SLACK
from kaval.stages.plan import Workplace

ROWS = 8192
_KINDS = ("file", "stream")


@dataclass(frozen=True, kw_only=True, slots=True)
class SlackUnit:
    """Establish which bytes of one file system are slack."""

    unit: str
    source: str
    tree: str
    listed_by: str
    chain: Chain = ()
    lost: str | None = None

    def without(self, item: int, reason: str) -> SlackUnit:
        """Return the unit told that finding slack cost a worker."""
        return replace(self, lost=reason)


def measure_slack(workplace: Workplace, unit: SlackUnit) -> UnitRecord:
    """Put on record which bytes of a file system are slack, and are to be searched."""
    desk = desk_of(workplace)
    begin(0)
    rows = RowBuffer()
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    at = Locator.parse(unit.source).to(SLACK)
    facts = {"layer": SLACK, "size": 0, "source": unit.source, "tree": unit.tree, "listed_by": unit.listed_by}
    try:
        if unit.lost is not None:
            message = f"finding the slack cost the worker ({unit.lost}); it was not searched"
            raise LostError(message)
        source, tree = desk.opener.source(at.parent), desk.opener.tree(Locator.parse(unit.tree))
        position = 0
        for found in _slack(workplace.folder, unit, source, tree):
            if isinstance(found, Notice):
                rows.add("notices", Remark(locator=at, notice=found).row("carving"))
                continue
            rows.add("unallocated", (str(at), position, found.offset, found.length))
            position += found.length
        facts["size"] = position
    except (KavalError, OSError) as error:
        rows.add("notices", Remark(locator=at, notice=notice_of(error, "slack")).row("carving"))
    segments = rows.write(workplace.folder, unit.unit)
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts=facts))


def _slack(folder: Path, unit: SlackUnit, source: ByteSource, tree: Tree) -> Iterator[Extent | Notice]:
    """Yield the slack of a file system in whole sectors and in order, notices first."""
    layer = unit.tree[unit.tree.rindex("/") + 1 :]
    slack: list[Range] = []
    held: list[Range] = []
    grain = grain_of(layer, tree.facts)
    if grain is None:
        message = f"where files of {layer} end in their clusters is not known; their slack was not searched"
        yield Notice(code=NoticeCode.UNSUPPORTED, message=message)
    for kind, size, extents in _allocated(folder, unit):
        here, behind = parts_of(extents, size, grain or 1)
        held += here
        if kind in _KINDS and grain is not None:
            slack += behind
        beat()
    if layer == "ntfs":
        for found in behind_valid(tree):
            if isinstance(found, Notice):
                yield found
            else:
                slack.append(found)
    end = end_of(layer, source, tree.facts)
    if end is None:
        message = f"{layer} does not say where it ends; what lies behind it was not searched"
        yield Notice(code=NoticeCode.UNSUPPORTED, message=message)
    elif 0 < end < source.size:
        slack.append((end, source.size))
    owned = list(joined([*held, *((free.offset, free.offset + free.length) for free in tree.unallocated())]))
    yield from whole_sectors(without(joined(slack), owned), source.size)


def _allocated(folder: Path, unit: SlackUnit) -> Iterator[tuple[str, int, tuple[Extent, ...]]]:
    """Yield kind, size and extents of every allocated entry of the tree that has some."""
    import pyarrow.parquet as pq

    path = folder / f"segments/entries-{unit.listed_by}.parquet"
    if not path.exists():
        return
    columns = ["locator", "kind", "state", "size", "extents"]
    for batch in pq.ParquetFile(path).iter_batches(ROWS, columns=columns):
        for row in batch.to_pylist():
            if row["extents"] and row["state"] == EntryState.ALLOCATED and row["locator"].startswith(f"{unit.tree}:"):
                yield row["kind"], row["size"], tuple(_extent(extent) for extent in row["extents"])


def _extent(stored: dict[str, Any]) -> Extent:
    return Extent(offset=stored["offset"], length=stored["length"], sparse=stored["sparse"])
