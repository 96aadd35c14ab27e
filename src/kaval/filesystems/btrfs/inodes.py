"""Inodes of a subvolume: the items of one object, put together ("On-disk Format", "Files and directories")."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Times
from kaval.filesystems.btrfs.trees import Item

INODE, REFERENCE, LONG_REFERENCE, EXTENT = 1, 12, 13, 108
INLINE, REGULAR, RESERVED = 0, 1, 2
_INODE = struct.Struct("<16xQ16xIIII8xQ40xqIqIqIqI")
_INLINE_HEAD, _REGULAR_SIZE = 21, 53


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One extent of a file; ``start`` is its place in the stream, ``address`` its logical byte (0 for a hole).

    Of a compressed extent the ``stored_length`` bytes at ``address`` unpack to what ``skip`` and ``length`` cut from.
    """

    start: int
    length: int
    kind: int
    compression: int
    encryption: int
    address: int
    stored_length: int
    skip: int


@dataclass(kw_only=True, slots=True)
class Inode:
    """One file or directory; ``names`` are pairs of the parent's number and a name."""

    number: int
    size: int
    links: int
    owner: int
    group: int
    mode: int
    flags: int
    times: Times
    names: list[tuple[int, bytes]] = field(default_factory=list)
    extents: list[Stored] = field(default_factory=list)


def parse_inode(number: int, content: bytes) -> Inode:
    """Return an inode without names and extents.

    Raises:
        CorruptStructureError: The item is too short.
    """
    if len(content) < 160:
        raise CorruptStructureError("Btrfs inode", f"the item of inode {number} has {len(content)} bytes only")
    size, links, owner, group, mode, flags, *times = _INODE.unpack_from(content)
    accessed, changed, modified, created = (times[at] * 1_000_000_000 + times[at + 1] for at in range(0, 8, 2))
    return Inode(
        number=number,
        size=size,
        links=links,
        owner=owner,
        group=group,
        mode=mode,
        flags=flags,
        times=Times(
            modified=modified,
            accessed=accessed,
            changed=changed,
            created=created or None,
            zone="utc",
            resolution="m=1ns a=1ns c=1ns b=1ns",
        ),
    )


def gather(items: Iterable[Item]) -> Iterator[Inode]:
    """Yield each inode with its names and extents, from items in the order of the tree."""
    inode: Inode | None = None
    for item in items:
        number, kind, _ = item.key
        if inode is not None and number != inode.number:
            yield inode
            inode = None
        if kind == INODE and inode is None:
            inode = parse_inode(number, item.content)
        elif inode is not None:
            _add(inode, item)
    if inode is not None:
        yield inode


def _add(inode: Inode, item: Item) -> None:
    _, kind, offset = item.key
    if kind == REFERENCE:
        inode.names += [(offset, name) for name in _names(item.content, 10)]
    elif kind == LONG_REFERENCE:
        place = 0
        while place + 18 <= len(item.content):
            parent, length = struct.unpack_from("<Q8xH", item.content, place)
            inode.names.append((parent, item.content[place + 18 : place + 18 + length]))
            place += 18 + length
    elif kind == EXTENT:
        stored = _extent(offset, item)
        if stored is not None:
            inode.extents.append(stored)


def _names(content: bytes, head: int) -> Iterator[bytes]:
    place = 0
    while place + head <= len(content):
        (length,) = struct.unpack_from("<H", content, place + head - 2)
        yield content[place + head : place + head + length]
        place += head + length


def _extent(start: int, item: Item) -> Stored | None:
    content = item.content
    if len(content) < _INLINE_HEAD:
        return None
    unpacked, compression, encryption, kind = struct.unpack_from("<8xQBB2xB", content)
    if kind == INLINE:
        return Stored(
            start=start,
            length=unpacked,
            kind=kind,
            compression=compression,
            encryption=encryption,
            address=item.address + _INLINE_HEAD,
            stored_length=len(content) - _INLINE_HEAD,
            skip=0,
        )
    if len(content) < _REGULAR_SIZE:
        return None
    address, stored_length, skip, length = struct.unpack_from("<4Q", content, _INLINE_HEAD)
    return Stored(
        start=start,
        length=length,
        kind=kind,
        compression=compression,
        encryption=encryption,
        address=address,
        stored_length=stored_length,
        skip=skip,
    )
