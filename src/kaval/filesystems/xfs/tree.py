"""The tree of an XFS volume: what is there, then what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from kaval.core.errors import CorruptStructureError, LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.xfs.describing import Describer, Place, notice_of
from kaval.filesystems.xfs.directories import TYPE_KINDS, Name, names_of
from kaval.filesystems.xfs.inodes import Inode
from kaval.filesystems.xfs.lost import Lost
from kaval.filesystems.xfs.volume import Volume


def open_tree(source: ByteSource) -> XfsTree:
    """Return the tree of a volume."""
    return XfsTree(Volume(source))


class _Directory(NamedTuple):
    inode: Inode
    place: Place


class XfsTree:
    """Lists a volume. An address is the number of the inode.

    A file with several names has ``@`` and the number of the directory behind it; a name of which nothing else is left
    has ``~`` and that number.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._describer = Describer(volume)
        superblock = volume.superblock
        self.facts: Mapping[str, str] = {
            name: value
            for name, value in {
                "label": superblock.label,
                "uuid": str(UUID(bytes=superblock.uuid)),
                "version": str(superblock.version),
                "block size": str(superblock.block_size),
                "blocks": str(superblock.block_count),
                "allocation groups": str(superblock.group_count),
            }.items()
            if value
        }

    def entries(self) -> Iterator[Entry | Notice]:
        size = self._volume.superblock.block_count * self._volume.superblock.block_size
        if size > self._volume.source.size:
            message = f"the file system has {size} bytes, the image ends after {self._volume.source.size}"
            yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=self._volume.source.size)
        walk = _Walk(self._volume, self._describer)
        yield from walk.entries()
        lost = Lost(self._volume, self._describer, seen=walk.seen, places=walk.places, names=walk.lost)
        yield from lost.entries()

    def open_stream(self, address: str) -> ByteSource:
        number = address.partition("@")[0]
        if not number.isascii() or not number.isdecimal():
            raise LocatorError(address, "an XFS address with content starts with the number of an inode")
        inode = self._describer.inode(int(number))
        entry, _ = self._describer.describe(inode, Place("", None), address, None)
        return ExtentSource(self._volume.source, entry.extents or (), entry.size)

    def unallocated(self) -> Iterator[Extent]:
        for offset, length in self._volume.free_runs():
            yield Extent(offset=offset, length=length)


class _Walk:
    """One walk over the directories in use; gathers the lost names it meets.

    Attributes:
        seen: Inodes that have a name in use.
        places: Where each directory stands.
        lost: Names no longer in use, with the number of their directory.
    """

    def __init__(self, volume: Volume, describer: Describer) -> None:
        self._volume = volume
        self._describer = describer
        self.seen: set[int] = set()
        self.places: dict[int, Place] = {}
        self.lost: list[tuple[int, Name]] = []

    def entries(self) -> Iterator[Entry | Notice]:
        number = self._volume.superblock.root_inode
        try:
            pending = [_Directory(self._describer.inode(number), Place("", None))]
        except (CorruptStructureError, UnreadableError) as error:
            yield notice_of(error, str(number))
            return
        self.seen.add(number)
        self.places[number] = Place("", None)
        while pending:
            below: list[_Directory] = []
            yield from self._list(pending.pop(), below)
            pending += reversed(below)

    def _list(self, directory: _Directory, below: list[_Directory]) -> Iterator[Entry | Notice]:
        number = directory.inode.number
        counts: dict[int, int] = {}
        try:
            for name in names_of(self._volume, directory.inode):
                if name.lost:
                    self.lost.append((number, name))
                else:
                    yield from self._name(directory, name, counts, below)
        except (CorruptStructureError, UnreadableError) as error:
            yield notice_of(error, str(number))

    def _name(
        self, directory: _Directory, name: Name, counts: dict[int, int], below: list[_Directory]
    ) -> Iterator[Entry | Notice]:
        parent = directory.inode.number
        place = directory.place.below(name.name)
        first = name.inode not in self.seen
        self.seen.add(name.inode)
        try:
            inode = self._describer.inode(name.inode)
        except (CorruptStructureError, UnreadableError) as error:
            address = _numbered(name.inode, parent, counts)
            yield notice_of(error, address)
            yield _without_inode(address, place, name)
            return
        is_directory = inode.mode & 0xF000 == 0x4000
        alone = first and (inode.links <= 1 or is_directory)
        address = str(name.inode) if alone else _numbered(name.inode, parent, counts)
        if place.raw is not None and directory.place.raw is None:
            message = "the name is no UTF-8; its bytes are kept beside it"
            yield Notice(code=NoticeCode.NAME_UNDECODABLE, message=message, address=address)
        top = parent == self._volume.superblock.root_inode
        entry, notice = self._describer.describe(inode, place, address, None if top else str(parent))
        if notice is not None:
            yield notice
        yield entry
        if is_directory and first:
            self.places[name.inode] = place
            below.append(_Directory(inode, place))
        elif is_directory:
            message = "the directory was listed before under another name; it is not entered a second time"
            yield Notice(code=NoticeCode.LOOP, message=message, address=address)


def _numbered(number: int, parent: int, counts: dict[int, int]) -> str:
    count = counts[number] = counts.get(number, 0) + 1
    return f"{number}@{parent}.{count}" if count > 1 else f"{number}@{parent}"


def _without_inode(address: str, place: Place, name: Name) -> Entry:
    """Return the entry of a name in use whose inode cannot be had."""
    return Entry(
        address=address,
        path=place.path,
        kind=TYPE_KINDS.get(name.file_type, EntryKind.UNKNOWN),
        size=0,
        state=EntryState.ALLOCATED,
        content=ContentState.PARTIAL,
        extents=(),
        path_raw=place.raw,
    )
