"""Every remains of cells in one page: those its pointers name, whole ones between them, and damaged ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from kaval.artefacts.sqlite.checking import body_bits, sound_end
from kaval.artefacts.sqlite.damaged import DamagedCells
from kaval.artefacts.sqlite.inferring import Inferred
from kaval.artefacts.sqlite.records import size_of, varint
from kaval.artefacts.sqlite.remains import Remains, body_size, choose, local_end, record_types
from kaval.artefacts.sqlite.schema import SCHEMA_TABLE, SCHEMA_WORDS
from kaval.artefacts.sqlite.sheets import Sheet, find_whole
from kaval.artefacts.sqlite.spaces import Space
from kaval.artefacts.sqlite.templates import Template, class_of
from kaval.artefacts.sqlite.trees import INDEX_INTERIOR, TABLE_LEAF, TreePage
from kaval.artefacts.sqlite.whole import WholeCell, header_lengths

_OWN_BITS, _FOREIGN_BITS = 20.0, 36.0
"""Evidence asked of a cell in a page of its own table, and of one in any other page."""
_DAMAGED_BITS, _UNOWNED_BITS = 24.0, 32.0
_CUT_BITS = 30.0
_LENGTH_BITS, _HEADER_BITS = 7.0, 7.0
_FRAGMENT = 3
"""Bytes between cells that are too few for a free block (1.6)."""
_REMEMBERED = 1 << 16
_CHAIN = 2
"""Damaged cells that have to lie in a page of which nothing else tells whose it was."""
_VOTERS = 24
_SCHEMA_WIDTH = 5
_TOLD_FROM_INDEX = 4
"""Values of a record by which a table without rowids is told from an index of others; fewer are not guessed at."""
_ALL_TEMPLATES = 64
"""Tables for which damaged cells are looked for in a page of which nothing tells whose it was."""


class Scanner:
    """Looks through pages for the rows of some tables, those used last first."""

    def __init__(self, templates: Sequence[Template], codec: str, usable_size: int) -> None:
        self._codec = codec
        self._usable_size = usable_size
        self._damaged = {id(template): DamagedCells(template, codec) for template in templates}
        self.templates = list(templates)
        self.inferred = Inferred()
        self._schema = next((one for one in templates if one.table.name == SCHEMA_TABLE), None)
        self._likest_of: dict[tuple[int, ...], Template | None] = {}
        self._possible = {
            keyed: header_lengths(one.table for one in templates if one.table.without_rowid == keyed)
            for keyed in (False, True)
        }

    def prepare(self, sheets: Sequence[Sheet]) -> None:
        """Find the whole cells of many pages at a time, which is what takes the least time for each."""
        for keyed, possible in self._possible.items():
            if possible.any():
                find_whole(sheets, possible, keyed=keyed)

    def array(
        self, page: TreePage, pointers: Iterable[int], owner: Template | None, *, infer: bool = False
    ) -> list[Remains]:
        """Return the cells that pointers of a page name; those of no table known may be taken for one inferred."""
        found: list[Remains] = []
        room = 2 * self._usable_size
        for pointer in pointers:
            remains = self._named(page, pointer, owner, infer=infer)
            room -= 4 if remains is None else remains.end - remains.start
            if room < 0:
                break
            if remains is not None:
                found.append(remains)
        return found

    def _named(self, page: TreePage, pointer: int, owner: Template | None, *, infer: bool) -> Remains | None:
        block, keyed = page.block, page.kind != TABLE_LEAF
        try:
            start = pointer + 4 if page.kind == INDEX_INTERIOR else pointer
            size, record = varint(block, start)
            if not keyed:
                record = varint(block, record)[1]
        except IndexError:
            return None
        read = record_types(block, record)
        if read is None or read[1] - record + body_size(read[0]) != size:
            return None
        types, body = read
        template = self._of_schema(block, body, types)
        if template is None:
            template = owner if owner is not None and owner.fits(types) else self._likest(types, keyed=keyed)
        if template is None and infer and not keyed:
            template = self.inferred.template(len(types))
        if template is None:
            return None
        end, held = local_end(record, size, self._usable_size, keyed=keyed)
        limit = min(end, self._usable_size)
        # Where the page is known to be the table's, its pointers and the lengths vouch for the values.
        bits: float | None = _OWN_BITS
        if template is not owner or end > limit:
            bits = body_bits(block, body, types, self._codec, legacy=template.legacy, end=min(held, limit))
        if bits is None:
            return None
        bits += _LENGTH_BITS + 2 * _HEADER_BITS + template.bits(types)
        return Remains(
            start, limit, template, tuple(types), record, body, size, bits, whole=True, cut=end > limit, anchored=True
        )

    def _of_schema(self, block: bytes, body: int, types: Sequence[int]) -> Template | None:
        """Return the schema where a record is one of it, wherever it stands: its first word gives it away."""
        if len(types) != _SCHEMA_WIDTH or self._schema is None or not self._schema.fits(types):
            return None
        first = block[body : body + size_of(types[0])].replace(b"\0", b"")
        return self._schema if first in SCHEMA_WORDS else None

    def _likest(self, types: Sequence[int], *, keyed: bool) -> Template | None:
        key = (keyed, *map(class_of, types))
        if key not in self._likest_of:
            if len(self._likest_of) >= _REMEMBERED:
                self._likest_of.clear()
            self._likest_of[key] = self._compare(types, keyed=keyed)
        return self._likest_of[key]

    def _compare(self, types: Sequence[int], *, keyed: bool) -> Template | None:
        best = max(
            (
                template
                for template in self.templates
                if template.table.without_rowid == keyed and not (keyed and template.count < _TOLD_FROM_INDEX)
            ),
            key=lambda template: template.likeness(types),
            default=None,
        )
        return best if best is not None and best.likeness(types) > 0 else None

    def vote(self, cells: Sequence[Remains]) -> Template | None:
        """Return the table that most of some cells look like, of which the first are asked."""
        totals: dict[int, float] = {}
        by_id: dict[int, Template] = {}
        for cell in cells[:_VOTERS]:
            types = [serial_type for serial_type in cell.types if serial_type is not None]
            for template in self.templates if cell.template is not self._schema else (cell.template,):
                if template.table.without_rowid == cell.template.table.without_rowid:
                    totals[id(template)] = totals.get(id(template), 0.0) + template.likeness(types)
                    by_id[id(template)] = template
        if not totals:
            return None
        best = max(totals, key=lambda key: totals[key])
        return by_id[best] if totals[best] > 0 else None

    def between(self, sheet: Sheet, space: Space, owner: Template | None, *, damaged: bool = True) -> list[Remains]:
        """Return the remains in a space: of the owner's rows, and whole ones of others.

        Where pages hold other cells than rows, or it is not known whose they are, ``damaged`` ones are not to be told.
        """
        found = self.whole(sheet, space, owner)
        if owner is not None and damaged:
            found.extend(self._broken(sheet, space, owner, found))
        return choose(found)

    def whole(self, sheet: Sheet, space: Space, owner: Template | None) -> list[Remains]:
        """Return the cells of a space whose beginning and header are whole."""
        found: list[Remains] = []
        for keyed in (False, True):
            for cell in sheet.whole.get((space.start, keyed), ()):
                remains = self._whole(sheet.block, space, cell, owner, keyed=keyed)
                if remains is not None:
                    found.append(remains)
        return _with_known_ends(sheet, space, found)

    def _whole(
        self, block: bytes, space: Space, cell: WholeCell, owner: Template | None, *, keyed: bool
    ) -> Remains | None:
        read = record_types(block, cell.record)
        if read is None or read[1] > space.end:
            return None
        types, body = read
        own = owner is not None and owner.table.without_rowid == keyed and owner.fits(types)
        template = self._of_schema(block, body, types)
        if template is None:
            template = owner if own else self._likest(types, keyed=keyed)
        if template is None:
            return None
        end, held = local_end(cell.record, cell.size, self._usable_size, keyed=keyed)
        limit = min(end, space.end)
        held = min(held, limit)
        evidence = body_bits(block, body, types, self._codec, legacy=template.legacy, end=held)
        if evidence is None and own:
            limit = sound_end(block, body, types, self._codec, legacy=template.legacy, end=held)
            evidence = body_bits(block, body, types, self._codec, legacy=template.legacy, end=limit)
        if evidence is None:
            return None
        length_bits = _LENGTH_BITS * (1 if cell.size < 1 << 7 else 2 if cell.size < 1 << 14 else 3)
        bits = evidence + length_bits + _HEADER_BITS + template.bits(types)
        least = _OWN_BITS if own else _FOREIGN_BITS
        if bits < (least if limit == end else max(least, _CUT_BITS)):
            return None
        return Remains(
            cell.start, limit, template, tuple(types), cell.record, body, cell.size, bits, whole=True, cut=end > limit
        )

    def _broken(self, sheet: Sheet, space: Space, owner: Template, whole: Sequence[Remains]) -> list[Remains]:
        records = {one.record for one in whole}
        found = self._damaged[id(owner)].find(sheet, space, whole)
        return [
            one for one in found if one.record not in records and one.bits >= (_CUT_BITS if one.cut else _DAMAGED_BITS)
        ]

    def unowned(self, sheet: Sheet, space: Space, likely: Sequence[Template]) -> tuple[list[Remains], Template | None]:
        """Return the remains in a page of which only its bytes tell whose it was, and the table found."""
        found = self.whole(sheet, space, likely[0] if len(likely) == 1 else None)
        owner = self.vote(found)
        if owner is not None:
            damaged = not owner.table.without_rowid or owner in likely
            return self.between(sheet, space, owner, damaged=damaged), owner
        if not sheet.block_places(space):
            return choose(found), None
        used = sum(map(bool, sheet.block[space.start : space.end]))
        best: list[Remains] = []
        for template in [*likely, *(one for one in self.templates if not one.table.without_rowid)][:_ALL_TEMPLATES]:
            broken = self._broken(sheet, space, template, found)
            got = choose([one for one in broken if one.bits >= _UNOWNED_BITS])
            explained = sum(one.end - one.start for one in got)
            if len(got) >= _CHAIN and explained * 2 >= used and _weight(got) > _weight(best):
                best, owner = got, template
        if owner is not None:
            self.templates.remove(owner)
            self.templates.insert(0, owner)
        return best, owner


def _weight(found: Sequence[Remains]) -> float:
    return sum(one.weight for one in found)


def _with_known_ends(sheet: Sheet, space: Space, found: list[Remains]) -> list[Remains]:
    """Return cells as cut that end where nothing else begins: a later one may have taken their end."""
    if not found:
        return found
    ends = sorted({space.end, *(one.start for one in found), *(at for at, _ in space.blocks)})
    places = sheet.block_places(space)
    kept = []
    for one in found:
        at = bisect_left(ends, one.end)
        known = at < len(ends) and ends[at] - one.end <= _FRAGMENT
        if not (known or one.cut):
            place = bisect_left(places, one.end)
            known = place < len(places) and places[place] - one.end <= _FRAGMENT
        kept.append(one if known or one.cut else one.cut_at(one.end - 1))
    return kept
