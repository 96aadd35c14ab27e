"""The tree of an APFS container: the entries of its volumes, one volume after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LocatorError,
    LockedError,
    UnreadableError,
)
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.apfs.container import Container
from kaval.filesystems.apfs.inodes import (
    COMPRESSION,
    LINK_TARGET,
    PRIVATE,
    RESOURCE_FORK,
    ROOT,
    Inode,
    add_record,
    gather,
    parse_inode,
    plain_extents,
)
from kaval.filesystems.apfs.streams import open_attribute, open_inode, unpacked_size
from kaval.filesystems.apfs.volume import Volume, parse_volume

_KINDS = {
    0x8000: EntryKind.FILE, 0x4000: EntryKind.DIRECTORY, 0xA000: EntryKind.SYMLINK, 0x6000: EntryKind.DEVICE,
    0x2000: EntryKind.DEVICE, 0x1000: EntryKind.FIFO, 0xC000: EntryKind.SOCKET,
}  # fmt: skip
_MAXIMUM_DEPTH = 1024
_MAXIMUM_SIZE = 1 << 62
_FORK_NAME = "..namedfork/rsrc"
_SNAPSHOTS_TOLD = 20
Stored = list[tuple[int, int, int, int]]


def open_tree(source: ByteSource, keyring: Keyring) -> ApfsTree:
    """Return the tree of a container, its volumes unlocked as far as the keyring goes."""
    container = Container(source)
    notices: list[Notice] = list(container.notices)
    volumes: list[Volume] = []
    for record in container.volume_blocks():
        if isinstance(record, Notice):
            notices.append(record)
            continue
        place, block = record
        volume = Volume(container, parse_volume(block, place))
        volumes.append(volume)
        if volume.locked:
            notices += _unlock(volume, keyring)
    locked = [volume for volume in volumes if volume.locked]
    if locked and len(locked) == len(volumes):
        raise LockedError(f"the APFS volume {locked[0].facts.name!r}", _needed(locked[0]))
    return ApfsTree(container, volumes, notices)


def _unlock(volume: Volume, keyring: Keyring) -> Iterator[Notice]:
    try:
        if volume.unlock(keyring):
            return
    except CorruptStructureError as error:
        yield Notice(code=NoticeCode.DAMAGED, message=str(error), address=str(volume.facts.index))
    message = f"the volume {volume.facts.name!r} is locked: {_needed(volume)}"
    yield Notice(code=NoticeCode.LOCKED, message=message, address=str(volume.facts.index), structure="APFS volume")


def _needed(volume: Volume) -> str:
    hint = volume.hint()
    return "give its passphrase or its recovery key" + (f"; its owner's hint is {hint!r}" if hint else "")


class _Place(NamedTuple):
    """Where a directory stands: its path, shown and in bytes, and whether it lies below the private directory."""

    path: str
    raw: bytes | None
    unlinked: bool


class ApfsTree:
    """Lists the volumes of a container. A path starts with the name of its volume.

    An address is number of the volume, a dot, number of the inode; then ``@`` and the number of the name where a file
    has several, or ``~rsrc`` for the resource fork. Entries come in the order of the volume's own tree, which is
    that of the inodes: to put a million entries into the order of directories would mean to hold them all.
    """

    def __init__(self, container: Container, volumes: list[Volume], notices: list[Notice]) -> None:
        self._container = container
        self._volumes = {volume.facts.index: volume for volume in volumes}
        self._notices = notices
        self._names = _distinct_names(volumes)
        self.facts: Mapping[str, str] = _facts_of(container, volumes, self._names)

    def entries(self) -> Iterator[Entry | Notice]:
        yield from self._notices
        for index, volume in self._volumes.items():
            if volume.locked:
                continue
            try:
                yield from _Listing(volume, self._names[index]).entries()
            except KavalError as error:
                yield _notice_of(error, str(index))
        size = self._container.blocks.block_size
        for address, message in self._container.blocks.unsound.items():
            yield Notice(code=NoticeCode.DAMAGED, message=message, offset=address * size, structure="APFS object")

    def open_stream(self, address: str) -> ByteSource:
        head, _, part = address.partition("~")
        index, _, number = head.partition("@")[0].partition(".")
        if not (index + number).isascii() or not index.isdecimal() or not number.isdecimal():
            raise LocatorError(address, "an APFS address is the number of a volume, a dot, the number of an inode")
        volume = self._volumes.get(int(index))
        if volume is None:
            raise LocatorError(address, "there is no such volume")
        if volume.locked:
            raise LockedError(f"the APFS volume {volume.facts.name!r}", _needed(volume))
        inode = _inode(volume, int(number))
        if inode is None:
            raise LocatorError(address, "there is no such inode")
        if part:
            return open_attribute(volume, inode.attributes[RESOURCE_FORK])
        return open_inode(volume, inode)

    def unallocated(self) -> Iterator[Extent]:
        yield from self._container.free_extents()


def _inode(volume: Volume, number: int) -> Inode | None:
    inode: Inode | None = None
    for key, value in volume.records_of(number):
        kind = key[7] >> 4
        if kind == 3:
            inode = parse_inode(number, value)
        elif inode is not None:
            add_record(inode, kind, key, value)
    return inode


class _Listing:
    """One walk over the records of a volume."""

    def __init__(self, volume: Volume, name: str) -> None:
        self._volume = volume
        self._places: dict[int, _Place] = {
            ROOT: _Place(name, None, False),
            PRIVATE: _Place(f"{name}/private-dir", None, True),
        }
        self._readable = not volume.facts.encrypted

    def entries(self) -> Iterator[Entry | Notice]:
        for inode, stored in gather(self._volume.records().scan()):
            if inode.number in (ROOT, PRIVATE):
                continue
            try:
                yield from self._entries_of(inode, stored)
            except KavalError as error:
                yield _notice_of(error, f"{self._volume.facts.index}.{inode.number}")

    def _entries_of(self, inode: Inode, stored: Stored) -> Iterator[Entry | Notice]:
        """Yield an entry for each name of an inode, and for its resource fork."""
        entry = self._entry(inode, stored)
        names = [(sibling.number, sibling.parent, sibling.name) for sibling in inode.siblings]
        for sibling, parent, name in names or [(0, inode.parent, inode.name)]:
            place = self._place_below(parent, name)
            address = f"{entry.address}@{sibling}" if sibling else entry.address
            if place.raw is not None and self._place(parent, 0).raw is None:
                message = "the name is no UTF-8; its bytes are kept beside it"
                yield Notice(code=NoticeCode.NAME_UNDECODABLE, message=message, address=address)
            yield replace(
                entry,
                address=address,
                path=place.path,
                path_raw=place.raw,
                parent=None if parent == ROOT else f"{self._volume.facts.index}.{parent}",
                state=EntryState.ORPHAN if place.unlinked else EntryState.ALLOCATED,
            )
        if RESOURCE_FORK in inode.attributes and not inode.compressed:
            yield self._fork(
                inode, entry, self._place_below(*(names[0] if names else (0, inode.parent, inode.name))[1:])
            )

    def _entry(self, inode: Inode, stored: Stored) -> Entry:
        kind = _KINDS.get(inode.mode & 0xF000, EntryKind.UNKNOWN)
        size, content, target = 0, ContentState.NONE, None
        extents: tuple[Extent, ...] | None = ()
        if kind is EntryKind.FILE:
            size, content, extents = self._stream(inode, stored)
        elif kind is EntryKind.SYMLINK and LINK_TARGET in inode.attributes:
            source = open_attribute(self._volume, inode.attributes[LINK_TARGET])
            raw = source.read_at(0, 4096).rstrip(b"\0")
            target, size = raw.decode("utf-8", "replace"), len(raw)
        return Entry(
            address=f"{self._volume.facts.index}.{inode.number}",
            path="",
            kind=kind,
            size=size,
            state=EntryState.ALLOCATED,
            content=content,
            times=inode.times(),
            extents=extents,
            link_target=target,
            mode=inode.mode,
            owner=str(inode.owner),
            group=str(inode.group),
        )

    def _stream(self, inode: Inode, stored: Stored) -> tuple[int, ContentState, tuple[Extent, ...] | None]:
        """Return size, state and extents of a file; none where its bytes are not kept as they are."""
        if inode.compressed and COMPRESSION in inode.attributes:
            size = unpacked_size(self._volume, inode)
            extents: tuple[Extent, ...] | None = None
        else:
            size, extents = inode.size, None
            if self._readable and size < _MAXIMUM_SIZE:
                own = stored if inode.stream == inode.number and not self._volume.facts.sealed else None
                found = own if own is not None else self._volume.stored_extents(inode.stream)
                extents = plain_extents(found, size, self._volume.container.blocks.block_size)
        if size >= _MAXIMUM_SIZE:
            raise CorruptStructureError("APFS inode", f"inode {inode.number} claims {size} bytes")
        locked = self._volume.facts.encrypted and not self._volume.facts.one_key
        return size, ContentState.ENCRYPTED if locked else ContentState.INTACT, extents

    def _fork(self, inode: Inode, entry: Entry, place: _Place) -> Entry:
        attribute = inode.attributes[RESOURCE_FORK]
        source = open_attribute(self._volume, attribute)
        extents = None
        if attribute.stream and self._readable:
            found = self._volume.stored_extents(attribute.stream)
            extents = plain_extents(found, source.size, self._volume.container.blocks.block_size)
        return replace(
            entry,
            address=f"{entry.address}~rsrc",
            path=f"{place.path}/{_FORK_NAME}",
            path_raw=None if place.raw is None else place.raw + b"/" + _FORK_NAME.encode(),
            kind=EntryKind.STREAM,
            size=source.size,
            content=ContentState.INTACT,
            extents=extents,
            link_target=None,
        )

    def _place_below(self, parent: int, name: bytes) -> _Place:
        above = self._place(parent, 0)
        shown = name.decode("utf-8", "replace").replace("/", "\ufffd")
        raw = None
        if above.raw is not None or "\ufffd" in shown:
            raw = (above.raw if above.raw is not None else above.path.encode()) + b"/" + name
        return _Place(f"{above.path}/{shown}", raw, above.unlinked)

    def _place(self, number: int, depth: int) -> _Place:
        """Return where a directory stands; one that cannot be found, or lies in itself, stands nowhere."""
        if number in self._places:
            return self._places[number]
        inode = _inode(self._volume, number) if depth < _MAXIMUM_DEPTH else None
        if inode is None:
            place = _Place(f"{self._places[ROOT].path}/unknown directory {number}", None, True)
        else:
            self._places[number] = _Place(f"{self._places[ROOT].path}/unknown directory {number}", None, True)
            self._place(inode.parent, depth + 1)
            place = self._place_below(inode.parent, inode.name)
        self._places[number] = place
        return place


def _notice_of(error: KavalError, address: str) -> Notice:
    code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
    return Notice(
        code=code,
        message=str(error),
        address=address,
        offset=getattr(error, "offset", None),
        structure=getattr(error, "structure", None),
    )


def _distinct_names(volumes: list[Volume]) -> dict[int, str]:
    """Return for each volume the name its paths start with; a name that occurs twice is numbered."""
    names: dict[int, str] = {}
    for volume in volumes:
        name = volume.facts.name.replace("/", "\ufffd") or f"volume {volume.facts.index}"
        names[volume.facts.index] = f"{name} ({volume.facts.index})" if name in names.values() else name
    return names


def _facts_of(container: Container, volumes: list[Volume], names: dict[int, str]) -> dict[str, str]:
    superblock = container.superblock
    facts = {
        "uuid": str(UUID(bytes=superblock.uuid)),
        "block size": str(superblock.block_size),
        "blocks": str(superblock.block_count),
        "checkpoint": str(superblock.transaction),
    }
    for volume in volumes:
        words = [f"{volume.facts.files} files, {volume.facts.directories} directories"]
        words += [volume.facts.role] if volume.facts.role else []
        words += ["sealed"] if volume.facts.sealed else []
        words += ["encrypted"] if volume.facts.encrypted else []
        words += ["locked"] if volume.locked else []
        facts[f"volume {names[volume.facts.index]}"] = ", ".join(words)
        if volume.facts.snapshots and not volume.locked:
            found = volume.snapshot_names()
            more = [f"and {len(found) - _SNAPSHOTS_TOLD} more"] if len(found) > _SNAPSHOTS_TOLD else []
            facts[f"snapshots of {names[volume.facts.index]}"] = ", ".join(found[:_SNAPSHOTS_TOLD] + more)
    return facts
