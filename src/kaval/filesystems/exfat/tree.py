"""The tree of an exFAT: living entries in directory order, then deleted and orphan ones, then chains without a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from kaval.core.errors import LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource, pieces
from kaval.filesystems.clusters import FIRST_CLUSTER, ChainTable, ClusterSet, Run
from kaval.filesystems.clusters.living import Owners, first_clusters, free_extents, lost_chains
from kaval.filesystems.clusters.remnants import alive_until
from kaval.filesystems.exfat.boot import Boot
from kaval.filesystems.exfat.directory import (
    BITMAP,
    DirectoryParser,
    FileSet,
    Label,
    Region,
    birth,
    impossible_times,
    times_of,
)
from kaval.filesystems.exfat.remains import Grave, Remains

STRUCTURE = "exFAT directory"
MAXIMUM_NOTICES = 1000
MAXIMUM_DIRECTORY_SIZE = 256 << 20
READ_SIZE = 1 << 20


class Folder(NamedTuple):
    """A living directory that is still to be walked."""

    path: str
    address: str
    runs: tuple[Run, ...]
    size: int


class ExfatTree:
    """The tree of one exFAT volume; addresses are the bytes at which the sets of entries lie."""

    def __init__(self, source: ByteSource, boot: Boot, notices: tuple[Notice, ...]) -> None:
        self.source = source
        self.boot = boot
        self._notices = [*notices]
        self._unknown = ClusterSet(boot.grid.end)
        self.facts: Mapping[str, str] = self._facts()

    @cached_property
    def table(self) -> ChainTable:
        """The allocation table; it holds the chains of fragmented streams only."""
        return ChainTable(self.source, self.boot.table)

    @cached_property
    def _root(self) -> tuple[list[Run], str]:
        return self.table.chain(self.boot.root_cluster)

    @cached_property
    def _regions(self) -> tuple[list[Region], str]:
        """The system streams of the root directory, and the label."""
        parser, regions, label = DirectoryParser(), [], ""
        for block in blocks(self.source, self.boot, self._root[0], MAXIMUM_DIRECTORY_SIZE, "/", ""):
            if isinstance(block, Notice):
                continue
            for record in parser.parse(*block):
                if isinstance(record, Region):
                    regions.append(record)
                elif isinstance(record, Label):
                    label = record.text
            if parser.ended:
                break
        return regions, label

    def _facts(self) -> dict[str, str]:
        boot = self.boot
        facts = {
            "type": "exFAT",
            "cluster size": str(boot.cluster_size),
            "clusters": str(boot.grid.count),
            "serial number": f"{boot.serial >> 16:04X}-{boot.serial & 0xFFFF:04X}",
        }
        label = self._regions[1]
        return {**facts, "label": label} if label else facts

    @cached_property
    def used(self) -> ClusterSet:
        """The clusters the allocation bitmap calls in use; where it cannot be read they count as used."""
        grid = self.boot.grid
        used = ClusterSet(grid.end)
        wanted = self.boot.flags & 1
        maps = [region for region in self._regions[0] if region.type == BITMAP]
        chosen = next((region for region in maps if region.flags & 1 == wanted), maps[0] if maps else None)
        if chosen is None:
            message = "the root directory, as far as it can be read, names no allocation bitmap; everything counts as"
            self._note(NoticeCode.DAMAGED, f"{message} in use", grid.place(self.boot.root_cluster))
            used.add(FIRST_CLUSTER, grid.count)
            self._unknown.add(FIRST_CLUSTER, grid.count)
            return used
        runs, problem = self.table.chain(chosen.start)
        if problem:
            self._note(NoticeCode.DAMAGED, f"the allocation bitmap: {problem}", chosen.offset)
        self._read_bitmap(used, runs)
        return used

    def _read_bitmap(self, used: ClusterSet, runs: list[Run]) -> None:
        grid = self.boot.grid
        size = (grid.count + 7) // 8
        parts: list[bytes] = []
        left = size
        for first, count in runs:
            length = min(left, count * grid.cluster_size)
            place = grid.place(first)
            for found in pieces(self.source, place, length):
                if isinstance(found, UnreadableError):
                    self._unread_bits(size - left + found.offset - place, found.length)
                    message = f"{found.length} bytes of the allocation bitmap: {found.reason}; what they do not tell"
                    self._note(NoticeCode.UNREADABLE, f"{message} counts as in use", found.offset)
                parts.append(b"\xff" * found.length if isinstance(found, UnreadableError) else found[1])
            if self.source.size < place + length:
                break
            left -= length
        given = sum(map(len, parts))
        if given < size:
            self._note(NoticeCode.TRUNCATED, f"the allocation bitmap lacks {size - given} of its {size} bytes", None)
            self._unread_bits(given, size - given)
            parts.append(b"\xff" * (size - given))
        for first, count in ClusterSet(grid.count, b"".join(parts)).runs():
            used.add(first + FIRST_CLUSTER, count)

    def _unread_bits(self, first_byte: int, length: int) -> None:
        self._unknown.add(FIRST_CLUSTER + first_byte * 8, length * 8)

    def _note(self, code: NoticeCode, message: str, offset: int | None) -> None:
        self._notices.append(Notice(code=code, message=message, offset=offset, structure="exFAT"))

    def entries(self) -> Iterator[Entry | Notice]:
        walk = _Walk(self.source, self.boot, self.table, self.used, self._regions[0])
        yield from self._notices
        if self._root[1]:
            message = f"the root directory: {self._root[1]}"
            yield Notice(code=NoticeCode.DAMAGED, message=message, structure=STRUCTURE)
        yield from walk.living(tuple(self._root[0]))
        yield from self.table.notices
        yield from walk.remains.entries(walk.owners.owned)
        used, owned = self.used, walk.owners.owned
        yield from lost_chains(self.source, self.boot.grid, self.table, used, owned, self._unknown)

    def open_stream(self, address: str) -> ByteSource:
        """Return the stream of an entry: every entry of an exFAT has extents, so this lists until it meets it."""
        for entry in self.entries():
            if isinstance(entry, Entry) and entry.address == address and entry.extents is not None:
                return ExtentSource(self.source, entry.extents, entry.size)
        raise LocatorError(address, "no entry lies there")

    def unallocated(self) -> Iterator[Extent]:
        """Yield the extents of free clusters, in order."""
        return free_extents(self.source, self.boot.grid, self.used)


def blocks(
    source: ByteSource, boot: Boot, runs: list[Run] | tuple[Run, ...], size: int, path: str, address: str
) -> Iterator[tuple[bytes, int] | Notice]:
    """Yield the blocks of a directory and where they lie, as far as they can be read."""
    left = min(size, MAXIMUM_DIRECTORY_SIZE)
    for first, count in runs:
        offset = boot.grid.place(first)
        end = offset + min(left, count * boot.cluster_size)
        left -= end - offset
        for start in range(offset, end, READ_SIZE):
            for found in pieces(source, start, min(READ_SIZE, end - start)):
                if isinstance(found, UnreadableError):
                    message = f"{found.length} bytes of the directory {path} cannot be read: {found.reason}; what they"
                    yield _notice(
                        NoticeCode.UNREADABLE, f"{message} name is not listed under its name", address, found.offset
                    )
                else:
                    yield found[1], found[0]
        if end > source.size:
            message = f"the directory {path} lies beyond the end of the image"
            yield _notice(NoticeCode.TRUNCATED, message, address, max(offset, source.size))


def extents_of(boot: Boot, runs: list[Run] | tuple[Run, ...], size: int, valid: int) -> tuple[Extent, ...]:
    """Return the extents of a stream; what lies behind its valid length reads as zeros (section 7.6.5)."""
    extents = boot.grid.extents(runs)
    if valid >= size:
        return extents
    kept, left = [], valid
    for extent in extents:
        if left <= 0:
            break
        kept.append(Extent(offset=extent.offset, length=min(extent.length, left)))
        left -= extent.length
    return (*kept, Extent(offset=0, length=size - valid, sparse=True))


class _Walk:
    """One walk through the living directories; what is deleted is gathered for later."""

    def __init__(
        self, source: ByteSource, boot: Boot, table: ChainTable, used: ClusterSet, regions: list[Region]
    ) -> None:
        self._source = source
        self._boot = boot
        self._table = table
        self._regions = regions
        self._notice_count = 0
        self.owners = Owners(boot.grid)
        self.remains = Remains(source, boot, table, used, self.owners.occupied)

    def living(self, root: tuple[Run, ...]) -> Iterator[Entry | Notice]:
        """Yield living entries directory by directory."""
        self.owners.add(root, None)
        self.remains.know_directory(self._boot.root_cluster, "", "", living=True)
        for region in self._regions:
            yield from self._region(region)
        pending = [Folder("", "", root, MAXIMUM_DIRECTORY_SIZE)]
        while pending:
            folder = pending.pop()
            below: list[Folder] = []
            yield from self._folder(folder, below)
            pending.extend(reversed(below))

    def _region(self, region: Region) -> Iterator[Entry | Notice]:
        runs, problem = self._table.chain(region.start)
        self.owners.add(runs, None)
        if problem:
            yield _notice(NoticeCode.DAMAGED, f"a system stream: {problem}", str(region.offset), region.offset)
        here = sum(count for _, count in runs) * self._boot.cluster_size
        yield Entry(
            address=str(region.offset),
            path="$Bitmap" if region.type == BITMAP else "$UpCase",
            kind=EntryKind.SYSTEM,
            size=min(region.size, here),
            state=EntryState.ALLOCATED,
            content=ContentState.INTACT if region.size <= here else ContentState.PARTIAL,
            extents=self._boot.grid.extents(runs),
        )

    def _folder(self, folder: Folder, below: list[Folder]) -> Iterator[Entry | Notice]:
        names: list[tuple[int, int | None]] = []
        graves: list[tuple[int, FileSet]] = []
        for found in self._sets(folder):
            if isinstance(found, Notice):
                yield found
                continue
            if found.deleted:
                graves.append((len(names), found))
            created, modified = birth(found)
            names.append((found.width, created if created is not None else modified))
            if not found.deleted:
                yield from self._set(found, folder, below)
        if graves:
            alive = alive_until(names)
            for place, found in graves:
                grave = Grave(found, folder.path, folder.address, EntryState.DELETED, alive_until=alive[place])
                self.remains.add(grave)

    def _sets(self, folder: Folder) -> Iterator[FileSet | Notice]:
        """Yield the sets of a directory, and what of it cannot be read."""
        parser = DirectoryParser()
        where = folder.path or "/"
        for block in blocks(self._source, self._boot, folder.runs, folder.size, where, folder.address):
            if isinstance(block, Notice):
                yield block
                continue
            for record in parser.parse(*block):
                if isinstance(record, FileSet):
                    yield record
        yield from parser.finish()

    def _set(self, found: FileSet, folder: Folder, below: list[Folder]) -> Iterator[Entry | Notice]:
        path = f"{folder.path}/{found.name}" if folder.path else found.name
        address = str(found.offset)
        notices: list[Notice] = []
        grid = self._boot.grid
        needed = grid.clusters_of(found.size)
        runs, content = self._runs(found, path, address, needed, notices)
        created, modified = birth(found)
        shared = self.owners.add(runs, created if created is not None else modified)
        if shared:
            message = f"{path}: {shared} of its clusters belong to another living entry as well"
            notices.append(_notice(NoticeCode.OVERLAP, message, address, found.offset))
            content = ContentState.OVERLAPS_ALLOCATED
        if found.is_directory:
            if not self.remains.know_directory(found.start, path, address, living=True):
                message = f"the directory {path} is one already listed; it is walked once"
                notices.append(_notice(NoticeCode.LOOP, message, address, found.offset))
            else:
                below.append(Folder(path, address, tuple(runs), found.size))
        self._remark(found, path, address, runs, notices)
        if any(notice.code is NoticeCode.TRUNCATED for notice in notices):
            content = ContentState.PARTIAL if grid.place(runs[0][0]) < self._source.size else ContentState.GONE
        yield Entry(
            address=address,
            path=path,
            kind=EntryKind.DIRECTORY if found.is_directory else EntryKind.FILE,
            size=found.size,
            state=EntryState.ALLOCATED,
            content=content,
            parent=folder.address or None,
            times=times_of(found),
            extents=extents_of(self._boot, first_clusters(runs, needed), found.size, found.valid_size),
            overlap_size=min(found.size, shared * grid.cluster_size),
        )
        yield from self._bounded(notices)

    def _runs(
        self, found: FileSet, path: str, address: str, needed: int, notices: list[Notice]
    ) -> tuple[list[Run], ContentState]:
        """Return the runs a living set names: one piece where it says so, else its chain."""
        grid = self._boot.grid
        if not found.start or not needed:
            if found.size:
                message = f"{path}: {found.size} bytes and no cluster"
                notices.append(_notice(NoticeCode.DAMAGED, message, address, found.offset))
                return [], ContentState.GONE
            return [], ContentState.INTACT
        problem = ""
        if found.contiguous:
            runs = [(found.start, min(needed, grid.end - found.start))] if grid.holds(found.start) else []
            if not runs or runs[0][1] < needed:
                problem = f"clusters {found.start} to {found.start + needed - 1} do not lie inside the volume"
        else:
            runs, problem = self._table.chain(found.start)
        here = sum(count for _, count in runs)
        if not problem and here < needed:
            problem = f"its chain has {here} clusters of the {needed} its size takes"
        if problem:
            code = NoticeCode.LOOP if "returns" in problem else NoticeCode.DAMAGED
            notices.append(_notice(code, f"{path}: {problem}", address, found.offset))
        if here >= needed:
            return runs, ContentState.INTACT
        return runs, ContentState.PARTIAL if runs else ContentState.GONE

    def _remark(self, found: FileSet, path: str, address: str, runs: list[Run], notices: list[Notice]) -> None:
        grid, end = self._boot.grid, self._source.size
        needed = grid.clusters_of(found.size)
        if any(grid.place(first + count) > end for first, count in first_clusters(runs, needed)):
            notices.append(_notice(NoticeCode.TRUNCATED, f"{path} runs past the end of the image", address, end))
        if not found.proved:
            message = f"{path}: its set of entries does not match its checksum"
            notices.append(_notice(NoticeCode.DAMAGED, message, address, found.offset))
        for name in impossible_times(found):
            message = f"{path}: the stored {name} time does not exist and is left empty"
            notices.append(_notice(NoticeCode.TIME_IMPOSSIBLE, message, address, found.offset))

    def _bounded(self, notices: list[Notice]) -> Iterator[Notice]:
        for notice in notices:
            self._notice_count += 1
            if self._notice_count < MAXIMUM_NOTICES:
                yield notice
            elif self._notice_count == MAXIMUM_NOTICES:
                message = f"more than {MAXIMUM_NOTICES} notices on entries of this volume; further ones are left out"
                yield _notice(NoticeCode.COUNT_LIMIT, message, "", None)


def _notice(code: NoticeCode, message: str, address: str, offset: int | None) -> Notice:
    return Notice(code=code, message=message, address=address, offset=offset, structure=STRUCTURE)
