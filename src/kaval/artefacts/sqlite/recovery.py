"""Rows that the last committed state does not hold: every byte that no live cell uses is asked for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kaval.artefacts.sqlite.gathering import Gathering
from kaval.artefacts.sqlite.header import Header, looks_like_tree_page
from kaval.artefacts.sqlite.numbering import conclude_rowids
from kaval.artefacts.sqlite.pages import Origin, Placed, State
from kaval.artefacts.sqlite.past import Past
from kaval.artefacts.sqlite.records import signed, varint
from kaval.artefacts.sqlite.remains import Remains
from kaval.artefacts.sqlite.rows import RecoveredRow, RecoverySource, Table, Value
from kaval.artefacts.sqlite.scanning import Scanner
from kaval.artefacts.sqlite.schema import SCHEMA, declared_table, index_roots, read_tables
from kaval.artefacts.sqlite.sheets import Sheet
from kaval.artefacts.sqlite.spaces import Space, spaces
from kaval.artefacts.sqlite.survey import Owner, Use, is_map, owners_of, survey
from kaval.artefacts.sqlite.templates import Template
from kaval.artefacts.sqlite.trees import INDEX_LEAF, TABLE_INTERIOR, TABLE_LEAF, Tell, TreePage, tree_page
from kaval.artefacts.sqlite.unallocated_pages import UnallocatedPage
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Notice, NoticeCode

LEAVES = frozenset({INDEX_LEAF, TABLE_LEAF})
_AT_A_TIME = 1 << 18
"""Bytes that are looked through in one go."""
_PAGE_COST = 512
_SAMPLE = 16
"""Cells of a page that are asked which table it belongs to."""


@dataclass(frozen=True, slots=True)
class _Image:
    """A page to be looked through: whose rows it holds if that is known, and what a row found there is said to be.

    ``likely`` says that its owner is not known, but was told by the shape of its rows.
    """

    number: int
    placed: Placed
    block: bytes
    source: RecoverySource
    state: State
    owners: tuple[Template, ...] = ()
    live: bool = False
    likely: bool = False


class Recovery:
    """One pass over all that a database holds beside its live rows."""

    def __init__(
        self,
        state: State,
        header: Header,
        codec: str,
        tables: Mapping[str, Table],
        past: Past,
        tell: Tell,
        unallocated: Sequence[UnallocatedPage] = (),
    ) -> None:
        self._state, self._header, self._past, self._tell = state, header, past, tell
        self._unallocated = unallocated
        self._indices = index_roots(state)
        self._survey = survey(state, header, [SCHEMA, *tables.values()], self._indices, tell)
        self._gathering = Gathering(self._survey, state, codec)
        self._codec = codec
        self._earlier = [
            owners_of(one, [SCHEMA, *read_tables(one, _silent).values()], index_roots(one)) for one in past.states()
        ]
        self._templates: list[Template] = list(self._survey.templates.values())
        self.dropped = self._dropped_tables(header)
        self._scanner = Scanner(self._templates, codec, state.usable_size)

    def rows(self, tables: Collection[str] | None) -> Iterator[RecoveredRow]:
        """Yield the rows, those of tables asked for by name; internal tables only so."""
        wanted = None if tables is None else {name.lower() for name in tables}
        self._look_through_all(self._images(), self._scanner, self._gathering)
        for row in self._gathering.rows():
            name = row.table.lower()
            if name in wanted if wanted is not None else not name.startswith("sqlite_"):
                yield row

    def _dropped_tables(self, header: Header) -> list[Table]:
        """Return tables that were declared once: by earlier states, and by deleted records of the schema.

        What is left of their trees, and of those of dropped indices, tells whose the free pages were.
        """
        known = {(table.name, table.sql) for table in (one.table for one in self._templates)}
        found: list[Table] = []
        indices: dict[int, str] = {}
        declared = [table for one in self._past.states() for table in read_tables(one, _silent).values()]
        for values in self._deleted_declarations():
            if values[0] == "index" and isinstance(values[3], int):
                indices[values[3]] = str(values[2])
            try:
                table = declared_table(values, dropped=True)
            except CorruptStructureError:
                continue
            if table is not None:
                declared.append(table)
        for table in declared:
            if (table.name, table.sql) not in known:
                known.add((table.name, table.sql))
                found.append(_as_dropped(table))
                self._templates.append(Template(found[-1], schema_format=header.schema_format))
        self._earlier.append(self._free_only(owners_of(self._state, found, indices)))
        return found

    def _deleted_declarations(self) -> Iterator[list[Value]]:
        """Yield the records of the schema that are no longer in it."""
        schema = self._survey.templates[SCHEMA.name]
        gathering = Gathering(self._survey, self._state, self._codec)
        scanner = Scanner([schema], self._codec, self._state.usable_size)
        self._look_through_all(self._schema_images(schema), scanner, gathering)
        for row in gathering.rows():
            yield list(row.values)

    def _free_only(self, owners: dict[int, Owner]) -> dict[int, Owner]:
        """Return the owners of pages that nothing uses now."""
        free = (Use.FREE, Use.TRUNK)
        used = {page for page, owner in self._survey.owners.items() if owner.use not in free}
        return {page: owner for page, owner in owners.items() if page not in used}

    def _schema_images(self, schema: Template) -> Iterator[_Image]:
        for image in self._images(only=schema):
            if image.owners == (schema,):
                yield image

    def _images(self, only: Template | None = None) -> Iterator[_Image]:
        """Yield every page of the state with what it is used for, then those of the past."""
        for number in range(1, self._state.pages + 1):
            owner = self._survey.owners.get(number)
            if only is not None and (owner is None or owner.table != only.table.name):
                continue
            image = self._present(number, owner)
            if image is not None:
                yield image
        for past in self._past.pages():
            if is_map(self._header, past.page):
                continue
            owners = self._owners_once(past.page) if only is None else ()
            if only is not None:
                if Owner(Use.TABLE, only.table.name) not in self._uses(past.page):
                    continue
                owners = (only,)
            block = self._read(past.placed, past.page)
            if block is not None:
                yield _Image(past.page, past.placed, block, past.source, past.state, owners)
        yield from self._outside(only)

    def _outside(self, only: Template | None) -> Iterator[_Image]:
        """Yield the pages that stand outside the file, each with the table it was found to be of."""
        size = self._state.files.page_size
        for number, page in enumerate(self._unallocated):
            owners = tuple(one for one in self._templates if one.table.name == page.table)
            if only is not None and owners != (only,):
                continue
            placed = Placed(Origin.UNALLOCATED, number, number * size, page.locator)
            block = self._read(placed, 0)
            if block is not None:
                source = RecoverySource.UNALLOCATED_PAGE
                yield _Image(0, placed, block, source, self._state, owners, likely=not page.certain)

    def _read(self, placed: Placed, page: int) -> bytes | None:
        try:
            return self._state.files.read(placed)
        except UnreadableError as error:
            message = f"Page {page} cannot be read: {error.reason}."
            self._tell(Notice(code=NoticeCode.UNREADABLE, message=message, offset=error.offset, structure="page"))
            return None

    def _present(self, number: int, owner: Owner | None) -> _Image | None:
        """Return a page of the last state as it is to be looked through."""
        try:
            placed = self._state.place(number)
        except CorruptStructureError:
            return None
        block = self._read(placed, number)
        if block is None or not block.strip(b"\0"):
            return None
        if owner is None or owner.use in (Use.FREE, Use.TRUNK):
            source = RecoverySource.CARVED if owner is None else RecoverySource.FREELIST
            return _Image(number, placed, block, source, self._state, self._owners_once(number))
        if owner.use in (Use.TABLE, Use.INDEX, Use.OVERFLOW):
            owners = tuple(self._now(owner.table)) if owner.use == Use.TABLE else ()
            return _Image(number, placed, block, RecoverySource.UNALLOCATED, self._state, owners, live=True)
        return None

    def _now(self, name: str) -> list[Template]:
        template = self._survey.templates.get(name)
        return [template] if template is not None else []

    def _uses(self, page: int) -> list[Owner]:
        """Return what a page is or was used for, now and in earlier states."""
        owners = [self._survey.owners.get(page), *(one.get(page) for one in self._earlier)]
        return [owner for owner in owners if owner is not None]

    def _was_index(self, page: int) -> bool:
        return any(owner.use == Use.INDEX for owner in self._uses(page))

    def _owners_once(self, page: int) -> tuple[Template, ...]:
        """Return the tables a page belonged to at some time, as far as any state or a root page tells."""
        names = {owner.table for owner in self._uses(page) if owner.use == Use.TABLE}
        names |= {template.table.name for template in self._templates if template.table.root_page == page}
        return tuple(template for template in self._templates if template.table.name in names)

    def _look_through_all(self, images: Iterable[_Image], scanner: Scanner, gathering: Gathering) -> None:
        """Look through pages, some at a time: those that are alike in nothing but that they are at hand."""
        waiting: list[tuple[_Image, TreePage | None, Sheet]] = []
        size = 0
        for image in images:
            page = _as_tree_page(image, self._state.files.page_size)
            found = self._spaces(image, page)
            if not found and (page is None or image.live):
                continue
            waiting.append((image, page, Sheet(image.block, self._state.usable_size, found)))
            size += sum(space.end - space.start for space in found) + _PAGE_COST
            if size >= _AT_A_TIME:
                self._look_through(waiting, scanner, gathering)
                waiting, size = [], 0
        self._look_through(waiting, scanner, gathering)

    def _look_through(
        self, waiting: Sequence[tuple[_Image, TreePage | None, Sheet]], scanner: Scanner, gathering: Gathering
    ) -> None:
        scanner.prepare([sheet for _, _, sheet in waiting])
        for image, page, sheet in waiting:
            if image.live:
                self._look_between(image, page, sheet, scanner, gathering)
            elif page is None:
                for space in sheet.spaces:
                    found, owner = scanner.unowned(sheet, space, image.owners)
                    certain = owner is not None and image.owners == (owner,)
                    gathering.take(image, found, owner=owner, certain=certain, rowids={})
            else:
                self._look_at_tree(image, page, sheet, scanner, gathering)
        advance()

    def _spaces(self, image: _Image, page: TreePage | None) -> list[Space]:
        """Return the spaces of a page: between its cells, behind the end of a chain, or the whole of it."""
        if page is not None:
            return spaces(page, self._state.usable_size)
        slack = self._survey.slack.get(image.number, self._state.usable_size)
        start = slack if image.live else self._first_byte(image)
        end = min(self._state.usable_size, len(image.block))
        return [Space(start, end)] if image.block[start:end].strip(b"\0") else []

    def _first_byte(self, image: _Image) -> int:
        """Return where a page that is none of a tree may hold remains: of a trunk, behind the numbers it lists."""
        owner = self._survey.owners.get(image.number)
        if image.source == RecoverySource.FREELIST and owner is not None and owner.use == Use.TRUNK:
            return min(8 + 4 * int.from_bytes(image.block[4:8], "big"), len(image.block))
        return 0

    def _look_between(
        self, image: _Image, page: TreePage | None, sheet: Sheet, scanner: Scanner, gathering: Gathering
    ) -> None:
        """Look between the cells of a page in use, or behind the end of a chain."""
        owner = image.owners[0] if image.owners else None
        damaged = page is not None and page.kind in LEAVES
        found = [one for space in sheet.spaces for one in scanner.between(sheet, space, owner, damaged=damaged)]
        if found:
            rowids = _rowids(page, found, owner) if page is not None else {}
            gathering.take(image, found, owner=owner, certain=True, rowids=rowids, blocks=sheet.spaces)

    def _look_at_tree(
        self, image: _Image, page: TreePage, sheet: Sheet, scanner: Scanner, gathering: Gathering
    ) -> None:
        """Look at a page of a tree that is free or of the past: at its cells, and between them."""
        if not image.owners and page.kind not in (TABLE_INTERIOR, TABLE_LEAF) and self._was_index(image.number):
            return
        owner = image.owners[0] if len(image.owners) == 1 else None
        sample = scanner.array(page, page.pointers[:_SAMPLE], owner, infer=not image.owners)
        fitting = sum(cell.template is owner for cell in sample)
        if owner is None or (sample and fitting * 2 < len(sample)):
            owner = scanner.vote(sample) or owner
        named = scanner.array(page, page.pointers, owner, infer=not image.owners or owner not in image.owners)
        known = owner is not None and image.owners == (owner,)
        damaged = page.kind == TABLE_LEAF or (known and page.kind in LEAVES)
        between: list[Remains] = []
        for space in sheet.spaces:
            if owner is None and page.kind == TABLE_LEAF:
                found, owner = scanner.unowned(sheet, space, image.owners)
            else:
                found = scanner.between(sheet, space, owner, damaged=damaged)
            between.extend(found)
        rowids = _rowids(page, [*named, *between], owner)
        gathering.take(image, [*named, *between], owner=owner, certain=known and not image.likely, rowids=rowids)


def _rowids(page: TreePage, found: Sequence[Remains], owner: Template | None) -> dict[int, int]:
    """Return the rowids that damaged cells must have had, from the cells around them."""
    if owner is None or owner.table.without_rowid or page.kind != TABLE_LEAF:
        return {}
    own = [one for one in found if one.template is owner]
    lost = [one for one in own if not one.whole]
    if not lost:
        return {}
    try:
        known = {place: _rowid(page.block, place) for place in page.pointers}
        known |= {one.start: _rowid(page.block, one.start) for one in own if one.whole}
    except IndexError:
        return {}
    return conclude_rowids(list(known.items()), lost)


def _rowid(block: bytes, place: int) -> int:
    """Return the rowid of a cell; most are small, and stand behind a length of one or two bytes."""
    place += 1 if block[place] < 0x80 else 2
    if block[place - 1] < 0x80:
        low = block[place]
        if low < 0x80:
            return low
        if block[place + 1] < 0x80:
            return (low & 0x7F) << 7 | block[place + 1]
        return signed(varint(block, place)[0])
    return signed(varint(block, varint(block, place - 2)[1])[0])


def _as_tree_page(image: _Image, page_size: int) -> TreePage | None:
    """Return the image as a page of a tree, if its header can be meant as one."""
    start = 100 if image.number == 1 else 0
    block = image.block
    try:
        page = tree_page(image.number, image.placed, block)
    except CorruptStructureError:
        return None
    if image.live or looks_like_tree_page(block, page_size, start):
        return page
    empty = block[start + 3 : start + 5] == b"\0\0" and block[start + 7] <= 60
    return page if empty else None


def _as_dropped(table: Table) -> Table:
    fields = {name: getattr(table, name) for name in Table.__slots__}
    return Table(**{**fields, "dropped": True})


def _silent(_: Notice) -> None:
    """Tell nothing: what damages an earlier state is told where its rows are read."""
