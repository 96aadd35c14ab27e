"""Where a physical volume of LVM2 keeps the description of its volume group, and what it says.

Known: ``lib/format_text/layout.h`` and ``lib/config/config.c`` of LVM2 (label, metadata areas, the text they hold). The
text is kept in a ring: it may run over the end of its area to the start. The newest text whose checksum holds is read.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes.ranges import read_or_none

Value = str | int | float | list["Value"] | dict[str, "Value"]
Section = dict[str, Value]

_LABEL_SECTORS = 4
_AREA_MAGIC = b" LVM2 x[5A%r0N*>"
_AREA_HEADER = 512
_FIRST_CRC = 0xF597A6CF
_MAXIMUM_TEXT = 8 << 20
_MAXIMUM_DEPTH = 16
_PIECE = re.compile(r'\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|([{}\[\]=,])|([^\s{}\[\]=,"#]+)', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class PhysicalLabel:
    """The label of a physical volume: its identifier and where (offset, size) its areas lie, in bytes."""

    offset: int
    identifier: str
    data_areas: tuple[tuple[int, int], ...]
    metadata_areas: tuple[tuple[int, int], ...]


def checksum(content: bytes) -> int:
    """Return LVM2's CRC-32, which is not inverted at either end."""
    return zlib.crc32(content, _FIRST_CRC ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def find_label(source: ByteSource) -> PhysicalLabel | None:
    """Return the label, in one of the first four sectors, if its checksum holds."""
    for sector in range(_LABEL_SECTORS):
        block = read_or_none(source, sector * 512, 512)
        if block is None or block[:8] != b"LABELONE" or block[24:32] != b"LVM2 001":
            continue
        number, stored, start = struct.unpack_from("<QII", block, 8)
        if number == sector and checksum(block[20:]) == stored and 32 <= start <= 512 - 40:
            return _parse_label(block, sector * 512, start)
    return None


def _parse_label(block: bytes, offset: int, start: int) -> PhysicalLabel:
    position = start + 40
    areas: list[list[tuple[int, int]]] = [[], []]
    for kind in areas:
        while position + 16 <= len(block):
            place, size = struct.unpack_from("<QQ", block, position)
            position += 16
            if place == 0:
                break
            kind.append((place, size))
    identifier = block[start : start + 32].decode("ascii", "replace")
    return PhysicalLabel(
        offset=offset, identifier=identifier, data_areas=tuple(areas[0]), metadata_areas=tuple(areas[1])
    )


def read_metadata(source: ByteSource, label: PhysicalLabel) -> Iterator[Notice | Section]:
    """Yield a notice for each metadata area that cannot be used, then the newest text as sections.

    Raises:
        CorruptStructureError: No area holds a text that can be understood.
    """
    texts: list[tuple[int, Section]] = []
    for offset, size in label.metadata_areas:
        try:
            section = parse(_read_text(source, offset, size))
            texts.append((_sequence(section), section))
        except CorruptStructureError as error:
            yield Notice(code=NoticeCode.DAMAGED, message=str(error), offset=offset, structure="LVM2 metadata area")
    if not texts:
        raise CorruptStructureError(
            "LVM2 metadata", "no area of this physical volume holds a usable text", label.offset
        )
    yield max(texts, key=lambda text: text[0])[1]


def _sequence(section: Section) -> int:
    groups = [value for value in section.values() if isinstance(value, dict)]
    number = groups[0].get("seqno") if groups else None
    return number if isinstance(number, int) else -1


def _read_text(source: ByteSource, offset: int, size: int) -> str:
    header = read_or_none(source, offset, _AREA_HEADER)
    if header is None or header[4:20] != _AREA_MAGIC:
        raise CorruptStructureError("LVM2 metadata area", "its header cannot be read or is none", offset)
    if checksum(header[4:]) != struct.unpack_from("<I", header)[0]:
        raise CorruptStructureError("LVM2 metadata area", "the checksum of its header does not match", offset)
    start, length, stored = struct.unpack_from("<QQI", header, 40)
    size = min(size, source.size - offset) if size else source.size - offset
    if not _AREA_HEADER <= start < size or not 0 < length <= min(_MAXIMUM_TEXT, size - _AREA_HEADER):
        raise CorruptStructureError("LVM2 metadata area", f"its text of {length} bytes at {start} does not fit", offset)
    before_end = min(length, size - start)
    first = read_or_none(source, offset + start, before_end)
    rest = read_or_none(source, offset + _AREA_HEADER, length - before_end) if length > before_end else b""
    if first is None or rest is None:
        raise CorruptStructureError("LVM2 metadata area", "its text cannot be read", offset + start)
    if checksum(first + rest) != stored:
        raise CorruptStructureError("LVM2 metadata area", "the checksum of its text does not match", offset + start)
    return (first + rest).partition(b"\0")[0].decode("utf-8", "replace")


def parse(text: str) -> Section:
    """Return the sections of a text: names to numbers, strings, lists and further sections."""
    root: Section = {}
    stack = [root]
    pieces = _pieces(text)
    for kind, word in pieces:
        if word == "}" and kind == "mark":
            if len(stack) == 1:
                raise CorruptStructureError("LVM2 metadata", "a section ends that never began")
            stack.pop()
            continue
        if kind == "mark":
            raise CorruptStructureError("LVM2 metadata", f"{word!r} stands where a name must")
        mark = next(pieces, ("end", ""))
        if mark == ("mark", "{"):
            if len(stack) >= _MAXIMUM_DEPTH:
                raise CorruptStructureError("LVM2 metadata", f"sections lie more than {_MAXIMUM_DEPTH} deep")
            inner: Section = {}
            stack[-1][word] = inner
            stack.append(inner)
        elif mark == ("mark", "="):
            stack[-1][word] = _value(pieces)
        else:
            raise CorruptStructureError("LVM2 metadata", f"{word!r} is followed by neither a section nor a value")
    if len(stack) > 1:
        raise CorruptStructureError("LVM2 metadata", "the text ends inside a section")
    return root


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None:
            raise CorruptStructureError("LVM2 metadata", f"the text cannot be read on from character {position}")
        position = match.end()
        if match[1] is not None:
            yield "text", re.sub(r"\\(.)", r"\1", match[1])
        elif match[2] is not None:
            yield "mark", match[2]
        elif match[3] is not None:
            yield "word", match[3]


def _value(pieces: Iterator[tuple[str, str]]) -> Value:
    kind, word = next(pieces, ("end", ""))
    if (kind, word) != ("mark", "["):
        return _scalar(kind, word)
    values: list[Value] = []
    for kind, word in pieces:
        if (kind, word) == ("mark", "]"):
            return values
        if (kind, word) != ("mark", ","):
            values.append(_scalar(kind, word))
    raise CorruptStructureError("LVM2 metadata", "the text ends inside a list")


def _scalar(kind: str, word: str) -> Value:
    if kind == "text":
        return word
    if kind == "word" and re.fullmatch(r"-?[0-9]{1,19}", word, re.ASCII):
        return int(word)
    if kind == "word":
        return word
    raise CorruptStructureError("LVM2 metadata", f"{word!r} stands where a value must")
