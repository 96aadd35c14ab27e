"""Films: a carved film without its index is joined with an index that lies elsewhere in the same free space.

An index does not start at a sector, so the runs are gone through once more, and only where a film lacks one. What is
joined proves itself by its samples; where they leave several clusters open for the break, the film is told as broken
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kaval.core.errors import KavalError, UnreadableError
from kaval.core.locators import Locator
from kaval.core.sources import ByteSource, SliceSource, pieces
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.recovery.carvers import Certainty
from kaval.recovery.films.boxes import head_of, looks_like_index, tracks_of
from kaval.recovery.films.joining import Index, Joining, likeliest
from kaval.stages.carving import BLOCK_SIZE, Chain, LostError, Void, placed
from kaval.stages.desk import desk_of
from kaval.stages.discovery import Remark
from kaval.stages.fence import notice_of
from kaval.stages.heartbeat import beat, begin
from kaval.stages.mending import cluster_size
from kaval.stages.opening import SLACK
from kaval.stages.plan import Workplace

CARVER = "carve-isobmff"
LOOK = 16
MAXIMUM_INDEXES = 4096
MAXIMUM_INDEXED = 256 << 20
"""Bytes of indexes that are kept at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilmUnit:
    """The films of one source that lack an index, and what is whole there; places are positions in its runs."""

    unit: str
    void: str
    source: str
    films: tuple[Mapping[str, Any], ...]
    whole: tuple[tuple[int, int], ...]
    chain: Chain = ()
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> FilmUnit:
        """Return the unit told at which film a worker was lost; the number behind the last one is the search."""
        return replace(self, lost={**self.lost, item: reason})


def film_units(void: UnitRecord, found: Sequence[Mapping[str, Any]], chains: Mapping[str, Chain]) -> Iterator[FilmUnit]:
    """Yield the unit that joins the films of one source, where one lacks its index."""
    broken = (each for each in found if each["carver"] == CARVER and each["certainty"] != Certainty.COMPLETE)
    films = tuple(sorted(broken, key=lambda each: each["position"]))
    if not films or void.facts["layer"] == SLACK:
        return
    whole = sorted((each["position"], each["size"]) for each in found if each["certainty"] == Certainty.COMPLETE)
    yield FilmUnit(
        unit=f"films-{void.unit.removeprefix('void-')}",
        void=void.unit,
        source=void.facts["source"],
        films=films,
        whole=tuple(whole),
        chain=chains.get(void.facts["source"], ()),
    )


def join_films(workplace: Workplace, unit: FilmUnit) -> UnitRecord:
    """Join what can be proven; the record names the films with the pieces they lie in."""
    desk = desk_of(workplace)
    rows = RowBuffer()
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    at = Locator.parse(unit.source)
    void = Void.load(workplace.folder, unit.void)
    joined: list[dict[str, Any]] = []
    try:
        runs = void.over(desk.opener.source(at))
        begin(len(unit.films))
        if len(unit.films) in unit.lost:
            message = f"searching for indexes of films cost the worker ({unit.lost[len(unit.films)]}); none was joined"
            raise LostError(message)
        indexes = list(_indexes(runs, unit.whole))
        cluster = cluster_size(void.extents)
        for number, film in enumerate(unit.films):
            begin(number)
            if number not in unit.lost:
                joined.extend(_join(runs, film, indexes, cluster, unit.whole))
    except (KavalError, OSError) as error:
        rows.add("notices", Remark(locator=at, notice=notice_of(error, "joining films")).row("carving"))
    segments = rows.write(workplace.folder, unit.unit)
    facts = {"void": unit.void, "mended": joined}
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts=facts))


def _indexes(runs: ByteSource, whole: Sequence[tuple[int, int]]) -> Iterator[Index]:
    """Yield the indexes of films that stand anywhere in the runs, but for those inside something whole."""
    number = kept = found = 0
    for position in _places(runs):
        while number < len(whole) and sum(whole[number]) <= position:
            number += 1
        if number < len(whole) and whole[number][0] <= position:
            continue
        start = runs.read_at(position, LOOK)
        size = int.from_bytes(start[:4], "big")
        if not looks_like_index(start) or position + size > runs.size or kept + size > MAXIMUM_INDEXED:
            continue
        tracks = tracks_of(runs.read_at(position, size))
        if tracks is not None and found < MAXIMUM_INDEXES:
            kept, found = kept + size, found + 1
            yield Index(position, size, tuple(tracks))


def _places(runs: ByteSource) -> Iterator[int]:
    """Yield where a box begins that calls itself an index, in order."""
    for start in range(0, runs.size, BLOCK_SIZE):
        beat()
        for found in pieces(runs, start, min(BLOCK_SIZE + 3, runs.size - start)):
            if isinstance(found, UnreadableError):
                continue
            offset, block = found
            place = block.find(b"moov")
            while place >= 0:
                if offset + place >= 4:
                    yield offset + place - 4
                place = block.find(b"moov", place + 1)


def _join(
    runs: ByteSource,
    film: Mapping[str, Any],
    indexes: list[Index],
    cluster: int,
    whole: Sequence[tuple[int, int]],
) -> Iterator[dict[str, Any]]:
    """Yield a film joined with the index that proves to be its own, which no other film is joined with then."""
    start = film["position"]
    head = head_of(SliceSource(runs, start, runs.size - start))
    if head is None:
        return
    for index in indexes:
        joining = Joining(runs, start, head, index, beat)
        breaks = joining.breaks(cluster)
        if not breaks:
            continue
        shift = index.position - start - head.data_end
        edges = {position - start for position, _ in whole}
        edges |= {-(-(position + size) // cluster) * cluster - start - shift for position, size in whole}
        place = likeliest(breaks, edges)
        parts = joining.pieces(breaks[-1] if place is None else place)
        if parts is not None:
            indexes.remove(index)
            yield {**film, **_told(head.data_end + index.size, breaks, place), "pieces": parts}
            return


def _told(size: int, breaks: Sequence[int], place: int | None) -> dict[str, Any]:
    if place is not None:
        return {"size": size, "certainty": str(Certainty.COMPLETE), "damaged_offset": None, "reason": ""}
    reason = f"it goes on elsewhere, from one of {len(breaks)} clusters up to byte {breaks[-1]}; no sample says which"
    return {"size": size, "certainty": str(Certainty.DAMAGED), "damaged_offset": breaks[0], "reason": reason}
