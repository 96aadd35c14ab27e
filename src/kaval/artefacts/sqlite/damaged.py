"""Cells whose beginning is lost: a free block wrote its four bytes over it (1.6).

Those four bytes held the length of the payload, the rowid, the length of the record's header and at most the first
one or two serial types. What the rest of the header can look like is known from the table; so it is looked for
everywhere, and what is lost before it is concluded from where the cell ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kaval.artefacts.sqlite.checking import body_bits
from kaval.artefacts.sqlite.concluding import conclude
from kaval.artefacts.sqlite.records import varint
from kaval.artefacts.sqlite.remains import Remains, body_size, local_end
from kaval.artefacts.sqlite.spaces import Space
from kaval.artefacts.sqlite.templates import BLOB, INTEGER, NULL, REAL, TEXT, Template, class_of

MOST_MATCHES = 20_000
"""Places of one space that are looked at closely."""
_WIDTHS = 4
_HEADER_BITS, _BLOCK_BITS, _END_BITS = 7.0, 8.0, 8.0


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
    width: int


class DamagedCells:
    """Looks for the damaged cells of one table."""

    def __init__(self, template: Template, codec: str, usable_size: int) -> None:
        self.template = template
        self.keyed = template.table.without_rowid
        self._codec = codec
        self._usable_size = usable_size
        widths = sorted(template.widths, key=lambda width: -template.widths[width])[:_WIDTHS]
        self._widths = sorted(width for width in {*widths, template.count} if 0 < width <= template.count)
        # Behind a free block's four bytes stand all types, or all but the first; without a rowid all but one or two.
        firsts = (2, 1) if self.keyed else (1,)
        self._patterns = [
            (first, width, self._pattern(first, width)) for width in self._widths for first in firsts if width > first
        ]

    def _pattern(self, first: int, width: int) -> re.Pattern[bytes]:
        parts = []
        for place in range(first, width):
            kinds = sorted(self.template.expected(place))
            parts.append(b"(?:" + b"|".join(_PARTS[kind] for kind in kinds) + b")")
        nothing = b"(?!" + rb"\x00" * len(parts) + b")"
        return re.compile(b"(?=" + nothing + b"(" + b"".join(parts) + b"))", re.DOTALL)

    def find(self, block: bytes, space: Space, starts: Sequence[int]) -> list[Remains]:
        """Return what may be damaged cells in a space; ``starts`` are places where whole cells begin."""
        ends = {space.end, *starts, *(at for at, _ in space.blocks), *block_places(block, space, self._usable_size)}
        found: list[Remains] = []
        for place in self._places(block, space):
            found.extend(self._readings(block, space, place, ends))
        return found

    def _places(self, block: bytes, space: Space) -> Iterator[_Place]:
        for first, width, pattern in self._patterns:
            for number, match in enumerate(pattern.finditer(block, space.start, space.end)):
                if number >= MOST_MATCHES:
                    break
                yield _Place(match.start(1), match.end(1), first, width)
        for width in self._widths:
            if width <= (2 if self.keyed else 1):
                for at, _ in space.blocks:
                    yield _Place(at + 4, at + 4, width, width)

    def _readings(self, block: bytes, space: Space, place: _Place, ends: set[int]) -> Iterator[Remains]:
        """Yield each way to read what stands before the types: all of the header, part of it, or a free block."""
        known = _read_types(block, place.types_at, place.body)
        for types_at, before in _types_before(block, space.start, place, self.template):
            types = before + known
            head = place.body - types_at + 1
            if types_at - 1 >= space.start and block[types_at - 1] == head and head < 0x80:
                yield from self._with_header(block, space, types_at - 1, place.body, types, ends)
            else:
                yield from self._behind_block(block, space, types_at - 4, types_at - 1, place.body, types, ends)
        # The types that are lost lay in the four bytes, the first of them perhaps with one byte more.
        for back in (4, 5):
            start = place.types_at - back
            if start >= space.start and (back == 4 or block[start + 4] < 0x80):
                yield from self._concluded(block, space, start, place, known, ends)

    def _with_header(
        self, block: bytes, space: Space, record: int, body: int, types: list[int], ends: set[int]
    ) -> Iterator[Remains]:
        """Read a record whose header is whole: only the length of the payload and bytes of the rowid are lost."""
        size = body - record + body_size(types)
        tail = 0
        while tail < 8 and record - tail - 1 >= space.start and (tail == 0 or block[record - tail - 1] >= 0x80):
            tail += 1
        length = 1 if size < 1 << 7 else 2 if size < 1 << 14 else 3
        # With 4 bytes lost and ``rest`` bytes of the rowid left, the rowid took 4 + rest - length bytes: 1 to 9.
        for rest in range(min(tail, 5) if not self.keyed else 0, -1, -1):
            start = record - 4 - rest
            if rest and block[record - 1] >= 0x80:
                continue
            if (
                start >= space.start
                and looks_like_block(block, start, self._usable_size)
                and (self.keyed or 1 <= 4 + rest - length <= 9)
            ):
                yield from self._judged(
                    block, space, start, record, body, types, ends, _HEADER_BITS, tail=block[record - rest : record]
                )
                return
        yield from self._judged(block, space, record, record, body, types, ends, _HEADER_BITS)

    def _behind_block(
        self, block: bytes, space: Space, start: int, record: int, body: int, types: list[int], ends: set[int]
    ) -> Iterator[Remains]:
        """Read a record of which the length of the header is lost as well, and no type is."""
        if start >= space.start:
            yield from self._judged(block, space, start, record, body, types, ends, 0.0)

    def _concluded(
        self, block: bytes, space: Space, start: int, place: _Place, known: list[int], ends: set[int]
    ) -> Iterator[Remains]:
        """Read a record of which the first types are lost; they follow from where the cell ends."""
        if not looks_like_block(block, start, self._usable_size) and not any(at == start for at, _ in space.blocks):
            return
        stated = start + int.from_bytes(block[start + 2 : start + 4], "big")
        byte = block[start + 4] if place.types_at - start == 5 else None
        record = start + (2 if not self.keyed else 1)
        wanted = sorted(end for end in {stated, *ends} if place.body < end <= space.end)
        for end in wanted[:64]:
            lost = end - place.body - body_size(known)
            if lost < 0 or end - record >= 128:
                continue
            answer = conclude(self.template, place.first, lost, byte, block, place.body, known, self._codec)
            if answer is None:
                continue
            types, sureness, bits = answer
            bits += self.template.bits(known) + _BLOCK_BITS + (_END_BITS if end == stated else _END_BITS / 2)
            yield Remains(
                start,
                end,
                self.template,
                types,
                record,
                place.body,
                end - record,
                bits,
                concluded=sureness,
                anchored=True,
            )

    def _judged(
        self,
        block: bytes,
        space: Space,
        start: int,
        record: int,
        body: int,
        types: list[int],
        ends: set[int],
        bits: float,
        tail: bytes = b"",
    ) -> Iterator[Remains]:
        """Yield the remains if the values bear them out, cut where the space ends."""
        if not self.template.fits(types):
            return
        size = body - record + body_size(types)
        end = local_end(record, size, self._usable_size, keyed=self.keyed)
        evidence = body_bits(block, body, types, self._codec, legacy=self.template.legacy, end=min(end, space.end))
        if evidence is None or body >= space.end:
            return
        anchored = start < record and looks_like_block(block, start, self._usable_size)
        stated = start + int.from_bytes(block[start + 2 : start + 4], "big") if anchored else 0
        exact = end == stated or end in ends
        if start < record and not (anchored or exact):
            return
        bits += evidence + self.template.bits(types) + (_BLOCK_BITS if anchored else 0.0) + (_END_BITS if exact else 0.0)
        yield Remains(
            start,
            min(end, space.end),
            self.template,
            tuple(types),
            record,
            body,
            size,
            bits,
            rowid_tail=tail,
            cut=end > space.end,
            anchored=anchored,
            exact=exact,
        )


def block_places(block: bytes, space: Space, usable_size: int) -> list[int]:
    """Return the places of a space where bytes stand that a free block can begin with."""
    part = np.frombuffer(block[space.start : space.end], dtype=np.uint8).astype(np.int64)
    if len(part) < 4:
        return []
    words = part[:-1] << 8 | part[1:]
    following, size = words[:-2], words[2:]
    at = np.arange(space.start, space.start + len(size), dtype=np.int64)
    later = (following == 0) | ((following > at) & (following <= usable_size - 4))
    return [int(place) for place in at[later & (size >= 4) & (size <= usable_size - at)]]


def looks_like_block(block: bytes, place: int, usable_size: int) -> bool:
    """Whether four bytes can be those of a free block: where the next one is, and its own size."""
    following = int.from_bytes(block[place : place + 2], "big")
    size = int.from_bytes(block[place + 2 : place + 4], "big")
    return (following == 0 or place < following <= usable_size - 4) and 4 <= size <= usable_size - place


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
