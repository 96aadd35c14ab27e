"""The tree of a file system that The Sleuth Kit reads whole: every name from the root down, then deleted ones.

For file systems that keep no more than names, inodes and runs (HFS+, UFS, YAFFS2). Directories are walked by
their names; inodes are never scanned. A deleted name whose inode lives on under another name is a name, not a
file: it is listed as *gone*, without bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.sleuthkit.volume import COMPRESSED, ENCRYPTED, Inode, Name, SleuthkitVolume, Stored

MAXIMUM_DEPTH = 256

Unallocated = Callable[[], Iterator[Extent]]


@dataclass(frozen=True, kw_only=True)
class Customs:
    """How one file system names and stores things.

    ``content_types`` are the stream types that are a file's content, ``named_types`` those listed as streams of
    their own, with the word that stands for an unnamed one. ``has_ids`` says whether the numbers of owner and
    group mean anything.
    """

    content_types: frozenset[int] = frozenset({1})
    named_types: Mapping[int, str] = field(default_factory=dict)
    system_names: frozenset[bytes] = frozenset()
    has_ids: bool = True


class SleuthkitTree:
    """Lists what The Sleuth Kit finds; see the module for the honesty about deleted names."""

    def __init__(
        self,
        volume: SleuthkitVolume,
        customs: Customs,
        facts: Mapping[str, str],
        unallocated: Unallocated | None = None,
    ) -> None:
        self.volume = volume
        self.facts = facts
        self._customs = customs
        self._unallocated = unallocated

    def entries(self) -> Iterator[Entry | Notice]:
        walk = _Walk(self.volume, self._customs)
        yield from walk.allocated()
        yield from walk.deleted()
        yield from self.volume.failure_notices()

    def open_stream(self, address: str) -> ByteSource:
        """Return a stream by ``inode`` or ``inode-type-id``; deleted names carry ``-name-N`` behind it."""
        number, _, rest = address.partition("-name-")[0].partition("-")
        try:
            wanted = tuple(map(int, rest.split("-"))) if rest else None
            inode = self.volume.inode(int(number))
        except ValueError as error:
            raise LocatorError(address, "it is no inode of this file system") from error
        for stored in self.volume.streams(inode):
            if (wanted is None and stored.type in self._customs.content_types) or wanted == (stored.type, stored.id):
                if stored.extents is not None:
                    return ExtentSource(self.volume.source, stored.extents, stored.size)
                return self.volume.open_stored(inode.number, stored.type, stored.id)
        raise LocatorError(address, "that inode has no such stream")

    def unallocated(self) -> Iterator[Extent]:
        return self._unallocated() if self._unallocated is not None else iter(())


class _Claims:
    """The bytes that allocated entries own, for the question whether a deleted one still has its own."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []
        self._starts = array("q")
        self._ends = array("q")

    def add(self, extents: tuple[Extent, ...]) -> None:
        self._runs.extend((extent.offset, extent.offset + extent.length) for extent in extents if not extent.sparse)

    def settle(self) -> None:
        """Merge what was added; afterwards ``overlap`` answers."""
        end = -1
        for start, stop in sorted(self._runs):
            if start > end:
                self._starts.append(start)
                self._ends.append(stop)
            else:
                self._ends[-1] = max(end, stop)
            end = self._ends[-1]
        self._runs.clear()

    def overlap(self, extents: tuple[Extent, ...]) -> int:
        return sum(
            self._overlap(extent.offset, extent.offset + extent.length) for extent in extents if not extent.sparse
        )

    def _overlap(self, start: int, end: int) -> int:
        index = max(0, bisect_right(self._starts, start) - 1)
        total = 0
        while index < len(self._starts) and self._starts[index] < end:
            total += max(0, min(end, self._ends[index]) - max(start, self._starts[index]))
            index += 1
        return total


class _Walk:
    """One walk through all names; keeps deleted ones for its second part."""

    def __init__(self, volume: SleuthkitVolume, customs: Customs) -> None:
        self._volume = volume
        self._customs = customs
        self._claims = _Claims()
        self._visited: set[int] = set()
        self._listed: set[int] = set()
        self._deleted: deque[tuple[str, str, Name, int]] = deque()
        self._name_count = 0

    def allocated(self) -> Iterator[Entry | Notice]:
        """Yield the entries of allocated names, directory by directory."""
        pending: list[tuple[str, str, int, int]] = [("", "", self._volume.root_number, 0)]
        while pending:
            path, address, number, depth = pending.pop()
            below: list[tuple[str, str, int, int]] = []
            yield from self._directory(path, address, number, depth, below)
            pending.extend(reversed(below))

    def _directory(
        self, path: str, address: str, number: int, depth: int, below: list[tuple[str, str, int, int]]
    ) -> Iterator[Entry | Notice]:
        if number in self._visited:
            yield _notice(NoticeCode.LOOP, f"the directory {path} is reached a second time; walked once", address)
            return
        if depth > MAXIMUM_DEPTH:
            yield _notice(NoticeCode.DEPTH_LIMIT, f"the directory {path} lies {depth} deep; not walked", address)
            return
        self._visited.add(number)
        try:
            for name in self._volume.names(number):
                if not name.allocated:
                    self._deleted.append((path, address, name, depth))
                    continue
                where = _join(path, name)
                if name.inode is None:
                    message = f"the name {where} points to inode {name.number}, which cannot be read"
                    yield _notice(NoticeCode.DAMAGED, message, str(name.number))
                    continue
                if name.inode.kind is EntryKind.DIRECTORY:
                    below.append((where, str(name.number), name.number, depth + 1))
                yield from self._entries(where, address, name, name.inode)
        except KavalError as error:
            yield _notice(_code_of(error), f"the directory {path or '/'} could not be read whole: {error}", address)

    def _entries(self, path: str, parent: str, name: Name, inode: Inode) -> Iterator[Entry | Notice]:
        address = str(inode.number)
        if inode.number in self._listed and inode.kind is not EntryKind.DIRECTORY:
            yield self._further_name(path, parent, name, inode)
            return
        if inode.number in self._listed:
            self._name_count += 1
            address = f"{inode.number}-name-{self._name_count}"
        self._listed.add(inode.number)
        kind = inode.kind
        if kind is EntryKind.FILE and name.raw in self._customs.system_names:
            kind = EntryKind.SYSTEM
        streams, notice = self._streams(inode, path, address)
        content = next((stored for stored in streams if stored.type in self._customs.content_types), None)
        extents = content.extents if content is not None else ()
        self._claims.add(extents or ())
        yield self._entry(path, parent, name, inode, address, kind, extents)
        for stored in streams:
            if stored.type in self._customs.named_types and stored.name != "DATA":
                self._claims.add(stored.extents or ())
                yield self._stream(path, address, inode, stored)
        if notice is not None:
            yield notice

    def _streams(self, inode: Inode, path: str, address: str) -> tuple[list[Stored], Notice | None]:
        streams: list[Stored] = []
        try:
            streams.extend(self._volume.streams(inode))
        except KavalError as error:
            return streams, _notice(_code_of(error), f"the streams of {path} could not be read: {error}", address)
        return streams, None

    def _entry(
        self,
        path: str,
        parent: str,
        name: Name,
        inode: Inode,
        address: str,
        kind: EntryKind,
        extents: tuple[Extent, ...] | None,
        *,
        state: EntryState = EntryState.ALLOCATED,
        content: ContentState = ContentState.INTACT,
        overlap: int = 0,
    ) -> Entry:
        decoded = path.endswith(name.raw.decode("utf-8", "surrogateescape"))
        return Entry(
            address=address,
            path=path,
            kind=kind,
            size=inode.size,
            state=state,
            content=content,
            parent=parent or None,
            times=inode.times,
            extents=extents,
            overlap_size=overlap,
            path_raw=None if decoded else path.rpartition("/")[0].encode() + b"/" + name.raw,
            link_target=inode.link_target.decode("utf-8", "replace") if inode.link_target is not None else None,
            mode=inode.mode & 0o7777 if self._customs.has_ids else None,
            owner=str(inode.owner) if self._customs.has_ids else None,
            group=str(inode.group) if self._customs.has_ids else None,
        )

    def _stream(self, path: str, parent: str, inode: Inode, stored: Stored) -> Entry:
        word = stored.name or self._customs.named_types[stored.type]
        return Entry(
            address=f"{inode.number}-{stored.type}-{stored.id}",
            path=f"{path}:{word}",
            kind=EntryKind.STREAM,
            size=stored.size,
            state=EntryState.ALLOCATED,
            content=ContentState.ENCRYPTED if stored.flags & ENCRYPTED else ContentState.INTACT,
            parent=parent,
            times=inode.times,
            extents=None if stored.flags & COMPRESSED else stored.extents,
        )

    def deleted(self) -> Iterator[Entry | Notice]:
        """Yield the entries of deleted names, with what still speaks for their bytes."""
        self._claims.settle()
        seen: set[tuple[str, int]] = set()
        while self._deleted:
            path, parent, name, depth = self._deleted.popleft()
            where = _join(path, name)
            if (where, name.number) in seen:
                continue
            seen.add((where, name.number))
            self._name_count += 1
            inode = name.inode
            if inode is None or inode.allocated or inode.number in self._listed:
                yield self._name_only(where, parent, name)
                continue
            yield from self._deleted_entries(where, parent, name, inode, depth)

    def _deleted_entries(
        self, path: str, parent: str, name: Name, inode: Inode, depth: int
    ) -> Iterator[Entry | Notice]:
        self._listed.add(inode.number)
        address = str(inode.number)
        streams, notice = self._streams(inode, path, address)
        stored = next((stored for stored in streams if stored.type in self._customs.content_types), None)
        extents = stored.extents if stored is not None else ()
        overlap = min(inode.size, self._claims.overlap(extents or ()))
        content = _content(inode.size, extents, overlap)
        yield self._entry(
            path, parent, name, inode, address, inode.kind, extents,
            state=EntryState.DELETED, content=content, overlap=overlap,
        )  # fmt: skip
        if notice is not None:
            yield notice
        if inode.kind is EntryKind.DIRECTORY and inode.number not in self._visited and depth < MAXIMUM_DEPTH:
            self._visited.add(inode.number)
            try:
                for below in self._volume.names(inode.number):
                    self._deleted.append((path, address, below, depth + 1))
            except KavalError as error:
                yield _notice(_code_of(error), f"the deleted directory {path} could not be read: {error}", address)

    def _further_name(self, path: str, parent: str, name: Name, inode: Inode) -> Entry:
        """Return a further name of a living inode: its bytes are listed with the first."""
        self._name_count += 1
        return Entry(
            address=f"{name.number}-name-{self._name_count}",
            path=path,
            kind=inode.kind,
            size=0,
            state=EntryState.ALLOCATED,
            content=ContentState.NONE,
            parent=parent or None,
            times=inode.times,
            extents=(),
        )

    def _name_only(self, path: str, parent: str, name: Name) -> Entry:
        return Entry(
            address=f"{name.number}-name-{self._name_count}",
            path=path,
            kind=name.kind,
            size=0,
            state=EntryState.DELETED,
            content=ContentState.GONE,
            parent=parent or None,
            times=Times(),
            extents=(),
        )


def _content(size: int, extents: tuple[Extent, ...] | None, overlap: int) -> ContentState:
    if extents is None:
        return ContentState.INTACT
    if overlap:
        return ContentState.OVERLAPS_ALLOCATED
    stored = sum(extent.length for extent in extents)
    if stored >= size:
        return ContentState.INTACT
    return ContentState.PARTIAL if stored else ContentState.GONE


def _join(path: str, name: Name) -> str:
    text = name.raw.decode("utf-8", "replace").replace("/", "\N{FRACTION SLASH}")
    return f"{path}/{text}" if path else text


def _code_of(error: KavalError) -> NoticeCode:
    if isinstance(error, UnreadableError):
        return NoticeCode.UNREADABLE
    if isinstance(error, CorruptStructureError):
        return NoticeCode.DAMAGED
    return NoticeCode.CAPABILITY_FAILED


def _notice(code: NoticeCode, message: str, address: str) -> Notice:
    return Notice(code=code, message=message, address=address)
