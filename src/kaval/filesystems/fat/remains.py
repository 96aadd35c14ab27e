"""What is left of deleted entries: their slots, their directories, and where their clusters were.

A slot is a name with a first cluster, a size and times; it proves no more. Slots come from living directories,
from deleted directories that a slot leads to, and from directories found by their ``.`` and ``..`` in clusters
nobody owns. A slot that names the first cluster and the creation time of a living file is an earlier name of that
file (a move or a rename leaves it behind) and is not listed as deleted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from kaval.core.errors import UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters import ClusterSet, Run
from kaval.filesystems.clusters.layout import Layout
from kaval.filesystems.clusters.living import content_of
from kaval.filesystems.clusters.remnants import Conclusion, Occupied, Remnant
from kaval.filesystems.clusters.tails import Tails
from kaval.filesystems.clusters.unread import unread_directories
from kaval.filesystems.fat.boot import Boot
from kaval.filesystems.fat.directory import (
    DirectoryParser,
    Slot,
    born,
    looks_like_directory,
    plausible,
    times_of,
)
from kaval.filesystems.fat.high_words import HALF, HighWords
from kaval.filesystems.fat.scan import LostDirectory, scan

ORPHANS = "$OrphanFiles"
MAXIMUM_DIRECTORY_CLUSTERS = 4096
MAXIMUM_DEPTH = 128


class Grave(NamedTuple):
    """A slot that is no living entry, and the directory it was found in.

    ``guessed`` says that the upper half of its first cluster was not stored.
    """

    slot: Slot
    path: str
    parent: str
    state: EntryState
    depth: int = 0
    alive_until: int | None = None
    guessed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A directory by its first cluster; ``created`` is its creation as stored, where it is not living."""

    path: str
    address: str
    living: bool


class Remains:
    """Gathers slots while the living tree is walked; then concludes and lists them."""

    def __init__(self, source: ByteSource, boot: Boot, used: ClusterSet, occupied: Occupied) -> None:
        self._source = source
        self._boot = boot
        self._used = used
        self._occupied = occupied
        self._graves: list[Grave] = []
        self._directories: dict[int, Known] = {}
        self._directory_runs: dict[int, tuple[Run, ...]] = {}
        self._stale = 0
        self._high_words: HighWords | None = None
        self._unread: dict[int, UnreadableError] = {}

    def add(self, grave: Grave) -> None:
        """Take note of a slot; one from behind the end mark has to look like an entry."""
        slot = grave.slot
        if slot.is_label and not slot.start:
            return
        if (slot.beyond or grave.state is EntryState.ORPHAN) and not self._plausible(slot):
            return
        if slot.raw[1:] == bytes(10) or slot.attributes & 0xC0:
            return
        self._graves.append(grave)

    def _plausible(self, slot: Slot) -> bool:
        return plausible(slot, self._boot.grid.end, self._boot.total_size)

    def know_directory(self, start: int, path: str, address: str, *, living: bool) -> bool:
        """Take note of a directory; false if that first cluster is one already."""
        if start in self._directories:
            return False
        self._directories[start] = Known(path=path, address=address, living=living)
        return True

    def entries(self, owned: ClusterSet) -> Iterator[Entry | Notice]:
        """Yield deleted entries, then orphan ones; ``owned`` are the clusters of living entries."""
        self._occupied.seal()
        words = HighWords(self._source, self._boot, self._used, self._occupied)
        if words.are_missing(grave.slot for grave in self._graves):
            self._high_words = words
        self._open_graves(0)
        yield from self._find_lost(owned)
        graves = [self._with_high_word(grave) for grave in self._without_stale()]
        conclusions = self._conclude(graves)
        for grave, conclusion in zip(graves, conclusions, strict=True):
            yield from self._entry(grave, conclusion)
        if self._stale:
            message = (
                f"{self._stale} deleted names lead to files that live on under another name, or repeat a deleted one; "
                "they are not listed as deleted"
            )
            yield Notice(code=NoticeCode.SKIPPED, message=message, structure="FAT directory")
        yield from unread_directories(self._unread, "FAT directory")

    def _open_graves(self, first: int) -> None:
        """Read the deleted directories among the slots from a number on, and those below them."""
        pending = deque(range(first, len(self._graves)))
        while pending:
            place = pending.popleft()
            grave = self._graves[place]
            if not grave.slot.is_directory or grave.depth > MAXIMUM_DEPTH:
                continue
            whole = self._high_words.of_directory(grave.slot) if self._high_words is not None else None
            if whole is not None:
                grave = self._graves[place] = grave._replace(slot=whole)
            before = len(self._graves)
            self._open(grave)
            pending.extend(range(before, len(self._graves)))

    def _open(self, grave: Grave) -> None:
        start = grave.slot.start
        path = _join(grave.path, grave.slot.name)
        if not self._boot.grid.holds(start) or start in self._directories or start in self._used:
            return
        block = self._cluster(start)
        dot = _dot(block, wide=self._boot.bits == 32)
        if dot is None or dot.start != start or not _same_birth(dot, grave.slot):
            return
        address = str(grave.slot.offset)
        self.know_directory(start, path, address, living=False)
        self._read_directory(start, block, path, address, grave.state, grave.depth + 1)

    def _read_directory(self, start: int, block: bytes, path: str, address: str, state: EntryState, depth: int) -> None:
        """Gather the slots of a directory that has no chain, cluster after cluster while they look like one."""
        parser = DirectoryParser(wide=self._boot.bits == 32)
        runs: list[Run] = []
        cluster = start
        while True:
            runs.append((cluster, 1))
            for slot in parser.parse(block, self._boot.grid.place(cluster)):
                if not slot.is_dot:
                    self.add(Grave(slot, path, address, state, depth))
            if parser.ended or len(runs) >= MAXIMUM_DIRECTORY_CLUSTERS:
                break
            following = self._continuation(cluster)
            if following is None:
                break
            cluster, block = following
        self._directory_runs[start] = tuple(_joined(runs))

    def _continuation(self, cluster: int) -> tuple[int, bytes] | None:
        """Return the next free cluster if it goes on as a directory."""
        grid = self._boot.grid
        for following in range(cluster + 1, min(cluster + 65, grid.end)):
            if following in self._used:
                continue
            block = self._cluster(following)
            wide = self._boot.bits == 32
            return (
                (following, block) if looks_like_directory(block, grid.end, self._boot.total_size, wide=wide) else None
            )
        return None

    def _cluster(self, cluster: int) -> bytes:
        """Return a cluster, nothing where it cannot be read: then it proves nothing, and that is told."""
        try:
            return self._source.read_at(self._boot.grid.place(cluster), self._boot.cluster_size)
        except UnreadableError as error:
            self._unread[cluster] = error
            return b""

    def _find_lost(self, owned: ClusterSet) -> Iterator[Notice]:
        found: list[LostDirectory] = []
        for record in scan(self._source, self._boot, owned):
            if isinstance(record, Notice):
                yield record
            elif record.start not in self._directories:
                found.append(record)
        by_start = {lost.start: lost for lost in found}
        for lost in found:
            self._place_lost(lost, by_start, 0)

    def _place_lost(self, lost: LostDirectory, by_start: dict[int, LostDirectory], depth: int) -> None:
        """Give a lost directory its path, its parent first where that is lost too."""
        if lost.start in self._directories:
            return
        parent = by_start.get(lost.parent)
        if parent is not None and parent is not lost and depth < MAXIMUM_DEPTH:
            self._place_lost(parent, by_start, depth + 1)
        if lost.start in self._directories:
            return
        known = self._directories.get(lost.parent or self._boot.root_cluster)
        root = lost.parent == 0
        base = "" if root else known.path if known is not None else ""
        name = f"cluster-{lost.start}"
        path = (
            f"{ORPHANS}/{name}"
            if known is None and not root
            else _join(base, f"{ORPHANS}/{name}" if not base else name)
        )
        self.know_directory(lost.start, path, name, living=False)
        before = len(self._graves)
        slot = lost.slot._replace(name=name, size=0)
        self._graves.append(Grave(slot, path.rpartition("/")[0], known.address if known else "", EntryState.ORPHAN))
        self._read_directory(lost.start, self._cluster(lost.start), path, name, EntryState.ORPHAN, depth + 1)
        self._open_graves(before + 1)

    def _without_stale(self) -> list[Grave]:
        """Return the slots but those of files that live on, and those that repeat another in every respect."""
        kept = []
        seen: set[tuple[str, int, int, tuple[int, ...]]] = set()
        for grave in self._graves:
            slot = grave.slot
            if slot.start:
                made = born(slot)
                key = (slot.name, slot.start, slot.size, slot.moments[3:] if slot.moments[3] else slot.moments[:2])
                if key in seen or (made is not None and self._lives_on(slot, made)):
                    self._stale += 1
                    continue
                seen.add(key)
            kept.append(grave)
        return kept

    def _lives_on(self, slot: Slot, made: int) -> bool:
        """Whether a living file made at that moment starts where a slot says, as far as it still says it."""
        if self._high_words is None or slot.start >= HALF:
            return self._occupied.head_at(slot.start) == made
        places = range(slot.start, self._boot.grid.end, HALF)
        return any(self._occupied.head_at(place) == made for place in places)

    def _with_high_word(self, grave: Grave) -> Grave:
        """Return a file's slot with the first cluster it must have had, where half of it is gone."""
        slot = grave.slot
        if self._high_words is None or slot.is_directory or not slot.size or slot.start >= HALF:
            return grave
        whole = self._high_words.of_file(slot)
        return grave._replace(slot=whole, guessed=True) if whole is not None else grave

    def _conclude(self, graves: list[Grave]) -> list[Conclusion | None]:
        places, remnants = [], []
        families: dict[str, int] = {}
        for place, grave in enumerate(graves):
            remnant = self._remnant(grave, families.setdefault(grave.parent, len(families)))
            if remnant is not None:
                places.append(place)
                remnants.append(remnant)
        tails = Tails(self._source, self._boot.grid)
        layout = Layout(self._boot.grid, self._used, self._occupied, remnants, tails)
        conclusions: list[Conclusion | None] = [None] * len(graves)
        for place, conclusion in zip(places, layout.conclude(), strict=True):
            conclusions[place] = conclusion
        return conclusions

    def _remnant(self, grave: Grave, family: int) -> Remnant | None:
        slot, grid = grave.slot, self._boot.grid
        if not grid.holds(slot.start):
            return None
        times = times_of(slot)
        if slot.is_directory:
            known = self._directory_runs.get(slot.start, ((slot.start, 1),))
            count = sum(length for _, length in known)
            size, modified = 0, times.created or times.modified
        else:
            count, size, modified = grid.clusters_of(slot.size), slot.size, times.modified
        if not 1 <= count <= grid.count:
            return None
        return Remnant(
            start=slot.start,
            count=count,
            size=size,
            created=times.created,
            modified=modified,
            alive_until=grave.alive_until,
            family=family,
        )

    def _entry(self, grave: Grave, conclusion: Conclusion | None) -> Iterator[Entry | Notice]:
        slot = grave.slot
        is_directory = slot.is_directory
        size = 0 if is_directory else slot.size
        lost = slot.name.startswith("cluster-") and grave.state is EntryState.ORPHAN and is_directory
        address = slot.name if lost else str(slot.offset)
        own = is_directory and self._is_its_own(grave)
        if is_directory:
            content, overlap = (ContentState.INTACT if own else ContentState.GONE), 0
        else:
            content, overlap = content_of(self._source, self._boot.grid, size, conclusion, stored=False)
        grid = self._boot.grid
        runs: tuple[Run, ...] = conclusion.runs if conclusion is not None else ()
        if is_directory:
            runs = self._directory_runs.get(slot.start, ()) if own else ()
        extents = grid.extents(runs) if is_directory else grid.concluded_extents(runs)
        stored = min(size, grid.cluster_size) if runs else 0
        if grave.guessed:
            extents, stored = tuple(replace(extent, assumed=True) for extent in extents), 0
            content = ContentState.ASSUMED if content is ContentState.INTACT else content
        yield Entry(
            address=address,
            path=_join(grave.path, slot.name),
            kind=EntryKind.DIRECTORY if is_directory else EntryKind.FILE,
            size=size,
            state=grave.state,
            content=content,
            parent=grave.parent or None,
            times=times_of(slot),
            extents=extents,
            assumed_size=size - stored if runs else 0,
            overlap_size=overlap,
            path_raw=slot.raw if "\N{REPLACEMENT CHARACTER}" in slot.name else None,
        )
        if size and conclusion is None and slot.start:
            message = f"{slot.name}: cluster {slot.start} and size {size} do not fit into this volume"
            yield Notice(
                code=NoticeCode.ABSURD_SIZE,
                message=message,
                address=address,
                offset=slot.offset,
                structure="FAT directory",
            )

    def _is_its_own(self, grave: Grave) -> bool:
        known = self._directories.get(grave.slot.start)
        return known is not None and not known.living and known.path == _join(grave.path, grave.slot.name)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _joined(runs: list[Run]) -> Iterator[Run]:
    start, length = runs[0][0], 0
    for first, count in runs:
        if first == start + length:
            length += count
        else:
            yield start, length
            start, length = first, count
    yield start, length


def _dot(block: bytes, *, wide: bool) -> Slot | None:
    """Return the ``.`` entry at the start of a directory's first cluster."""
    if len(block) < 64 or not block.startswith(b".          "):
        return None
    return next(DirectoryParser(wide=wide).parse(block[:32], 0), None)


def _same_birth(dot: Slot, slot: Slot) -> bool:
    """Whether a directory's own entry was made together with the slot that leads to it."""
    mine, theirs = born(dot), born(slot)
    return mine is None or theirs is None or abs(mine - theirs) <= 2_000_000_000
