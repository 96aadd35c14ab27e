"""The tree of a FAT: living entries in directory order, then deleted and orphan ones, then chains without a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from kaval.core.errors import LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, ExtentSource, pieces
from kaval.filesystems.clusters import ChainTable, ClusterSet, Run
from kaval.filesystems.clusters.living import Owners, first_clusters, free_extents, lost_chains
from kaval.filesystems.clusters.remnants import alive_until
from kaval.filesystems.fat.boot import Boot
from kaval.filesystems.fat.directory import (
    MAXIMUM_DIRECTORY_SIZE,
    DirectoryParser,
    Slot,
    born,
    impossible_times,
    times_of,
)
from kaval.filesystems.fat.remains import Grave, Remains

MAXIMUM_NOTICES = 1000
READ_SIZE = 1 << 20


class Folder(NamedTuple):
    """A living directory that is still to be walked."""

    path: str
    address: str
    runs: tuple[Run, ...]


class FatTree:
    """The tree of one FAT volume; addresses are the bytes at which the short entries lie."""

    def __init__(self, source: ByteSource, boot: Boot, notices: tuple[Notice, ...]) -> None:
        self.source = source
        self.boot = boot
        self._notices = notices
        self.facts: Mapping[str, str] = _facts(source, boot)

    @cached_property
    def table(self) -> ChainTable:
        """The allocation table."""
        return ChainTable(self.source, self.boot.table)

    @cached_property
    def used(self) -> ClusterSet:
        """Every cluster that is not free."""
        return self.table.read_used()

    def entries(self) -> Iterator[Entry | Notice]:
        yield from self._notices
        walk = _Walk(self.source, self.boot, self.table, self.used)
        yield from walk.living()
        yield from self.table.compare_copies()
        yield from self.table.notices
        yield from walk.remains.entries(walk.owners.owned)
        table = self.table
        yield from lost_chains(self.source, self.boot.grid, table, self.used, walk.owners.owned, table.unread)

    def open_stream(self, address: str) -> ByteSource:
        """Return the stream of an entry: every entry of a FAT has extents, so this lists until it meets it."""
        for entry in self.entries():
            if isinstance(entry, Entry) and entry.address == address and entry.extents is not None:
                return ExtentSource(self.source, entry.extents, entry.size)
        raise LocatorError(address, "no entry lies there")

    def unallocated(self) -> Iterator[Extent]:
        """Yield the extents of free clusters, in order."""
        return free_extents(self.source, self.boot.grid, self.used)


class _Walk:
    """One walk through the living directories; what is deleted is gathered for later."""

    def __init__(self, source: ByteSource, boot: Boot, table: ChainTable, used: ClusterSet) -> None:
        self._source = source
        self._boot = boot
        self._table = table
        self._notice_count = 0
        self._root_problem = ""
        self.owners = Owners(boot.grid)
        self.remains = Remains(source, boot, used, self.owners.occupied)

    def living(self) -> Iterator[Entry | Notice]:
        """Yield living entries directory by directory."""
        pending = [*self._root()]
        if self._root_problem:
            message = f"the root directory: {self._root_problem}"
            yield _notice(NoticeCode.DAMAGED, message, "", self._boot.grid.place(self._boot.root_cluster))
        while pending:
            folder = pending.pop()
            below: list[Folder] = []
            yield from self._folder(folder, below)
            pending.extend(reversed(below))

    def _root(self) -> Iterator[Folder]:
        boot = self._boot
        if boot.bits != 32:
            yield Folder("", "", ())
            return
        runs, self._root_problem = self._table.chain(boot.root_cluster)
        self.owners.add(runs, None)
        self.remains.know_directory(boot.root_cluster, "", "", living=True)
        yield Folder("", "", tuple(runs))

    def _blocks(self, folder: Folder) -> Iterator[tuple[bytes, int] | Notice]:
        """Yield the blocks of a directory and where they lie, as far as they can be read."""
        grid, boot = self._boot.grid, self._boot
        if folder.runs or boot.bits == 32 or folder.address:
            spans = [(grid.place(first), count * grid.cluster_size) for first, count in folder.runs]
        else:
            spans = [(boot.root_offset, boot.root_size)]
        left = MAXIMUM_DIRECTORY_SIZE
        for offset, size in spans:
            end = offset + min(size, left)
            left -= end - offset
            for start in range(offset, end, READ_SIZE):
                for found in pieces(self._source, start, min(READ_SIZE, end - start)):
                    if isinstance(found, UnreadableError):
                        message = f"{found.length} bytes of the directory {folder.path or '/'} cannot be read: "
                        message += f"{found.reason}; what they name is not listed under its name"
                        yield _notice(NoticeCode.UNREADABLE, message, folder.address, found.offset)
                    else:
                        yield found[1], found[0]
            if end > self._source.size:
                message = f"the directory {folder.path or '/'} lies beyond the end of the image"
                yield _notice(NoticeCode.TRUNCATED, message, folder.address, max(offset, self._source.size))

    def _folder(self, folder: Folder, below: list[Folder]) -> Iterator[Entry | Notice]:
        parser = DirectoryParser(wide=self._boot.bits == 32)
        names: list[tuple[int, int | None]] = []
        graves: list[tuple[int, Slot]] = []
        for block in self._blocks(folder):
            if isinstance(block, Notice):
                yield block
                continue
            for slot in parser.parse(*block):
                if slot.is_dot:
                    continue
                if slot.deleted:
                    graves.append((len(names), slot))
                names.append((slot.width, born(slot)))
                if not slot.deleted:
                    yield from self._slot(slot, folder, below)
        if graves:
            alive = alive_until(names)
            for place, slot in graves:
                self.remains.add(Grave(slot, folder.path, folder.address, EntryState.DELETED, alive_until=alive[place]))

    def _slot(self, slot: Slot, folder: Folder, below: list[Folder]) -> Iterator[Entry | Notice]:
        if slot.is_label and not slot.start:
            return
        path = f"{folder.path}/{slot.name}" if folder.path else slot.name
        times = times_of(slot)
        address = str(slot.offset)
        runs, problem = self._table.chain(slot.start) if slot.start else ([], "")
        shared = self.owners.add(runs, times.created if times.created is not None else times.modified)
        if slot.is_directory:
            yield from self._directory(slot, path, address, runs, below)
        size = 0 if slot.is_directory else slot.size
        if slot.is_label:
            size = slot.size or sum(count for _, count in runs) * self._boot.cluster_size
        entry, notices = self._entry(slot, path, address, folder, times, runs, problem, shared, size)
        yield entry
        yield from self._bounded(notices)

    def _entry(
        self,
        slot: Slot,
        path: str,
        address: str,
        folder: Folder,
        times: Times,
        runs: list[Run],
        problem: str,
        shared: int,
        size: int,
    ) -> tuple[Entry, list[Notice]]:
        grid = self._boot.grid
        notices = []
        content = ContentState.INTACT
        needed = grid.clusters_of(size)
        here = sum(count for _, count in runs)
        if slot.is_label:
            message = f"the volume label entry {path} has clusters of its own; they are listed as a file"
            notices.append(_notice(NoticeCode.TYPE_MISMATCH, message, address, slot.offset))
        if here < needed:
            content = ContentState.PARTIAL if here else ContentState.GONE
            reason = problem or f"its chain has {here} clusters of the {needed} its size takes"
            notices.append(_notice(NoticeCode.DAMAGED, f"{path}: {reason}", address, slot.offset))
        elif problem:
            code = NoticeCode.LOOP if "returns" in problem else NoticeCode.DAMAGED
            notices.append(_notice(code, f"{path}: {problem}", address, slot.offset))
        if shared:
            message = f"{path}: {shared} of its clusters belong to another living entry as well"
            notices.append(_notice(NoticeCode.OVERLAP, message, address, slot.offset))
            content = ContentState.OVERLAPS_ALLOCATED
        end = self._source.size
        if runs and max(grid.place(first + count) for first, count in runs) > end:
            content = self._cut(path, address, runs, needed, content, notices)
        incomplete = times.modified is None or times.created is None or times.accessed is None
        for name in impossible_times(slot) if incomplete else ():
            message = f"{path}: the stored {name} time does not exist and is left empty"
            notices.append(_notice(NoticeCode.TIME_IMPOSSIBLE, message, address, slot.offset))
        kind = EntryKind.DIRECTORY if slot.is_directory else EntryKind.FILE
        entry = Entry(
            address=address,
            path=path,
            kind=kind,
            size=size,
            state=EntryState.ALLOCATED,
            content=content,
            parent=folder.address or None,
            times=times,
            extents=grid.extents(first_clusters(runs, here if slot.is_directory else needed)),
            overlap_size=min(size, shared * grid.cluster_size),
            path_raw=slot.raw if "\N{REPLACEMENT CHARACTER}" in slot.name else None,
        )
        return entry, notices

    def _cut(
        self, path: str, address: str, runs: list[Run], needed: int, content: ContentState, notices: list[Notice]
    ) -> ContentState:
        grid, end = self._boot.grid, self._source.size
        if all(grid.place(first + count) <= end for first, count in first_clusters(runs, needed)):
            return content
        notices.append(_notice(NoticeCode.TRUNCATED, f"{path} runs past the end of the image", address, end))
        return ContentState.GONE if grid.place(runs[0][0]) >= end else ContentState.PARTIAL

    def _directory(self, slot: Slot, path: str, address: str, runs: list[Run], below: list[Folder]) -> Iterator[Notice]:
        if not self.remains.know_directory(slot.start, path, address, living=True):
            message = f"the directory {path} is one already listed; it is walked once"
            yield _notice(NoticeCode.LOOP, message, address, slot.offset)
            return
        below.append(Folder(path, address, tuple(runs)))

    def _bounded(self, notices: list[Notice]) -> Iterator[Notice]:
        for notice in notices:
            self._notice_count += 1
            if self._notice_count < MAXIMUM_NOTICES:
                yield notice
            elif self._notice_count == MAXIMUM_NOTICES:
                message = f"more than {MAXIMUM_NOTICES} notices on entries of this volume; further ones are left out"
                yield _notice(NoticeCode.COUNT_LIMIT, message, "", None)


def _facts(source: ByteSource, boot: Boot) -> dict[str, str]:
    """Return what the boot sector and the root directory say of the volume."""
    facts = {
        "type": f"FAT{boot.bits}",
        "cluster size": str(boot.cluster_size),
        "clusters": str(boot.grid.count),
        "written by": boot.maker.decode("ascii", "replace").strip(" \0"),
        "serial number": f"{boot.serial >> 16:04X}-{boot.serial & 0xFFFF:04X}",
        "time zone": "unknown: FAT stores the writer's local time",
    }
    label = boot.label.decode("ascii", "replace").rstrip(" \0")
    if label:
        facts["label in the boot sector"] = label
    root = boot.grid.place(boot.root_cluster) if boot.bits == 32 else boot.root_offset
    try:
        block = source.read_at(root, min(boot.cluster_size if boot.bits == 32 else boot.root_size, READ_SIZE))
    except UnreadableError:
        return facts
    for slot in DirectoryParser(wide=boot.bits == 32).parse(block, root):
        if slot.is_label and not slot.deleted:
            facts["label"] = slot.raw.decode("ascii", "replace").rstrip(" ")
            break
    return facts


def _notice(code: NoticeCode, message: str, address: str, offset: int | None) -> Notice:
    return Notice(code=code, message=message, address=address, offset=offset, structure="FAT")
