"""Mending: a carved stream that breaks off is joined with a later piece, where the whole proves itself.

A file that was written around another one's clusters lies in two pieces. Its first piece ends at the start of a
cluster near the place where its structure breaks off; the second one starts at a later cluster. Every likely pair is
tried: first behind whole streams that lie in between, then cluster by cluster. A pair is believed only where the joined
stream is whole by its structure **and** its checksums agree or, for a JPEG, the confined decoder decodes it without a
complaint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Any

from kaval.core.errors import KavalError
from kaval.core.locators import Locator
from kaval.core.records import Extent, Notice
from kaval.core.sources import ByteSource, JoinedSource, SliceSource
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.recovery.carvers import CARVERS, Carved, Certainty
from kaval.recovery.carvers.jpeg import may_continue
from kaval.recovery.scanning import SECTOR_SIZE, ask
from kaval.stages.carving import Chain, Void, placed
from kaval.stages.desk import Desk, desk_of
from kaval.stages.discovery import Remark
from kaval.stages.fence import notice_of
from kaval.stages.heartbeat import beat, begin
from kaval.stages.opening import SLACK
from kaval.stages.plan import Workplace

MENDED = {"carve-jpeg": "image/jpeg", "carve-png": "", "carve-zip": "", "carve-gzip": ""}
"""Carvers whose streams can prove themselves; what the decoder has to be asked as, where checksums do not say it."""

BROKEN_A_UNIT = 8
MAXIMUM_CLUSTER = 64 << 10
USUAL_CLUSTER = 4096
FEW = 16
BREAKS = 3
"""Cluster starts at which the first piece may end: up to the place where a JPEG breaks off, which is seen at once; from
the start of the part on whose checksum differs."""

REACH = 4096
"""Clusters behind the break that are tried one by one."""

LOOK = 4096
"""Bytes of a cluster that are looked at before it is tried."""

MAXIMUM_TRIES = {True: 3000, False: 400}
"""Pairs that are tried: for a JPEG, whose joints are quickly seen, and for what is checked from its start."""

MAXIMUM_SIZE = 64 << 20
DECODINGS = 24
"""Joined pictures of one broken one that are given to the decoder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MendUnit:
    """Broken streams of one source, and where whole ones end; places are positions in its runs laid end to end."""

    unit: str
    void: str
    source: str
    broken: tuple[Mapping[str, Any], ...]
    ends: tuple[int, ...]
    chain: Chain = ()
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> MendUnit:
        """Return the unit told at which broken stream a worker was lost; that one stays as it is."""
        return replace(self, lost={**self.lost, item: reason})


def mend_units(void: UnitRecord, found: Sequence[Mapping[str, Any]], chains: Mapping[str, Chain]) -> Iterator[MendUnit]:
    """Yield the units that mend what broke off in one source; what lies in slack has nothing it could go on in."""
    if void.facts["layer"] == SLACK:
        return
    ends = tuple(
        sorted({carved["position"] + carved["size"] for carved in found if carved["certainty"] == Certainty.COMPLETE})
    )
    broken = sorted(
        (carved for carved in found if carved["certainty"] != Certainty.COMPLETE and carved["carver"] in MENDED),
        key=lambda carved: carved["position"],
    )
    for number, start in enumerate(range(0, len(broken), BROKEN_A_UNIT)):
        yield MendUnit(
            unit=f"mend-{void.unit.removeprefix('void-')}-{number:06d}",
            void=void.unit,
            source=void.facts["source"],
            broken=tuple(broken[start : start + BROKEN_A_UNIT]),
            ends=ends,
            chain=chains.get(void.facts["source"], ()),
        )


def mend(workplace: Workplace, unit: MendUnit) -> UnitRecord:
    """Mend what can be proven; the record names the whole streams with the pieces they lie in."""
    desk = desk_of(workplace)
    rows = RowBuffer()
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    at = Locator.parse(unit.source)
    void = Void.load(workplace.folder, unit.void)
    mended: list[dict[str, Any]] = []
    try:
        runs = void.over(desk.opener.source(at))
        cluster = cluster_size(void.extents)
        for number, carved in enumerate(unit.broken):
            begin(number)
            if number not in unit.lost:
                whole = _Mending(desk, runs, void.size, cluster, unit.ends).mend(carved)
                mended.extend([whole] if whole else [])
    except (KavalError, OSError) as error:
        rows.add("notices", Remark(locator=at, notice=notice_of(error, "joining pieces")).row("carving"))
    segments = rows.write(workplace.folder, unit.unit)
    facts = {"void": unit.void, "mended": mended}
    return placed(workplace, UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts=facts))


def cluster_size(extents: Sequence[Extent]) -> int:
    """Return the size of a cluster: the largest power of two that all runs are made of and lie a multiple apart.

    A few runs say little; then it is taken to be no more than the usual 4096 bytes.
    """
    size = MAXIMUM_CLUSTER
    first = extents[0].offset if extents else 0
    for extent in extents:
        size = gcd(size, gcd(extent.length, extent.offset - first))
    return max(size if len(extents) >= FEW else min(size, USUAL_CLUSTER), SECTOR_SIZE)


class _Mending:
    """The tries for one broken stream."""

    def __init__(self, desk: Desk, runs: ByteSource, size: int, cluster: int, ends: Sequence[int]) -> None:
        self._desk = desk
        self._runs = runs
        self._size = size
        self._cluster = cluster
        self._ends = ends
        self._decodings = DECODINGS
        self._is_jpeg = False

    def mend(self, carved: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the whole stream with its two pieces, ``None`` where none proves itself."""
        carver = CARVERS.get(carved["carver"])
        self._is_jpeg = carved["carver"] == "carve-jpeg"
        start = carved["position"]
        broken_at = start + (carved["damaged_offset"] or carved["size"])
        for number, (end, again) in enumerate(self._pairs(start, broken_at)):
            if number >= MAXIMUM_TRIES[self._is_jpeg] or self._decodings <= 0:
                return None
            if not number % 64:
                beat()
            joined = JoinedSource(
                [SliceSource(self._runs, start, end - start), SliceSource(self._runs, again, self._size - again)]
            )
            whole = ask(carver, joined)
            if whole is None or whole.certainty is not Certainty.COMPLETE or whole.size <= end - start:
                continue
            if self._proven(joined, whole, MENDED[carved["carver"]]):
                pieces = [[start, end - start], [again, whole.size - (end - start)]]
                return {**carved, **_whole(whole), "pieces": pieces}
        return None

    def _pairs(self, start: int, broken_at: int) -> Iterator[tuple[int, int]]:
        """Yield where the first piece may end and the second one start, the likeliest first."""
        cluster = self._cluster
        last = broken_at // cluster * cluster
        step = -cluster if self._is_jpeg else cluster
        first = last if self._is_jpeg else last + cluster
        breaks = [end for end in range(first, first + BREAKS * step, step) if end > start]
        horizon = last + REACH * cluster
        behind = [-(-end // cluster) * cluster for end in self._ends if last < end <= horizon]
        for end in breaks:
            for again in behind:
                yield end, again
        for again in range(last + cluster, min(self._size, horizon), cluster):
            if self._may_continue(again):
                for end in breaks:
                    yield end, again

    def _may_continue(self, place: int) -> bool:
        """Whether what stands at a place may be the middle of such a stream, by a first look."""
        block = self._runs.read_at(place, min(self._cluster, LOOK))
        return may_continue(block) if self._is_jpeg else any(block)

    def _proven(self, joined: ByteSource, whole: Carved, media_type: str) -> bool:
        if whole.checked:
            return True
        if not media_type or whole.size > MAXIMUM_SIZE:
            return False
        self._decodings -= 1
        studio = self._desk.studio()
        studio.submit(joined.read_at(0, whole.size), media_type)
        answer = studio.result()
        beat()
        return not isinstance(answer, Notice) and answer.problem is None


def _whole(carved: Carved) -> dict[str, Any]:
    return {
        "size": carved.size,
        "certainty": str(carved.certainty),
        "media_type": carved.media_type,
        "extension": carved.extension,
        "checked": carved.checked,
        "damaged_offset": None,
        "reason": "",
    }
