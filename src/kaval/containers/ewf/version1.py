"""One segment of a version 1 image (E01, S01): its chunk tables, geometry, digests, errors, facts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from kaval.containers.ewf.header import MAXIMUM_SIZE, facts_of, inflate_text
from kaval.containers.ewf.sections import ENDINGS, Section, sections
from kaval.containers.ewf.segment import Geometry, Segment
from kaval.containers.ewf.tables import StoredTable, read_table, walk_chunks
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

_FILE_HEADER = struct.Struct("<8sBHH")
_VOLUME = struct.Struct("<B3xIIIQ")
_MEDIA = {0: "removable", 1: "fixed", 3: "optical", 14: "logical", 16: "memory"}
_VOLUMES = ("volume", "disk", "data")
_COMPRESSIONS = {0: "none", 1: "fast", 2: "best"}


def segment_number(source: ByteSource) -> int:
    """Return the number in the head of a segment file; 0 if it has none."""
    block = source.read_at(0, _FILE_HEADER.size)
    return int(_FILE_HEADER.unpack(block)[2]) if len(block) == _FILE_HEADER.size else 0


def read_segment(source: ByteSource, name: str, geometry: Geometry | None) -> Segment:
    """Return what a segment file holds; ``geometry`` is that of the first segment, for the others."""
    return _Reader(Segment(number=segment_number(source), name=name, source=source, geometry=geometry)).read()


class _Reader:
    """Follows the sections of one segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._source = segment.source
        self._boundaries: list[int] = []
        self._sectors: Section | None = None
        self._waiting: str | None = None
        self._doubtful: Geometry | None = None
        self._readers: dict[str, Callable[[Section], None]] = {
            "header": self._header,
            "header2": self._header,
            "sectors": self._begin_sectors,
            "table": self._table,
            "table2": self._second_table,
            "hash": self._hash,
            "digest": self._digest,
            "error2": self._errors,
        }

    def read(self) -> Segment:
        segment = self._segment
        found = list(sections(self._source, segment.name))
        segment.notices.extend(notice for notice in found if isinstance(notice, Notice))
        chain = [section for section in found if isinstance(section, Section)]
        self._boundaries = [section.offset for section in chain]
        for section in chain:
            if section.kind in _VOLUMES:
                self._volume(section)
        segment.geometry = segment.geometry or self._doubtful
        for section in chain:
            if section.kind in ENDINGS:
                segment.ending = segment.ending or section.kind
            elif section.kind in self._readers:
                self._readers[section.kind](section)
        self._settle()
        return segment

    def _note(self, code: NoticeCode, section: Section, reason: str) -> None:
        message = f"the section {section.kind} at byte {section.offset} of {self._segment.name}: {reason}"
        self._segment.notices.append(Notice(code=code, message=message, structure=f"EWF {section.kind}"))

    def _content(self, section: Section, size: int) -> bytes:
        """Return the start of a section, ``b""`` where it is shorter."""
        return self._source.read_at(section.content_offset, size) if section.content_size >= size else b""

    def _header(self, section: Section) -> None:
        stored = self._source.read_at(section.content_offset, min(section.content_size, MAXIMUM_SIZE))
        try:
            facts = facts_of(inflate_text(stored))
        except zlib.error:
            self._note(NoticeCode.DAMAGED, section, "it cannot be decoded")
            return
        known = self._segment.facts
        self._segment.facts = {**known, **facts} if section.kind == "header2" else {**facts, **known}

    def _volume(self, section: Section) -> None:
        """Take the geometry; one whose checksum is wrong only if there is no other, and its numbers agree."""
        segment = self._segment
        block = self._content(section, 1052) or self._content(section, 94)
        geometry = _geometry(block)
        if zlib.adler32(block[:-4]) != int.from_bytes(block[-4:], "little"):
            agrees = geometry is not None and _agrees(block, geometry)
            used = "its sizes agree with one another" if agrees else "its sizes are not used"
            self._note(NoticeCode.DAMAGED, section, f"its checksum does not match; {used}")
            self._doubtful = self._doubtful or (geometry if agrees else None)
        elif geometry is None:
            self._note(NoticeCode.DAMAGED, section, "its sizes are impossible")
        elif segment.geometry is None:
            segment.geometry = geometry
        elif geometry.set_identifier != segment.geometry.set_identifier and any(geometry.set_identifier):
            self._note(NoticeCode.DAMAGED, section, "it belongs to another image than the first segment")
            segment.ending = "foreign"

    def _begin_sectors(self, section: Section) -> None:
        self._settle()
        self._sectors = section

    def _table(self, section: Section) -> None:
        if self._waiting is not None:
            self._settle()
        table = self._read_table(section)
        if isinstance(table, str):
            self._waiting = table
            self._note(NoticeCode.DAMAGED, section, table)
            return
        self._segment.runs[-1].append(table)
        self._sectors = None

    def _second_table(self, section: Section) -> None:
        """Take the copy of a table where the table itself is damaged or gone."""
        if self._waiting is None and self._sectors is None:
            return
        table = self._read_table(section)
        if isinstance(table, str):
            self._note(NoticeCode.DAMAGED, section, table)
            return
        self._note(NoticeCode.DAMAGED, section, "it was used in place of the table it is the copy of")
        self._segment.runs[-1].append(table)
        self._waiting = self._sectors = None

    def _read_table(self, section: Section) -> StoredTable | str:
        geometry = self._segment.geometry
        if geometry is None:
            return "no sound volume section stands before it"
        return read_table(self._source, section, geometry.chunk_size, self._boundaries)

    def _settle(self) -> None:
        """Find the chunks of a ``sectors`` section that no sound table lists, by walking them."""
        section, self._sectors = self._sectors, None
        lost, self._waiting = self._waiting, None
        geometry = self._segment.geometry
        if geometry is None or (section is None and lost is None):
            return
        if section is None:
            self._segment.runs.append([])
            return
        start, end = section.content_offset, section.end
        walked = walk_chunks(self._source, start, end, geometry.chunk_size, geometry.chunk_count)
        if walked.count:
            self._segment.runs[-1].append(walked)
        reason = f"no sound table lists its chunks; {walked.count} were found one behind the other"
        self._note(NoticeCode.DAMAGED, section, reason)
        if walked.end < end < self._source.size:
            self._segment.runs.append([])

    def _hash(self, section: Section) -> None:
        block = self._content(section, 36)
        if block and zlib.adler32(block[:32]) == int.from_bytes(block[32:], "little"):
            self._keep(section, "md5", block[:16])
        else:
            self._note(NoticeCode.DAMAGED, section, "its checksum does not match: the stored MD5 is not used")

    def _digest(self, section: Section) -> None:
        block = self._content(section, 80)
        if block and zlib.adler32(block[:76]) == int.from_bytes(block[76:], "little"):
            self._keep(section, "md5", block[:16])
            self._keep(section, "sha1", block[16:36])
        else:
            self._note(NoticeCode.DAMAGED, section, "its checksum does not match: the stored digests are not used")

    def _keep(self, section: Section, algorithm: str, digest: bytes) -> None:
        if not any(digest):
            return
        known = self._segment.digests.setdefault(algorithm, digest.hex())
        if known != digest.hex():
            self._note(NoticeCode.DAMAGED, section, f"its {algorithm} differs from the one stored before it ({known})")

    def _errors(self, section: Section) -> None:
        block = self._content(section, 520)
        count = int.from_bytes(block[:4], "little")
        if not block or zlib.adler32(block[:516]) != int.from_bytes(block[516:], "little"):
            self._note(NoticeCode.DAMAGED, section, "its checksum does not match: where sectors were bad is not known")
            return
        if 520 + 8 * count + 4 > section.content_size:
            self._note(NoticeCode.DAMAGED, section, f"it claims {count} entries, which it cannot hold")
            return
        entries = self._source.read_at(section.content_offset + 520, 8 * count + 4)
        if zlib.adler32(entries[:-4]) != int.from_bytes(entries[-4:], "little"):
            self._note(
                NoticeCode.DAMAGED, section, "the checksum of its entries does not match; they are told as they stand"
            )
        self._segment.bad_sectors.extend(struct.iter_unpack("<II", entries[:-4]))


def _agrees(block: bytes, geometry: Geometry) -> bool:
    """Whether the number of chunks is what the other numbers of a volume section make it."""
    stored = int.from_bytes(block[4:8], "little")
    return stored == geometry.chunk_count and geometry.sector_size in (512, 1024, 2048, 4096)


def _geometry(block: bytes) -> Geometry | None:
    """Return the geometry of a volume section: 1052 bytes as EnCase writes, or 94 as SMART does."""
    if not block:
        return None
    media, _, per_chunk, sector_size, sectors = _VOLUME.unpack(block[: _VOLUME.size])
    if len(block) == 94:
        sectors &= 0xFFFFFFFF
    facts = {"sector size": str(sector_size), "chunk size": str(per_chunk * sector_size)}
    identifier = b""
    if len(block) == 1052:
        identifier = block[64:80]
        facts["media"] = _MEDIA.get(media, f"kind {media}")
        facts["media flags"] = "physical" if block[36] & 2 else "logical"
        facts["compression"] = _COMPRESSIONS.get(block[52], f"level {block[52]}")
        if any(identifier):
            facts["set identifier"] = identifier.hex()
    geometry = Geometry(
        sector_size=sector_size,
        chunk_size=per_chunk * sector_size,
        size=sectors * sector_size,
        set_identifier=identifier,
        facts=facts,
    )
    return geometry if geometry.possible else None
