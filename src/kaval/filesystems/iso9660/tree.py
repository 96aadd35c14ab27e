"""The tree of a disc: the hierarchy with the richest names whole, then what others alone lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from kaval.core.contracts import Tree
from kaval.core.errors import LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.iso9660.descriptors import SECTOR_SIZE, Hierarchy
from kaval.filesystems.iso9660.records import (
    ASSOCIATED,
    DIRECTORY,
    MULTIPLE,
    Record,
    RockRidge,
    fields,
    parse_record,
    rock_ridge,
    times_of,
)

STRUCTURE = "ISO 9660 directory"
MAXIMUM_DIRECTORY_SIZE = 64 << 20
MAXIMUM_DEPTH = 256
READ_SIZE = 1 << 20
_LINK_TYPE, _TYPE_MASK = 0o120000, 0o170000
_KINDS = {
    0o010000: EntryKind.FIFO, 0o020000: EntryKind.DEVICE, 0o060000: EntryKind.DEVICE, 0o140000: EntryKind.SOCKET,
    0o120000: EntryKind.SYMLINK,
}  # fmt: skip


class IsoTree:
    """The hierarchies of one volume; addresses are the bytes at which directory records lie."""

    def __init__(
        self,
        source: ByteSource,
        hierarchies: list[Hierarchy],
        facts: dict[str, str],
        notices: list[Notice],
        beside: Tree | None = None,
    ) -> None:
        self.source = source
        self._beside = beside
        self._notices = notices
        self._walks = [_Walk(source, hierarchy) for hierarchy in hierarchies]
        self._walks.sort(key=lambda walk: not walk.skip >= 0)
        if not any(walk.skip >= 0 for walk in self._walks):
            self._walks.sort(key=lambda walk: not walk.hierarchy.joliet)
        if any(walk.skip >= 0 for walk in self._walks):
            facts["names"] = "Rock Ridge"
        elif self._walks[0].hierarchy.joliet:
            facts["names"] = "Joliet"
        self.facts: Mapping[str, str] = facts

    def entries(self) -> Iterator[Entry | Notice]:
        yield from self._notices
        listed: set[tuple[int, int]] = set()
        for number, walk in enumerate(self._walks):
            if number == 0:
                yield from walk.entries(listed)
            else:
                yield from _only_here(walk.entries(set()), listed)
        if self._beside is not None:
            yield from _only_here(self._beside.entries(), listed)

    def open_stream(self, address: str) -> ByteSource:
        """Return the stream of an entry: every one has extents, so this lists until it meets it."""
        for entry in self.entries():
            if isinstance(entry, Entry) and entry.address == address and entry.extents is not None:
                return ExtentSource(self.source, entry.extents, entry.size)
        raise LocatorError(address, "no entry lies there")

    def unallocated(self) -> Iterator[Extent]:
        """Yield what no entry of any hierarchy leads to: a disc keeps no map of what is free."""
        owned = [(0, (16 + len(self._walks) + 1) * SECTOR_SIZE)]
        owned.extend(walk.root_span for walk in self._walks)
        trees = [walk.entries(set()) for walk in self._walks]
        if self._beside is not None:
            trees.append(self._beside.entries())
        for record in chain.from_iterable(trees):
            if isinstance(record, Entry):
                extents = record.extents or ()
                owned.extend((extent.offset, extent.offset + extent.length) for extent in extents)
        end = 0
        for start, stop in sorted(owned):
            first = -(-end // SECTOR_SIZE) * SECTOR_SIZE
            if start > first:
                yield Extent(offset=first, length=start - first)
            end = max(end, stop)
        first = -(-end // SECTOR_SIZE) * SECTOR_SIZE
        if first < self.source.size:
            yield Extent(offset=first, length=self.source.size - first)


def _only_here(records: Iterator[Entry | Notice], listed: set[tuple[int, int]]) -> Iterator[Entry | Notice]:
    """Yield the files not listed yet, each with the directories above it, once."""
    waiting: dict[str, Entry] = {}
    for record in records:
        if isinstance(record, Notice):
            yield record
        elif record.kind is EntryKind.DIRECTORY:
            waiting[record.address] = record
        elif record.extents:
            key = (record.extents[0].offset, record.size)
            if key in listed:
                continue
            listed.add(key)
            above = []
            parent = record.parent
            while parent is not None and parent in waiting:
                above.append(waiting.pop(parent))
                parent = above[-1].parent
            yield from reversed(above)
            yield record


class Folder(NamedTuple):
    """A directory that is still to be walked."""

    path: str
    address: str | None
    block: int
    size: int
    depth: int


class _Walk:
    """One hierarchy; ``skip`` is negative where it has no Rock Ridge fields."""

    def __init__(self, source: ByteSource, hierarchy: Hierarchy) -> None:
        self._source = source
        self.hierarchy = hierarchy
        self._root = parse_record(hierarchy.root, 0, hierarchy.offset)
        self.skip = -1 if hierarchy.joliet else self._rock_ridge_skip()

    @property
    def root_span(self) -> tuple[int, int]:
        """Where the root directory lies: its first byte and the one behind it."""
        if self._root is None:
            return 0, 0
        start = self._root.block * self.hierarchy.block_size
        return start, start + self._root.size

    def _rock_ridge_skip(self) -> int:
        """Return what the ``SP`` field of the root's first record tells to leave out; -1 without one (SUSP 5.3)."""
        if self._root is None:
            return -1
        try:
            block = self._source.read_at(self._root.block * self.hierarchy.block_size, SECTOR_SIZE)
        except UnreadableError:
            return -1
        first = parse_record(block, 0, 0) if block else None
        if first is None:
            return -1
        for signature, payload in fields(first.system_use, self._source, self.hierarchy.block_size):
            if signature == b"SP" and payload[:2] == b"\xbe\xef" and len(payload) >= 3:
                return payload[2]
        return -1

    def entries(self, listed: set[tuple[int, int]]) -> Iterator[Entry | Notice]:
        """Yield the entries of this hierarchy; what has bytes is added to ``listed``."""
        if self._root is None:
            message = "the root directory record makes no sense"
            yield _notice(NoticeCode.DAMAGED, message, "", self.hierarchy.offset)
            return
        visited: set[int] = set()
        pending = [Folder("", None, self._root.block, self._root.size, 0)]
        while pending:
            folder = pending.pop()
            if folder.block in visited or folder.depth > MAXIMUM_DEPTH:
                message = f"the directory {folder.path} is one already listed; it is walked once"
                yield _notice(NoticeCode.LOOP, message, folder.address or "", None)
                continue
            visited.add(folder.block)
            below: list[Folder] = []
            for record in self._folder(folder, below):
                if isinstance(record, Entry) and record.kind is not EntryKind.DIRECTORY and record.extents:
                    listed.add((record.extents[0].offset, record.size))
                yield record
            pending.extend(reversed(below))

    def _folder(self, folder: Folder, below: list[Folder]) -> Iterator[Entry | Notice]:
        parts: list[Record] = []
        for record in self._records(folder):
            if isinstance(record, Notice):
                yield record
                continue
            if record.name in (b"\0", b"\x01") or (record.flags & ASSOCIATED and not record.size):
                continue
            parts.append(record)
            if record.flags & MULTIPLE and len(parts) < 4096:
                continue
            yield from self._entry(parts, folder, below)
            parts = []
        if parts:
            yield from self._entry(parts, folder, below)

    def _records(self, folder: Folder) -> Iterator[Record | Notice]:
        """Yield the records of a directory; none crosses the border of a sector (ECMA-119 6.8.1.1)."""
        base = folder.block * self.hierarchy.block_size
        size = min(folder.size, MAXIMUM_DIRECTORY_SIZE)
        for start in range(0, size, READ_SIZE):
            length = min(READ_SIZE, size - start)
            try:
                block = self._source.read_at(base + start, length)
            except UnreadableError as error:
                message = f"a part of the directory {folder.path or '/'} cannot be read: {error.reason}"
                yield _notice(NoticeCode.UNREADABLE, message, folder.address or "", error.offset)
                continue
            for sector in range(0, len(block), SECTOR_SIZE):
                yield from self._sector(block[sector : sector + SECTOR_SIZE], base + start + sector, folder)
            if len(block) < length:
                message = f"the directory {folder.path or '/'} runs past the end of the image"
                yield _notice(NoticeCode.TRUNCATED, message, folder.address or "", base + start + len(block))
                return

    def _sector(self, block: bytes, offset: int, folder: Folder) -> Iterator[Record | Notice]:
        place = 0
        while place < len(block) and block[place]:
            record = parse_record(block, place, offset)
            if record is None:
                message = (
                    f"a record of the directory {folder.path or '/'} makes no sense; the rest of its sector is left out"
                )
                yield _notice(NoticeCode.DAMAGED, message, folder.address or "", offset + place)
                return
            yield record
            place += block[place]

    def _entry(self, parts: list[Record], folder: Folder, below: list[Folder]) -> Iterator[Entry | Notice]:
        record = parts[0]
        ridge = None
        if self.skip >= 0:
            ridge = rock_ridge(record, self.skip, self._source, self.hierarchy.block_size)
        if ridge is not None and ridge.relocated:
            return
        name, raw = self._name(record, ridge)
        path = f"{folder.path}/{name}" if folder.path else name
        address = str(record.offset)
        is_directory = bool(record.flags & DIRECTORY) or (ridge is not None and ridge.child is not None)
        if is_directory:
            block, size = self._directory_place(record, ridge)
            below.append(Folder(path, address, block, size, folder.depth + 1))
            extents: tuple[Extent, ...] = (Extent(offset=block * self.hierarchy.block_size, length=size),)
        else:
            extents = tuple(extent for part in parts for extent in self._extents(part, part.block, part.size))
        size = 0 if is_directory else sum(part.size for part in parts)
        disagree = any((part.block, part.size) != (part.other_block, part.other_size) for part in parts)
        content = ContentState.ASSUMED if disagree and not is_directory else self._content(extents)
        entry = Entry(
            address=address,
            path=path,
            kind=self._kind(ridge, is_directory=is_directory),
            size=size,
            state=EntryState.ALLOCATED,
            content=content,
            parent=folder.address,
            times=times_of(record, ridge),
            extents=extents,
            path_raw=raw,
            link_target=ridge.link if ridge is not None else None,
            mode=ridge.mode & 0o7777 if ridge is not None and ridge.mode is not None else None,
            owner=str(ridge.owner) if ridge is not None and ridge.owner is not None else None,
            group=str(ridge.group) if ridge is not None and ridge.group is not None else None,
        )
        yield entry
        if content is ContentState.PARTIAL:
            yield _notice(NoticeCode.TRUNCATED, f"{path} runs past the end of the image", address, self._source.size)
        if disagree:
            yield from self._other_order(parts, entry)

    def _other_order(self, parts: list[Record], entry: Entry) -> Iterator[Entry | Notice]:
        """Yield the notice that the two byte orders disagree, and the stream the other one leads to."""
        message = f"{entry.path}: place and size differ between their two byte orders; both are listed"
        yield _notice(NoticeCode.DAMAGED, message, entry.address, parts[0].offset + 2)
        if entry.kind is EntryKind.DIRECTORY:
            return
        extents = tuple(extent for part in parts for extent in self._extents(part, part.other_block, part.other_size))
        yield Entry(
            address=f"{entry.address}-big-endian",
            path=entry.path,
            kind=entry.kind,
            size=sum(part.other_size for part in parts),
            state=EntryState.ALLOCATED,
            content=ContentState.ASSUMED,
            parent=entry.parent,
            times=entry.times,
            extents=extents,
        )

    def _kind(self, ridge: RockRidge | None, *, is_directory: bool) -> EntryKind:
        if is_directory:
            return EntryKind.DIRECTORY
        if ridge is None:
            return EntryKind.FILE
        if ridge.link is not None:
            return EntryKind.SYMLINK
        return _KINDS.get((ridge.mode or 0) & _TYPE_MASK, EntryKind.FILE)

    def _directory_place(self, record: Record, ridge: RockRidge | None) -> tuple[int, int]:
        """Return where a directory lies; one that was moved up is named by what stands for it (RRIP 4.1.5)."""
        if ridge is None or ridge.child is None:
            return record.block, record.size
        try:
            block = self._source.read_at(ridge.child * self.hierarchy.block_size, SECTOR_SIZE)
        except UnreadableError:
            return ridge.child, SECTOR_SIZE
        own = parse_record(block, 0, 0) if block else None
        return ridge.child, own.size if own is not None else SECTOR_SIZE

    def _extents(self, record: Record, block: int, size: int) -> Iterator[Extent]:
        """Yield the extents of a file section, interleaved where it says so (ECMA-119 6.4.3)."""
        step = self.hierarchy.block_size
        if not size:
            return
        if not record.unit:
            yield Extent(offset=block * step, length=size)
            return
        while size > 0 and block * step < self._source.size:
            length = min(size, record.unit * step)
            yield Extent(offset=block * step, length=length)
            size -= length
            block += record.unit + record.gap

    def _content(self, extents: tuple[Extent, ...]) -> ContentState:
        end = max((extent.offset + extent.length for extent in extents), default=0)
        return ContentState.INTACT if end <= self._source.size else ContentState.PARTIAL

    def _name(self, record: Record, ridge: RockRidge | None) -> tuple[str, bytes | None]:
        """Return a name as a part of a path, and its bytes where they could not be decoded."""
        raw = record.name
        if ridge is not None and ridge.name is not None:
            raw = ridge.name
            text = raw.decode("utf-8", "replace")
        elif self.hierarchy.joliet:
            text = _without_version(raw.decode("utf-16-be", "replace"))
        else:
            text = _without_version(raw.decode("ascii", "replace"))
        undecoded = raw if "\N{REPLACEMENT CHARACTER}" in text else None
        return text.replace("/", "\N{FRACTION SLASH}").replace("\0", "\N{REPLACEMENT CHARACTER}"), undecoded


def _without_version(name: str) -> str:
    """Return a file identifier without its version number and the full stop before an empty extension."""
    base, semicolon, version = name.rpartition(";")
    if semicolon and version.isdecimal():
        name = base
    return name[:-1] if name.endswith(".") and len(name) > 1 else name


def _notice(code: NoticeCode, message: str, address: str, offset: int | None) -> Notice:
    return Notice(code=code, message=message, address=address, offset=offset, structure=STRUCTURE)
