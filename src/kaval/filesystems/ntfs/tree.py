"""The tree of an NTFS: living records in the order of the table, then deleted and orphan ones."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Mapping
from functools import cached_property

from kaval.core.errors import LocatorError, LockedError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, BytesSource, ExtentSource
from kaval.filesystems.clusters import ClusterSet
from kaval.filesystems.ntfs import reparse
from kaval.filesystems.ntfs.boot import Boot
from kaval.filesystems.ntfs.overlaps import Claims
from kaval.filesystems.ntfs.paths import ORPHANS, ROOT, Directories, Place, matches, printable
from kaval.filesystems.ntfs.segments import (
    DATA,
    DOS_NAME,
    IN_USE,
    INDEX_ALLOCATION,
    FileName,
    Run,
    Segment,
    parse_attribute_list,
    parse_segment,
)
from kaval.filesystems.ntfs.streams import CompressedSource, Stream, extents_of, streams_of
from kaval.filesystems.ntfs.table import MAXIMUM_EXTENSIONS, MAXIMUM_LIST_SIZE, Batch, FileTable

STRUCTURE = "NTFS file record"
VOLUME, BITMAP_FILE, BAD_CLUSTERS, FIRST_USER, FIRST_NAMED = 3, 6, 8, 16, 24
MAXIMUM_NOTICES = 1000
RESOLUTION = "100ns"
_PEEK = struct.Struct("<4s18xH8xQ").unpack_from
_EPOCH = 116444736000000000


class NtfsTree:
    """The tree of one NTFS volume.

    Addresses are ``record-sequence``; a stream adds ``-attribute``, a further name of a file ``-name-number``.
    """

    def __init__(self, source: ByteSource, boot: Boot) -> None:
        self.source = source
        self.boot = boot
        self._table = FileTable(source, boot)
        self._notice_count = 0
        self._elsewhere = 0
        self._is_cut = boot.cluster_count * boot.cluster_size > source.size
        self.facts: Mapping[str, str] = self._facts()

    def _facts(self) -> dict[str, str]:
        boot = self.boot
        facts = {
            "type": "NTFS",
            "cluster size": str(boot.cluster_size),
            "clusters": str(boot.cluster_count),
            "serial number": f"{boot.serial:016X}",
        }
        volume = self._table.segment(VOLUME)
        return {**facts, "label": volume.label} if volume is not None and volume.label else facts

    @cached_property
    def used(self) -> ClusterSet:
        """The clusters of the image that $Bitmap calls in use; where it cannot be read they count as used."""
        count = min(self.boot.cluster_count, -(-self.source.size // self.boot.cluster_size))
        segment = self._table.segment(BITMAP_FILE)
        size = (count + 7) // 8
        streams = [item for item in segment.attributes if item.type == DATA and not item.name] if segment else []
        block = self._table.value(streams[0], size) if streams else b""
        if len(block) < size:
            message = f"$Bitmap gives {len(block)} of its {size} bytes; what it does not tell counts as in use"
            self._table.note(NoticeCode.DAMAGED, message, None)
        return ClusterSet(count, block + b"\xff" * (size - len(block)))

    def entries(self) -> Iterator[Entry | Notice]:
        yield from self._boot_notices()
        directories = Directories(self._table)
        deleted = array("Q")
        claims = Claims()
        for segment in self._living(deleted, claims):
            if not segment.names and segment.number < FIRST_NAMED:
                continue
            yield from self._segment_entries(segment, directories, None)
        yield from self._deleted_entries(deleted, directories, claims)
        for number in directories.loops:
            message = f"the directories above record {number} lead back to it"
            yield Notice(code=NoticeCode.LOOP, message=message, structure=STRUCTURE)
        yield from self._table.notices
        if self._elsewhere:
            message = f"the content of {self._elsewhere} files is not where a file's content is; they were not read"
            yield Notice(code=NoticeCode.SKIPPED, message=message, structure=STRUCTURE)

    def _boot_notices(self) -> Iterator[Notice]:
        boot = self.boot
        if boot.from_copy:
            message = "the boot sector is damaged; its copy at the end was used"
            yield Notice(code=NoticeCode.DAMAGED, message=message, offset=0, structure="NTFS boot sector")
        end = boot.cluster_count * boot.cluster_size
        if end > self.source.size:
            message = f"the volume has {end} bytes, the image {self.source.size}: what lies behind is not there"
            yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=self.source.size, structure="NTFS")

    def _living(self, deleted: array[int], claims: Claims) -> Iterator[Segment]:
        """Yield the base records in use; of those that are not, numbers and runs are gathered."""
        size = self.boot.record_size
        for batch in self._table.batches():
            block = batch.block
            for place in range(0, batch.records * size, size):
                magic, flags, base = _PEEK(block, place)
                if magic != b"FILE" or base:
                    self._bad_record(batch, place)
                elif not flags & IN_USE:
                    deleted.append(batch.first + place // size)
                    self._note_claims(batch, place, claims)
                else:
                    segment = self._parse(batch, place)
                    if segment is not None:
                        yield segment

    def _note_claims(self, batch: Batch, place: int, claims: Claims) -> None:
        segment = self._parse(batch, place)
        if segment is not None:
            for stream in streams_of(segment.attributes, DATA, self.boot):
                claims.add(segment.number, stream.stored_runs, _changed(segment))

    def _bad_record(self, batch: Batch, place: int) -> None:
        if batch.block[place : place + 4] == b"BAAD":
            number = batch.first + place // self.boot.record_size
            self._table.note(NoticeCode.DAMAGED, f"record {number} is marked as bad by the system", None)

    def _parse(self, batch: Batch, place: int) -> Segment | None:
        number = batch.first + place // self.boot.record_size
        segment = parse_segment(batch.block, place, self.boot.record_size, number)
        if segment is not None and number in batch.torn:
            segment = segment._replace(problem="the record was torn while it was written")
        if segment is not None and segment.attribute_list is not None:
            segment = self._with_extensions(segment)
        return segment

    def _with_extensions(self, segment: Segment) -> Segment:
        """Return a record with the names and attributes that its attribute list leads to elsewhere."""
        assert segment.attribute_list is not None
        content = self._table.value(segment.attribute_list, MAXIMUM_LIST_SIZE)
        names, attributes, problem = [*segment.names], [*segment.attributes], segment.problem
        if len(content) < min(segment.attribute_list.size, MAXIMUM_LIST_SIZE):
            problem = problem or "its attribute list cannot be read whole"
        items = parse_attribute_list(content)
        numbers = list(dict.fromkeys((item.segment, item.sequence) for item in items if item.segment != segment.number))
        for number, sequence in numbers[:MAXIMUM_EXTENSIONS]:
            extension = self._table.segment(number)
            if extension is None or extension.base != segment.number or not matches(extension, sequence):
                problem = problem or f"record {number}, which continues it, belongs to another file by now"
                continue
            names.extend(extension.names)
            attributes.extend(extension.attributes)
        return segment._replace(names=names, attributes=attributes, problem=problem)

    def _segments(self, numbers: array[int]) -> Iterator[Segment]:
        """Yield the records of ascending numbers, reading their neighbours with them."""
        size = self.boot.record_size
        wanted = 0
        while wanted < len(numbers):
            batch = self._table.batch_of(numbers[wanted])
            while wanted < len(numbers) and numbers[wanted] < batch.first + batch.records:
                segment = self._parse(batch, (numbers[wanted] - batch.first) * size)
                if segment is not None:
                    yield segment
                wanted += 1

    def _deleted_entries(
        self, numbers: array[int], directories: Directories, claims: Claims
    ) -> Iterator[Entry | Notice]:
        claims.settle()
        for segment in self._segments(numbers):
            if segment.names or segment.attributes:
                yield from self._segment_entries(segment, directories, claims)

    def _segment_entries(
        self, segment: Segment, directories: Directories, claims: Claims | None
    ) -> Iterator[Entry | Notice]:
        """Yield the entry of a record, its further names, its streams; ``claims`` is given for deleted ones."""
        links = _links(segment.names)
        place, path = self._path(segment, links, directories)
        state = EntryState.ALLOCATED if claims is None else EntryState.DELETED if place.whole else EntryState.ORPHAN
        address = f"{segment.number}-{segment.sequence}"
        parent = self._parent(links[0]) if links else None
        times = _times(segment)
        streams = streams_of(segment.attributes, DATA, self.boot)
        unnamed = streams[0] if streams and not streams[0].name else None
        if segment.number != ROOT:
            yield self._file(segment, unnamed, address, path, state, parent, times, claims)
        for number, link in enumerate(links[1:], 1):
            yield self._further_name(link, number, path, address, state, times, directories)
        for stream in streams:
            if stream.name:
                yield self._named(segment, stream, address, path, state, times, claims)
        if claims is not None:
            return
        problem = segment.problem or next((stream.problem for stream in streams if stream.problem), "")
        if problem:
            yield from self._remark(NoticeCode.DAMAGED, f"{path}: {problem}", address)
        if not (place.whole and place.living) and segment.number >= FIRST_USER:
            yield from self._remark(NoticeCode.DAMAGED, f"{path}: its directory is not there", address)

    def _path(self, segment: Segment, links: list[FileName], directories: Directories) -> tuple[Place, str]:
        if segment.number == ROOT:
            return Place("", True, True), "."
        if not links:
            return Place(ORPHANS, False, False), f"{ORPHANS}/record-{segment.number}"
        place = directories.place(links[0].parent, links[0].parent_sequence)
        name = printable(links[0].name)
        return place, f"{place.path}/{name}" if place.path else name

    @staticmethod
    def _parent(link: FileName) -> str | None:
        return None if link.parent == ROOT else f"{link.parent}-{link.parent_sequence}"

    def _file(
        self,
        segment: Segment,
        stream: Stream | None,
        address: str,
        path: str,
        state: EntryState,
        parent: str | None,
        times: Times,
        claims: Claims | None,
    ) -> Entry:
        point = reparse.parse(segment.reparse) if segment.reparse else None
        if segment.is_directory:
            kind = EntryKind.DIRECTORY
            if stream is None:
                stream = next(iter(streams_of(segment.attributes, INDEX_ALLOCATION, self.boot)), None)
        else:
            system = segment.number < FIRST_USER or path.startswith("$Extend/")
            kind = EntryKind.SYSTEM if system else EntryKind.FILE
        if point is not None and point.target is not None:
            kind = EntryKind.SYMLINK
        content, overlap = self._content(segment, stream, claims)
        extents = extents_of(stream, self.boot, self._table) if stream is not None else ()
        if point is not None and point.elsewhere and kind is EntryKind.FILE and _hollow(stream):
            content, extents = ContentState.NONE, ()
            self._elsewhere += 1
        return Entry(
            address=address,
            path=path,
            kind=kind,
            size=stream.size if stream is not None else 0,
            state=state,
            content=content,
            parent=parent,
            times=times,
            extents=extents,
            overlap_size=overlap,
            link_target=point.target if point is not None else None,
        )

    def _named(
        self,
        segment: Segment,
        stream: Stream,
        address: str,
        path: str,
        state: EntryState,
        times: Times,
        claims: Claims | None,
    ) -> Entry:
        content, overlap = self._content(segment, stream, claims)
        system = (segment.number < FIRST_USER and segment.number != ROOT) or path.startswith("$Extend/")
        if segment.number == BAD_CLUSTERS and not stream.stored_runs:
            content = ContentState.NONE
        return Entry(
            address=f"{address}-{_stream_place(segment, stream)}",
            path=f"{path}:{printable(stream.name)}",
            kind=EntryKind.SYSTEM if system else EntryKind.STREAM,
            size=stream.size,
            state=state,
            content=content,
            parent=address,
            times=times,
            extents=extents_of(stream, self.boot, self._table),
            overlap_size=overlap,
        )

    def _further_name(
        self,
        link: FileName,
        number: int,
        path: str,
        address: str,
        state: EntryState,
        times: Times,
        directories: Directories,
    ) -> Entry:
        """Return a further name of a file: it has no content of its own, and points to the first."""
        place = directories.place(link.parent, link.parent_sequence)
        name = printable(link.name)
        return Entry(
            address=f"{address}-name-{number}",
            path=f"{place.path}/{name}" if place.path else name,
            kind=EntryKind.FILE,
            size=0,
            state=state,
            content=ContentState.NONE,
            parent=self._parent(link),
            times=times,
            extents=(),
            link_target=path,
        )

    def _content(self, segment: Segment, stream: Stream | None, claims: Claims | None) -> tuple[ContentState, int]:
        """Return how far the bytes of a stream can be trusted, and how many of them others have had since."""
        if stream is None or (stream.size == 0 and not stream.problem):
            return ContentState.INTACT, 0
        if stream.is_encrypted:
            return ContentState.ENCRYPTED, 0
        if claims is not None and stream.resident is None:
            lost = self._lost(segment, stream, claims)
            if lost is not None:
                return lost
        if stream.problem or segment.problem:
            return (ContentState.PARTIAL if stream.runs or stream.resident else ContentState.GONE), 0
        if self._is_cut and _stored_end(stream, self.boot.cluster_size) > self.source.size:
            return ContentState.PARTIAL, 0
        return ContentState.INTACT, 0

    def _lost(self, segment: Segment, stream: Stream, claims: Claims) -> tuple[ContentState, int] | None:
        runs = _needed(stream, self.boot.cluster_size)
        total = sum(count for _, count in runs)
        taken = sum(self.used.members(cluster, count) for cluster, count in runs)
        size = self.boot.cluster_size
        if total and taken == total:
            return ContentState.GONE, stream.size
        if taken:
            return ContentState.OVERLAPS_ALLOCATED, min(stream.size, taken * size)
        later = min(total, claims.lost(segment.number))
        if later:
            return ContentState.OVERLAPS_DELETED, min(stream.size, later * size)
        return None

    def _remark(self, code: NoticeCode, message: str, address: str) -> Iterator[Notice]:
        self._notice_count += 1
        if self._notice_count < MAXIMUM_NOTICES:
            offset = next((place for place, _ in self._table.places(_number(address) * self.boot.record_size, 1)), None)
            yield Notice(code=code, message=message, address=address, offset=offset, structure=STRUCTURE)
        elif self._notice_count == MAXIMUM_NOTICES:
            message = f"more than {MAXIMUM_NOTICES} notices on records of this volume; further ones are left out"
            yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, structure=STRUCTURE)

    def open_stream(self, address: str) -> ByteSource:
        """Return a stream by its address, decompressed; an encrypted one raises LockedError."""
        segment = self._segment_at(address)
        base = f"{segment.number}-{segment.sequence}"
        for stream in streams_of(segment.attributes, DATA, self.boot):
            own = f"{base}-{_stream_place(segment, stream)}" if stream.name else base
            if own != address:
                continue
            if stream.is_encrypted:
                raise LockedError(
                    f"the stream {address}", "it is encrypted by EFS; the certificate of a user is needed"
                )
            if stream.problem:
                raise UnreadableError(0, stream.size, f"the stream {address} is not whole: {stream.problem}")
            if stream.is_compressed:
                return CompressedSource(self.source, self.boot, stream)
            extents = extents_of(stream, self.boot, self._table)
            assert extents is not None
            return ExtentSource(self.source, extents, stream.size)
        return BytesSource(b"")

    def _segment_at(self, address: str) -> Segment:
        parts = address.split("-")
        if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            raise LocatorError(address, "it is no record of this file system")
        segment = self._table.segment(int(parts[0]))
        if segment is None or segment.sequence != int(parts[1]):
            raise LocatorError(address, "there is no such record")
        return self._with_extensions(segment) if segment.attribute_list is not None else segment

    def unallocated(self) -> Iterator[Extent]:
        """Yield the extents of clusters $Bitmap calls free, in order."""
        size = self.boot.cluster_size
        for first, count in self.used.inverted().runs():
            length = min(count * size, self.source.size - first * size)
            if length > 0:
                yield Extent(offset=first * size, length=length)


def _links(names: list[FileName]) -> list[FileName]:
    """Return the names of a record but for those that merely repeat a long one for DOS."""
    if len(names) < 2:
        return names
    long = [name for name in names if name.namespace != DOS_NAME] or names
    return list({(name.parent, name.name): name for name in reversed(long)}.values())[::-1]


def _stream_place(segment: Segment, stream: Stream) -> str:
    return str(stream.id) if stream.segment == segment.number else f"{stream.segment}.{stream.id}"


def _number(address: str) -> int:
    return int(address.partition("-")[0])


def _needed(stream: Stream, cluster_size: int) -> list[Run]:
    """Return the stored runs that hold bytes of the stream: not what is merely set aside behind its end."""
    left = -(-min(stream.size, stream.valid) // cluster_size)
    runs = []
    for cluster, count in stream.runs:
        if left <= 0:
            break
        if cluster >= 0:
            runs.append((cluster, min(count, left)))
        left -= count
    return runs


def _hollow(stream: Stream | None) -> bool:
    """Whether a stream has a size, and holes where its bytes should be."""
    return stream is not None and stream.resident is None and any(cluster < 0 for cluster, _ in stream.runs)


def _stored_end(stream: Stream, cluster_size: int) -> int:
    runs = _needed(stream, cluster_size)
    return max(((cluster + count) * cluster_size for cluster, count in runs), default=0)


def _changed(segment: Segment) -> int:
    if segment.times is not None:
        return segment.times[2]
    return max((max(name.times) for name in segment.names), default=0)


def _times(segment: Segment) -> Times:
    """Return the times of $STANDARD_INFORMATION, or of the name where that is gone."""
    if segment.times is not None:
        created, modified, changed, accessed, _ = segment.times
    elif segment.names:
        created, modified, changed, accessed = segment.names[0].times
    else:
        return Times(zone="utc", resolution=RESOLUTION)
    return Times(
        modified=(modified - _EPOCH) * 100 if modified else None,
        accessed=(accessed - _EPOCH) * 100 if accessed else None,
        changed=(changed - _EPOCH) * 100 if changed else None,
        created=(created - _EPOCH) * 100 if created else None,
        zone="utc",
        resolution=RESOLUTION,
    )
