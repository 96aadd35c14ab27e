"""Inodes: the records of one object, put together ("File-System Objects", "Extended Fields")."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Extent, Times
from kaval.filesystems.apfs.volume import OBJECT_MASK

ROOT, PRIVATE = 2, 3
INODE, XATTR, SIBLING, EXTENT = 3, 4, 5, 8
_INODE = struct.Struct("<QQQQQQQiIIIIIHHQ")
_NAME_FIELD, _STREAM_FIELD = 4, 8
_COMPRESSED = 0x20
_HAS_UNCOMPRESSED_SIZE = 0x40000
_EMBEDDED = 2
COMPRESSION, RESOURCE_FORK, LINK_TARGET = b"com.apple.decmpfs", b"com.apple.ResourceFork", b"com.apple.fs.symlink"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """An extended attribute: its bytes, or number and size of the stream that holds them."""

    content: bytes = b""
    stream: int = 0
    size: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sibling:
    """One of several names of a file."""

    number: int
    parent: int
    name: bytes


@dataclass(kw_only=True, slots=True)
class Inode:
    """One file, directory or link; ``stream`` is the number its extents are kept under, ``size`` that of its bytes."""

    number: int
    parent: int
    stream: int
    name: bytes
    mode: int
    owner: int
    group: int
    size: int
    links: int
    flags: int
    compressed: bool
    modified: int
    accessed: int
    changed: int
    created: int
    attributes: dict[bytes, Attribute] = field(default_factory=dict)
    siblings: list[Sibling] = field(default_factory=list)

    def times(self) -> Times:
        return Times(
            modified=self.modified,
            accessed=self.accessed,
            changed=self.changed,
            created=self.created,
            zone="utc",
            resolution="m=1ns a=1ns c=1ns b=1ns",
        )


def parse_inode(number: int, value: bytes) -> Inode:
    """Return an inode without its attributes and further names.

    Raises:
        CorruptStructureError: The record is too short.
    """
    if len(value) < _INODE.size:
        raise CorruptStructureError("APFS inode", f"the record of inode {number} has {len(value)} bytes only")
    (
        parent, stream, created, modified, changed, accessed, internal, links, _, _, flags, owner, group, mode, _,
        unpacked,
    ) = _INODE.unpack_from(value)  # fmt: skip
    name, size = b"", 0
    for kind, content in _extended_fields(value[_INODE.size :]):
        if kind == _NAME_FIELD:
            name = content.rstrip(b"\0")
        elif kind == _STREAM_FIELD and len(content) >= 8:
            (size,) = struct.unpack_from("<Q", content)
    return Inode(
        number=number,
        parent=parent,
        stream=stream,
        name=name,
        mode=mode,
        owner=owner,
        group=group,
        size=unpacked if internal & _HAS_UNCOMPRESSED_SIZE else size,
        links=links,
        flags=flags,
        compressed=bool(flags & _COMPRESSED) and mode & 0xF000 == 0x8000,
        modified=modified,
        accessed=accessed,
        changed=changed,
        created=created,
    )


def _extended_fields(blob: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each extended field."""
    if len(blob) < 4:
        return
    (count,) = struct.unpack_from("<H", blob)
    place = 4 + 4 * count
    for index in range(min(count, (len(blob) - 4) // 4)):
        kind, _, size = struct.unpack_from("<BBH", blob, 4 + 4 * index)
        yield kind, blob[place : place + size]
        place += (size + 7) & ~7


def add_record(inode: Inode, kind: int, key: bytes, value: bytes) -> None:
    """Add what a further record of the same object tells."""
    if kind == XATTR and len(key) >= 10 and len(value) >= 4:
        name = key[10:].split(b"\0")[0]
        flags, length = struct.unpack_from("<HH", value)
        if flags & _EMBEDDED:
            inode.attributes[name] = Attribute(content=value[4 : 4 + length])
        elif len(value) >= 20:
            stream, size = struct.unpack_from("<QQ", value, 4)
            inode.attributes[name] = Attribute(stream=stream, size=size)
    elif kind == SIBLING and len(key) >= 16 and len(value) >= 10:
        parent, length = struct.unpack_from("<QH", value)
        name = value[10 : 10 + length].rstrip(b"\0")
        inode.siblings.append(Sibling(number=struct.unpack_from("<Q", key, 8)[0], parent=parent, name=name))


def gather(records: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[Inode, list[tuple[int, int, int, int]]]]:
    """Yield each inode with the extents that stand beside it, from records in the order of the tree."""
    inode: Inode | None = None
    extents: list[tuple[int, int, int, int]] = []
    for key, value in records:
        if len(key) < 8:
            raise CorruptStructureError("APFS tree", "a key is too short")
        number, kind = int.from_bytes(key[:8], "little") & OBJECT_MASK, key[7] >> 4
        if inode is not None and number != inode.number:
            yield inode, extents
            inode, extents = None, []
        if kind == INODE and inode is None:
            inode = parse_inode(number, value)
        elif inode is not None and kind == EXTENT and len(key) >= 16 and len(value) >= 24:
            length, block, unit = struct.unpack_from("<QQQ", value)
            extents.append((struct.unpack_from("<Q", key, 8)[0], length & 0x00FFFFFFFFFFFFFF, block, unit))
        elif inode is not None:
            add_record(inode, kind, key, value)
    if inode is not None:
        yield inode, extents


def plain_extents(stored: Iterable[tuple[int, int, int, int]], size: int, block_size: int) -> tuple[Extent, ...]:
    """Return extents in bytes of the container that add up to ``size``; holes are sparse.

    Raises:
        CorruptStructureError: The extents go backwards.
    """
    extents = []
    place = 0
    for start, stored_length, block, _ in stored:
        if start < place:
            raise CorruptStructureError("APFS extents", f"they go back to byte {start} of the stream")
        if start >= size:
            break
        if start > place:
            extents.append(Extent(offset=0, length=start - place, sparse=True))
        length = min(stored_length, size - start)
        if length:
            extents.append(Extent(offset=block * block_size, length=length, sparse=not block))
        place = start + length
    if place < size:
        extents.append(Extent(offset=0, length=size - place, sparse=True))
    return tuple(extents)
