"""The tree of a Btrfs file system: its subvolumes and snapshots, one after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.btrfs.inodes import Inode, gather
from kaval.filesystems.btrfs.space import Space, find_superblock, parse_chunk
from kaval.filesystems.btrfs.streams import PackedStream, is_plain, plain_extents
from kaval.filesystems.btrfs.trees import Forest

_TOP, _FIRST_FREE, _LAST_FREE = 5, 256, 2**64 - 256
_ROOT_ITEM, _ROOT_BACK_REFERENCE, _CHUNK_ITEM, _EXTENT_ITEM, _METADATA_ITEM = 132, 144, 228, 168, 169
_EXTENT_TREE, _FIRST_CHUNK_OBJECT = 2, 256
_READ_ONLY = 1
_MAXIMUM_DEPTH = 1024
_MAXIMUM_SIZE = 1 << 62
_MAXIMUM_TARGET = 4096
_KINDS = {
    0x8000: EntryKind.FILE, 0x4000: EntryKind.DIRECTORY, 0xA000: EntryKind.SYMLINK, 0x6000: EntryKind.DEVICE,
    0x2000: EntryKind.DEVICE, 0x1000: EntryKind.FIFO, 0xC000: EntryKind.SOCKET,
}  # fmt: skip


def open_tree(source: ByteSource) -> BtrfsTree:
    """Return the tree of the file system a device belongs to."""
    superblock = find_superblock(source)
    forest = Forest(Space(source, superblock))
    notices = []
    try:
        for item in forest.items(superblock.chunk_tree, (_FIRST_CHUNK_OBJECT, _CHUNK_ITEM, 0)):
            if item.key[:2] != (_FIRST_CHUNK_OBJECT, _CHUNK_ITEM):
                break
            forest.space.add(parse_chunk(item.key[2], item.content, superblock.device))
    except KavalError as error:
        notices.append(_notice_of(error, ""))
    return BtrfsTree(forest, notices)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subvolume:
    """One subvolume; ``parent``, ``directory`` and ``name`` say where it hangs, the topmost nowhere."""

    number: int
    root: int
    read_only: bool
    parent: int = 0
    directory: int = 0
    name: bytes = b""


class _Place(NamedTuple):
    path: str
    raw: bytes | None
    lost: bool = False

    def below(self, name: bytes) -> _Place:
        shown = name.decode("utf-8", "replace").replace("/", "\ufffd")
        raw = None
        if self.raw is not None or "\ufffd" in shown:
            above = self.raw if self.raw is not None else self.path.encode()
            raw = above + b"/" + name if self.path else name
        return _Place(f"{self.path}/{shown}" if self.path else shown, raw, self.lost)


class BtrfsTree:
    """Lists the subvolumes. An address is number of the subvolume, a dot, number of the inode.

    A file with several names has ``@`` and the parent's number behind it, and ``.n`` for the n-th name there. Entries
    come in the order of each subvolume's own tree, which is that of the inodes.
    """

    def __init__(self, forest: Forest, notices: list[Notice]) -> None:
        self._forest = forest
        self._notices = [*_remarks(forest), *notices]
        self._subvolumes: dict[int, Subvolume] = {}
        self._roots: dict[int, int] = {}
        try:
            self._read_roots()
        except KavalError as error:
            self._notices.append(_notice_of(error, ""))
        if _TOP not in self._subvolumes:
            superblock = forest.space.superblock
            raise CorruptStructureError("Btrfs root tree", "the topmost subvolume is not in it", superblock.offset)
        self._listings: dict[int, _Listing] = {}
        self.facts: Mapping[str, str] = self._facts()

    def _read_roots(self) -> None:
        """Learn from the root tree where the other trees lie."""
        found: dict[int, tuple[int, bool]] = {}
        hung: dict[int, tuple[int, int, bytes]] = {}
        for item in self._forest.items(self._forest.space.superblock.root_tree):
            number, kind, offset = item.key
            if kind == _ROOT_ITEM and len(item.content) >= 239:
                root, flags = struct.unpack_from("<176xQ24xQ", item.content)
                self._roots[number] = root
                found[number] = root, bool(flags & _READ_ONLY)
            elif kind == _ROOT_BACK_REFERENCE and len(item.content) >= 18:
                directory, length = struct.unpack_from("<Q8xH", item.content)
                hung[number] = offset, directory, item.content[18 : 18 + length]
        for number, (root, read_only) in found.items():
            if number == _TOP:
                self._subvolumes[number] = Subvolume(number=number, root=root, read_only=read_only)
            elif _FIRST_FREE <= number <= _LAST_FREE and number in hung:
                parent, directory, name = hung[number]
                self._subvolumes[number] = Subvolume(
                    number=number, root=root, read_only=read_only, parent=parent, directory=directory, name=name
                )

    def _facts(self) -> dict[str, str]:
        superblock = self._forest.space.superblock
        facts = {
            "label": superblock.label,
            "uuid": str(superblock.uuid),
            "generation": str(superblock.generation),
            "node size": str(superblock.node_size),
            "devices": str(superblock.devices),
        }
        for number, subvolume in list(self._subvolumes.items())[:50]:
            if number != _TOP:
                kind = "read-only, as snapshots are" if subvolume.read_only else "writable"
                facts[f"subvolume {number}"] = f"{subvolume.name.decode('utf-8', 'replace')} ({kind})"
        return {name: value for name, value in facts.items() if value}

    def entries(self) -> Iterator[Entry | Notice]:
        yield from self._notices
        for number in sorted(self._subvolumes):
            try:
                yield from self._listing(number).entries()
            except KavalError as error:
                yield _notice_of(error, str(number))
        for offset, message in self._forest.unsound.items():
            yield Notice(code=NoticeCode.DAMAGED, message=message, offset=offset, structure="Btrfs tree")

    def _listing(self, number: int, depth: int = 0) -> _Listing:
        """Return the listing of a subvolume, which knows where it hangs in another."""
        if number not in self._listings:
            subvolume = self._subvolumes[number]
            place = _Place("", None)
            if number != _TOP:
                place = _Place("", None, True).below(f"unknown subvolume {number}".encode())
                if subvolume.parent in self._subvolumes and depth < _MAXIMUM_DEPTH:
                    above = self._listing(subvolume.parent, depth + 1)
                    place = above.place(subvolume.directory).below(subvolume.name)
            self._listings[number] = _Listing(self._forest, subvolume, place)
        return self._listings[number]

    def open_stream(self, address: str) -> ByteSource:
        subvolume, _, number = address.partition("@")[0].partition(".")
        if not (subvolume + number).isascii() or not subvolume.isdecimal() or not number.isdecimal():
            raise LocatorError(address, "a Btrfs address is the number of a subvolume, a dot, the number of an inode")
        if int(subvolume) not in self._subvolumes:
            raise LocatorError(address, "there is no such subvolume")
        inode = self._listing(int(subvolume)).inode(int(number))
        if inode is None:
            raise LocatorError(address, "there is no such inode")
        space = self._forest.space
        if is_plain(inode):
            return ExtentSource(space.source, plain_extents(inode, space), inode.size)
        return PackedStream(inode, space)

    def unallocated(self) -> Iterator[Extent]:
        """Yield the bytes of the device that no extent of the extent tree takes up, in any of its copies.

        Raises:
            CorruptStructureError: There is no extent tree, or it makes no sense.
        """
        if _EXTENT_TREE not in self._roots:
            raise CorruptStructureError("Btrfs root tree", "the extent tree is not in it")
        space = self._forest.space
        used = [(0, 1 << 20), (64 << 20, 4096), (256 << 30, 4096)]
        for item in self._forest.items(self._roots[_EXTENT_TREE]):
            address, kind, length = item.key
            if kind == _METADATA_ITEM:
                length = space.superblock.node_size
            if kind in (_EXTENT_ITEM, _METADATA_ITEM):
                used += space.copies(address, length)
        ranges = np.array(sorted(used), np.uint64).astype(np.int64)
        ends = np.maximum.accumulate(ranges[:, 0] + ranges[:, 1])
        limit = min(space.source.size, 1 << 62)
        gaps = np.flatnonzero(ranges[1:, 0] > ends[:-1])
        for start, end in [
            *zip(ends[gaps].tolist(), ranges[gaps + 1, 0].tolist(), strict=True),
            (int(ends[-1]), limit),
        ]:
            if start < min(end, limit):
                yield Extent(offset=start, length=min(end, limit) - start)


def _remarks(forest: Forest) -> Iterator[Notice]:
    superblock = forest.space.superblock
    if superblock.offset != 0x10000:
        message = f"the superblock is damaged or older; its copy at byte {superblock.offset} was used"
        yield Notice(code=NoticeCode.DAMAGED, message=message, offset=0x10000, structure="Btrfs superblock")
    if superblock.devices > 1:
        message = f"the file system spans {superblock.devices} devices; what lies on the others alone cannot be read"
        yield Notice(code=NoticeCode.UNAVAILABLE, message=message)
    if superblock.log_tree:
        message = "the last seconds before a crash lie in a log tree, which is not read here"
        yield Notice(code=NoticeCode.UNSUPPORTED, message=message)
    if superblock.devices == 1 and superblock.total_size > forest.space.source.size:
        size = forest.space.source.size
        message = f"the file system has {superblock.total_size} bytes, the image ends after {size}"
        yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=size)


class _Listing:
    """One walk over a subvolume that hangs at a place."""

    def __init__(self, forest: Forest, subvolume: Subvolume, place: _Place) -> None:
        self._forest = forest
        self._subvolume = subvolume
        self._places: dict[int, _Place] = {_FIRST_FREE: place}

    def entries(self) -> Iterator[Entry | Notice]:
        for inode in gather(self._forest.items(self._subvolume.root, (_FIRST_FREE, 0, 0))):
            if inode.number > _LAST_FREE or (inode.number == _FIRST_FREE and self._subvolume.number == _TOP):
                continue
            address = f"{self._subvolume.number}.{inode.number}"
            try:
                entry, notice = self._entry(inode, address)
                if notice is not None:
                    yield notice
                yield from self._named(inode, entry)
            except KavalError as error:
                yield _notice_of(error, address)

    def inode(self, number: int) -> Inode | None:
        """Return one inode."""
        for inode in gather(self._forest.items(self._subvolume.root, (number, 0, 0))):
            return inode if inode.number == number else None
        return None

    def _named(self, inode: Inode, entry: Entry) -> Iterator[Entry | Notice]:
        """Yield the entry under each name; one without a name is an orphan."""
        if inode.number == _FIRST_FREE:
            top = self._places[_FIRST_FREE]
            state = EntryState.ORPHAN if top.lost else EntryState.ALLOCATED
            yield replace(entry, path=top.path, path_raw=top.raw, state=state)
            return
        if not inode.names:
            path = f"$OrphanFiles/OrphanFile-{entry.address}"
            yield replace(entry, path=path, state=EntryState.ORPHAN)
        counts: dict[int, int] = {}
        for parent, name in inode.names:
            above = self.place(parent)
            place = above.below(name)
            address = entry.address
            if len(inode.names) > 1:
                count = counts[parent] = counts.get(parent, 0) + 1
                address += f"@{parent}" + (f".{count}" if count > 1 else "")
            if place.raw is not None and above.raw is None:
                message = "the name is no UTF-8; its bytes are kept beside it"
                yield Notice(code=NoticeCode.NAME_UNDECODABLE, message=message, address=address)
            yield replace(
                entry,
                address=address,
                path=place.path,
                path_raw=place.raw,
                parent=None if parent == _FIRST_FREE else f"{self._subvolume.number}.{parent}",
                state=EntryState.ORPHAN if place.lost else EntryState.ALLOCATED,
            )

    def _entry(self, inode: Inode, address: str) -> tuple[Entry, Notice | None]:
        kind = _KINDS.get(inode.mode & 0xF000, EntryKind.UNKNOWN)
        content, notice = ContentState.NONE, None
        size = inode.size if kind in (EntryKind.FILE, EntryKind.SYMLINK) else 0
        if size >= _MAXIMUM_SIZE:
            raise CorruptStructureError("Btrfs inode", f"inode {inode.number} claims {size} bytes")
        extents: tuple[Extent, ...] | None = ()
        if kind in (EntryKind.FILE, EntryKind.SYMLINK):
            extents, notice = self._extents(inode, address)
        if kind is EntryKind.FILE:
            content = ContentState.PARTIAL if notice is not None else ContentState.INTACT
            if any(stored.encryption for stored in inode.extents):
                content = ContentState.ENCRYPTED
        entry = Entry(
            address=address,
            path="",
            kind=kind,
            size=size,
            state=EntryState.ALLOCATED,
            content=content,
            times=inode.times,
            extents=extents,
            link_target=self._target(inode, extents) if kind is EntryKind.SYMLINK else None,
            mode=inode.mode,
            owner=str(inode.owner),
            group=str(inode.group),
        )
        return entry, notice

    def _extents(self, inode: Inode, address: str) -> tuple[tuple[Extent, ...] | None, Notice | None]:
        if not is_plain(inode):
            return None, None
        try:
            return plain_extents(inode, self._forest.space), None
        except (CorruptStructureError, UnreadableError) as error:
            return (), _notice_of(error, address)

    def _target(self, inode: Inode, extents: tuple[Extent, ...] | None) -> str | None:
        if not 0 < inode.size <= _MAXIMUM_TARGET:
            return None
        space = self._forest.space
        source: ByteSource = (
            PackedStream(inode, space) if extents is None else ExtentSource(space.source, extents, inode.size)
        )
        try:
            return source.read_at(0, inode.size).rstrip(b"\0").decode("utf-8", "replace")
        except (CorruptStructureError, UnreadableError):
            return None

    def place(self, number: int, depth: int = 0) -> _Place:
        """Return where a directory stands; one that cannot be found, or lies in itself, stands nowhere."""
        if number in self._places:
            return self._places[number]
        nowhere = _Place(self._places[_FIRST_FREE].path, self._places[_FIRST_FREE].raw, True)
        nowhere = nowhere.below(f"unknown directory {number}".encode())
        inode = self.inode(number) if depth < _MAXIMUM_DEPTH else None
        self._places[number] = nowhere
        if inode is not None and inode.names:
            parent, name = inode.names[0]
            self._places[number] = self.place(parent, depth + 1).below(name)
        return self._places[number]


def _notice_of(error: KavalError, address: str) -> Notice:
    code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
    return Notice(
        code=code,
        message=str(error),
        address=address,
        offset=getattr(error, "offset", None),
        structure=getattr(error, "structure", None),
    )
