"""Inodes and where their bytes lie ("On-disk Inode", "Data Extents")."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Extent, Times
from kaval.filesystems.xfs.volume import Volume, walk

LOCAL, EXTENTS, TREE = 1, 2, 3
REALTIME_FLAG = 1
_BIG_TIME, _MANY_EXTENTS = 0x8, 0x10
_MAP_MAGICS = (b"BMAP", b"BMA3")
_EPOCH = -(1 << 31) * 1_000_000_000
_MAXIMUM_RUNS = 1 << 22


class Run(NamedTuple):
    """Blocks that lie side by side: block of the file, byte of the device, number; reserved ones read as zeros."""

    logical: int
    offset: int
    length: int
    reserved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Inode:
    """One inode; ``offset`` is the byte it lies at, ``fork`` its own space for data, at ``fork_offset`` in it."""

    number: int
    offset: int
    mode: int
    format: int
    owner: int
    group: int
    links: int
    size: int
    flags: int
    generation: int
    extent_count: int
    times: Times
    fork: bytes
    fork_offset: int


def parse_inode(raw: bytes, number: int, offset: int) -> Inode:
    """Return the inode in these bytes.

    Raises:
        CorruptStructureError: They are none.
    """
    if raw[:2] != b"IN":
        raise CorruptStructureError("XFS inode", f"inode {number} has no signature", offset)
    mode, version, form, _, owner, group, links = struct.unpack_from(">HBBHIII", raw, 2)
    accessed, modified, changed = struct.unpack_from(">3Q", raw, 32)
    size, _, _, count = struct.unpack_from(">QQII", raw, 56)
    flags = struct.unpack_from(">H", raw, 90)[0]
    created, flags2, head = None, 0, 0x64
    if version >= 3:
        head = 0xB0
        flags2, created = struct.unpack_from(">Q", raw, 120)[0], struct.unpack_from(">Q", raw, 144)[0]
        if flags2 & _MANY_EXTENTS:
            count = struct.unpack_from(">Q", raw, 24)[0]
    big = bool(flags2 & _BIG_TIME)
    end = head + raw[82] * 8 if raw[82] else len(raw)
    return Inode(
        number=number,
        offset=offset,
        mode=mode,
        format=form,
        owner=owner,
        group=group,
        links=links,
        size=size,
        flags=flags,
        generation=struct.unpack_from(">I", raw, 92)[0],
        extent_count=count,
        times=Times(
            modified=_moment(modified, big),
            accessed=_moment(accessed, big),
            changed=_moment(changed, big),
            created=None if created is None else _moment(created, big),
            zone="utc",
            resolution="m=1ns a=1ns c=1ns" + ("" if created is None else " b=1ns"),
        ),
        fork=raw[head : min(end, len(raw))],
        fork_offset=head,
    )


def _moment(stored: int, big: bool) -> int:
    if big:
        return stored + _EPOCH
    seconds = (stored >> 32) - (1 << 32 if stored >> 63 else 0)
    return seconds * 1_000_000_000 + (stored & 0xFFFFFFFF)


def parse_run(record: bytes, volume: Volume) -> Run:
    """Return the run in a record of a map.

    Raises:
        CorruptStructureError: It has no blocks, or lies outside the file system.
    """
    high, low = struct.unpack(">QQ", record)
    block, count = (high & 0x1FF) << 43 | low >> 21, low & 0x1FFFFF
    offset = volume.place(block)
    within = block & (1 << volume.superblock.group_bits) - 1
    if not count or within + count > volume.superblock.group_blocks:
        raise CorruptStructureError("XFS extent", f"{count} blocks at block {block} are no extent")
    return Run(high >> 9 & (1 << 54) - 1, offset, count, bool(high >> 63))


def runs_of(volume: Volume, inode: Inode) -> Iterator[Run]:
    """Yield the runs of an inode's data, in order.

    Raises:
        CorruptStructureError: The map contradicts itself.
    """
    last = 0
    for number, record in enumerate(_records(volume, inode)):
        run = parse_run(record, volume)
        if run.logical < last or number > _MAXIMUM_RUNS:
            raise CorruptStructureError("XFS extents", f"those of inode {inode.number} go back to block {run.logical}")
        last = run.logical + run.length
        yield run


def _records(volume: Volume, inode: Inode) -> Iterator[bytes]:
    if inode.format == EXTENTS:
        if inode.extent_count * 16 > len(inode.fork):
            reason = f"inode {inode.number} claims {inode.extent_count} extents in {len(inode.fork)} bytes"
            raise CorruptStructureError("XFS extents", reason, inode.offset)
        for index in range(inode.extent_count):
            yield inode.fork[index * 16 : index * 16 + 16]
    elif inode.format == TREE:
        level, count = struct.unpack_from(">HH", inode.fork)
        at = 4 + (len(inode.fork) - 4) // 16 * 8
        if at + count * 8 > len(inode.fork) or not level:
            raise CorruptStructureError("XFS extents", f"the map of inode {inode.number} has no root", inode.offset)
        head = 72 if volume.superblock.checked else 24
        for block in struct.unpack_from(f">{count}Q", inode.fork, at):
            yield from walk(
                volume, block, volume.place, _MAP_MAGICS, head=head, record=16, key=8, pointer=8, level=level - 1
            )


def stream_extents(runs: Iterator[Run], size: int, block_size: int) -> tuple[Extent, ...]:
    """Return runs as extents in bytes that add up to ``size``: holes and reserved blocks are sparse."""
    extents: list[Extent] = []
    position = 0
    for run in runs:
        start = run.logical * block_size
        if start >= size:
            break
        if start > position:
            extents.append(Extent(offset=0, length=start - position, sparse=True))
        length = min(run.length * block_size, size - start)
        extents.append(Extent(offset=0 if run.reserved else run.offset, length=length, sparse=run.reserved))
        position = start + length
    if position < size:
        extents.append(Extent(offset=0, length=size - position, sparse=True))
    return tuple(extents)
