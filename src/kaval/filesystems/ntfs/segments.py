"""File record segments: their attributes, names and streams, as stored.

A segment is parsed from bytes whose update sequence has been put back (``table.py``). Fields are named as in the
linux-ntfs documentation: FILE record, attribute header, $STANDARD_INFORMATION, $FILE_NAME, mapping pairs.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

IN_USE, IS_DIRECTORY = 0x0001, 0x0002
STANDARD_INFORMATION, ATTRIBUTE_LIST, FILE_NAME, VOLUME_NAME = 0x10, 0x20, 0x30, 0x60
DATA, INDEX_ALLOCATION, BITMAP, REPARSE_POINT = 0x80, 0xA0, 0xB0, 0xC0
COMPRESSED, ENCRYPTED, SPARSE = 0x0001, 0x4000, 0x8000
DOS_NAME = 2
REFERENCE_MASK = (1 << 48) - 1
MAXIMUM_RUNS = 1 << 20

_HEADER = struct.Struct("<HHHHII")
_ATTRIBUTE = struct.Struct("<IIBBHHH")
_RESIDENT = struct.Struct("<IH")
_MAPPED = struct.Struct("<QQHH4xQQQ")
_TIMES = struct.Struct("<QQQQI")
_NAME = struct.Struct("<QQQQQ24xBB")
_LIST = struct.Struct("<IHBBQQH")


class FileName(NamedTuple):
    """One $FILE_NAME: ``parent`` and ``parent_sequence`` are the directory's reference."""

    parent: int
    parent_sequence: int
    namespace: int
    name: str
    times: tuple[int, int, int, int]


class Attribute(NamedTuple):
    """One attribute or one part of it.

    ``segment`` is the record it stands in. Of a resident one ``value`` is its place in that record, and its length;
    of another ``first`` is its first virtual cluster, ``pairs`` its mapping pairs.
    """

    type: int
    id: int
    name: str
    flags: int
    segment: int
    resident: bool
    value: tuple[int, int]
    first: int
    unit: int
    allocated: int
    size: int
    valid: int
    pairs: bytes


class Segment(NamedTuple):
    """One record as far as it concerns listing; a DOS name is among its names only where there is no other."""

    number: int
    sequence: int
    flags: int
    base: int
    base_sequence: int
    times: tuple[int, int, int, int, int] | None
    names: list[FileName]
    attributes: list[Attribute]
    attribute_list: Attribute | None
    reparse: bytes
    label: str
    problem: str

    @property
    def in_use(self) -> bool:
        return bool(self.flags & IN_USE)

    @property
    def is_directory(self) -> bool:
        return bool(self.flags & IS_DIRECTORY)


def parse_segment(block: bytes, start: int, size: int, number: int) -> Segment | None:
    """Return the segment at a place of a block; ``None`` where no record begins there."""
    if block[start : start + 4] != b"FILE":
        return None
    sequence, _, place, flags, used, _ = _HEADER.unpack_from(block, start + 16)
    reference = int.from_bytes(block[start + 32 : start + 40], "little")
    times: tuple[int, int, int, int, int] | None = None
    names: list[FileName] = []
    attributes: list[Attribute] = []
    listed: Attribute | None = None
    short: tuple[int, int] | None = None
    reparse, label, problem = b"", "", ""
    end = start + min(used, size) if used >= 48 else start + size
    place += start
    while place + 16 <= end:
        kind, length, mapped, name_length, name_place, attribute_flags, ident = _ATTRIBUTE.unpack_from(block, place)
        if kind == 0xFFFFFFFF:
            break
        if length < 24 or length & 7 or place + length > end:
            problem = f"attribute {kind:#x} of {length} bytes at byte {place - start} of the record"
            break
        if mapped:
            if kind in _MAPPED_KINDS and length >= 64:
                found = _mapped(block, place, number)
                if kind == ATTRIBUTE_LIST:
                    listed = found
                else:
                    attributes.append(found)
            place += length
            continue
        value_length, value_place = _RESIDENT.unpack_from(block, place + 16)
        value = place + value_place
        if value + value_length > place + length:
            problem = f"the value of attribute {kind:#x} runs out of it at byte {place - start} of the record"
        elif kind == FILE_NAME:
            if value_length >= 66:
                if block[value + 65] == DOS_NAME:
                    short = (value, value_length)
                else:
                    names.append(_file_name(block, value, value_length))
        elif kind == STANDARD_INFORMATION:
            if value_length >= 36:
                times = _TIMES.unpack_from(block, value)
        elif kind in (DATA, ATTRIBUTE_LIST):
            name = _text(block, place + name_place, name_length, place + length) if name_length else ""
            held = (value - start, value_length)
            found = Attribute(kind, ident, name, attribute_flags, number, True, held, 0, 0, 0, value_length, 0, b"")
            if kind == DATA:
                attributes.append(found)
            else:
                listed = found
        elif kind == REPARSE_POINT:
            reparse = block[value : value + value_length]
        elif kind == VOLUME_NAME:
            label = _text(block, value, value_length // 2, value + value_length)
        place += length
    if short is not None and not names:
        names.append(_file_name(block, *short))
    return Segment(
        number, sequence, flags, reference & REFERENCE_MASK, reference >> 48, times, names, attributes, listed, reparse,
        label, problem,
    )  # fmt: skip


_MAPPED_KINDS = frozenset({DATA, ATTRIBUTE_LIST, INDEX_ALLOCATION, BITMAP})


def _mapped(block: bytes, place: int, number: int) -> Attribute:
    kind, length, _, name_length, name_place, flags, ident = _ATTRIBUTE.unpack_from(block, place)
    first, _, pairs, unit, allocated, size, valid = _MAPPED.unpack_from(block, place + 16)
    name = _text(block, place + name_place, name_length, place + length) if name_length else ""
    return Attribute(
        kind, ident, name, flags, number, False, (0, 0), first, unit, allocated, size, valid,
        block[place + pairs : place + length],
    )  # fmt: skip


def _file_name(block: bytes, value: int, length: int) -> FileName:
    parent, created, modified, changed, accessed, characters, namespace = _NAME.unpack_from(block, value)
    name = block[value + 66 : value + min(66 + 2 * characters, length)].decode("utf-16-le", "surrogatepass")
    return FileName(parent & REFERENCE_MASK, parent >> 48, namespace, name, (created, modified, changed, accessed))


def _text(block: bytes, place: int, characters: int, end: int) -> str:
    return block[place : min(place + 2 * characters, end)].decode("utf-16-le", "surrogatepass")


class ListItem(NamedTuple):
    """One item of an $ATTRIBUTE_LIST: which attribute stands in which record."""

    type: int
    first: int
    segment: int
    sequence: int


def parse_attribute_list(content: bytes) -> list[ListItem]:
    """Return the items of an attribute list, as far as they make sense."""
    items = []
    place = 0
    while place + _LIST.size <= len(content):
        kind, length, _, _, first, reference, _ = _LIST.unpack_from(content, place)
        if length < _LIST.size or kind in (0, 0xFFFFFFFF):
            break
        items.append(ListItem(kind, first, reference & REFERENCE_MASK, reference >> 48))
        place += length
    return items


Run = tuple[int, int]
"""First logical cluster (-1 for a hole) and number of clusters."""


def decode_runs(pairs: bytes, clusters: int) -> tuple[list[Run], str]:
    """Return the runs that mapping pairs stand for, and what is wrong with them: nothing, or why they end early.

    No run is larger than the volume, so that nothing is ever allocated by a length that was made up.
    """
    runs: list[Run] = []
    place, cluster, end = 0, 0, len(pairs)
    while place < end:
        header = pairs[place]
        if header == 0:
            return runs, ""
        length_size, offset_size = header & 15, header >> 4
        after = place + 1 + length_size
        if not 1 <= length_size <= 8 or offset_size > 8 or after + offset_size > end:
            return runs, f"the mapping pair {header:#04x} makes no sense"
        length = int.from_bytes(pairs[place + 1 : after], "little")
        place = after + offset_size
        if offset_size:
            cluster += int.from_bytes(pairs[after:place], "little", signed=True)
            if length == 0 or length > clusters or not 0 <= cluster <= clusters - length:
                return runs, f"a run of {length} clusters at {cluster} does not lie inside the volume"
            runs.append((cluster, length))
        elif 0 < length < 1 << 52:
            runs.append((-1, length))
        else:
            return runs, f"a hole of {length} clusters makes no sense"
        if len(runs) > MAXIMUM_RUNS:
            return runs, f"more than {MAXIMUM_RUNS} runs"
    return runs, "the mapping pairs have no end"
