"""Selection: which streams are read for artefacts, with what lies beside them, cut into units.

Databases are chosen by content, so that renamed, carved and deleted ones are read too; other files by path or type.
The order depends on the entries alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kaval.artefacts import ARTEFACTS, SQLITE
from kaval.artefacts.texts import TEXTS
from kaval.core.records import ContentState, EntryState, Extent
from kaval.folder.segments import Segment, UnitRecord
from kaval.stages.opening import Layout
from kaval.stages.plan import Plan
from kaval.stages.schedule import parent_of

_COLUMNS = ["entry_id", "locator", "path", "kind", "size", "state", "content", "extents"]
_READ_KINDS = ("file", "stream")
_UNREADABLE = ("gone", "encrypted", "none")
_WITH_DATABASES = ("-wal", "-journal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """A file in the same folder as one that is read."""

    name: str
    locator: str
    layout: Layout


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One stream to be read for artefacts, with all that reading it takes."""

    entry_id: int
    locator: str
    path: str
    size: int
    state: str
    content: str
    media_type: str | None
    layout: Layout
    listed_in: str
    as_text: bool = False
    beside: tuple[Neighbour, ...] = ()
    pages_in: tuple[str, ...] = ()
    """Segments that hold unallocated pages joined to this database."""
    former: tuple[Neighbour, ...] = ()
    """Logs and journals under its name that are gone and came back whole; carving does not look into those."""


Chains = Mapping[str, tuple[tuple[str, Layout], ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtefactUnit:
    """Read some streams for artefacts; rows are numbered from the ordinal on."""

    unit: str
    ordinal: int
    readings: tuple[Reading, ...]
    chain: tuple[tuple[str, Layout], ...] = ()
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> ArtefactUnit:
        """Return the unit told at which stream a worker was lost."""
        return replace(self, lost={**self.lost, item: reason})


def artefact_units(folder: Path, plan: Plan, records: Sequence[UnitRecord], chains: Chains) -> Iterator[ArtefactUnit]:
    """Yield the units that read a listed and analysed source for artefacts, in order of entry numbers."""
    segments = [segment for record in records for segment in record.segments]
    readings: list[Reading] = []
    size = ordinal = 0
    for reading in select(folder, segments, texts=plan.texts):
        if readings and (len(readings) >= plan.artefact_files or size + reading.size > plan.artefact_size):
            yield _unit(ordinal, readings, chains)
            readings, size, ordinal = [], 0, ordinal + 1
        readings.append(reading)
        size += reading.size
    if readings:
        yield _unit(ordinal, readings, chains)


def _unit(ordinal: int, readings: Sequence[Reading], chains: Chains) -> ArtefactUnit:
    chain: dict[str, Layout] = {}
    for reading in readings:
        chain.update(chains.get(parent_of(reading.locator), ()))
    name = f"artefacts-{ordinal:06d}"
    return ArtefactUnit(unit=name, ordinal=ordinal, readings=tuple(readings), chain=tuple(chain.items()))


def select(folder: Path, segments: Sequence[Segment], *, texts: bool) -> Iterator[Reading]:
    """Yield the streams some parser wants, in order of entry numbers; documents for their text unless known as good."""
    wanted = [capability.wanted for capability in ARTEFACTS.available()]
    documents = {kind for reader in TEXTS.available() for kind in reader.media_types} if texts else set()
    types = sorted(documents.union({SQLITE}, *(want.media_types for want in wanted)))
    pattern = "|".join(f"({expression})" for want in wanted for expression in want.paths)
    names = frozenset(name for want in wanted for name in want.beside)
    digests = [folder / segment.name for segment in segments if segment.table == "digests"]
    entries = sorted(segment.name for segment in segments if segment.table == "entries")
    typed = _typed(digests, types)
    pages = _with_pages(folder, [segment.name for segment in segments if segment.table == "unallocated_pages"])
    good = _known_good([folder / segment.name for segment in segments if segment.table == "hits"]) if texts else set()
    for name in entries:
        for reading in _Listed(folder, name, typed, digests).readings(pattern, names):
            as_text = reading.media_type in documents and reading.entry_id not in good
            if as_text or any(want.fits(reading.path, reading.media_type, ()) for want in wanted):
                yield replace(reading, as_text=as_text, pages_in=pages.get(reading.entry_id, ()))
            elif reading.media_type == SQLITE:
                yield replace(reading, pages_in=pages.get(reading.entry_id, ()))


def below(folder: Path, reading: Reading) -> dict[str, Neighbour]:
    """Return the files anywhere under the folder of a stream, by their path from there in lower case."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    top = reading.path.rpartition("/")[0]
    prefix = f"{top}/" if top else ""
    table = pq.read_table(folder / reading.listed_in, columns=_COLUMNS)
    rows = table.filter(pc.starts_with(table["path"], prefix)).to_pylist() if prefix else table.to_pylist()
    parent = parent_of(reading.locator)
    found: dict[str, Neighbour] = {}
    for row in rows:
        inside = parent_of(row["locator"]) == parent and row["kind"] in _READ_KINDS
        if inside and row["content"] not in _UNREADABLE:
            name = row["path"].rpartition("/")[2].lower()
            neighbour = Neighbour(name=name, locator=row["locator"], layout=_layout(row))
            found.setdefault(row["path"][len(prefix) :].lower(), neighbour)
    return found


def _with_pages(folder: Path, names: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Return for each database with unallocated pages the segments that hold them."""
    import pyarrow.parquet as pq

    found: dict[int, tuple[str, ...]] = {}
    for name in sorted(names):
        rows: list[Any] = pq.read_table(folder / name, columns=["entry_id"])["entry_id"].to_pylist()
        for entry_id in sorted(set(rows)):
            found[entry_id] = (*found.get(entry_id, ()), name)
    return found


def _known_good(hits: Sequence[Path]) -> set[int]:
    """Return the entries a known-good set holds."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    good: set[int] = set()
    for path in hits:
        wanted = (pc.field("role") == "known-good") & (pc.field("algorithm") != "pdq")
        rows: list[Any] = pq.read_table(path, columns=["entry_id"], filters=wanted)["entry_id"].to_pylist()
        good.update(rows)
    return good


def _typed(digests: Sequence[Path], types: Sequence[str]) -> dict[int, str]:
    """Return the media type of the entries that have one of the types."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    typed: dict[int, str] = {}
    for path in digests:
        rows = pq.read_table(path, columns=["entry_id", "media_type"], filters=pc.field("media_type").isin(types))
        typed.update(_pairs(rows))
    return typed


def _pairs(rows: Any) -> Iterator[tuple[Any, Any]]:
    return zip(rows["entry_id"].to_pylist(), rows["media_type"].to_pylist(), strict=True)


class _Listed:
    """The entries that one unit listed: whole trees, so what lies beside a file is among them."""

    def __init__(self, folder: Path, name: str, typed: Mapping[int, str], digests: Sequence[Path]) -> None:
        import pyarrow.parquet as pq

        self._name = name
        self._table = pq.read_table(folder / name, columns=_COLUMNS)
        self._typed = typed
        self._digests = digests

    def readings(self, pattern: str, names: frozenset[str]) -> Iterator[Reading]:
        """Yield the streams of a wanted type or path, each with its neighbours."""
        chosen = self._chosen(pattern)
        beside = self._neighbours(chosen, names)
        for row in chosen:
            yield Reading(
                entry_id=row["entry_id"],
                locator=row["locator"],
                path=row["path"],
                size=row["size"],
                state=row["state"],
                content=row["content"],
                media_type=row["media_type"],
                layout=_layout(row),
                listed_in=self._name,
                beside=tuple(_beside(row, names, beside)),
                former=tuple(_former(row, beside)),
            )

    def _chosen(self, pattern: str) -> list[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        table = self._table
        readable = pc.and_(pc.is_in(table["kind"], pa.array(_READ_KINDS)), pc.greater(table["size"], pa.scalar(0)))
        readable = pc.and_(readable, pc.invert(pc.is_in(table["content"], pa.array(_UNREADABLE))))
        mask = pc.is_in(table["entry_id"], pa.array(sorted(self._typed), pa.int64()))
        if pattern:
            mask = pc.or_(mask, pc.match_substring_regex(pc.utf8_lower(table["path"]), pattern))
        rows: list[dict[str, Any]] = table.filter(pc.and_(readable, mask)).to_pylist()
        types = self._types_of([row["entry_id"] for row in rows if row["entry_id"] not in self._typed])
        for row in rows:
            row["media_type"] = self._typed.get(row["entry_id"]) or types.get(row["entry_id"])
        return sorted(rows, key=lambda row: row["entry_id"])

    def _types_of(self, entry_ids: Sequence[int]) -> dict[int, str | None]:
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        found: dict[int, str | None] = {}
        for path in self._digests if entry_ids else ():
            wanted = pc.field("entry_id").isin(entry_ids)
            rows = pq.read_table(path, columns=["entry_id", "media_type"], filters=wanted)
            found.update(_pairs(rows))
        return found

    def _neighbours(
        self, chosen: Sequence[Mapping[str, Any]], names: frozenset[str]
    ) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Return the entries beside the chosen ones, by the source they lie in and their path in lower case."""
        import pyarrow as pa
        import pyarrow.compute as pc

        paths = sorted({path for row in chosen for path in _paths_beside(row, names)})
        if not paths:
            return {}
        lowered = pc.utf8_lower(self._table["path"])
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self._table.filter(pc.is_in(lowered, pa.array(paths))).to_pylist():
            if row["kind"] in _READ_KINDS and row["content"] not in _UNREADABLE and row["size"] > 0:
                found.setdefault((parent_of(row["locator"]), row["path"].lower()), []).append(row)
        return found


def _paths_beside(row: Mapping[str, Any], names: frozenset[str]) -> list[str]:
    """Return the paths, in lower case, that may lie beside a chosen stream and matter to it."""
    path = row["path"].lower()
    folder, slash, name = path.rpartition("/")
    paths = [f"{folder}{slash}{other}" for other in sorted(names - {name})]
    if row["media_type"] == SQLITE:
        paths += [path + ending for ending in _WITH_DATABASES]
    return paths


def _beside(
    row: Mapping[str, Any], names: frozenset[str], found: Mapping[tuple[str, str], list[dict[str, Any]]]
) -> Iterator[Neighbour]:
    """Yield the neighbours of a chosen stream.

    Logs and journals belong to a database only in its own state: those of a live one say nothing of a deleted one.
    """
    for path in _paths_beside(row, names):
        candidates = found.get((parent_of(row["locator"]), path), [])
        same = [other for other in candidates if other["state"] == row["state"]]
        kept = same if path.endswith(_WITH_DATABASES) else same or candidates
        if kept:
            name = kept[0]["path"].rpartition("/")[2].lower()
            yield Neighbour(name=name, locator=kept[0]["locator"], layout=_layout(kept[0]))


def _former(row: Mapping[str, Any], found: Mapping[tuple[str, str], list[dict[str, Any]]]) -> Iterator[Neighbour]:
    """Yield the deleted logs and journals of a database that is in use."""
    if row["media_type"] != SQLITE or row["state"] != EntryState.ALLOCATED:
        return
    for ending in _WITH_DATABASES:
        for other in found.get((parent_of(row["locator"]), row["path"].lower() + ending), []):
            plain = other["extents"] and not any(extent["sparse"] for extent in other["extents"])
            if plain and other["state"] != EntryState.ALLOCATED and other["content"] == ContentState.INTACT:
                name = other["path"].rpartition("/")[2].lower()
                yield Neighbour(name=name, locator=other["locator"], layout=_layout(other))


def _layout(row: Mapping[str, Any]) -> Layout:
    extents = row["extents"]
    if extents is None:
        return None, row["size"], row["path"]
    return tuple(Extent(**extent) for extent in extents), row["size"], row["path"]
