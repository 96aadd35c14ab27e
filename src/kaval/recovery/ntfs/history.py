"""The history of one volume: all its traces gathered once, each deleted file given to the capability that tells most.

Kept as long as the tree lives, so that three capabilities read the volume once and none repeats another.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from kaval.core.contracts import Tree
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.recovery.ntfs.index import IndexReader
from kaval.recovery.ntfs.structures import Name
from kaval.recovery.ntfs.table import Volume
from kaval.recovery.ntfs.traces import INDEX, MAXIMUM_TRACES, USN, Past, Paths, Traces
from kaval.recovery.ntfs.usn import ChangeJournal

_KEPT: WeakKeyDictionary[Tree, dict[str, list[Entry | Notice]]] = WeakKeyDictionary()


def recovered(source: ByteSource, tree: Tree, origin: str) -> Iterator[Entry | Notice]:
    """Yield the deleted files that the traces of one origin tell most of, in order of their records."""
    if tree not in _KEPT:
        _KEPT[tree] = History(source, tree).gather()
    yield from _KEPT[tree].get(origin, ())


class History:
    """Reads what there is to read, in order: table, change journal, indexes."""

    def __init__(self, source: ByteSource, tree: Tree) -> None:
        self._source = source
        self._traces = Traces()
        self._volume = Volume(tree, self._from_slack)

    def _from_slack(self, number: int, sequence: int, name: Name, is_active: bool) -> None:
        self._traces.add(number, sequence, name, INDEX)

    def _from_index(self, number: int, sequence: int, name: Name, is_active: bool) -> None:
        volume = self._volume
        if not volume.is_listed(number, sequence) and not (is_active and volume.is_lost(number)):
            self._traces.add(number, sequence, name, INDEX)

    def gather(self) -> dict[str, list[Entry | Notice]]:
        """Return entries and notices by the capability that yields them."""
        found: dict[str, list[Entry | Notice]] = {INDEX: []}
        volume, traces = self._volume, self._traces
        if not volume.read(self._source.size):
            found[INDEX].extend(volume.notices)
            return found
        traces.settle(volume)
        found[USN] = self._read_journals()
        reader = IndexReader(self._source, self._from_index, traces.add_unnamed)
        for number, parts in sorted(volume.indexes.items()):
            reader.read(volume.reference(number), volume.extents(parts))
        traces.settle_unnamed(volume)
        self._tell(found)
        found[INDEX].extend([*volume.notices, *reader.notices()])
        if traces.is_full:
            message = f"more than {MAXIMUM_TRACES} deleted files have left traces; further ones are left out"
            found[INDEX].append(Notice(code=NoticeCode.COUNT_LIMIT, message=message, structure="$I30"))
        return found

    def _read_journals(self) -> list[Entry | Notice]:
        journal = ChangeJournal(self._volume)
        for _, parts in sorted(self._volume.journals.items()):
            journal.read(self._source, self._volume.extents(parts))
        for reference, seen in journal.deleted_ones():
            self._traces.add(*reference, seen.name(), USN, at=seen.newest.at, told=False)
            past = self._traces.found.get(reference)
            if past is not None:
                past.created, past.deleted = seen.created, seen.deleted
        return list(journal.notices)

    def _tell(self, found: dict[str, list[Entry | Notice]]) -> None:
        paths = Paths(self._volume, self._traces)
        for (number, sequence), past in sorted(self._traces.found.items(), key=lambda item: item[0]):
            origin = past.found_by
            address = f"{origin.removeprefix('ntfs-')}-{number}-{sequence}"
            found.setdefault(origin, []).append(_entry(address, past, origin, paths))
        for address, name in sorted(self._traces.unnamed.values()):
            past = Past(name, 0, INDEX, known=name)
            found[INDEX].append(_entry(f"index-{address}", past, INDEX, paths))


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
