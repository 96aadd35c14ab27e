"""What every page of a state is used for, and marks of the live rows by which copies of them are known."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from kaval.artefacts.sqlite.header import Header
from kaval.artefacts.sqlite.living import KINDS
from kaval.artefacts.sqlite.pages import State
from kaval.artefacts.sqlite.records import varint
from kaval.artefacts.sqlite.remains import record_types
from kaval.artefacts.sqlite.rows import Table
from kaval.artefacts.sqlite.spaces import ALWAYS_LOCAL
from kaval.artefacts.sqlite.templates import Template
from kaval.artefacts.sqlite.trees import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_LEAF,
    Tell,
    TreePage,
    local_size,
    walk,
)
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Notice, NoticeCode

FRONT = 16
"""Bytes at the beginning of a row's values by which a row of which the end is lost is known again."""
_LOCK_BYTE = 1 << 30
_LEARNT_WHOLLY = 4000
_LEARNT_THEN = 32


class Use(StrEnum):
    """What a page is used for; grammar: one noun."""

    TABLE = "table"
    INDEX = "index"
    OVERFLOW = "overflow"
    TRUNK = "trunk"
    FREE = "free"
    MAP = "map"
    LOCK = "lock"


class Marks:
    """A set of hashes in eight bytes each, asked once all are in."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self.add = self._hashes.append

    def settle(self) -> None:
        """Put the hashes in order, so that they can be asked."""
        self._hashes = array("q", np.sort(np.frombuffer(self._hashes, dtype=np.int64)).tobytes())

    def __contains__(self, mark: int) -> bool:
        at = bisect_left(self._hashes, mark)
        return at < len(self._hashes) and self._hashes[at] == mark

    def __len__(self) -> int:
        return len(self._hashes)


class LiveMarks:
    """Hashes of the live rows of one table: of whole cells, of their values, and of the first bytes of these."""

    def __init__(self) -> None:
        self.cells, self.bodies, self.fronts = Marks(), Marks(), Marks()

    def settle(self) -> None:
        """Make the marks ready to be asked."""
        for marks in (self.cells, self.bodies, self.fronts):
            marks.settle()


def body_mark(body: bytes, size: int, local: int) -> int:
    """Return the mark of the values of a row; where it runs over into other pages, its whole size tells it apart."""
    return hash(body) if local == size else hash((size, body))


@dataclass(frozen=True, slots=True)
class Owner:
    """What a page is used for, and by which table."""

    use: Use
    table: str = ""


@dataclass(slots=True)
class Survey:
    """The use of every page of a state that anything names, and what its rows look like."""

    owners: dict[int, Owner] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    live: dict[str, LiveMarks] = field(default_factory=dict)
    slack: dict[int, int] = field(default_factory=dict)
    """The last pages of overflow chains, with the first byte of each that its row does not use."""


def owners_of(state: State, tables: Iterable[Table], indices: Mapping[int, str]) -> dict[int, Owner]:
    """Return what the pages of trees are used for in a state; records and chains are not looked at."""
    owners: dict[int, Owner] = {}
    for table in tables:
        if table.root_page in owners:
            continue
        seen: set[int] = set()
        for _ in walk(state, table.root_page, KINDS[table.without_rowid], _nothing, seen):
            if len(seen) + len(owners) > 2 * state.pages:
                break
        _own(owners, seen, Owner(Use.TABLE, table.name))
    for root, table_name in indices.items():
        if root in owners:
            continue
        seen = set()
        for _ in walk(state, root, (INDEX_INTERIOR, INDEX_LEAF), _nothing, seen):
            if len(seen) + len(owners) > 2 * state.pages:
                break
        _own(owners, seen, Owner(Use.INDEX, table_name))
    return owners


def _nothing(_: Notice) -> None:
    """Tell nothing: the same damage is told where rows are read."""


def _own(owners: dict[int, Owner], pages: Iterable[int], owner: Owner) -> None:
    for page in pages:
        owners.setdefault(page, owner)


def survey(state: State, header: Header, tables: Sequence[Table], indices: Mapping[int, str], tell: Tell) -> Survey:
    """Read every live cell once: which pages it uses, what it looks like, and by what it is known again."""
    done = Survey()
    for table in tables:
        done.templates[table.name] = Template(table, schema_format=header.schema_format)
        done.live[table.name] = _read_table(state, table, done)
    for root, table_name in indices.items():
        seen: set[int] = set()
        for page, pointers in walk(state, root, (INDEX_INTERIOR, INDEX_LEAF), _nothing, seen):
            _follow_chains(state, page, pointers, done)
        _own(done.owners, seen, Owner(Use.INDEX, table_name))
    _read_free_list(state, header, done, tell)
    _own_maps(state, header, done)
    return done


def _read_table(state: State, table: Table, done: Survey) -> LiveMarks:
    marks = LiveMarks()
    template = done.templates[table.name]
    seen: set[int] = set()
    for page, pointers in walk(state, table.root_page, KINDS[table.without_rowid], _nothing, seen):
        _read_cells(state, page, pointers, template, marks)
        _follow_chains(state, page, pointers, done)
        advance()
    _own(done.owners, seen, Owner(Use.TABLE, table.name))
    marks.settle()
    return marks


def _read_cells(state: State, page: TreePage, pointers: Sequence[int], template: Template, marks: LiveMarks) -> None:
    block, kind, usable_size = page.block, page.kind, state.usable_size
    add_cell, add_body, add_front = marks.cells.add, marks.bodies.add, marks.fronts.add
    room = 2 * usable_size
    for pointer in pointers:
        try:
            place = pointer + 4 if kind == INDEX_INTERIOR else pointer
            size = block[place]
            place += 1
            if size >= 0x80:
                size, place = varint(block, place - 1)
            start = place
            if kind == TABLE_LEAF:
                while block[place] >= 0x80 and place - start < 8:
                    place += 1
                place += 1
            head = block[place]
            if head >= 0x80:
                head = varint(block, place)[0]
        except IndexError:
            continue
        local = size if size <= ALWAYS_LOCAL else local_size(size, usable_size, kind)
        room -= local
        if room < 0:
            return
        body = block[place + head : place + local]
        if local == size:
            add_cell(hash(block[start : place + local]))
            add_body(hash(body))
        else:
            add_body(body_mark(body, size, local))
        add_front(hash(body[:FRONT]))
        if head <= local and (template.learnt < _LEARNT_WHOLLY or place % _LEARNT_THEN == 0):
            types = record_types(block, place)
            if types is not None:
                template.learn(types[0])


def _follow_chains(state: State, page: TreePage, pointers: Sequence[int], done: Survey) -> None:
    """Note the overflow pages of the cells of a page, and where the last of each chain is used up."""
    block, kind, usable_size = page.block, page.kind, state.usable_size
    least = (usable_size - 12) * 64 // 255 - 23
    for pointer in pointers:
        try:
            size, place = varint(block, pointer + 4 if kind == INDEX_INTERIOR else pointer)
            if size <= least:
                continue
            if kind == TABLE_LEAF:
                _, place = varint(block, place)
        except IndexError:
            continue
        local = local_size(size, usable_size, kind)
        if local == size or size > state.pages * usable_size:
            continue
        first = int.from_bytes(block[place + local : place + local + 4], "big")
        chain = chain_pages(state, first, size - local, done.owners)
        _own(done.owners, chain, Owner(Use.OVERFLOW))
        if chain:
            used = (size - local) - (len(chain) - 1) * (usable_size - 4)
            if used < usable_size - 8:
                done.slack[chain[-1]] = 4 + max(0, used)


def chain_pages(state: State, first: int, size: int, known: Container[int]) -> list[int]:
    """Return the pages of an overflow chain, as far as it goes and uses no page that is ``known`` already."""
    chain: dict[int, None] = {}
    while size > 0 and first not in chain:
        try:
            following = int.from_bytes(state.read(first)[:4], "big")
        except (CorruptStructureError, UnreadableError):
            break
        if first in known:
            break
        chain[first] = None
        size -= state.usable_size - 4
        first = following
    return list(chain)


def _read_free_list(state: State, header: Header, done: Survey, tell: Tell) -> None:
    """Note the pages of the free list: trunks, and the leaves they name (1.5)."""
    seen: set[int] = set()
    trunk = header.first_trunk
    while trunk:
        if trunk in seen:
            tell(Notice(code=NoticeCode.LOOP, message=f"The free list returns to page {trunk}.", structure="free list"))
            return
        seen.add(trunk)
        try:
            block = state.read(trunk)
        except (CorruptStructureError, UnreadableError) as error:
            message = f"The free list breaks at page {trunk}: {error}"
            tell(Notice(code=NoticeCode.DAMAGED, message=message, structure="free list"))
            return
        done.owners.setdefault(trunk, Owner(Use.TRUNK))
        count = int.from_bytes(block[4:8], "big")
        if count > state.usable_size // 4 - 2:
            message = f"Page {trunk} of the free list names {count} pages, more than it can hold."
            tell(Notice(code=NoticeCode.DAMAGED, message=message, structure="free list"))
            count = 0
        for at in range(8, 8 + 4 * count, 4):
            leaf = int.from_bytes(block[at : at + 4], "big")
            if 1 <= leaf <= state.pages:
                done.owners.setdefault(leaf, Owner(Use.FREE))
        trunk = int.from_bytes(block[:4], "big")


def is_map(header: Header, page: int) -> bool:
    """Whether a page is one of the pointer map of an auto-vacuum database (1.8)."""
    lock = _LOCK_BYTE // header.page_size + 1
    step = header.usable_size // 5 + 1
    return (
        bool(header.auto_vacuum)
        and page > 1
        and ((page - 2) % step == 0 or (page == lock + 1 and (lock - 2) % step == 0))
    )


def _own_maps(state: State, header: Header, done: Survey) -> None:
    """Note the pages of the pointer map, and the page of the lock byte (1.4)."""
    lock = _LOCK_BYTE // header.page_size + 1
    if lock <= state.pages:
        done.owners[lock] = Owner(Use.LOCK)
    if header.auto_vacuum:
        for page in range(2, state.pages + 1, header.usable_size // 5 + 1):
            done.owners.setdefault(page + (page == lock), Owner(Use.MAP))
