"""Joining: leaf pages of databases found in unallocated space go to the tables whose rows they hold.

Auto-vacuum cuts pages off a database at commit; the file system frees them, and they keep their rows. Carving notes
them while it reads. Here each is weighed against every table of the databases that lie in the same source, carved ones
among them. A page inside a database that was recovered or carved has its owner already and is left alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from kaval.artefacts import SQLITE
from kaval.artefacts.sqlite import Database, UnallocatedPage, UnallocatedPages
from kaval.artefacts.sqlite.joined import Home, Joined, settled
from kaval.artefacts.sqlite.joining import Homes
from kaval.core.errors import KavalError
from kaval.core.locators import Locator
from kaval.core.records import EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.recovery.carvers.sqlite_pages import log_pages
from kaval.stages.carving import Chain, Void, placed
from kaval.stages.desk import desk_of
from kaval.stages.discovery import Remark
from kaval.stages.fence import fenced, fenced_iteration, notice_of
from kaval.stages.heartbeat import beat, begin
from kaval.stages.opening import CARVED, Opener, address_of
from kaval.stages.plan import Plan, Workplace
from kaval.stages.schedule import parent_of
from kaval.stages.selection import Reading, select

STAGE = "joining"
PAGES_A_UNIT = 8192
NEIGHBOURS = 8
"""Pages that may lie between two for them to count as neighbours still."""

PAGES_A_DATABASE = 1 << 18
"""Pages joined to one database that are read."""

_CACHED_SIZE = 1 << 18
_PAGES_AN_ITEM = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinUnit:
    """Join some pages of one source: runs of position in its void, size of a page, and number of pages.

    Where ``log`` has extents, the pages are those of a deleted log that came back whole, and positions count in it.
    """

    unit: str
    void: str
    source: str
    runs: tuple[tuple[int, int, int], ...]
    databases: tuple[Reading, ...]
    log: tuple[Extent, ...] = ()
    chain: Chain = ()
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> JoinUnit:
        """Return the unit told at which database, or behind them at which pages, a worker was lost."""
        return replace(self, lost={**self.lost, item: reason})


def join_units(folder: Path, plan: Plan, done: Sequence[UnitRecord], chains: Mapping[str, Chain]) -> Iterator[JoinUnit]:
    """Yield the units that join the pages carving noted; databases that the file system lists come first."""
    noted: dict[str, list[tuple[int, int, int]]] = {}
    for record in done:
        for position, size, count in record.facts.get("pages", ()):
            noted.setdefault(record.facts["void"], []).append((position, size, count))
    sources = {record.unit: str(record.facts["source"]) for record in done if record.unit in noted}
    databases = _databases(folder, plan, done)
    for source in sorted(databases):
        yield from _log_units(source, databases[source], chains.get(source, ()))
    for void, runs in sorted(noted.items()):
        source = sources[void]
        for number, part in enumerate(_parted(sorted(runs))):
            yield JoinUnit(
                unit=f"join-{void.removeprefix('void-')}-{number:06d}",
                void=void,
                source=source,
                runs=tuple(part),
                databases=tuple(databases.get(source, ())),
                chain=chains.get(source, ()),
            )


def _log_units(source: str, databases: Sequence[Reading], chain: Chain) -> Iterator[JoinUnit]:
    """Yield the units that take pages out of the deleted logs of databases in use; whose they are, their name tells."""
    for reading in databases:
        for number, former in enumerate(reading.former):
            yield JoinUnit(
                unit=f"join-log-{reading.entry_id:016d}-{number:02d}",
                void="",
                source=source,
                runs=(),
                databases=(reading,),
                log=former.layout[0] or (),
                chain=chain,
            )


def _databases(folder: Path, plan: Plan, done: Sequence[UnitRecord]) -> dict[str, list[Reading]]:
    """Return the databases of each source, those in use before deleted and carved ones."""
    segments = [segment for record in done for segment in record.segments if segment.table != "unallocated_pages"]
    found: dict[str, list[Reading]] = {}
    for reading in select(folder, segments, texts=False):
        if reading.media_type == SQLITE:
            found.setdefault(parent_of(reading.locator), []).append(reading)
    for readings in found.values():
        readings.sort(key=lambda reading: (reading.state != EntryState.ALLOCATED, reading.entry_id))
    return found


def _parted(runs: Sequence[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Yield the runs in parts of some pages; a run that is longer is divided."""
    part: list[tuple[int, int, int]] = []
    room = PAGES_A_UNIT
    for position, size, count in runs:
        given = 0
        while given < count:
            taken = min(count - given, room)
            part.append((position + given * size, size, taken))
            given, room = given + taken, room - taken
            if not room:
                yield part
                part, room = [], PAGES_A_UNIT
    if part:
        yield part


def join(workplace: Workplace, unit: JoinUnit) -> UnitRecord:
    """Put on record which table each page belongs to, and what else it fits."""
    desk = desk_of(workplace)
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    rows = RowBuffer()
    at = Locator.parse(unit.source).to(CARVED)
    try:
        void = Void(unit.log) if unit.log else Void.load(workplace.folder, unit.void)
        work = _Joining(desk.opener, void, unit, strict=workplace.plan.strict)
        for remark in work.join(rows):
            rows.add("notices", remark.row(STAGE))
    except (KavalError, OSError) as error:
        rows.add("notices", Remark(locator=at, notice=notice_of(error, "joining pages")).row(STAGE))
    segments = rows.write(workplace.folder, unit.unit)
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts={}))


class _Joining:
    """The joining of the pages of one unit."""

    def __init__(self, opener: Opener, void: Void, unit: JoinUnit, *, strict: bool) -> None:
        self._opener = opener
        self._void = void
        self._unit = unit
        self._strict = strict
        self._source = Locator.parse(unit.source)
        self._runs = void.over(opener.source(self._source))
        self._owned = _owned(unit.databases)
        self._noted = self._in_log() if unit.log else unit.runs
        self._homeless = self._unread = 0
        self._ambiguous: dict[Home, Counter[Home]] = {}
        self._doubtful: Counter[Home] = Counter()

    def join(self, rows: RowBuffer) -> Iterator[Remark]:
        """Add a row for each page that has a home; yield what is to be said of the others."""
        homes = Homes()
        sizes = {size for _, size, _ in self._noted}
        for number, reading in enumerate(self._unit.databases):
            begin(number)
            if number not in self._unit.lost:
                fenced("sqlite", partial(self._take_in, homes, number, reading, sizes), strict=self._strict)
        for group in _groups(self._noted):
            places = [place for place in group if not self._is_owned(place)]
            for place, joined in zip(places, settled(self._homes_of(homes, places)), strict=True):
                if joined is not None:
                    rows.add("unallocated_pages", self._row(place, joined))
        yield from self._remarks()

    def _in_log(self) -> tuple[tuple[int, int, int], ...]:
        """Return the pages of a log as runs; each stands alone between headers."""
        found = fenced_iteration("pages of databases", log_pages(0, self._runs.read_at), strict=self._strict)
        return tuple((page.offset, page.size, 1) for page in found if not isinstance(page, Notice))

    def _take_in(self, homes: Homes, number: int, reading: Reading, sizes: set[int]) -> None:
        source = self._opener.stream(Locator.parse(reading.locator), reading.layout)
        beside = {other.name: other for other in reading.beside}
        log = beside.get(f"{reading.path.rpartition('/')[2].lower()}-wal")
        wal = self._opener.stream(Locator.parse(log.locator), log.layout) if log is not None else None
        database = Database.open(source, wal=wal, cached_size=_CACHED_SIZE)
        if database.files.page_size in sizes:
            homes.take_in(number, database)

    def _homes_of(self, homes: Homes, places: Sequence[tuple[int, int]]) -> list[Joined | None]:
        found: list[Joined | None] = []
        begun = -1
        for position, size in places:
            item = len(self._unit.databases) + position // (size * _PAGES_AN_ITEM)
            if item != begun:
                begin(item)
                begun = item
            joined = None
            if item in self._unit.lost:
                self._unread += 1
            else:
                joined = self._home_of(homes, position, size)
            found.append(joined)
        return found

    def _home_of(self, homes: Homes, position: int, size: int) -> Joined | None:
        block = fenced("pages of databases", partial(self._runs.read_at, position, size), strict=self._strict)
        joined = None
        if not isinstance(block, Notice):
            joined = fenced("joining pages", partial(homes.home_of, block), strict=self._strict)
        if isinstance(block, Notice) or isinstance(joined, Notice):
            self._unread += 1
            return None
        self._homeless += joined is None
        return joined

    def _is_owned(self, place: tuple[int, int]) -> bool:
        """Whether a page lies in a database that was found as a whole or in part."""
        starts, ends = self._owned
        for extent in self._void.place(*place):
            at = bisect_right(starts, extent.offset + extent.length - 1)
            if at and ends[at - 1] > extent.offset:
                return True
        return False

    def _row(self, place: tuple[int, int], joined: Joined) -> tuple[Any, ...]:
        extents = self._void.place(*place)
        reading = self._unit.databases[joined.home.database]
        if joined.also:
            self._doubtful[joined.home] += 1
            self._ambiguous.setdefault(joined.home, Counter()).update(joined.also)
        also = [f"{self._unit.databases[home.database].locator} {home.table}" for home in joined.also]
        locator = str(self._source.to(CARVED, address_of(extents)))
        told = [{"offset": one.offset, "length": one.length, "sparse": False, "assumed": False} for one in extents]
        return (reading.entry_id, locator, self._unit.source, told, joined.home.table, joined.certain, also)

    def _remarks(self) -> Iterator[Remark]:
        """Yield what is to be said: which pages fit several tables, which none, which were not looked at."""
        for home, count in self._doubtful.items():
            reading = self._unit.databases[home.database]
            also = self._ambiguous[home]
            others = ", ".join(f"{one.table!r} of {self._unit.databases[one.database].path}" for one in list(also)[:3])
            more = f" and {len(also) - 3} more" if len(also) > 3 else ""
            message = (
                f"{count} unallocated pages were joined to {home.table!r} by the shape of their rows; {others}{more} "
                "would fit about as well"
            )
            yield Remark(locator=Locator.parse(reading.locator), notice=_notice(NoticeCode.ASSUMED, message))
        at = self._source.to(CARVED)
        if self._homeless and not self._unit.log:
            message = (
                f"{self._homeless} pages of databases in unallocated space hold no rows of a table of a database here: "
                "indices, or of databases that are gone; they were not read"
            )
            yield Remark(locator=at, notice=_notice(NoticeCode.SKIPPED, message))
        if self._unread:
            message = f"{self._unread} pages of databases in unallocated space could not be looked at"
            yield Remark(locator=at, notice=_notice(NoticeCode.CAPABILITY_FAILED, message))


def _notice(code: NoticeCode, message: str) -> Notice:
    return Notice(code=code, message=message, structure="page")


def _owned(databases: Sequence[Reading]) -> tuple[list[int], list[int]]:
    """Return where the extents of databases start and end, in order, those that touch taken together."""
    extents = sorted(
        (extent.offset, extent.offset + extent.length)
        for reading in databases
        for extent in reading.layout[0] or ()
        if not extent.sparse
    )
    starts: list[int] = []
    ends: list[int] = []
    for start, end in extents:
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def _groups(runs: Sequence[tuple[int, int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Yield the places of pages that are neighbours: of one size, with few others between them."""
    group: list[tuple[int, int]] = []
    for position, size, count in runs:
        if group and (group[-1][1] != size or position - group[-1][0] > (NEIGHBOURS + 1) * size):
            yield group
            group = []
        group.extend((position + at * size, size) for at in range(count))
    if group:
        yield group


def pages_of(folder: Path, opener: Opener, reading: Reading) -> UnallocatedPages | None:
    """Return the unallocated pages that were joined to a database, ``None`` where there are none."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    pages: list[UnallocatedPage] = []
    extents: list[Extent] = []
    source: ByteSource | None = None
    for name in reading.pages_in:
        rows = pq.read_table(folder / name, filters=pc.field("entry_id") == reading.entry_id)
        for row in rows.to_pylist():
            if len(pages) >= PAGES_A_DATABASE:
                break
            source = source or opener.source(Locator.parse(row["source"]))
            pages.append(UnallocatedPage(row["locator"], row["table_name"], row["certain"]))
            extents.extend(Extent(offset=one["offset"], length=one["length"]) for one in row["extents"])
        beat()
    if source is None:
        return None
    return UnallocatedPages(ExtentSource(source, extents, sum(extent.length for extent in extents)), pages)
