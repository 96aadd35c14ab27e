"""What was found is gathered: live rows are left out, and of identical rows the best one is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from kaval.artefacts.sqlite.pages import Placed, State
from kaval.artefacts.sqlite.records import varint
from kaval.artefacts.sqlite.remains import Remains
from kaval.artefacts.sqlite.restoring import local_payload, restore, rowid_of
from kaval.artefacts.sqlite.rows import RecoveredRow, RecoverySource
from kaval.artefacts.sqlite.shapes import Shape
from kaval.artefacts.sqlite.spaces import Space
from kaval.artefacts.sqlite.survey import FRONT, LiveMarks, Survey, Use, body_mark
from kaval.artefacts.sqlite.templates import Template
from kaval.artefacts.sqlite.trees import find_row

MOST_ROWS = 2_000_000
MOST_CHAIN_BYTES = 256 << 20
"""Bytes of long values that are kept; after that, rows end where their page does."""
_ORDER = {source: at for at, source in enumerate(RecoverySource)}
_PRESENT = frozenset({RecoverySource.UNALLOCATED, RecoverySource.FREELIST, RecoverySource.CARVED})


class Image(Protocol):
    """A page image as far as a row has to tell of it."""

    @property
    def number(self) -> int: ...
    @property
    def placed(self) -> Placed: ...
    @property
    def block(self) -> bytes: ...
    @property
    def source(self) -> RecoverySource: ...
    @property
    def state(self) -> State: ...
    @property
    def live(self) -> bool: ...


class Gathering:
    """The rows found so far, by table and values."""

    def __init__(self, survey: Survey, state: State, codec: str) -> None:
        self._survey, self._state, self._codec = survey, state, codec
        self._shapes: dict[int, Shape] = {}
        self._rows: dict[tuple[str, int], list[RecoveredRow]] = {}
        self._fronts: set[tuple[str, int]] = set()
        self._cut: dict[tuple[str, int], RecoveredRow] = {}
        self._seen: set[tuple[str, int]] = set()
        self._chain_bytes = 0
        self.count = 0

    def take(
        self,
        image: Image,
        found: Sequence[Remains],
        *,
        owner: Template | None,
        certain: bool,
        rowids: Mapping[int, int],
        blocks: Sequence[Space] = (),
    ) -> None:
        """Take in the remains found in a page; ``rowids`` are those concluded, by where the cells begin."""
        for remains in found:
            if self.count >= MOST_ROWS:
                return
            source = _source(image, remains, blocks)
            self._take(image, remains, source, certain and remains.template is owner, rowids.get(remains.start))

    def _take(
        self, image: Image, remains: Remains, source: RecoverySource, certain: bool, concluded: int | None
    ) -> None:
        table, block = remains.template.table, image.block
        payload, local = local_payload(block, remains, self._state.usable_size)
        body = payload[remains.body - remains.record :]
        marks = self._survey.live.get(table.name)
        if remains.whole and not remains.cut:
            start = varint(block, remains.start)[1]
            mark = hash(block[start : remains.record + local + (4 if local < remains.size else 0)])
            if (table.name, mark) in self._seen or (marks is not None and mark in marks.cells):
                return
            self._seen.add((table.name, mark))
        if remains.cut:
            self._take_cut(image, remains, source, certain, body, marks)
            return
        mark = body_mark(body, remains.size, local)
        rowid = rowid_of(block, remains)
        twin = marks is not None and mark in marks.bodies
        if twin and rowid is None and concluded is None:
            return
        row = self._row(image, remains, source, certain, concluded, twin=twin and table.alias is None)
        if self._is_live(remains, row, unsure=local < remains.size or (twin and not remains.whole)):
            return
        self._fronts.add((table.name, hash(body[:FRONT])))
        self._keep((table.name, mark), row)

    def _take_cut(
        self,
        image: Image,
        remains: Remains,
        source: RecoverySource,
        certain: bool,
        body: bytes,
        marks: LiveMarks | None,
    ) -> None:
        """Take in a row of which the end is lost, unless its beginning is that of a live row or too short to tell."""
        front = hash(body[:FRONT])
        if len(body) < FRONT or (marks is not None and front in marks.fronts):
            return
        key = (remains.template.table.name, front)
        row = self._row(image, remains, source, certain, None, twin=False)
        if self._is_live(remains, row, unsure=False):
            return
        kept = self._cut.get(key)
        if kept is None or _rank(row) > _rank(kept):
            self.count += kept is None
            self._cut[key] = row

    def _row(
        self,
        image: Image,
        remains: Remains,
        source: RecoverySource,
        certain: bool,
        concluded: int | None,
        *,
        twin: bool,
    ) -> RecoveredRow:
        template = remains.template
        shape = self._shapes.setdefault(id(template), Shape(template.table))
        usable = self._usable if image.state is self._state else _any_page
        if self._chain_bytes > MOST_CHAIN_BYTES or image.source is RecoverySource.UNALLOCATED_PAGE:
            # What was cut off a database names the pages of a time before it: by now others stand there.
            usable = _no_page
        restored = restore(image.block, remains, image.state, self._codec, shape, usable, concluded)
        if remains.size > self._state.usable_size:
            self._chain_bytes += sum(len(value) for value in restored.values if isinstance(value, str | bytes))
        table = template.table
        if table.dropped and source in _PRESENT:
            source = RecoverySource.DROPPED
        return RecoveredRow(
            table.name,
            table.columns,
            restored.values,
            restored.rowid,
            image.number,
            remains.start,
            image.placed.within,
            certain,
            source,
            not restored.missing,
            restored.missing,
            twin,
            restored.confidence,
        )

    def _usable(self, page: int) -> bool:
        """Whether an overflow page is free, so that it can still hold the end of a deleted row."""
        owner = self._survey.owners.get(page)
        return owner is None or owner.use == Use.FREE

    def _is_live(self, remains: Remains, row: RecoveredRow, *, unsure: bool) -> bool:
        """Whether the live row of that rowid holds the same values, which its bytes alone may not have shown."""
        template = remains.template
        table = template.table
        if table.without_rowid or row.rowid is None or table.name not in self._survey.templates:
            return False
        if not remains.cut and len(remains.types) == template.count and not unsure:
            return False
        live = self._survey.templates[table.name].table
        values = find_row(self._state, live.root_page, row.rowid, self._codec)
        if values is None:
            return False
        shape = self._shapes.setdefault(id(self._survey.templates[table.name]), Shape(live))
        held = dict(zip(live.columns, shape.fit(values, row.rowid), strict=True))
        compared = [name for name in row.columns if name not in row.missing]
        return all(name in held and held[name] == row[name] for name in compared)

    def _keep(self, key: tuple[str, int], row: RecoveredRow) -> None:
        kept = self._rows.setdefault(key, [])
        for at, other in enumerate(kept):
            if other.rowid == row.rowid or other.rowid is None or row.rowid is None:
                if _rank(row) > _rank(other):
                    kept[at] = row
                return
        self.count += 1
        kept.append(row)

    def rows(self) -> Iterator[RecoveredRow]:
        """Yield what was gathered, whole rows first; a cut row only where no whole one begins alike."""
        for kept in self._rows.values():
            yield from kept
        for key, row in self._cut.items():
            if key not in self._fronts:
                yield row


def _source(image: Image, remains: Remains, blocks: Sequence[Space]) -> RecoverySource:
    if not image.live:
        return image.source
    if remains.cut:
        return RecoverySource.OVERWRITTEN
    for space in blocks:
        if any(at <= remains.start < at + size for at, size in space.blocks):
            return RecoverySource.FREEBLOCK
    return RecoverySource.UNALLOCATED


def _rank(row: RecoveredRow) -> tuple[bool, bool, bool, float, int]:
    return row.complete, row.certain, row.rowid is not None, sum(row.confidence), -_ORDER[row.source]


def _no_page(_: int) -> bool:
    return False


def _any_page(_: int) -> bool:
    return True
