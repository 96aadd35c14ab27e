"""The history of one volume: all its traces gathered once, each deleted file given to the capability that tells most.

Kept as long as the tree lives, so that three capabilities read the volume once and none repeats another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from weakref import WeakKeyDictionary

from kaval.core.contracts import Tree
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.recovery.ntfs.index import IndexReader
from kaval.recovery.ntfs.log import LogReader
from kaval.recovery.ntfs.owners import Owners
from kaval.recovery.ntfs.structures import Name
from kaval.recovery.ntfs.table import Volume
from kaval.recovery.ntfs.traces import INDEX, LOG, MAXIMUM_TRACES, USN, Past, Paths, Reference, Traces
from kaval.recovery.ntfs.usn import ChangeJournal

PREFIXES = {LOG: "log", INDEX: "index", USN: "usn"}
_KEPT: WeakKeyDictionary[Tree, dict[str, list[Entry | Notice]]] = WeakKeyDictionary()


def recovered(source: ByteSource, tree: Tree, origin: str) -> Iterator[Entry | Notice]:
    """Yield the deleted files that the traces of one origin tell most of, in order of their records."""
    if tree not in _KEPT:
        _KEPT[tree] = History(source, tree).gather()
    yield from _KEPT[tree].get(origin, ())


class History:
    """Reads what there is to read, in order: table, log, change journal, indexes."""

    def __init__(self, source: ByteSource, tree: Tree) -> None:
        self._source = source
        self._tree = tree
        self._traces = Traces()
        self._volume = Volume(tree, self._from_slack)
        self._log = LogReader(self._volume)
        self._journal = ChangeJournal(self._volume)
        self._indexes = IndexReader(source, self._volume.is_listed, self._from_index, self._traces.add_unnamed)

    def gather(self) -> dict[str, list[Entry | Notice]]:
        """Return entries and notices by the capability that yields them."""
        volume = self._volume
        found: dict[str, list[Entry | Notice]] = {LOG: [], INDEX: [], USN: []}
        if volume.read(self._source.size):
            self._traces.settle(volume)
            self._read_log()
            self._read_journals()
            self._read_indexes()
            self._give_bodies()
            self._tell(found)
        found[LOG].extend(self._log.notices)
        found[INDEX].extend([*volume.notices, *self._indexes.notices()])
        found[USN].extend(self._journal.notices)
        if self._traces.is_full:
            message = f"more than {MAXIMUM_TRACES} deleted files have left traces; further ones are left out"
            found[INDEX].append(Notice(code=NoticeCode.COUNT_LIMIT, message=message, structure="$I30"))
        return found

    def _from_slack(self, number: int, sequence: int, name: Name, is_active: bool) -> None:
        """Take a trace from the slack of a record, while the table is still being read."""
        self._traces.add(number, sequence, name, INDEX)

    def _from_index(self, number: int, sequence: int, name: Name, is_active: bool) -> None:
        if not (is_active and self._volume.cannot_tell(number, sequence)):
            self._traces.add(number, sequence, name, INDEX)

    def _read_log(self) -> None:
        log = self._log
        log.read(self._source, self._volume.extents(self._volume.log))
        self._traces.settled |= log.taken_back
        for reference in log.taken_back & self._traces.found.keys():
            del self._traces.found[reference]
        for number, sequence, name in log.names:
            if self._is_gone(number, sequence):
                self._traces.add(number, sequence, name, LOG)

    def _is_gone(self, number: int, sequence: int) -> bool:
        """Whether a file that the log names is deleted: the table has another, or the log says so."""
        if self._volume.is_listed(number, sequence):
            return False
        return (number, sequence) in self._log.freed or not self._volume.cannot_tell(number, sequence)

    def _read_journals(self) -> None:
        for _, parts in sorted(self._volume.journals.items()):
            self._journal.read(self._source, self._volume.extents(parts))
        for reference, seen in self._journal.deleted_ones():
            self._traces.add(*reference, seen.name(), USN, at=seen.newest.at, told=False)
            past = self._traces.found.get(reference)
            if past is not None:
                past.created, past.deleted = seen.created, seen.deleted

    def _read_indexes(self) -> None:
        volume = self._volume
        for number, parts in sorted(volume.indexes.items()):
            self._indexes.read(volume.reference(number), volume.extents(parts))
        self._traces.settle_unnamed(volume)

    def _give_bodies(self) -> None:
        """Give each file the runs the log told of it; one that nothing names is called by its record."""
        for (number, sequence), body in sorted(self._log.bodies.items(), key=lambda item: item[0]):
            if self._is_gone(number, sequence):
                nameless = Name(0, 0, f"record-{number}-{sequence}", 1, (0, 0, 0, 0), 0, False)
                if (number, sequence) not in self._traces.found:
                    self._traces.add(number, sequence, nameless, LOG, told=False)
                past = self._traces.found.get((number, sequence))
                if past is not None and not past.name.is_directory:
                    past.body = body

    def _tell(self, found: dict[str, list[Entry | Notice]]) -> None:
        paths = Paths(self._volume, self._traces)
        pasts = self._traces.found
        judged = dict(self._judged())
        for (number, sequence), past in sorted(pasts.items(), key=lambda item: item[0]):
            origin = past.found_by
            entry = _entry(f"{PREFIXES[origin]}-{number}-{sequence}", past, origin, paths)
            if (number, sequence) in judged:
                size, content, extents, overlap = judged[number, sequence]
                entry = replace(entry, size=size, content=content, extents=extents, overlap_size=overlap)
            found[origin].append(entry)
        for address, name in sorted(self._traces.unnamed.values()):
            past = Past(name, 0, INDEX, known=name)
            found[INDEX].append(_entry(f"{PREFIXES[INDEX]}-{address}", past, INDEX, paths))

    def _judged(self) -> Iterator[tuple[Reference, tuple[int, ContentState, tuple[Extent, ...], int]]]:
        """Yield what can be said of the content of each file whose body the log told."""
        found = self._traces.found.items()
        bodies = [(past.body.at, reference, past.body, past.size) for reference, past in found if past.body is not None]
        if not bodies:
            return
        owners = Owners(self._tree, self._volume.cluster_size)
        for _, reference, body, size in sorted(bodies, key=lambda each: each[:2], reverse=True):
            yield reference, owners.judge(body, size)


def _entry(address: str, past: Past, origin: str, paths: Paths) -> Entry:
    path, whole = paths.of(past.name)
    return Entry(
        address=address,
        path=path,
        kind=EntryKind.DIRECTORY if past.name.is_directory else EntryKind.FILE,
        size=past.size,
        state=EntryState.DELETED if whole else EntryState.ORPHAN,
        content=ContentState.GONE,
        times=past.times(),
        extents=(),
        recovered_by=origin,
    )
