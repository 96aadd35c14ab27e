"""One copy of a GUID partition table: its header and entries, and what speaks against them.

Layout: UEFI specification 2.10 section 5.3.2 (header) and 5.3.3 (entries).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from kaval.core.sources import ByteSource
from kaval.volumes.gpt.types import ATTRIBUTE_TITLES, TYPE_TITLES
from kaval.volumes.mbr.entries import MBR_SIZE, PROTECTIVE_TYPE
from kaval.volumes.mbr.entries import parse_entries as parse_mbr
from kaval.volumes.ranges import read_or_none

SECTOR_SIZES = (512, 4096)
SIGNATURE = b"EFI PART"
MAXIMUM_ENTRIES_SIZE = 1 << 20
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_WIPED_SIZE = (128 << 10) + 4096
_USUAL_COUNT, _USUAL_SIZE = 128, 128


@dataclass(frozen=True, kw_only=True, slots=True)
class GptEntry:
    """One entry in use: ``first`` and ``last`` are sectors, both belong to the partition."""

    number: int
    offset: int
    type_id: UUID
    unique_id: UUID
    first: int
    last: int
    attributes: int
    name: str
    name_damaged: bool

    @property
    def type_title(self) -> str:
        """What the type stands for."""
        return TYPE_TITLES.get(str(self.type_id), "unknown type")

    @property
    def facts(self) -> Mapping[str, str]:
        """What the entry says besides its place."""
        facts = {"partition type": f"{self.type_id} {self.type_title}", "partition id": str(self.unique_id)}
        if self.name:
            facts["label"] = self.name
        titles = [title for bit, title in ATTRIBUTE_TITLES.items() if self.attributes >> bit & 1]
        if titles:
            facts["attributes"] = ", ".join(titles)
        return facts


@dataclass(frozen=True, kw_only=True, slots=True)
class GptCopy:
    """One header and its entries. ``reason`` says what speaks against them; it is empty where they are ``sound``."""

    offset: int
    sector_size: int
    reason: str
    alternate: int
    alternate_offset_outside: bool
    disk_id: str
    entries_offset: int
    entries_size: int
    entries_crc: int
    entries: tuple[GptEntry, ...]

    @property
    def sound(self) -> bool:
        """Whether both checksums hold."""
        return not self.reason

    @property
    def reserved(self) -> list[tuple[int, int]]:
        """The ranges header and entries take."""
        entries_size = -(-self.entries_size // self.sector_size) * self.sector_size
        return [(self.offset, self.sector_size), (self.entries_offset, entries_size)]


def read_copy(source: ByteSource, offset: int, sector_size: int) -> GptCopy | None:
    """Return the copy whose header lies at that byte, or ``None`` where no header bears the signature."""
    block = read_or_none(source, offset, sector_size)
    if block is None or not block.startswith(SIGNATURE):
        return None
    fields = _HEADER.unpack_from(block)
    header_size, crc, _, own, alternate = fields[2:7]
    disk, first, count, size, entries_crc = fields[9:]
    reason = ""
    if not _HEADER.size <= header_size <= sector_size:
        reason = f"its header is to be {header_size} bytes long"
    elif zlib.crc32(block[:16] + bytes(4) + block[20:header_size]) != crc:
        reason = "the checksum of the header does not match"
    elif own * sector_size != offset:
        reason = f"its header says it lies in sector {own}"
    entries_offset, entries_size = first * sector_size, count * size
    array = _array(source, entries_offset, count, size)
    if array is None:
        reason = reason or f"its {count} entries of {size} bytes from sector {first} cannot be read"
    elif zlib.crc32(array) != entries_crc:
        reason = reason or "the checksum of the entries does not match"
    return GptCopy(
        offset=offset,
        sector_size=sector_size,
        reason=reason,
        alternate=alternate,
        alternate_offset_outside=alternate * sector_size + sector_size > source.size,
        disk_id=str(UUID(bytes_le=disk)),
        entries_offset=entries_offset,
        entries_size=entries_size if array is not None else 0,
        entries_crc=entries_crc,
        entries=tuple(parse_entries(array, entries_offset, size)) if array is not None else (),
    )


def _array(source: ByteSource, offset: int, count: int, size: int) -> bytes | None:
    """Return the entries as stored, or ``None`` where their size is absurd or they cannot be read."""
    if size < _ENTRY.size or not 0 < count * size <= min(MAXIMUM_ENTRIES_SIZE, source.size):
        return None
    return read_or_none(source, offset, count * size)


def parse_entries(array: bytes, offset: int, size: int) -> Iterator[GptEntry]:
    """Yield the entries in use; ``number`` counts all of them from 1."""
    for index in range(len(array) // size):
        type_id, unique_id, first, last, attributes, name = _ENTRY.unpack_from(array, index * size)
        if not any(type_id):
            continue
        text, damaged = _name(name)
        yield GptEntry(
            number=index + 1,
            offset=offset + index * size,
            type_id=UUID(bytes_le=type_id),
            unique_id=UUID(bytes_le=unique_id),
            first=first,
            last=last,
            attributes=attributes,
            name=text,
            name_damaged=damaged,
        )


def _name(stored: bytes) -> tuple[str, bool]:
    """Return a name and whether part of it could not be decoded; a name of nothing but FF bytes is none."""
    if stored == b"\xff" * len(stored):
        return "", False
    text = stored.decode("utf-16-le", "replace").partition("\0")[0]
    return text.strip(), "\N{REPLACEMENT CHARACTER}" in text


def assumed_copy(source: ByteSource, sector_size: int) -> GptCopy | None:
    """Return what the entries after a lost primary header still say, if every one in use is plausible."""
    offset = 2 * sector_size
    array = _array(source, offset, _USUAL_COUNT, _USUAL_SIZE)
    entries = tuple(parse_entries(array, offset, _USUAL_SIZE)) if array is not None else ()
    known = sum(str(entry.type_id) in TYPE_TITLES for entry in entries)
    if not known or any(entry.first > entry.last or entry.last >= 1 << 48 for entry in entries):
        return None
    return GptCopy(
        offset=sector_size,
        sector_size=sector_size,
        reason="there is no header",
        alternate=0,
        alternate_offset_outside=False,
        disk_id="",
        entries_offset=offset,
        entries_size=_USUAL_COUNT * _USUAL_SIZE,
        entries_crc=0,
        entries=entries,
    )


def backup_places(source: ByteSource, primary: GptCopy | None) -> Iterator[tuple[int, int]]:
    """Yield (offset, sector size) wherever a backup header may lie: where it is said to, and in the last sector."""
    places = []
    if primary is not None:
        places.append((primary.alternate * primary.sector_size, primary.sector_size))
    guards = [
        entry.first_sector + entry.sector_count - 1
        for entry in parse_mbr(read_or_none(source, 0, MBR_SIZE) or b"") or ()
        if entry.type == PROTECTIVE_TYPE
    ]
    for sector_size in SECTOR_SIZES if primary is None else (primary.sector_size,):
        for last in (source.size // sector_size - 1, *guards):
            places.append((last * sector_size, sector_size))
    for offset, sector_size in dict.fromkeys(places):
        if offset > sector_size:
            yield offset, sector_size


def is_wiped_start(source: ByteSource) -> bool:
    """Say whether the source starts with zeros only, as far as a file system would show itself."""
    block = read_or_none(source, 0, min(_WIPED_SIZE, source.size))
    return block is not None and not any(block)
