"""Which table of which database a page belongs to that stands alone: told by its cells and the rows still there.

A page names neither its database nor its table. Every table that its records can be of is weighed by how usual their
serial types and lengths are there. Where a row of the page is still in a table, with the same number and the same
values, the page is known to have been that table's; otherwise the shape speaks for it, and what fits about as well is
told. Indices are weighed too, so that their records are not given as rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log

from kaval.artefacts.sqlite.checking import body_bits
from kaval.artefacts.sqlite.database import Database
from kaval.artefacts.sqlite.joined import Home, Joined
from kaval.artefacts.sqlite.living import KINDS
from kaval.artefacts.sqlite.pages import Origin, Placed
from kaval.artefacts.sqlite.records import decode_cut, signed, size_of, varint
from kaval.artefacts.sqlite.remains import local_end, record_types
from kaval.artefacts.sqlite.rows import Table, Value
from kaval.artefacts.sqlite.schema import SCHEMA, SCHEMA_WORDS, index_roots
from kaval.artefacts.sqlite.templates import BLOB, TEXT, Template, class_of
from kaval.artefacts.sqlite.trees import INDEX_INTERIOR, INDEX_LEAF, TABLE_LEAF, TreePage, find_row, tree_page, walk
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice

LEARNT = 256
"""Rows of a table, the first ones, by which pages are compared with it."""
_LEARNT_PAGES = 16
_SAMPLE = 12
"""Cells of a page that are weighed."""
_ASKED = 6
"""Cells of a page whose row is looked up in the tables that fit."""
_CLOSE = 16
"""Tables that are asked, of those that fit about equally."""
_LEAST_LIKENESS = 0.35
_MARGIN = 4.6
"""How much likelier the best table has to be to stand alone: a hundred times."""
_INDEPENDENT = 4
"""Cells that count as speaking for themselves; the others are much like them."""
_SMALL, _SHORT = 1 << 16, 6
_GOLDEN = (5**0.5 - 1) / 2
_REMEMBERED = 1 << 14


@dataclass(slots=True)
class _Candidate:
    home: Home
    database: Database
    template: Template
    is_index: bool = False
    never_reused: bool = False
    bins: list[dict[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Record:
    rowid: int | None
    start: int
    body: int
    end: int
    whole: bool
    types: tuple[int, ...]


class Homes:
    """The tables of some databases, to which pages that stand alone may belong; asked once all are taken in."""

    def __init__(self) -> None:
        self._by_shape: dict[tuple[int, bool, int], list[_Candidate]] = {}
        self._fitting: dict[tuple[int, bool, tuple[int, ...]], list[tuple[_Candidate, float]]] = {}

    def take_in(self, number: int, database: Database) -> None:
        """Learn what the rows of every table look like, and the records of every index."""
        size = database.files.page_size
        for table in (SCHEMA, *database.tables.values()):
            self._learn(_candidate(number, database, table), size)
        for root, name in index_roots(database.state).items():
            self._learn_index(number, database, root, name, size)

    def _learn(self, candidate: _Candidate, size: int) -> None:
        template = candidate.template
        for types in _first_records(candidate.database, template.table):
            if len(types) > template.count:
                continue
            template.learn(types)
            for place, serial_type in enumerate(types):
                counts = candidate.bins[place]
                counts[_bin(serial_type)] = counts.get(_bin(serial_type), 0) + 1
        for width in {template.count, *template.widths}:
            key = (size, template.table.without_rowid, width)
            self._by_shape.setdefault(key, []).append(candidate)

    def _learn_index(self, number: int, database: Database, root: int, name: str, size: int) -> None:
        """Learn what the records of an index look like: a page of one is not to be taken for rows."""
        table = _like_a_table(name, root, 1)
        first = next(_first_records(database, table), None)
        if first is not None:
            candidate = _candidate(number, database, _like_a_table(name, root, len(first)))
            candidate.is_index = True
            self._learn(candidate, size)

    def home_of(self, block: bytes) -> Joined | None:
        """Return where a page belongs, ``None`` where it fits no table or is that of an index."""
        try:
            page = tree_page(0, Placed(Origin.UNALLOCATED, 0, 0), block)
        except CorruptStructureError:
            return None
        if page.kind not in (TABLE_LEAF, INDEX_LEAF):
            return None
        records = list(_records(page))
        close = self._close(page, records)
        if any(candidate.is_index for candidate in close):
            return None
        known: list[_Candidate] = []
        free: list[_Candidate] = []
        taken: list[_Candidate] = []
        for candidate in close[:_CLOSE]:
            same, other = _still_there(candidate, page, records)
            if same:
                known.append(candidate)
            elif other * 2 < min(_ASKED, len(records)):
                free.append(candidate)
            elif not candidate.never_reused:
                taken.append(candidate)
        homes = [candidate.home for candidate in known or [*free, *close[_CLOSE:]] or taken]
        return Joined(homes[0], certain=len(known) == 1, also=tuple(homes[1:])) if homes else None

    def _close(self, page: TreePage, records: Sequence[_Record]) -> list[_Candidate]:
        """Return the tables that a page fits best, those first that it fits better."""
        totals: dict[int, tuple[_Candidate, float, int]] = {}
        keyed = page.kind == INDEX_LEAF
        for record in records:
            for candidate, share in self._fits(len(page.block), record.types, keyed=keyed):
                _, total, count = totals.get(id(candidate), (candidate, 0.0, 0))
                totals[id(candidate)] = (candidate, total + share, count + 1)
        readable: dict[tuple[str, bool], bool] = {}
        fitting: list[tuple[float, _Candidate]] = []
        for candidate, total, count in totals.values():
            if count < len(records):
                continue
            legacy, codec = candidate.template.legacy, candidate.database.codec
            if (codec, legacy) not in readable:
                readable[codec, legacy] = _readable(page, records, codec, legacy=legacy)
            if readable[codec, legacy] and (candidate.template.table is not SCHEMA or _declares(page, records)):
                fitting.append((total / count, candidate))
        if not fitting:
            return []
        declared = [(mean, candidate) for mean, candidate in fitting if candidate.template.table is SCHEMA]
        fitting = declared or fitting
        best = max(mean for mean, _ in fitting)
        margin = _MARGIN / min(len(records), _INDEPENDENT)
        close = [(mean, candidate) for mean, candidate in fitting if best - mean <= margin]
        close.sort(key=lambda one: -one[0])
        return [candidate for _, candidate in close]

    def _fits(self, size: int, types: tuple[int, ...], *, keyed: bool) -> list[tuple[_Candidate, float]]:
        """Return the tables that a record can be of, each with the logarithm of how usual it is there."""
        key = (size, keyed, types[:1] + tuple(map(_bin, types)))
        if key not in self._fitting:
            if len(self._fitting) >= _REMEMBERED:
                self._fitting.clear()
            self._fitting[key] = [
                (candidate, _log_share(candidate, types))
                for candidate in self._by_shape.get((size, keyed, len(types)), ())
                if candidate.template.likeness(types) >= _LEAST_LIKENESS
            ]
        return self._fitting[key]


def _candidate(number: int, database: Database, table: Table) -> _Candidate:
    template = Template(table, schema_format=database.header.schema_format)
    never_reused = "AUTOINCREMENT" in table.sql.upper()
    bins: list[dict[int, int]] = [{} for _ in table.columns]
    return _Candidate(Home(number, table.name), database, template, never_reused=never_reused, bins=bins)


def _like_a_table(name: str, root: int, width: int) -> Table:
    """Return an index as a table without rowids, which is what its pages look like."""
    return Table(
        name=f"index of {name}",
        columns=tuple(f"col{at}" for at in range(width)),
        affinities=("BLOB",) * width,
        root_page=root,
        sql="",
        without_rowid=True,
        stored=tuple(range(width)),
        defaults=(None,) * width,
    )


def _first_records(database: Database, table: Table) -> Iterator[tuple[int, ...]]:
    """Yield the serial types of the first rows of a table."""
    count = 0
    state = database.state
    for number, (page, pointers) in enumerate(walk(state, table.root_page, KINDS[table.without_rowid], _silent)):
        if number >= _LEARNT_PAGES:
            return
        for pointer in pointers:
            record = _record(page, pointer, state.usable_size)
            if record is not None:
                yield record.types
                count += 1
            if count >= LEARNT:
                return


def _records(page: TreePage) -> Iterator[_Record]:
    """Yield some records of a page."""
    for at in _spread(len(page.pointers), _SAMPLE):
        record = _record(page, page.pointers[at], len(page.block))
        if record is not None:
            yield record


def _spread(count: int, wanted: int) -> list[int]:
    """Return places spread over some, at no even distance: rows are often deleted at one."""
    if count <= wanted:
        return list(range(count))
    return sorted({int(count * (at * _GOLDEN % 1)) for at in range(wanted)})


def _record(page: TreePage, pointer: int, usable_size: int) -> _Record | None:
    block, keyed = page.block, page.kind != TABLE_LEAF
    rowid = None
    try:
        size, start = varint(block, pointer + 4 if page.kind == INDEX_INTERIOR else pointer)
        if not keyed:
            stored, start = varint(block, start)
            rowid = signed(stored)
    except IndexError:
        return None
    read = record_types(block, start)
    if read is None:
        return None
    end, held = local_end(start, size, usable_size, keyed=keyed)
    return _Record(rowid, start, read[1], min(held, len(block)), end == held, tuple(read[0]))


def _bin(serial_type: int) -> int:
    """Return the kind of a serial type: numbers by their size, texts and blobs by how long they are about."""
    if serial_type < 12:
        return serial_type
    length = (serial_type - 12) >> 1
    return (28 if serial_type & 1 else 12) + min(length.bit_length() + (length >= 32), 15)


def _log_share(candidate: _Candidate, types: Sequence[int]) -> float:
    """Return the logarithm of how usual a record is, by the sizes of its values."""
    template = candidate.template
    total = len(types) * log(template.likeness(types))
    for place, serial_type in enumerate(types):
        kind = class_of(serial_type)
        counts = candidate.bins[place]
        alike = sum(count for other, count in counts.items() if class_of(_type_of(other)) == kind)
        total += log((counts.get(_bin(serial_type), 0) + 0.5) / (alike + 0.5 * (16 if kind in (TEXT, BLOB) else 8)))
    return total


def _type_of(bin_: int) -> int:
    """Return a serial type of the class that a kind stands for."""
    return bin_ if bin_ < 12 else (13 if bin_ >= 28 else 12)


def _readable(page: TreePage, records: Sequence[_Record], codec: str, *, legacy: bool) -> bool:
    """Whether the values of some records can be those of a database whose texts are in this encoding."""
    return all(
        body_bits(page.block, record.body, record.types, codec, legacy=legacy, end=record.end) is not None
        for record in records
    )


def _declares(page: TreePage, records: Sequence[_Record]) -> bool:
    """Whether records begin as those of the schema do."""
    return all(
        page.block[record.body : record.body + size_of(record.types[0])].replace(b"\0", b"") in SCHEMA_WORDS
        for record in records
    )


def _still_there(candidate: _Candidate, page: TreePage, records: Sequence[_Record]) -> tuple[int, int]:
    """Return how many rows of a page the table still holds, and how many of their numbers other rows hold now."""
    same = other = 0
    table = candidate.template.table
    if table.without_rowid:
        return 0, 0
    for record in (records[at] for at in _spread(len(records), _ASKED)):
        if record.rowid is None or not record.whole:
            continue
        held = find_row(candidate.database.state, table.root_page, record.rowid, candidate.database.codec)
        if held is None:
            continue
        try:
            values, _ = decode_cut(page.block[record.start : record.end], candidate.database.codec)
        except CorruptStructureError:
            continue
        alike = _alike(held, values)
        same += alike
        other += not alike
    return same, other


def _alike(held: Sequence[Value], values: Sequence[Value]) -> bool:
    """Whether two rows of one number are the same or one is an earlier form of the other: half of what tells is equal.

    Small numbers, short words and nothing at all tell nothing.
    """
    if list(held) == list(values):
        return True
    telling = [
        here == there
        for here, there in zip(held, values, strict=False)
        if (isinstance(there, int) and abs(there) > _SMALL)
        or isinstance(there, float)
        or (isinstance(there, str | bytes) and len(there) >= _SHORT)
    ]
    return bool(telling) and sum(telling) * 2 >= len(telling)


def _silent(_: Notice) -> None:
    """Tell nothing: what damages a database is told where its rows are read."""
