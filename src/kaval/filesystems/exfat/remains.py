"""What is left of deleted exFAT entries: their sets, their directories, and where their clusters were.

A deleted set still names size, first cluster and whether the stream lies in one piece; then its runs are stored, not
concluded. Of a stream in pieces the chain may survive in the table (Windows and Linux clear nothing but the
bitmap); where it does not, the layout is concluded as for FAT.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from kaval.core.errors import UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters import FIRST_CLUSTER, ChainTable, ClusterSet, Run
from kaval.filesystems.clusters.layout import Layout
from kaval.filesystems.clusters.living import content_of
from kaval.filesystems.clusters.remnants import Conclusion, Occupied, Remnant
from kaval.filesystems.clusters.tails import Tails
from kaval.filesystems.clusters.unread import not_searched, unread_directories
from kaval.filesystems.exfat.boot import Boot
from kaval.filesystems.exfat.directory import (
    ENTRY_SIZE,
    FILE,
    NAME,
    STREAM,
    DirectoryParser,
    FileSet,
    birth,
    plausible,
    times_of,
)

ORPHANS = "$OrphanFiles"
MAXIMUM_DIRECTORY_CLUSTERS = 4096
MAXIMUM_DEPTH = 128
_BLOCK_SIZE = 4 << 20
_PROBE_SIZE = ENTRY_SIZE * 19
_PROBE_FROM = 16 << 10


class Grave(NamedTuple):
    """A set that is no living entry, and the directory it was found in."""

    found: FileSet
    path: str
    parent: str
    state: EntryState
    depth: int = 0
    alive_until: int | None = None


class Remains:
    """Gathers deleted sets while the living tree is walked; then concludes and lists them."""

    def __init__(self, source: ByteSource, boot: Boot, table: ChainTable, used: ClusterSet, occupied: Occupied) -> None:
        self._source = source
        self._boot = boot
        self._table = table
        self._used = used
        self._occupied = occupied
        self._graves: list[Grave] = []
        self._lost: list[tuple[int, list[Run]]] = []
        self._known: set[int] = set()
        self._opened: dict[int, str] = {}
        self._stale = 0
        self._unread: dict[int, UnreadableError] = {}

    def add(self, grave: Grave) -> None:
        """Take note of a deleted set that proves itself or looks like one."""
        if plausible(grave.found, self._boot.grid.end, self._boot.total_size):
            self._graves.append(grave)

    def know_directory(self, start: int, path: str, address: str, *, living: bool) -> bool:
        """Take note of a directory; false if that first cluster is one already."""
        if start in self._known and start:
            return False
        self._known.add(start)
        if not living:
            self._opened[start] = address
        return True

    def entries(self, owned: ClusterSet) -> Iterator[Entry | Notice]:
        """Yield deleted entries, then orphan ones; ``owned`` are the clusters of living entries."""
        self._occupied.seal()
        self._open_graves(0)
        yield from self._find_lost(owned)
        graves = self._without_stale()
        for grave, (remnant, conclusion) in zip(graves, self._conclude(graves), strict=True):
            yield self._entry(grave, remnant, conclusion)
        for start, runs in self._lost:
            yield self._lost_directory(start, runs)
        if self._stale:
            message = (
                f"{self._stale} deleted names lead to files that live on under another name, or repeat a deleted one; "
                "they are not listed as deleted"
            )
            yield Notice(code=NoticeCode.SKIPPED, message=message, structure="exFAT directory")
        yield from unread_directories(self._unread, "exFAT directory")

    def _open_graves(self, first: int) -> None:
        pending = deque(range(first, len(self._graves)))
        while pending:
            grave = self._graves[pending.popleft()]
            if grave.found.is_directory and grave.depth <= MAXIMUM_DEPTH:
                before = len(self._graves)
                self._open(grave)
                pending.extend(range(before, len(self._graves)))

    def _open(self, grave: Grave) -> None:
        """Read a deleted directory, as far as its clusters are free and hold sets of entries."""
        found, grid = grave.found, self._boot.grid
        if not grid.holds(found.start) or found.start in self._known or found.start in self._used:
            return
        if not _looks_like_directory(self._cluster(found.start)):
            return
        address = str(found.offset)
        path = _join(grave.path, found.name)
        self.know_directory(found.start, path, address, living=False)
        needed = min(grid.clusters_of(found.size), MAXIMUM_DIRECTORY_CLUSTERS)
        runs = self._stored_runs(found, needed) or ((found.start, 1),)
        self._read(runs, path, address, grave.state, grave.depth + 1)

    def _read(self, runs: tuple[Run, ...] | list[Run], path: str, address: str, state: EntryState, depth: int) -> None:
        parser = DirectoryParser()
        for first, count in runs:
            for cluster in range(first, first + count):
                if cluster in self._used:
                    continue
                for record in parser.parse(self._cluster(cluster), self._boot.grid.place(cluster)):
                    if isinstance(record, FileSet):
                        self.add(Grave(record, path, address, state, depth))
        for record in parser.finish():
            self.add(Grave(record, path, address, state, depth))

    def _cluster(self, cluster: int) -> bytes:
        """Return a cluster, nothing where it cannot be read: then it proves nothing, and that is told."""
        try:
            return self._source.read_at(self._boot.grid.place(cluster), self._boot.cluster_size)
        except UnreadableError as error:
            self._unread[cluster] = error
            return b""

    def _stored_runs(self, found: FileSet, needed: int) -> tuple[Run, ...] | None:
        """Return the runs a deleted set still proves: one piece by its own word, or a chain of the right length."""
        grid = self._boot.grid
        if not grid.holds(found.start) or not 1 <= needed <= grid.count:
            return None
        if found.contiguous:
            return ((found.start, min(needed, grid.end - found.start)),)
        if self._table.next_of(found.start) == 0:
            return None
        runs, problem = self._table.chain(found.start)
        if problem or sum(count for _, count in runs) != needed:
            return None
        if any(self._used.members(first, count) for first, count in runs):
            return None
        return tuple(runs)

    def _find_lost(self, owned: ClusterSet) -> Iterator[Notice]:
        for record in self._scan(owned):
            if isinstance(record, Notice):
                yield record
            elif record not in self._known:
                self._take_lost(record, owned)

    def _take_lost(self, start: int, owned: ClusterSet) -> None:
        """Read a lost directory, and the clusters behind it that go on like one."""
        grid = self._boot.grid
        count = 1
        while (
            count < MAXIMUM_DIRECTORY_CLUSTERS
            and start + count < grid.end
            and start + count not in owned
            and start + count not in self._known
            and _looks_like_directory(self._cluster(start + count))
        ):
            count += 1
        address = f"cluster-{start}"
        path = f"{ORPHANS}/{address}"
        for cluster in range(start, start + count):
            self.know_directory(cluster, path, address, living=False)
        self._lost.append((start, [(start, count)]))
        before = len(self._graves)
        self._read([(start, count)], path, address, EntryState.ORPHAN, 1)
        self._open_graves(before)

    def _scan(self, owned: ClusterSet) -> Iterator[int | Notice]:
        """Yield the clusters nobody owns that begin with a set of entries that proves itself."""
        grid = self._boot.grid
        free = owned.inverted()
        free.discard(0, FIRST_CLUSTER)
        most = max(1, _BLOCK_SIZE // grid.cluster_size)
        for first, count in free.runs():
            for start in range(first, first + count, most):
                step = min(most, first + count - start)
                if grid.place(start) >= self._source.size:
                    return
                advance()
                yield from self._candidates(start, step)

    def _candidates(self, first: int, count: int) -> Iterator[int | Notice]:
        size = self._boot.cluster_size
        if size < _PROBE_FROM:
            try:
                block = self._source.read_at(self._boot.grid.place(first), count * size)
            except UnreadableError:
                pass
            else:
                for place in _matches(block, size):
                    if _looks_like_directory(block[place * size : (place + 1) * size]):
                        yield first + place
                return
        unread: list[UnreadableError] = []
        for cluster in range(first, first + count):
            try:
                head = self._source.read_at(self._boot.grid.place(cluster), min(size, _PROBE_SIZE))
            except UnreadableError as error:
                unread.append(error)
                continue
            if _looks_like_directory(head):
                yield cluster
        yield from not_searched(unread, "exFAT")

    def _without_stale(self) -> list[Grave]:
        """Return the sets but those of files that live on, and those that repeat another in every respect."""
        kept = []
        seen: set[tuple[str, int, int, tuple[int, ...]]] = set()
        for grave in self._graves:
            found = grave.found
            if found.start:
                created, modified = birth(found)
                born = created if created is not None else modified
                key = (found.name, found.start, found.size, found.moments)
                if key in seen or (born is not None and self._occupied.head_at(found.start) == born):
                    self._stale += 1
                    continue
                seen.add(key)
            kept.append(grave)
        return kept

    def _conclude(self, graves: list[Grave]) -> list[tuple[Remnant | None, Conclusion | None]]:
        places, remnants = [], []
        families: dict[str, int] = {}
        for place, grave in enumerate(graves):
            remnant = self._remnant(grave, families.setdefault(grave.parent, len(families)))
            if remnant is not None:
                places.append(place)
                remnants.append(remnant)
        tails = Tails(self._source, self._boot.grid)
        layout = Layout(self._boot.grid, self._used, self._occupied, remnants, tails)
        answers: list[tuple[Remnant | None, Conclusion | None]] = [(None, None)] * len(graves)
        for place, remnant, conclusion in zip(places, remnants, layout.conclude(), strict=True):
            answers[place] = (remnant, conclusion)
        return answers

    def _remnant(self, grave: Grave, family: int) -> Remnant | None:
        found, grid = grave.found, self._boot.grid
        needed = grid.clusters_of(found.size)
        if not grid.holds(found.start) or not 1 <= needed <= grid.count:
            return None
        created, modified = birth(found)
        stored = self._stored_runs(found, needed)
        in_pieces = stored is None and needed > 1
        return Remnant(
            start=found.start,
            count=needed,
            size=found.size,
            created=created,
            modified=modified,
            stored=stored,
            in_pieces=in_pieces,
            alive_until=grave.alive_until,
            family=family,
        )

    def _entry(self, grave: Grave, remnant: Remnant | None, conclusion: Conclusion | None) -> Entry:
        found, grid = grave.found, self._boot.grid
        stored = remnant is not None and remnant.stored is not None
        content, overlap = content_of(self._source, grid, found.size, conclusion, stored=stored)
        runs = conclusion.runs if conclusion is not None else ()
        extents = grid.extents(runs) if stored else grid.concluded_extents(runs)
        if found.valid_size < found.size and runs:
            extents = _valid(extents, found.size, found.valid_size)
        return Entry(
            address=str(found.offset),
            path=_join(grave.path, found.name),
            kind=EntryKind.DIRECTORY if found.is_directory else EntryKind.FILE,
            size=found.size,
            state=grave.state,
            content=content,
            parent=grave.parent or None,
            times=times_of(found),
            extents=extents,
            assumed_size=0 if stored or not runs else max(0, found.size - grid.cluster_size),
            overlap_size=overlap,
        )

    def _lost_directory(self, start: int, runs: list[Run]) -> Entry:
        address = f"cluster-{start}"
        extents = self._boot.grid.extents(runs)
        return Entry(
            address=address,
            path=f"{ORPHANS}/{address}",
            kind=EntryKind.DIRECTORY,
            size=sum(extent.length for extent in extents),
            state=EntryState.ORPHAN,
            content=content_of(self._source, self._boot.grid, 0, None, stored=True)[0],
            extents=extents,
        )


def _valid(extents: tuple[Extent, ...], size: int, valid: int) -> tuple[Extent, ...]:
    kept, left = [], valid
    for extent in extents:
        if left <= 0:
            break
        kept.append(Extent(offset=extent.offset, length=min(extent.length, left), assumed=extent.assumed))
        left -= extent.length
    return (*kept, Extent(offset=0, length=size - valid, sparse=True))


def _matches(block: bytes, size: int) -> list[int]:
    """Return which clusters of a block begin with the types file, stream, name."""
    import numpy as np

    count = len(block) // size
    octets: Any = np.frombuffer(block, np.uint8, count * size).reshape(count, size)
    kinds = octets[:, (0, ENTRY_SIZE, 2 * ENTRY_SIZE)] & 0x7F
    found: list[int] = np.flatnonzero((kinds == np.array((FILE, STREAM, NAME), np.uint8)).all(axis=1)).tolist()
    return found


def _looks_like_directory(block: bytes) -> bool:
    """Say whether a cluster begins with a set of entries whose checksum is right."""
    if len(block) < 3 * ENTRY_SIZE or tuple(block[k] & 0x7F for k in (0, 32, 64)) != (FILE, STREAM, NAME):
        return False
    if not 2 <= block[1] <= 18:
        return False
    return any(isinstance(r, FileSet) and r.proved for r in DirectoryParser().parse(block[: (block[1] + 1) * 32], 0))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
