"""Sections of a version 1 segment: their descriptors, followed even past a damaged one."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

FILE_HEADER_SIZE = 13
DESCRIPTOR_SIZE = 76
MAXIMUM_SECTIONS = 1 << 20
"""A segment with more sections than this is not followed to its end."""

ENDINGS = frozenset({"next", "done"})

_DESCRIPTOR = struct.Struct("<16sQQ40xI")
_TYPES = re.compile(
    rb"(?:header2?|xheader|volume|disk|data|sectors|table2?|next|done|hash|digest|error2|session|xhash)\0{4,12}"
)
_SCAN_SIZE = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One section: where its descriptor stands, and where its content ends (cut at the end of the segment)."""

    kind: str
    offset: int
    end: int

    @property
    def content_offset(self) -> int:
        return self.offset + DESCRIPTOR_SIZE

    @property
    def content_size(self) -> int:
        return max(0, self.end - self.content_offset)


def sections(source: ByteSource, segment_name: str) -> Iterator[Section | Notice]:
    """Yield the sections of a segment in order; where the chain breaks a notice, and then what is found behind it.

    A segment that is whole ends with a section of a kind in ``ENDINGS``.
    """
    offset = FILE_HEADER_SIZE
    for _ in range(MAXIMUM_SECTIONS):
        if offset + DESCRIPTOR_SIZE > source.size:
            yield _truncated(source, segment_name)
            return
        found = _descriptor(source.read_at(offset, DESCRIPTOR_SIZE), offset)
        if found is None:
            message = f"a section descriptor of {segment_name} is damaged at byte {offset}; "
            later = _search(source, offset + 1)
            message += "none follows it" if later is None else f"the chain was taken up again at byte {later}"
            yield Notice(code=NoticeCode.DAMAGED, message=message, structure="EWF section descriptor")
            if later is None:
                return
            offset = later
            continue
        kind, next_offset = found
        if kind in ENDINGS:
            yield Section(kind=kind, offset=offset, end=offset + DESCRIPTOR_SIZE)
            return
        yield Section(kind=kind, offset=offset, end=min(next_offset, source.size))
        offset = next_offset


def _descriptor(block: bytes, offset: int) -> tuple[str, int] | None:
    """Return kind and end of a section, ``None`` if these bytes are no sound descriptor of one that goes forward."""
    if len(block) < DESCRIPTOR_SIZE:
        return None
    kind, next_offset, _, checksum = _DESCRIPTOR.unpack(block)
    if zlib.adler32(block[:72]) != checksum:
        return None
    name = kind.rstrip(b"\0").decode("ascii", "replace")
    if name not in ENDINGS and next_offset < offset + DESCRIPTOR_SIZE:
        return None
    return name, next_offset


def _search(source: ByteSource, offset: int) -> int | None:
    """Return where the next sound descriptor stands."""
    while offset + DESCRIPTOR_SIZE <= source.size:
        block = source.read_at(offset, _SCAN_SIZE + DESCRIPTOR_SIZE)
        for found in _TYPES.finditer(block):
            at = found.start()
            if at < _SCAN_SIZE and _descriptor(block[at : at + DESCRIPTOR_SIZE], offset + at) is not None:
                return offset + at
        offset += _SCAN_SIZE
    return None


def _truncated(source: ByteSource, segment_name: str) -> Notice:
    message = f"{segment_name} ends at its byte {source.size}, in the middle of its sections: it was cut off"
    return Notice(code=NoticeCode.TRUNCATED, message=message, structure="EWF segment")
