"""The tree of an F2FS volume: what is there, then what was deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from kaval.core.errors import (
    CorruptStructureError,
    LocatorError,
    UnreadableError,
    UnsupportedError,
)
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.f2fs.describing import Place, describe, notice_of
from kaval.filesystems.f2fs.directories import TYPE_KINDS, Name, names_of
from kaval.filesystems.f2fs.lost import Lost
from kaval.filesystems.f2fs.nodes import Inode, footer_of, parse_inode
from kaval.filesystems.f2fs.volume import BLOCK, Volume

_FEATURES = {
    0x1: "encrypt", 0x2: "blkzoned", 0x4: "atomic_write", 0x8: "extra_attr", 0x10: "project_quota",
    0x20: "inode_checksum", 0x40: "flexible_inline_xattr", 0x80: "quota_ino", 0x100: "inode_crtime",
    0x200: "lost_found", 0x400: "verity", 0x800: "sb_checksum", 0x1000: "casefold", 0x2000: "compression",
    0x4000: "read_only",
}  # fmt: skip


def open_tree(source: ByteSource) -> F2fsTree:
    """Return the tree of a volume."""
    return F2fsTree(Volume(source))


class _Directory(NamedTuple):
    inode: Inode
    place: Place
    encrypted: bool


class F2fsTree:
    """Lists a volume. An address is the number of the inode.

    A file with several names has ``@`` and the number of the directory behind it, a deleted file ``-`` and its
    generation, a name of which nothing else is left ``~`` and the number of the directory.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        superblock = volume.superblock
        features = [name for bit, name in _FEATURES.items() if superblock.features & bit]
        self.facts: Mapping[str, str] = {
            name: value
            for name, value in {
                "label": superblock.label,
                "uuid": str(superblock.uuid),
                "blocks": str(superblock.block_count),
                "features": " ".join(features),
                "made by": superblock.version,
                "checkpoint": str(volume.checkpoint.version),
            }.items()
            if value
        }

    def entries(self) -> Iterator[Entry | Notice]:
        yield from self._volume.notices
        walk = _Walk(self._volume)
        yield from walk.entries()
        yield from Lost(self._volume, walk.places, walk.lost).entries()

    def open_stream(self, address: str) -> ByteSource:
        number = address.partition("@")[0]
        if not number.isascii() or not number.isdecimal():
            raise LocatorError(address, "an F2FS address without extents is the number of an inode")
        inode = read_inode(self._volume, int(number))
        if inode.compressed:
            raise UnsupportedError(
                "a compressed F2FS file", "mount the volume read-only under Linux and examine the folder"
            )
        entry, _ = describe(
            self._volume, inode, Place("", None), address, None, lambda node: read_node(self._volume, node)
        )
        return ExtentSource(self._volume.source, entry.extents or (), entry.size)

    def unallocated(self) -> Iterator[Extent]:
        for block, count in self._volume.free_runs():
            yield Extent(offset=block * BLOCK, length=count * BLOCK)


def read_node(volume: Volume, number: int) -> bytes:
    """Return the node block of a number.

    Raises:
        CorruptStructureError: There is none, or another lies in its place.
    """
    block = volume.node_block(number)
    if not block:
        raise CorruptStructureError("F2FS node", f"node {number} is not there")
    content = volume.read(block)
    if footer_of(content).number != number:
        raise CorruptStructureError("F2FS node", f"block {block} does not hold node {number}", block * BLOCK)
    return content


def read_inode(volume: Volume, number: int) -> Inode:
    """Return an inode by number."""
    return parse_inode(read_node(volume, number), volume.node_block(number), volume.superblock.features)


class _Walk:
    """One walk over the directories in use; gathers the freed names it meets.

    Attributes:
        places: Where each directory stands.
        lost: Freed names, with the number of their directory.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._seen: set[int] = set()
        self.places: dict[int, Place] = {}
        self.lost: list[tuple[int, Name]] = []

    def _read_node(self, number: int) -> bytes:
        return read_node(self._volume, number)

    def entries(self) -> Iterator[Entry | Notice]:
        number = self._volume.superblock.root_inode
        try:
            root = read_inode(self._volume, number)
        except (CorruptStructureError, UnreadableError) as error:
            yield notice_of(error, str(number))
            return
        self._seen.add(number)
        self.places[number] = Place("", None)
        pending = [_Directory(root, self.places[number], False)]
        while pending:
            below: list[_Directory] = []
            yield from self._list(pending.pop(), below)
            pending += reversed(below)

    def _list(self, directory: _Directory, below: list[_Directory]) -> Iterator[Entry | Notice]:
        inode = directory.inode
        if inode.encrypted and not directory.encrypted:
            message = (
                "names and contents below are encrypted (fscrypt); names are shown as stored, contents are not read"
            )
            yield Notice(code=NoticeCode.LOCKED, message=message, address=str(inode.number))
        counts: dict[int, int] = {}
        try:
            for name in names_of(self._volume, inode, self._read_node):
                if name.lost:
                    self.lost.append((inode.number, name))
                else:
                    yield from self._name(directory, name, counts, below)
        except (CorruptStructureError, UnreadableError) as error:
            yield notice_of(error, str(inode.number))

    def _name(
        self, directory: _Directory, name: Name, counts: dict[int, int], below: list[_Directory]
    ) -> Iterator[Entry | Notice]:
        parent = directory.inode.number
        place = directory.place.below(name.name)
        first = name.inode not in self._seen
        self._seen.add(name.inode)
        try:
            inode = read_inode(self._volume, name.inode)
        except (CorruptStructureError, UnreadableError) as error:
            address = _numbered(name.inode, parent, counts)
            yield notice_of(error, address)
            yield _without_inode(address, place, name)
            return
        is_directory = inode.mode & 0xF000 == 0x4000
        alone = first and (inode.links <= 1 or is_directory)
        address = str(name.inode) if alone else _numbered(name.inode, parent, counts)
        if place.raw is not None and directory.place.raw is None and not directory.inode.encrypted:
            message = "the name is no UTF-8; its bytes are kept beside it"
            yield Notice(code=NoticeCode.NAME_UNDECODABLE, message=message, address=address)
        top = parent == self._volume.superblock.root_inode
        entry, notice = describe(self._volume, inode, place, address, None if top else str(parent), self._read_node)
        if notice is not None:
            yield notice
        if is_directory and inode.encrypted:
            entry = replace(entry, content=ContentState.ENCRYPTED)
        yield entry
        if is_directory and first:
            self.places[name.inode] = place
            below.append(_Directory(inode, place, directory.inode.encrypted))
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
