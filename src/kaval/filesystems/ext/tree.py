"""The tree of an ext volume: what is there, in directory order, and then what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.ext.describing import Place, describe, with_problem
from kaval.filesystems.ext.directories import TYPE_KINDS, Name
from kaval.filesystems.ext.facts import facts_of
from kaval.filesystems.ext.inodes import ENCRYPT_FLAG, ROOT_INODE, Inode
from kaval.filesystems.ext.lost import Lost
from kaval.filesystems.ext.names import DirectoryReader
from kaval.filesystems.ext.undelete import undelete
from kaval.filesystems.ext.volume import Volume

_COMPRESSED_BLOCKS_FLAG = 0x200
_WITHOUT_CONTENT = frozenset({"$bad-blocks", "$resize"})
"""System inodes whose blocks are set aside, and hold nothing that anybody wrote."""

_SYSTEM_NAMES = {1: "$bad-blocks", 3: "$user-quota", 4: "$group-quota", 7: "$resize", 8: "$journal"}


def open_tree(source: ByteSource) -> ExtTree:
    """Return the tree of an ext volume."""
    return ExtTree(Volume(source))


class _Directory(NamedTuple):
    inode: Inode
    place: Place
    address: str | None


class ExtTree:
    """Lists a volume. An address is the number of the inode.

    A file with several names has one entry for each: ``inode@directory``, with a further ``.n`` for the
    n-th name in the same directory.

    Attributes:
        volume: The open volume, for the recovery of what the journal alone still knows.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.facts: Mapping[str, str] = facts_of(volume)
        self._lost: Lost | None = None

    def lost(self) -> Lost:
        """Return what the last whole listing found lost; lists anew where there was none."""
        while self._lost is None:
            for _ in self.entries():
                pass
        return self._lost

    def entries(self) -> Iterator[Entry | Notice]:
        """Yield what is allocated, then the file system's own inodes, then orphans and deleted entries."""
        yield from self.volume.notices
        lost = Lost(self.volume)
        yield from _Walk(self.volume, lost).entries()
        yield from self._system_entries(lost)
        yield from lost.entries()
        self._lost = lost
        for block, message in self.volume.bitmaps.unreadable:
            offset = block * self.volume.superblock.block_size
            yield Notice(code=NoticeCode.DAMAGED, message=message, offset=offset, structure="ext bitmap")

    def _system_entries(self, lost: Lost) -> Iterator[Entry | Notice]:
        """Yield the inodes that serve the file system itself."""
        superblock = self.volume.superblock
        names = {number: name for number, name in _SYSTEM_NAMES.items() if number < superblock.first_inode}
        names |= {superblock.journal_inode: "$journal", superblock.field(0x26C, "I"): "$project-quota"}
        if superblock.compat & 0x1000:
            names[superblock.field(0x280, "I")] = "$orphan-file"
        for number in sorted(number for number in names if 0 < number <= len(self.volume.inodes)):
            if not lost.see(number):
                continue
            try:
                inode = self.volume.inodes.get(number)
            except KavalError as error:
                yield _notice_of(error, str(number))
                continue
            if inode.block_count or inode.size:
                place = Place(names[number], None, None)
                described = describe(self.volume, inode, place, str(number), kind=EntryKind.SYSTEM)
                if names[number] in _WITHOUT_CONTENT:
                    described = described._replace(entry=replace(described.entry, content=ContentState.NONE))
                yield from with_problem(described)

    def deleted_in_journal(self) -> Iterator[Entry | Notice]:
        """Yield deleted files that nothing but old copies in the journal still tells of."""
        lost = self.lost()
        log = self.volume.log
        if log is not None:
            yield from undelete(self.volume, log, lost)

    def open_stream(self, address: str) -> ByteSource:
        """Return the stream of an entry, read through the journal where that holds the newest copy."""
        if "~" in address:
            raise LocatorError(address, "of this name nothing but the name is left")
        number = address.partition("@")[0]
        if not number.isdecimal() or not number.isascii():
            raise LocatorError(address, "an address of an ext file system starts with the number of an inode")
        inode = self.volume.inodes.get(int(number))
        entry = describe(self.volume, inode, Place("", None, None), address).entry
        if entry.extents is not None:
            return ExtentSource(self.volume.source, entry.extents, entry.size)
        return _Replayed(self.volume, inode)

    def unallocated(self) -> Iterator[Extent]:
        block_size = self.volume.superblock.block_size
        for block, count in self.volume.bitmaps.free_runs():
            yield Extent(offset=block * block_size, length=count * block_size)


class _Replayed:
    """A stream some of whose blocks are escaped copies in the journal."""

    def __init__(self, volume: Volume, inode: Inode) -> None:
        self.size = inode.size
        self._medium = volume.medium
        self._block_size = volume.superblock.block_size
        self._blocks = {
            run.logical + index: run.physical + index
            for run in volume.map(inode).runs
            if not run.unwritten
            for index in range(run.length)
        }

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        end = min(offset + length, self.size)
        parts = []
        for logical in range(offset // self._block_size, -(-end // self._block_size)):
            block = self._blocks.get(logical)
            parts.append(bytes(self._block_size) if block is None else self._medium.read_block(block))
        start = offset % self._block_size
        return b"".join(parts)[start : start + end - offset]


class _Walk:
    """One walk over the directories that are in use."""

    def __init__(self, volume: Volume, lost: Lost) -> None:
        self._volume = volume
        self._reader = DirectoryReader(volume)
        self._lost = lost
        self._entered: set[int] = {ROOT_INODE}

    def entries(self) -> Iterator[Entry | Notice]:
        """Yield the entries of a directory, then those of the directories in it."""
        try:
            root = self._volume.inodes.get(ROOT_INODE)
        except KavalError as error:
            yield _notice_of(error, str(ROOT_INODE))
            return
        self._lost.see(ROOT_INODE)
        if root.kind is not EntryKind.DIRECTORY:
            message = "the root inode is no directory; what has a name cannot be listed from it"
            yield Notice(code=NoticeCode.DAMAGED, message=message, address=str(ROOT_INODE), structure="ext inode")
            return
        if root.flags & ENCRYPT_FLAG:
            yield _encrypted(str(ROOT_INODE))
        pending = [_Directory(root, Place("", None, None), None)]
        while pending:
            directory = pending.pop()
            below: list[_Directory] = []
            yield from self._list(directory, below)
            pending += reversed(below)

    def _list(self, directory: _Directory, below: list[_Directory]) -> Iterator[Entry | Notice]:
        parent = directory.inode
        self._lost.places[parent.number] = directory.place
        encrypted = bool(parent.flags & ENCRYPT_FLAG)
        times_listed: dict[int, int] = {}
        has_journal = self._volume.log is not None
        for record in self._reader.names(parent):
            if isinstance(record, Notice):
                yield record
                continue
            self._lost.note(parent.number, record.names.slack)
            if record.block is not None and has_journal:
                self._lost.directory_blocks[record.block] = parent.number
            for name in record.names.live:
                if name.name not in (b".", b".."):
                    yield from self._name(directory, name, encrypted, times_listed, below)

    def _name(
        self, directory: _Directory, name: Name, encrypted: bool, times_listed: dict[int, int], below: list[_Directory]
    ) -> Iterator[Entry | Notice]:
        parent = directory.inode.number
        place = directory.place.child(name.name, str(parent))
        if directory.address is None:
            place = place._replace(parent=None)
        try:
            inode = self._volume.inodes.get(name.inode)
        except (CorruptStructureError, UnreadableError) as error:
            address = _numbered(name.inode, parent, times_listed)
            yield _notice_of(error, address)
            yield _without_inode(address, place, name)
            return
        address = self._address(inode, parent, times_listed)
        if not inode.mode:
            message = f"the directory names inode {inode.number}, which is empty"
            yield Notice(code=NoticeCode.DAMAGED, message=message, address=address, structure="ext directory entry")
        if place.raw is not None and not encrypted and directory.place.raw is None:
            message = "the name is no UTF-8; its bytes are kept beside it"
            yield Notice(code=NoticeCode.NAME_UNDECODABLE, message=message, address=address)
        if inode.flags & _COMPRESSED_BLOCKS_FLAG:
            message = "its blocks are compressed (e2compr), which is not read here; the bytes are as stored"
            yield Notice(code=NoticeCode.UNSUPPORTED, message=message, address=address)
        yield from with_problem(describe(self._volume, inode, place, address))
        if inode.kind is EntryKind.DIRECTORY:
            yield from self._enter(_Directory(inode, place, address), encrypted, below)

    def _address(self, inode: Inode, parent: int, times_listed: dict[int, int]) -> str:
        """Return an address no other entry has."""
        first = self._lost.see(inode.number)
        if first and (inode.links <= 1 or inode.kind is EntryKind.DIRECTORY):
            return str(inode.number)
        return _numbered(inode.number, parent, times_listed)

    def _enter(self, directory: _Directory, encrypted: bool, below: list[_Directory]) -> Iterator[Notice]:
        number = directory.inode.number
        if number in self._entered:
            message = "the directory was listed before under another name; it is not entered a second time"
            yield Notice(code=NoticeCode.LOOP, message=message, address=directory.address or "")
            return
        self._entered.add(number)
        below.append(directory)
        if directory.inode.flags & ENCRYPT_FLAG and not encrypted:
            yield _encrypted(directory.address or "")


def _numbered(number: int, parent: int, times_listed: dict[int, int]) -> str:
    """Return the address of one of several names of an inode; the names are counted in each directory."""
    count = times_listed[number] = times_listed.get(number, 0) + 1
    return f"{number}@{parent}.{count}" if count > 1 else f"{number}@{parent}"


def _encrypted(address: str) -> Notice:
    message = "names and contents below are encrypted (fscrypt); names are shown as stored, contents are not read"
    return Notice(code=NoticeCode.LOCKED, message=message, address=address)


def _without_inode(address: str, place: Place, name: Name) -> Entry:
    """Return the entry of a name whose inode cannot be had."""
    return Entry(
        address=address,
        path=place.path,
        kind=TYPE_KINDS.get(name.file_type, EntryKind.UNKNOWN),
        size=0,
        state=EntryState.ALLOCATED,
        content=ContentState.PARTIAL,
        parent=place.parent,
        extents=(),
        path_raw=place.raw,
    )


def _notice_of(error: KavalError, address: str) -> Notice:
    code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
    return Notice(
        code=code,
        message=str(error),
        address=address,
        offset=getattr(error, "offset", None),
        structure=getattr(error, "structure", None),
    )
