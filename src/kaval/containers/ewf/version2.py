"""One segment of a version 2 image (Ex01): sections chained backwards, each descriptor behind its content.

What is not read: encrypted images, and what follows the last sound sector table of a segment that was cut off.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kaval.containers.blockcodecs import unbzip2
from kaval.containers.chunks import Spans, Storage
from kaval.containers.ewf.header import MAXIMUM_SIZE, columns_of, decode_text, facts_of
from kaval.containers.ewf.segment import Geometry, Segment
from kaval.core.errors import LockedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

FILE_HEADER_SIZE = 32
DESCRIPTOR_SIZE = 64
MAXIMUM_ENTRIES = 1 << 22

_FILE_HEADER = struct.Struct("<8sBBHI16s")
_DESCRIPTOR = struct.Struct("<IIQQII16s12xI")
_ENTRY = np.dtype([("offset", "<u8"), ("size", "<u4"), ("flags", "<u4")])
_BZIP2 = 2
_HASHED, _ENCRYPTED = 1, 2
_COMPRESSED, _CHECKSUM, _PATTERN = 1, 2, 4
_DRIVES = {"a": "RAM disk", "c": "optical", "f": "fixed", "l": "logical", "m": "memory", "p": "PALM", "r": "removable"}

DEVICE, CASE, TABLE, ERRORS, MD5, SHA1, NEXT, DONE = 1, 2, 4, 5, 8, 9, 13, 15
_KINDS = {
    DEVICE: "device information",
    CASE: "case data",
    TABLE: "sector table",
    ERRORS: "error table",
    MD5: "MD5 hash",
    SHA1: "SHA1 hash",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One section: the offset of its descriptor, and of the content before it."""

    kind: int
    flags: int
    offset: int
    previous: int
    content_offset: int
    content_size: int
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class StoredTable:
    """A sound sector table; it tells the number of its first chunk."""

    source: ByteSource
    entries_offset: int
    first: int
    count: int
    compressed: Storage
    chunk_size: int

    def load(self) -> Spans:
        """Return the places of its chunks."""
        entries = np.frombuffer(self.source.read_at(self.entries_offset, 16 * self.count), _ENTRY)
        flags = entries["flags"]
        storages = np.where(flags & _CHECKSUM, Storage.CHECKED, Storage.PLAIN).astype(np.uint8)
        storages[(flags & _COMPRESSED) > 0] = self.compressed
        storages[(flags & (_COMPRESSED | _PATTERN)) == _COMPRESSED | _PATTERN] = Storage.PATTERN
        sizes = np.minimum(entries["size"], 2 * self.chunk_size + 4096).astype(np.uint64)
        offsets = array("Q")
        offsets.frombytes(entries["offset"].astype("=u8").tobytes())
        lengths = array("Q")
        lengths.frombytes(sizes.astype("=u8").tobytes())
        return Spans(offsets=offsets, sizes=lengths, storages=storages.tobytes())


def segment_number(source: ByteSource) -> int:
    """Return the number in the head of a segment file."""
    return int(_FILE_HEADER.unpack(source.read_at(0, FILE_HEADER_SIZE).ljust(FILE_HEADER_SIZE, b"\0"))[4])


def read_segment(source: ByteSource, name: str, geometry: Geometry | None) -> Segment:
    """Return what a segment file holds; ``geometry`` is that of the first segment, for the others.

    Raises:
        LockedError: It is encrypted.
    """
    return _Reader(Segment(number=segment_number(source), name=name, source=source, geometry=geometry)).read()


def sections(source: ByteSource, segment_name: str) -> Iterator[Section | Notice]:
    """Yield sections from the last to the first; where the chain breaks a notice, and all others found."""
    offset = source.size - DESCRIPTOR_SIZE
    section = _section(source, offset)
    if section is None or section.kind not in (NEXT, DONE):
        message = (
            f"{segment_name} ends at its byte {source.size} without its last section: it was cut off or damaged there"
        )
        yield Notice(code=NoticeCode.TRUNCATED, message=message, structure="EWF segment")
        yield from _search(source, source.size)
        return
    while section is not None:
        yield section
        if not section.previous:
            return
        offset = section.offset
        section = _section(source, section.previous) if section.previous < offset else None
    message = f"a section descriptor of {segment_name} before byte {offset} is damaged; the others were searched for"
    yield Notice(code=NoticeCode.DAMAGED, message=message, structure="EWF section descriptor")
    yield from _search(source, offset)


def _section(source: ByteSource, offset: int) -> Section | None:
    """Return the section whose descriptor stands at an offset, ``None`` if none does."""
    block = source.read_at(offset, DESCRIPTOR_SIZE) if offset >= FILE_HEADER_SIZE else b""
    if len(block) < DESCRIPTOR_SIZE or zlib.adler32(block[:60]) != int.from_bytes(block[60:], "little"):
        return None
    kind, flags, previous, size, own_size, _, digest, _ = _DESCRIPTOR.unpack(block)
    if own_size != DESCRIPTOR_SIZE or size > offset - FILE_HEADER_SIZE:
        return None
    return Section(
        kind=kind,
        flags=flags,
        offset=offset,
        previous=previous,
        content_offset=offset - size,
        content_size=size,
        digest=digest,
    )


def _search(source: ByteSource, end: int) -> Iterator[Section]:
    """Yield every sound section whose descriptor stands before an offset, found by looking everywhere."""
    mark = DESCRIPTOR_SIZE.to_bytes(4, "little")
    block_size = 1 << 20
    for start in range(0, end, block_size):
        block = source.read_at(start, min(block_size + 64, end - start))
        place = block.find(mark)
        while 0 <= place < block_size:
            section = _section(source, start + place - 24) if place + start >= 24 else None
            if section is not None and section.offset < end:
                yield section
            place = block.find(mark, place + 1)


class _Reader:
    """Takes up the sections of one segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._source = segment.source
        header = _FILE_HEADER.unpack(segment.source.read_at(0, FILE_HEADER_SIZE).ljust(FILE_HEADER_SIZE, b"\0"))
        self._method, self._identifier = header[3], header[5]
        self._columns: dict[str, str] = {}
        self._readers: dict[int, Callable[[Section, bytes], None]] = {
            DEVICE: self._texts,
            CASE: self._texts,
            MD5: self._digest,
            SHA1: self._digest,
            ERRORS: self._errors,
        }

    def read(self) -> Segment:
        segment = self._segment
        found = list(sections(self._source, segment.name))
        segment.notices.extend(record for record in found if isinstance(record, Notice))
        chain = sorted((record for record in found if isinstance(record, Section)), key=lambda section: section.offset)
        for section in chain:
            if section.flags & _ENCRYPTED:
                raise LockedError(f"the image {segment.name}", "it is encrypted by EnCase, and only EnCase decrypts it")
            if section.kind in (NEXT, DONE):
                segment.ending = "next" if section.kind == NEXT else "done"
            elif section.kind in self._readers:
                self._take(section)
        self._settle_geometry()
        for section in chain:
            if section.kind == TABLE:
                self._table(section)
        return segment

    def _note(self, section: Section, reason: str) -> None:
        message = f"the {_KINDS[section.kind]} before byte {section.offset} of {self._segment.name}: {reason}"
        structure = f"EWF {_KINDS[section.kind]}"
        self._segment.notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure=structure))

    def _take(self, section: Section) -> None:
        content = self._source.read_at(section.content_offset, min(section.content_size, MAXIMUM_SIZE))
        if section.flags & _HASHED and hashlib.md5(content, usedforsecurity=False).digest() != section.digest:
            self._note(section, "its digest does not match")
            if section.kind in (MD5, SHA1):
                return
        self._readers[section.kind](section, content)

    def _texts(self, section: Section, content: bytes) -> None:
        text = self._decoded(content)
        if text is None:
            self._note(section, "it cannot be decoded")
            return
        self._columns |= columns_of(text)
        self._segment.facts |= facts_of(text)

    def _decoded(self, content: bytes) -> str | None:
        if self._method == _BZIP2 and content[:3] == b"BZh":
            decoded = unbzip2(content, MAXIMUM_SIZE)
            return None if decoded is None else decode_text(decoded)
        try:
            return decode_text(zlib.decompressobj().decompress(content, MAXIMUM_SIZE))
        except zlib.error:
            return None

    def _settle_geometry(self) -> None:
        segment = self._segment
        if segment.geometry is not None:
            if segment.geometry.set_identifier != self._identifier:
                segment.ending = "foreign"
            return
        sectors, sector_size, per_chunk = (self._number(key) for key in ("ts", "bp", "sb"))
        facts = {"sector size": str(sector_size), "chunk size": str(per_chunk * sector_size)}
        facts["media"] = _DRIVES.get(self._columns.get("dt", ""), "unknown")
        facts["media flags"] = "physical" if self._columns.get("ph") == "1" else "logical"
        facts["set identifier"] = self._identifier.hex()
        geometry = Geometry(
            sector_size=sector_size,
            chunk_size=sector_size * per_chunk,
            size=sectors * sector_size,
            set_identifier=self._identifier,
            facts=facts,
        )
        segment.geometry = geometry if geometry.possible else None

    def _number(self, key: str) -> int:
        text = self._columns.get(key, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0

    def _table(self, section: Section) -> None:
        geometry = self._segment.geometry
        block = self._source.read_at(section.content_offset, 32) if section.content_size >= 48 else b""
        if geometry is None or not block:
            return
        first, count = struct.unpack_from("<QI", block)
        if zlib.adler32(block[:16]) != int.from_bytes(block[16:20], "little"):
            self._note(section, "the checksum of its header does not match: its chunks cannot be found")
            return
        if not 0 < count <= MAXIMUM_ENTRIES or 32 + 16 * count + 4 > section.content_size:
            self._note(section, f"it claims {count} entries, which it cannot hold")
            return
        entries = self._source.read_at(section.content_offset + 32, 16 * count + 4)
        if zlib.adler32(memoryview(entries)[:-4]) != int.from_bytes(entries[-4:], "little"):
            self._note(section, "the checksum of its entries does not match: its chunks cannot be found")
            return
        table = StoredTable(
            source=self._source,
            entries_offset=section.content_offset + 32,
            first=first,
            count=count,
            compressed=Storage.BZIP2 if self._method == _BZIP2 else Storage.ZLIB,
            chunk_size=geometry.chunk_size,
        )
        self._segment.runs[-1].append(table)

    def _digest(self, section: Section, content: bytes) -> None:
        algorithm, length = ("md5", 16) if section.kind == MD5 else ("sha1", 20)
        stored = content[:length]
        if zlib.adler32(stored) != int.from_bytes(content[length : length + 4], "little"):
            self._note(section, "its checksum does not match: the stored digest is not used")
        elif any(stored):
            self._segment.digests[algorithm] = stored.hex()

    def _errors(self, section: Section, content: bytes) -> None:
        count = int.from_bytes(content[:4], "little")
        if zlib.adler32(content[:16]) != int.from_bytes(content[16:20], "little") or 32 + 16 * count > len(content):
            self._note(section, "it is damaged: where sectors were bad is not known")
            return
        entries = struct.iter_unpack("<QI4x", content[32 : 32 + 16 * count])
        self._segment.bad_sectors.extend((first, number) for first, number in entries)
