"""Cells whose beginning is lost: a free block wrote its four bytes over it (1.6).

Those four bytes held the length of the payload, the rowid, the length of the record's header and at most the first
one or two serial types. What the rest of the header can look like is known from the table; so it is looked for
everywhere, and what is lost before it is concluded from where the cell ends.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2

from kaval.artefacts.sqlite.checking import body_bits
from kaval.artefacts.sqlite.concluding import conclude, usual_first_type
from kaval.artefacts.sqlite.records import varint
from kaval.artefacts.sqlite.remains import Remains, body_size, local_end
from kaval.artefacts.sqlite.sheets import Sheet
from kaval.artefacts.sqlite.spaces import Space
from kaval.artefacts.sqlite.templates import BLOB, INTEGER, NULL, REAL, TEXT, Template, class_of

MOST_MATCHES = 20_000
"""Places of one space that are looked at closely."""
_MOST_ENDS = 64
_WIDTHS = 4
_HEADER_BITS, _END_BITS, _LIKELY_END_BITS = 7.0, 8.0, 4.0


def _any_of(numbers: Sequence[int]) -> bytes:
    return b"[" + b"".join(b"\\x%02x" % number for number in numbers) + b"]"


def _string(first: int) -> bytes:
    """Return the pattern of the serial types of texts (13 and on) or blobs (12 and on), of up to three bytes."""
    return _any_of(range(first, 128, 2)) + rb"|[\x81-\xff][\x80-\xff]?" + _any_of(range(first % 2, 128, 2))


_PARTS = {NULL: rb"\x00", INTEGER: rb"[\x01-\x06\x08\x09]", REAL: rb"\x07", TEXT: _string(13), BLOB: _string(12)}


@dataclass(frozen=True, slots=True)
class _Place:
    """A place where the serial types of a record stand from number ``first`` on, up to its body."""

    types_at: int
    body: int
    first: int


class DamagedCells:
    """Looks for the damaged cells of one table."""

    def __init__(self, template: Template, codec: str) -> None:
        self.template = template
        self.codec = codec
        self.keyed = template.table.without_rowid
        widths = sorted(template.widths, key=lambda width: -template.widths[width])[:_WIDTHS]
        self._widths = sorted(width for width in {*widths, template.count} if 0 < width <= template.count)
        # Behind a free block's four bytes stand all types, or all but the first; without a rowid all but one or two.
        firsts = (2, 1) if self.keyed else (1,)
        self._patterns = [
            (first, self._pattern(first, width)) for width in self._widths for first in firsts if width > first
        ]

    def _pattern(self, first: int, width: int) -> re.Pattern[bytes]:
        parts = []
        for place in range(first, width):
            kinds = sorted(self.template.expected(place))
            parts.append(b"(?:" + b"|".join(_PARTS[kind] for kind in kinds) + b")")
        nothing = b"(?!" + rb"\x00" * len(parts) + b")"
        return re.compile(b"(?=" + nothing + b"(" + b"".join(parts) + b"))", re.DOTALL)

    def find(self, sheet: Sheet, space: Space, whole: Sequence[Remains]) -> list[Remains]:
        """Return what may be damaged cells in a space; ``whole`` are the cells known to be whole there."""
        reader: _Reader | None = None
        found: list[Remains] = []
        for place in self._places(sheet.block, space):
            reader = reader or _Reader(self, sheet, space, [one.start for one in whole])
            found.extend(reader.readings(place))
        return found

    def _places(self, block: bytes, space: Space) -> Iterator[_Place]:
        for first, pattern in self._patterns:
            for number, match in enumerate(pattern.finditer(block, space.behind_pointers, space.end)):
                if number >= MOST_MATCHES:
                    break
                yield _Place(match.start(1), match.end(1), first)
        if self._widths[0] > (2 if self.keyed else 1):
            return
        # So few types that all of them may be lost, or nothing but them is left to know the place by: only free blocks.
        for at, _ in space.blocks:
            for width in self._widths:
                if width <= (2 if self.keyed else 1):
                    body = self._body_behind(block, at + 4, width)
                    if body is not None:
                        yield _Place(at + 4, body, 0)
                    yield _Place(at + 4, at + 4, width)

    def _body_behind(self, block: bytes, place: int, width: int) -> int | None:
        """Return where as many types as a record has end, if those that stand at a place can be of this table."""
        try:
            for number in range(width):
                serial_type, place = varint(block, place)
                if serial_type in (10, 11) or class_of(serial_type) not in self.template.expected(number):
                    return None
        except IndexError:
            return None
        return place


class _Reader:
    """Reads what stands before the serial types found in one space."""

    def __init__(self, cells: DamagedCells, sheet: Sheet, space: Space, starts: Sequence[int]) -> None:
        self._template, self._codec, self._keyed = cells.template, cells.codec, cells.keyed
        self._sheet, self._block, self._space = sheet, sheet.block, space
        self._known_ends = {space.end, *starts, *(at for at, _ in space.blocks)}
        self._ends = sorted(self._known_ends.union(sheet.block_places(space)))

    def readings(self, place: _Place) -> Iterator[Remains]:
        """Yield each way to read it: the header is whole, or but for its length, or the first types are lost."""
        block, least = self._block, self._space.start
        known = _read_types(block, place.types_at, place.body)
        settled = False
        for types_at, before in _types_before(block, least, place, self._template):
            types = before + known
            head = place.body - types_at + 1
            if types_at - 1 >= least and block[types_at - 1] == head and head < 0x80:
                readings = self._with_header(types_at - 1, place.body, types)
            elif types_at - 4 >= least:
                readings = self._judged(types_at - 4, types_at - 1, place.body, types, 0.0)
            else:
                continue
            for remains in readings:
                settled = settled or (remains.anchored and remains.exact)
                yield remains
        # The types that are lost lay in the four bytes, the last of them perhaps with one byte more.
        for back in () if settled or place.first == 0 else (4, 5):
            start = place.types_at - back
            if start >= least and (back == 4 or block[start + 4] < 0x80):
                yield from self._concluded(start, place, known)

    def _with_header(self, record: int, body: int, types: list[int]) -> Iterator[Remains]:
        """Read a record whose header is whole: only the length of the payload and bytes of the rowid are lost."""
        size = body - record + body_size(types)
        length = 1 if size < 1 << 7 else 2 if size < 1 << 14 else 3
        # With four bytes lost and ``rest`` bytes of the rowid left, the rowid took 4 + rest - length bytes: 1 to 9.
        for rest in range(self._rowid_rest(record), -1, -1):
            start = record - 4 - rest
            possible = start >= self._space.start and (self._keyed or 1 <= 4 + rest - length <= 9)
            if possible and self._sheet.looks_like_block(start):
                yield from self._judged(start, record, body, types, _HEADER_BITS)
                return
        yield from self._judged(record, record, body, types, _HEADER_BITS)

    def _rowid_rest(self, record: int) -> int:
        """Return how many bytes before a record can be the rest of a rowid."""
        if self._keyed or record <= self._space.start or self._block[record - 1] >= 0x80:
            return 0
        rest = 1
        while rest < 5 and record - rest > self._space.start and self._block[record - rest - 1] >= 0x80:
            rest += 1
        return rest

    def _concluded(self, start: int, place: _Place, known: list[int]) -> Iterator[Remains]:
        """Read a record of which the first types are lost; they follow from where the cell ends."""
        sheet = self._sheet
        if not sheet.looks_like_block(start) and not any(at == start for at, _ in self._space.blocks):
            return
        stated = sheet.stated_end(start)
        byte = self._block[start + 4] if place.types_at - start == 5 else None
        record = start + (1 if self._keyed else 2)
        rest = place.body + body_size(known)
        # A record of which a type is lost had a length of one byte, so that it takes less than 128 bytes.
        ends = self._ends[bisect_left(self._ends, rest) : bisect_left(self._ends, record + 128)][:_MOST_ENDS]
        if place.first > 1:
            ends = [end for end in ends if end in self._known_ends]
        if rest <= stated <= min(self._space.end, record + 127) and stated not in ends:
            ends.append(stated)
        bits = self._template.bits(known, place.first) + sheet.block_bits - log2(max(1, len(ends)))
        for end in ends:
            answer = conclude(
                self._template, place.first, end - rest, byte, self._block, place.body, known, self._codec
            )
            if answer is not None:
                types, sureness, evidence = answer
                evidence += bits + self._end_bits(end, stated)
                yield self._remains(start, end, types, record, place.body, end - record, evidence, sureness)
        if stated < rest and byte is None and place.first == 1:
            yield from self._cut(start, place, known, record, min(stated, self._space.end), bits)

    def _end_bits(self, end: int, stated: int) -> float:
        """Return what it says for a reading that it ends where something else is known or likely to begin."""
        if end == stated:
            return log2(self._sheet.usable_size) - 2
        if end in self._known_ends:
            return _END_BITS
        at = bisect_left(self._ends, end)
        return _LIKELY_END_BITS if at < len(self._ends) and self._ends[at] == end else 0.0

    def _cut(
        self, start: int, place: _Place, known: list[int], record: int, end: int, bits: float
    ) -> Iterator[Remains]:
        """Read a record of which the first type and the end are lost, where the first one is nearly always the same."""
        first = usual_first_type(self._template)
        if first is None or end <= place.body:
            return
        types = [first, *known]
        evidence = body_bits(self._block, place.body, types, self._codec, legacy=self._template.legacy, end=end)
        if evidence is not None:
            size = place.body - record + body_size(types)
            bits += evidence
            yield self._remains(start, end, tuple(types), record, place.body, size, bits, ((0, 0.8),), cut=True)

    def _remains(
        self,
        start: int,
        end: int,
        types: tuple[int | None, ...],
        record: int,
        body: int,
        size: int,
        bits: float,
        sureness: tuple[tuple[int, float], ...],
        *,
        cut: bool = False,
    ) -> Remains:
        return Remains(
            start, end, self._template, types, record, body, size, bits,
            concluded=sureness, cut=cut, anchored=True, exact=True,
        )  # fmt: skip

    def _judged(self, start: int, record: int, body: int, types: list[int], bits: float) -> Iterator[Remains]:
        """Yield the remains if the values bear them out, cut where the space ends."""
        if not self._template.fits(types) or body >= self._space.end:
            return
        size = body - record + body_size(types)
        end, held = local_end(record, size, self._sheet.usable_size, keyed=self._keyed)
        limit = min(end, self._space.end)
        evidence = body_bits(self._block, body, types, self._codec, legacy=self._template.legacy, end=min(held, limit))
        if evidence is None:
            return
        anchored = start < record and self._sheet.looks_like_block(start)
        stated = self._sheet.stated_end(start) if anchored else 0
        end_bits = self._end_bits(end, stated)
        exact = end_bits > 0
        if start < record and not (anchored or exact):
            return
        bits += evidence + self._template.bits(types)
        bits += end_bits + (self._sheet.block_bits if anchored else 0.0)
        if end <= limit and not exact:
            # Nothing shows that this is the end; the last value may be that of another cell.
            limit -= 1
        yield Remains(
            start, limit, self._template, tuple(types), record, body, size, bits,
            cut=end > limit or not exact, anchored=anchored, exact=exact,
        )  # fmt: skip


def _read_types(block: bytes, place: int, end: int) -> list[int]:
    types = []
    while place < end:
        serial_type, place = varint(block, place)
        types.append(serial_type)
    return types


def _types_before(
    block: bytes, least: int, place: _Place, template: Template, number: int | None = None, at: int | None = None
) -> Iterator[tuple[int, list[int]]]:
    """Yield where the types that the pattern left out begin, if they stand before it whole, and what they are.

    A byte over 127 before them may belong to the type or to what stands before; so there may be several answers.
    """
    number = place.first - 1 if number is None else number
    at = place.types_at if at is None else at
    if number < 0:
        yield at, []
        return
    for length in (1, 2, 3):
        start = at - length
        if start < least or (block[start] < 0x80) != (length == 1):
            return
        serial_type = varint(block, start)[0]
        if serial_type not in (10, 11) and class_of(serial_type) in template.expected(number):
            for first, before in _types_before(block, least, place, template, number - 1, start):
                yield first, [*before, serial_type]
