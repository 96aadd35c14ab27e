"""Carving: search what no allocated entry owns, in parallel ranges, and settle what was found into entries.

The unallocated runs of a source are laid end to end and searched as one: a stream that was written around an
allocated cluster is whole there. What metadata already brought back whole is left out, so each byte has one owner.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from kaval.core.errors import KavalError
from kaval.core.locators import Locator
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource, SliceSource
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.recovery.carvers import Carved, Certainty
from kaval.recovery.carvers.sqlite_pages import PageRuns, leaf_pages
from kaval.recovery.scanning import SECTOR_SIZE, ask, starts
from kaval.stages.desk import desk_of
from kaval.stages.discovery import Remark
from kaval.stages.fence import fenced, fenced_iteration, notice_of
from kaval.stages.heartbeat import beat, begin
from kaval.stages.listing import entry_row
from kaval.stages.opening import CARVED, SLACK, Layout, address_of
from kaval.stages.plan import Plan, Workplace
from kaval.stages.units import ENTRIES_A_UNIT

BLOCK_SIZE = 8 << 20

Chain = tuple[tuple[str, Layout], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class VoidUnit:
    """Establish which bytes of a source are to be searched: all of a bare one, the unallocated ones of a tree's."""

    unit: str
    source: str
    tree: str | None = None
    listed_by: str | None = None
    chain: Chain = ()
    lost: str | None = None

    def without(self, item: int, reason: str) -> VoidUnit:
        """Return the unit told that finding unallocated space cost a worker."""
        return replace(self, lost=reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanUnit:
    """Search one range of the runs of a source, laid end to end; ``start`` and ``end`` are positions there."""

    unit: str
    void: str
    source: str
    start: int
    end: int
    layer: str = CARVED
    chain: Chain = ()
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> ScanUnit:
        """Return the unit told at which sector a carver cost a worker."""
        return replace(self, lost={**self.lost, item: reason})


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleUnit:
    """Turn what was found in one source into entries: in order of place, nothing inside something whole."""

    unit: str
    ordinal: int
    void: str
    source: str
    tree: str | None
    listed_by: str | None
    found: tuple[Mapping[str, Any], ...]
    depth: int
    layer: str = CARVED

    def without(self, item: int, reason: str) -> SettleUnit:
        """Return the unit as it is: nothing in it reads evidence."""
        return self


class Void:
    """The runs of a source that are to be searched, laid end to end."""

    def __init__(self, extents: Sequence[Extent]) -> None:
        self.extents = extents
        self._starts = [0, *accumulate(extent.length for extent in extents)]
        self.size = self._starts[-1]

    @classmethod
    def load(cls, folder: Path, unit: str) -> Void:
        """Return the runs that ``measure_void`` put on record."""
        import pyarrow.parquet as pq

        path = folder / f"segments/unallocated-{unit}.parquet"
        if not path.exists():
            return cls(())
        rows = pq.read_table(path, columns=["offset", "length"]).to_pydict()
        pairs = zip(rows["offset"], rows["length"], strict=True)
        return cls([Extent(offset=offset, length=length) for offset, length in pairs])

    def over(self, source: ByteSource) -> ByteSource:
        """Return the runs as one source."""
        return ExtentSource(source, self.extents, self.size)

    def place(self, position: int, length: int) -> tuple[Extent, ...]:
        """Return the extents, in bytes of the source, of a range of the runs."""
        found: list[Extent] = []
        number = max(0, bisect_right(self._starts, position) - 1)
        while number < len(self.extents) and self._starts[number] < position + length:
            passed, extent = self._starts[number], self.extents[number]
            start = max(position, passed)
            end = min(position + length, passed + extent.length)
            if start < end:
                offset = extent.offset + start - passed
                if found and found[-1].offset + found[-1].length == offset:
                    found[-1] = replace(found[-1], length=found[-1].length + end - start)
                else:
                    found.append(Extent(offset=offset, length=end - start))
            number += 1
        return tuple(found)

    def run_end(self, position: int) -> int:
        """Return the position at which the run ends that a position lies in."""
        return self._starts[bisect_right(self._starts, position)]


def measure_void(workplace: Workplace, unit: VoidUnit) -> UnitRecord:
    """Put on record which bytes of a source are to be searched."""
    desk = desk_of(workplace)
    begin(0)
    rows = RowBuffer()
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    at = Locator.parse(unit.source)
    facts = {"layer": CARVED, "size": 0, "source": unit.source, "tree": unit.tree, "listed_by": unit.listed_by}
    try:
        if unit.lost is not None:
            message = f"finding its unallocated space cost the worker ({unit.lost}); it was not searched"
            raise LostError(message)
        source = desk.opener.source(at)
        if unit.tree is None:
            free: Iterable[Extent] = [Extent(offset=0, length=source.size)]
        else:
            owned = _owned(workplace.folder, unit.listed_by, unit.tree)
            free = without(desk.opener.tree(Locator.parse(unit.tree)).unallocated(), owned)
        position = 0
        for extent in whole_sectors(free, source.size):
            rows.add("unallocated", (unit.source, position, extent.offset, extent.length))
            position += extent.length
        facts["size"] = position
    except (KavalError, OSError) as error:
        rows.add("notices", Remark(locator=at, notice=notice_of(error, "unallocated space")).row("carving"))
    segments = rows.write(workplace.folder, unit.unit)
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts=facts))


class LostError(KavalError):
    """Finding unallocated space cost a worker before."""


def placed(workplace: Workplace, record: UnitRecord) -> UnitRecord:
    """Return the record of a unit, put in place."""
    record.place(workplace.folder)
    return record


def _owned(folder: Path, listed_by: str | None, tree: str) -> list[Extent]:
    """Return the extents of a tree's entries that metadata brought back whole, in order of offset."""
    return sorted(
        (
            Extent(offset=extent["offset"], length=extent["length"])
            for row in _recovered_rows(folder, listed_by, tree)
            if row["content"] == ContentState.INTACT and row["size"] > 0
            for extent in row["extents"]
            if not extent["sparse"]
        ),
        key=lambda extent: extent.offset,
    )


def _recovered_rows(folder: Path, listed_by: str | None, tree: str) -> list[dict[str, Any]]:
    """Return the deleted and orphan files with extents that were listed for the source of a tree."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = folder / f"segments/entries-{listed_by}.parquet"
    if not path.exists():
        return []
    columns = ["locator", "state", "content", "size", "extents", "kind"]
    wanted = (pc.field("state") != "allocated") & pc.field("kind").isin(["file", "stream"])
    rows: list[dict[str, Any]] = pq.read_table(path, columns=columns, filters=wanted).to_pylist()
    parent = tree[: tree.rindex("/") + 1]
    return [
        row
        for row in rows
        if row["extents"] is not None and row["locator"].startswith(parent) and "/" not in row["locator"][len(parent) :]
    ]


def without(free: Iterable[Extent], owned: Sequence[Extent]) -> Iterator[Extent]:
    """Yield free extents, in order of offset, with the owned ones (in order too) cut out."""
    number = 0
    for extent in free:
        start, end = extent.offset, extent.offset + extent.length
        while number < len(owned) and owned[number].offset + owned[number].length <= start:
            number += 1
        ahead = number
        while ahead < len(owned) and owned[ahead].offset < end:
            if owned[ahead].offset > start:
                yield Extent(offset=start, length=owned[ahead].offset - start)
            start = max(start, owned[ahead].offset + owned[ahead].length)
            ahead += 1
        if start < end:
            yield Extent(offset=start, length=end - start)


def whole_sectors(free: Iterable[Extent], size: int) -> Iterator[Extent]:
    """Yield extents cut to whole sectors inside the source."""
    for extent in free:
        start = -(-extent.offset // SECTOR_SIZE) * SECTOR_SIZE
        end = min(extent.offset + extent.length, size) // SECTOR_SIZE * SECTOR_SIZE
        if start < end:
            yield Extent(offset=start, length=end - start)


def scan_units(plan: Plan, void: UnitRecord, chains: Mapping[str, Chain]) -> Iterator[ScanUnit]:
    """Yield the units that search one source, in order of place."""
    source, size = void.facts["source"], void.facts["size"]
    for number, start in enumerate(range(0, size, plan.carve_size)):
        yield ScanUnit(
            unit=f"scan-{void.unit.removeprefix('void-')}-{number:06d}",
            void=void.unit,
            source=source,
            start=start,
            end=min(size, start + plan.carve_size),
            layer=void.facts["layer"],
            chain=chains.get(source, ()),
        )


def scan(workplace: Workplace, unit: ScanUnit) -> UnitRecord:
    """Search one range; what is found may run on beyond its end."""
    desk = desk_of(workplace)
    rows = RowBuffer()
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    at = Locator.parse(unit.source)
    begin(unit.start // SECTOR_SIZE)
    void = Void.load(workplace.folder, unit.void)
    found: list[dict[str, Any]] = []
    pages = PageRuns()
    try:
        search = _Search(void.over(desk.opener.source(at)), void, unit, workplace.plan.strict, pages)
        for record in search.run():
            if isinstance(record, Notice):
                rows.add("notices", Remark(locator=at, notice=record).row("carving"))
            else:
                found.append(record)
    except (KavalError, OSError) as error:
        rows.add("notices", Remark(locator=at, notice=notice_of(error, "searching unallocated space")).row("carving"))
    segments = rows.write(workplace.folder, unit.unit)
    counts = {**rows.counts, "searched_size": unit.end - unit.start}
    facts = {"void": unit.void, "found": found, "pages": pages.told()}
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=counts, facts=facts))


class _Search:
    """The search of one range, block by block; in slack nothing runs on from one run into the next.

    Pages of databases that stand alone are noted beside what is found.
    """

    def __init__(self, runs: ByteSource, void: Void, unit: ScanUnit, strict: bool, pages: PageRuns) -> None:
        self._runs = runs
        self._void = void
        self._unit = unit
        self._strict = strict
        self._covered = unit.start
        self._pages = pages

    def run(self) -> Iterator[dict[str, Any] | Notice]:
        position = self._unit.start
        while position < self._unit.end:
            block = self._runs.read_at(position, min(BLOCK_SIZE, self._unit.end - position))
            for start in starts(block):
                place = position + start.offset
                if place < self._covered:
                    continue
                outcome = self._ask(place, start.carver)
                if outcome is not None:
                    yield outcome
            yield from self._note_pages(position, block)
            position += len(block)
            beat()

    def _note_pages(self, position: int, block: bytes) -> Iterator[Notice]:
        def ahead(offset: int, length: int) -> bytes:
            return self._runs.read_at(
                position + offset, min(length, self._end_at(position + offset) - offset - position)
            )

        behind = self._pages.end - position
        found = fenced_iteration("pages of databases", leaf_pages(block, ahead, behind), strict=self._strict)
        for page in found:
            if isinstance(page, Notice):
                yield page
            elif position + page.offset + page.size <= self._end_at(position + page.offset):
                self._pages.note(position + page.offset, page.size)

    def _end_at(self, place: int) -> int:
        """Return the position up to which a stream can reach that starts at a place."""
        return self._void.run_end(place) if self._unit.layer == SLACK else self._void.size

    def _ask(self, place: int, carver: Any) -> dict[str, Any] | Notice | None:
        sector = place // SECTOR_SIZE
        begin(sector)
        if sector in self._unit.lost:
            message = f"{carver.name} at position {place} cost the worker ({self._unit.lost[sector]}); left out"
            return Notice(code=NoticeCode.CAPABILITY_FAILED, message=message)
        view = SliceSource(self._runs, place, self._end_at(place) - place)
        carved = fenced(carver.name, lambda: ask(carver, view), strict=self._strict)
        if carved is None or isinstance(carved, Notice):
            return carved
        if carved.certainty is Certainty.COMPLETE:
            self._covered = place + carved.size
        return _told(place, carver.name, carved)


def _told(place: int, carver: str, carved: Carved) -> dict[str, Any]:
    return {
        "position": place,
        "carver": carver,
        "size": carved.size,
        "certainty": str(carved.certainty),
        "media_type": carved.media_type,
        "extension": carved.extension,
        "checked": carved.checked,
        "damaged_offset": carved.damaged_offset,
        "reason": carved.reason,
    }


def settle_unit(
    ordinal: int,
    void: UnitRecord,
    found: Sequence[Mapping[str, Any]],
    mended: Sequence[Mapping[str, Any]],
    depths: Mapping[str, int],
) -> SettleUnit:
    """Return the unit that settles what was found in one source; a mended stream stands for the broken one."""
    source = void.facts["source"]
    by_place = {(carved["position"], carved["carver"]): carved for carved in mended}
    found = [by_place.get((carved["position"], carved["carver"]), carved) for carved in found]
    return SettleUnit(
        unit=f"carve-{ordinal:06d}",
        ordinal=ordinal,
        void=void.unit,
        source=source,
        tree=void.facts["tree"],
        listed_by=void.facts["listed_by"],
        found=tuple(sorted(found, key=lambda carved: carved["position"])),
        depth=depths.get(source, 0),
        layer=void.facts["layer"],
    )


def settle(workplace: Workplace, unit: SettleUnit) -> UnitRecord:
    """List what was carved as entries; what metadata already lists with the same bytes is not listed again."""
    begin(0)
    rows = RowBuffer()
    void = Void.load(workplace.folder, unit.void)
    listed = _by_start(_recovered_rows(workplace.folder, unit.listed_by, unit.tree)) if unit.tree is not None else {}
    at = Locator.parse(unit.source).to(unit.layer)
    number = unit.ordinal * ENTRIES_A_UNIT
    for carved in _outermost(unit.found):
        entry = _entry(carved, void)
        assert entry.extents is not None
        others = listed.get(entry.extents[0].offset, [])
        if any(size == entry.size for size, _ in others):
            continue
        problem = _problem(carved, entry.extents, others)
        if problem:
            entry = replace(entry, content=ContentState.PARTIAL)
            notice = Notice(code=NoticeCode.CARVED_IN_PART, message=problem, address=entry.address)
            rows.add("notices", Remark(locator=at, notice=notice).row("carving"))
        rows.add("entries", entry_row(number, str(at), entry, (None,) * 5, unit.depth))
        number += 1
    segments = rows.write(workplace.folder, unit.unit)
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts={}))


_Listed = tuple[int, list[tuple[int, int]]]
"""Size and runs (offset, length) of a stream that metadata lists."""


def _by_start(rows: Iterable[Mapping[str, Any]]) -> dict[int, list[_Listed]]:
    """Return what metadata lists, by the byte where it starts."""
    listed: dict[int, list[_Listed]] = {}
    for row in rows:
        runs = [(extent["offset"], extent["length"]) for extent in row["extents"] if not extent["sparse"]]
        if runs:
            listed.setdefault(runs[0][0], []).append((row["size"], runs))
    return listed


def _problem(carved: Mapping[str, Any], extents: Sequence[Extent], others: Sequence[_Listed]) -> str:
    """Return what speaks against a carved stream being whole: its own structure, or metadata that knew it larger.

    Where metadata lists a larger stream at the same place that went on elsewhere, what was carved around the bytes it
    has lost is that stream's remains.
    """
    if carved["damaged_offset"] is not None:
        return f"{carved['certainty']} at byte {carved['damaged_offset']} of the stream: {carved['reason']}"
    if len(extents) > 1 and not carved["checked"] and "pieces" not in carved:
        for size, runs in others:
            if size > extents[0].length and runs[0][1] > extents[0].length:
                return f"metadata lists a stream of {size} bytes here that goes on where another one lies by now"
    return ""


def _outermost(found: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield what was found, in order of place, without what starts inside something whole."""
    later = sorted((piece[0], piece[0] + piece[1]) for carved in found for piece in _pieces(carved)[1:])
    covered = number = 0
    for carved in found:
        position = carved["position"]
        while number < len(later) and later[number][1] <= position:
            number += 1
        inside = number < len(later) and later[number][0] <= position
        if position < covered or inside:
            continue
        if carved["certainty"] == Certainty.COMPLETE:
            covered = position + _pieces(carved)[0][1]
        yield carved


def _pieces(carved: Mapping[str, Any]) -> list[list[int]]:
    """Return where a stream lies in the runs: position and length of each piece."""
    whole = [[carved["position"], carved["size"]]]
    pieces: list[list[int]] = carved.get("pieces", whole)
    return pieces


def _entry(carved: Mapping[str, Any], void: Void) -> Entry:
    extents = tuple(extent for piece in _pieces(carved) for extent in void.place(*piece))
    if carved["certainty"] != Certainty.COMPLETE:
        content = ContentState.PARTIAL
    else:
        content = ContentState.INTACT if carved["checked"] else ContentState.ASSUMED
    return Entry(
        address=address_of(extents),
        path=f"{extents[0].offset:012d}.{carved['extension']}",
        kind=EntryKind.FILE,
        size=carved["size"],
        state=EntryState.CARVED,
        content=content,
        extents=extents,
        assumed_size=0 if carved["checked"] else carved["size"],
        recovered_by=carved["carver"] if "pieces" not in carved else f"{carved['carver']}, pieces joined",
    )
