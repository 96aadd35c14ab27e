"""Inodes and where their bytes lie ("Node Address Translation", "Index Structure")."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Extent, Times
from kaval.filesystems.f2fs.volume import BLOCK, FLEXIBLE_INLINE_XATTR, Volume

_INLINE_XATTR, _INLINE_DATA, _INLINE_DENTRY, _EXTRA = 0x1, 0x2, 0x4, 0x20
_ENCRYPTED = 0x4
_COMPRESSED_FLAG, _CASEFOLD_FLAG = 0x4, 0x40000000
_ADDRESSES, _ADDRESSES_AT, _NODES_AT = 923, 360, 4052
_PER_NODE = 1018
_DEFAULT_XATTR = 50
_NEW, _PACKED = 0xFFFFFFFF, 0xFFFFFFFE
_MAXIMUM_SIZE = 1 << 45

ReadNode = Callable[[int], bytes]
Addresses = npt.NDArray[np.int64]


class Footer(NamedTuple):
    """What the end of a node block says of it."""

    number: int
    inode: int
    flag: int
    version: int


def footer_of(block: bytes) -> Footer:
    """Return the footer of a node block."""
    number, inode, flag, version = struct.unpack_from("<IIIQ", block, BLOCK - 24)
    return Footer(number, inode, flag, version)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inode:
    """One inode; ``block`` is where it lies, ``name`` and ``parent`` are those it had when it was written last.

    ``inline`` is place and length of the space for data inside the inode, ``addresses`` the blocks it names itself.
    """

    number: int
    block: int
    mode: int
    owner: int
    group: int
    links: int
    size: int
    generation: int
    parent: int
    name: bytes
    times: Times
    encrypted: bool
    compressed: bool
    casefolded: bool
    has_inline_data: bool
    has_inline_names: bool
    inline: tuple[int, int]
    addresses: Addresses
    nodes: tuple[int, ...]
    per_node: int
    version: int


def parse_inode(raw: bytes, block: int, features: int) -> Inode:
    """Return the inode in a node block.

    Raises:
        CorruptStructureError: The block holds none.
    """
    footer = footer_of(raw)
    mode, advise, inline, owner, group, links, size = struct.unpack_from("<HBBIIIQ", raw)
    accessed, changed, modified, accessed_ns, changed_ns, modified_ns, generation = struct.unpack_from("<3Q4I", raw, 32)
    flags, parent, name_length = struct.unpack_from("<III", raw, 80)
    extra = struct.unpack_from("<H", raw, _ADDRESSES_AT)[0] if inline & _EXTRA else 0
    if footer.number != footer.inode or extra % 4 or extra > 400 or name_length > 255:
        raise CorruptStructureError("F2FS inode", "the block holds none", block * BLOCK)
    created = None
    if extra >= 24:
        seconds, nanoseconds = struct.unpack_from("<QI", raw, _ADDRESSES_AT + 12)
        created = seconds * 1_000_000_000 + nanoseconds if seconds or nanoseconds else None
    xattr = _xattr_size(raw, inline, features)
    first = extra // 4
    count = max(0, _ADDRESSES - first - xattr)
    compressed = bool(flags & _COMPRESSED_FLAG) and extra >= 36
    per_node = _PER_NODE
    if compressed:
        cluster = 1 << min(raw[_ADDRESSES_AT + 33], 8)
        count, per_node = count // cluster * cluster, per_node // cluster * cluster
    return Inode(
        number=footer.number,
        block=block,
        mode=mode,
        owner=owner,
        group=group,
        links=links,
        size=size,
        generation=generation,
        parent=parent,
        name=raw[92 : 92 + name_length],
        times=Times(
            modified=modified * 1_000_000_000 + modified_ns,
            accessed=accessed * 1_000_000_000 + accessed_ns,
            changed=changed * 1_000_000_000 + changed_ns,
            created=created,
            zone="utc",
            resolution="m=1ns a=1ns c=1ns" + ("" if created is None else " b=1ns"),
        ),
        encrypted=bool(advise & _ENCRYPTED),
        compressed=compressed,
        casefolded=bool(flags & _CASEFOLD_FLAG),
        has_inline_data=bool(inline & _INLINE_DATA),
        has_inline_names=bool(inline & _INLINE_DENTRY),
        inline=(_ADDRESSES_AT + 4 * (first + 1), max(0, 4 * (_ADDRESSES - first - xattr - 1))),
        addresses=np.frombuffer(raw, "<u4", count, _ADDRESSES_AT + 4 * first).astype(np.int64),
        nodes=struct.unpack_from("<5I", raw, _NODES_AT),
        per_node=per_node,
        version=footer.version,
    )


def _xattr_size(raw: bytes, inline: int, features: int) -> int:
    """Return how many addresses at the end of an inode's own are given to extended attributes."""
    if features & FLEXIBLE_INLINE_XATTR and inline & _EXTRA:
        return min(int(struct.unpack_from("<H", raw, _ADDRESSES_AT + 2)[0]), _ADDRESSES)
    return _DEFAULT_XATTR if inline & (_INLINE_XATTR | _INLINE_DENTRY) else 0


class Piece(NamedTuple):
    """Blocks of a file in order, from block ``logical`` on, as node ``owner`` names them; holes are 0."""

    owner: int
    logical: int
    addresses: Addresses


def pieces_of(inode: Inode, read_node: ReadNode) -> Iterator[Piece]:
    """Yield the blocks of an inode as far as its size goes; ``read_node`` gives the node of a number.

    Raises:
        CorruptStructureError: A node is missing or comes twice.
    """
    wanted = -(-inode.size // BLOCK)
    yield Piece(inode.number, 0, inode.addresses[:wanted])
    logical = len(inode.addresses)
    seen: set[int] = set()
    for number, depth in zip(inode.nodes, (1, 1, 2, 2, 3), strict=True):
        if logical >= wanted:
            return
        yield from _node_pieces(inode, number, depth, logical, wanted, read_node, seen)
        logical += inode.per_node * _PER_NODE ** (depth - 1)


def _node_pieces(
    inode: Inode, number: int, depth: int, logical: int, wanted: int, read_node: ReadNode, seen: set[int]
) -> Iterator[Piece]:
    if not number or logical >= wanted:
        return
    if number in seen:
        raise CorruptStructureError("F2FS node", f"node {number} comes twice in inode {inode.number}")
    seen.add(number)
    block = read_node(number)
    footer = footer_of(block)
    if footer.number != number or footer.inode != inode.number:
        raise CorruptStructureError("F2FS node", f"what should be node {number} of inode {inode.number} is another")
    values = np.frombuffer(block, "<u4", _PER_NODE).astype(np.int64)
    if depth == 1:
        yield Piece(number, logical, values[: min(inode.per_node, wanted - logical)])
        return
    span = inode.per_node * _PER_NODE ** (depth - 2)
    for place in np.flatnonzero(values).tolist():
        yield from _node_pieces(inode, int(values[place]), depth - 1, logical + place * span, wanted, read_node, seen)


def runs_of(inode: Inode, volume: Volume, read_node: ReadNode) -> Iterator[tuple[int, int, int]]:
    """Yield block of the file, block and number of each run of blocks that are stored, in order.

    Raises:
        CorruptStructureError: The map contradicts itself, or leads outside the main area.
    """
    low, high = volume.superblock.main, volume.superblock.block_count
    for piece in pieces_of(inode, read_node):
        places = np.flatnonzero((piece.addresses != 0) & (piece.addresses != _NEW))
        if not len(places):
            continue
        blocks = piece.addresses[places]
        if (blocks == _PACKED).any():
            raise CorruptStructureError(
                "F2FS map", f"inode {inode.number} has packed blocks and is not called compressed"
            )
        if blocks.min() < low or blocks.max() >= high:
            raise CorruptStructureError("F2FS map", f"inode {inode.number} leads to a block outside the main area")
        breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(blocks) != 1)) + 1
        starts, ends = [0, *breaks.tolist()], [*breaks.tolist(), len(places)]
        for start, end in zip(starts, ends, strict=True):
            yield piece.logical + int(places[start]), int(blocks[start]), end - start


def stream_extents(inode: Inode, volume: Volume, read_node: ReadNode) -> tuple[Extent, ...]:
    """Return the extents of an inode's bytes; they add up to its size.

    Raises:
        CorruptStructureError: The size is impossible, or the map contradicts itself.
    """
    if inode.size > _MAXIMUM_SIZE:
        raise CorruptStructureError(
            "F2FS inode", f"inode {inode.number} claims {inode.size} bytes", inode.block * BLOCK
        )
    if inode.has_inline_data:
        start, room = inode.inline
        if inode.size > room:
            raise CorruptStructureError("F2FS inode", f"{inode.size} bytes do not fit into it", inode.block * BLOCK)
        return (Extent(offset=inode.block * BLOCK + start, length=inode.size),) if inode.size else ()
    extents: list[Extent] = []
    position = 0
    for logical, block, count in runs_of(inode, volume, read_node):
        start = logical * BLOCK
        if start > position:
            extents.append(Extent(offset=0, length=start - position, sparse=True))
        length = min(count * BLOCK, inode.size - start)
        last = extents[-1] if extents else None
        if last is not None and not last.sparse and start == position and last.offset + last.length == block * BLOCK:
            extents[-1] = Extent(offset=last.offset, length=last.length + length)
        else:
            extents.append(Extent(offset=block * BLOCK, length=length))
        position = start + length
    if position < inode.size:
        extents.append(Extent(offset=0, length=inode.size - position, sparse=True))
    return tuple(extents)
