"""A whole EWF image: its segments found and put together, with what is missing told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kaval.containers.chunks import ChunkSource, Table
from kaval.containers.ewf import version1, version2
from kaval.containers.ewf.naming import segment_names
from kaval.containers.ewf.segment import ChunkTable, Geometry, Segment
from kaval.containers.segments import Shelf
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

MAXIMUM_ERRORS = 1000
"""Ranges of bad sectors told one by one; the rest is counted."""

LOOK_AHEAD = 100
"""How many names beyond a missing segment are asked for."""


def open_image(source: ByteSource, name: str, siblings: Siblings) -> Opened:
    """Return the image that the segment ``source``, which must be the first, and those beside it make up.

    Raises:
        UnsupportedError: It is a later segment.
        CorruptStructureError: The sizes of the image cannot be known.
    """
    version = version2 if source.read_at(0, 4) == b"EVF2" else version1
    number = version.segment_number(source)
    names = list(segment_names(name))
    if number != 1:
        first = names[0] if names else "the first segment"
        raise UnsupportedError(f"segment {number} of an EWF image", f"give its first segment, {first}")
    image = _Image(names, name, Shelf(siblings), version.read_segment)
    image.gather(source)
    return image.opened()


@dataclass(frozen=True, kw_only=True)
class _Hole:
    """Chunks that are not there, and why; ``stop`` is the next one that is."""

    first: int
    stop: int
    reason: str


@dataclass
class _Image:
    """Segments on their way to one source."""

    names: list[str]
    name: str
    shelf: Shelf
    read_segment: Callable[[ByteSource, str, Geometry | None], Segment]
    segments: list[Segment] = field(default_factory=list)
    runs: list[list[tuple[Segment, ChunkTable]]] = field(default_factory=lambda: [[]])
    reasons: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def gather(self, source: ByteSource) -> None:
        """Read the first segment and those that follow it, up to the one that says it is the last."""
        self._add(self.read_segment(source, self.name, None))
        missing: list[str] = []
        for number, name in enumerate(self.names[1:], 2):
            if self.segments[-1].ending == "done" or len(missing) >= LOOK_AHEAD:
                break
            part = self.shelf.find(name)
            if part is None:
                missing.append(name)
                continue
            segment = self.read_segment(part, name, self.segments[0].geometry)
            if segment.number != number or segment.ending == "foreign":
                self._refuse(segment, number)
                missing.append(name)
                continue
            if missing or not self.segments[-1].ending:
                self._break(self._why(missing))
                missing.clear()
            self._add(segment)
        if self.segments[-1].ending != "done":
            self._break(self._why(missing))

    def _why(self, missing: list[str]) -> str:
        """Return why there are no chunks behind the last segment that was read."""
        last = self.segments[-1]
        if not last.ending:
            return f"{last.name} was cut off at its byte {last.source.size}, or its last sections are damaged"
        named = " and ".join(missing[:3]) if len(missing) < LOOK_AHEAD and missing else "".join(missing[:1])
        return f"the segment {named or 'that follows'} is not beside the others"

    def _refuse(self, segment: Segment, number: int) -> None:
        message = f"{segment.name} is left out: it says it is segment {segment.number} where {number} belongs"
        if segment.ending == "foreign":
            message = f"{segment.name} is left out: it belongs to another image"
        self.notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure="EWF segment"))

    def _add(self, segment: Segment) -> None:
        self.segments.append(segment)
        self.notices.extend(segment.notices)
        for place, run in enumerate(segment.runs):
            if place:
                self._break(f"chunks in the middle of {segment.name} are lost")
            self.runs[-1].extend((segment, table) for table in run)

    def _break(self, reason: str) -> None:
        self.reasons.append(reason)
        self.runs.append([])

    def opened(self) -> Opened:
        geometry = self.segments[0].geometry
        if geometry is None:
            raise CorruptStructureError(f"the EWF image {self.name}", "no sound volume section tells its size")
        tables = self._placed(geometry)
        reason = "; ".join(dict.fromkeys(self.reasons)) or "no chunk table lists them"
        holes = list(_holes(tables, geometry.chunk_count, reason))
        self.notices.extend(self._told(holes, geometry))
        self.notices.extend(self._bad_sectors(geometry))
        source = ChunkSource(tables, geometry.chunk_size, geometry.size, _reason_in(holes))
        facts: dict[str, str] = {}
        digests: dict[str, str] = {}
        for segment in self.segments:
            facts = {**segment.facts, **facts}
            digests = {**segment.digests, **digests}
        facts |= {**geometry.facts, "segments": str(len(self.segments))}
        return Opened(source=source, facts=facts, stored_digests=digests, notices=tuple(self.notices))

    def _placed(self, geometry: Geometry) -> list[Table]:
        """Return the tables with the numbers of their first chunks.

        Version 1 does not store these: chunks before the first gap are counted from the start; those after the last one
        from the end, if the image has its end; those between two gaps cannot be placed and are left out.
        """
        total = geometry.chunk_count
        listed = [table for run in self.runs for table in run]
        if any(table.first is not None for _, table in listed):
            tables = [_table(segment, table, table.first or 0) for segment, table in listed]
            return sorted(tables, key=lambda table: table.first)
        tables = list(_numbered(self.runs[0], 0))
        if len(self.runs) == 1:
            return tables
        counts = [sum(table.count for _, table in run) for run in self.runs]
        whole = self.segments[-1].ending == "done" and counts[0] + counts[-1] <= total
        if whole:
            tables.extend(_numbered(self.runs[-1], total - counts[-1]))
        if any(counts[1:-1]) or (counts[-1] and not whole):
            self.reasons.append("chunks found between the gaps cannot be placed")
        return tables

    def _told(self, holes: list[_Hole], geometry: Geometry) -> Iterator[Notice]:
        for hole in holes:
            start = hole.first * geometry.chunk_size
            end = min(hole.stop * geometry.chunk_size, geometry.size)
            message = f"bytes {start} to {end} of {geometry.size} cannot be read: {hole.reason}"
            yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=start, structure="EWF image")

    def _bad_sectors(self, geometry: Geometry) -> Iterator[Notice]:
        bad = [sectors for segment in self.segments for sectors in segment.bad_sectors]
        for first, count in bad[:MAXIMUM_ERRORS]:
            message = f"{count} sectors from sector {first} could not be read at acquisition; filling stands there"
            at = first * geometry.sector_size
            yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=at, structure="EWF error2")
        if len(bad) > MAXIMUM_ERRORS:
            message = f"{len(bad) - MAXIMUM_ERRORS} further ranges of sectors could not be read at the acquisition"
            yield Notice(code=NoticeCode.UNREADABLE, message=message, structure="EWF error2")


def _table(segment: Segment, table: ChunkTable, first: int) -> Table:
    return Table(first=first, count=table.count, segment=segment.source, segment_name=segment.name, load=table.load)


def _numbered(run: list[tuple[Segment, ChunkTable]], first: int) -> Iterator[Table]:
    for segment, table in run:
        yield _table(segment, table, first)
        first += table.count


def _holes(tables: list[Table], total: int, reason: str) -> Iterator[_Hole]:
    """Yield the gaps that tables leave between the first chunk and the last one of the image."""
    reached = 0
    for table in tables:
        if table.first > reached:
            yield _Hole(first=reached, stop=min(table.first, total), reason=reason)
        reached = max(reached, table.first + table.count)
    if reached < total:
        yield _Hole(first=reached, stop=total, reason=reason)


def _reason_in(holes: list[_Hole]) -> Callable[[int], str]:
    def reason(chunk: int) -> str:
        return next((hole.reason for hole in holes if hole.first <= chunk < hole.stop), "no chunk table lists it")

    return reason
