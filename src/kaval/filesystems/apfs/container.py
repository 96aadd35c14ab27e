"""A container: superblock, map of objects, volumes, free space (Apple File System Reference, "Container")."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kaval.core.errors import CorruptStructureError, KavalError, UnreadableError
from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.apfs.objects import Blocks, BTree, checksum_fits

_FUSION = 0x100
_SUPERBLOCK, _CHECKPOINT_MAP, _SPACE_MANAGER, _VOLUME = 1, 12, 5, 13
_MAXIMUM_DESCRIPTORS = 1 << 16
_MAXIMUM_VOLUMES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class NxSuperblock:
    """What the superblock of a container says; addresses are blocks."""

    transaction: int
    block_size: int
    block_count: int
    incompatible: int
    uuid: bytes
    descriptor_base: int
    descriptor_blocks: int
    space_manager: int
    object_map: int
    volumes: tuple[int, ...]
    keybag: tuple[int, int]


def parse_superblock(block: bytes) -> NxSuperblock | None:
    """Return the superblock in a block, ``None`` if it is none that could be worked with."""
    if len(block) < 1408 or block[32:36] != b"NXSB":
        return None
    block_size, block_count = struct.unpack_from("<IQ", block, 36)
    if block_size not in (4096, 8192, 16384, 32768, 65536) or not block_count:
        return None
    return NxSuperblock(
        transaction=struct.unpack_from("<Q", block, 16)[0],
        block_size=block_size,
        block_count=block_count,
        incompatible=struct.unpack_from("<Q", block, 64)[0],
        uuid=block[72:88],
        descriptor_base=struct.unpack_from("<Q", block, 112)[0],
        descriptor_blocks=struct.unpack_from("<I", block, 104)[0],
        space_manager=struct.unpack_from("<Q", block, 152)[0],
        object_map=struct.unpack_from("<Q", block, 160)[0],
        volumes=tuple(number for number in struct.unpack_from("<100Q", block, 184) if number),
        keybag=struct.unpack_from("<QQ", block, 1296),
    )


class ObjectMap:
    """Finds the block of a virtual object as of a transaction ("Object Maps")."""

    def __init__(self, blocks: Blocks, address: int) -> None:
        block = blocks.read(address)
        self._tree = BTree(blocks, struct.unpack_from("<Q", block, 48)[0], order=_pair, fixed=(16, 16))

    def find(self, number: int, transaction: int) -> int:
        """Return the block of the newest version that is not newer than the transaction.

        Raises:
            CorruptStructureError: The map does not know the object.
        """
        found = self._tree.last_not_above((number, transaction))
        if found is None or len(found[1]) < 16 or _pair(found[0])[0] != number:
            raise CorruptStructureError("APFS object map", f"object {number} is not in it")
        address: int = struct.unpack_from("<Q", found[1], 8)[0]
        return address


def _pair(key: bytes) -> tuple[int, ...]:
    return struct.unpack_from("<QQ", key)


class Container:
    """An open container, at its newest checkpoint that is sound.

    Attributes:
        superblock: What it says of itself.
        blocks: Its blocks.
        notices: What could not be established on opening.
    """

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.notices: list[Notice] = []
        first = parse_superblock(source.read_at(0, 4096))
        if first is None:
            raise CorruptStructureError("APFS container", "its first block is no superblock that makes sense", 0)
        self.blocks = Blocks(source, first.block_size)
        self.superblock = self._newest(first)
        size = self.superblock.block_count * self.superblock.block_size
        if size > source.size:
            message = f"the container has {size} bytes, the image ends after {source.size}"
            self.notices.append(Notice(code=NoticeCode.TRUNCATED, message=message, offset=source.size))
        if self.superblock.incompatible & _FUSION:
            message = "this is one part of a Fusion drive; what lies on the other device cannot be read"
            self.notices.append(Notice(code=NoticeCode.UNAVAILABLE, message=message))

    @cached_property
    def objects(self) -> ObjectMap:
        """The map of the container's own objects."""
        return ObjectMap(self.blocks, self.superblock.object_map)

    def _descriptors(self, superblock: NxSuperblock) -> Iterator[bytes]:
        """Yield the sound blocks of the checkpoint descriptor area."""
        for index in range(min(superblock.descriptor_blocks & 0x7FFFFFFF, _MAXIMUM_DESCRIPTORS)):
            try:
                block = self.blocks.read(superblock.descriptor_base + index)
            except (CorruptStructureError, UnreadableError):
                return
            if checksum_fits(block):
                yield block

    def _newest(self, first: NxSuperblock) -> NxSuperblock:
        """Return the newest superblock whose object map is there; block zero may be older."""
        if first.descriptor_blocks & 0x80000000:
            message = "the checkpoint area is in pieces, which is not read here; an older state may be shown"
            self.notices.append(Notice(code=NoticeCode.UNSUPPORTED, message=message))
            return first
        candidates = [found for block in self._descriptors(first) if (found := parse_superblock(block)) is not None]
        candidates = [
            found for found in candidates if found.uuid == first.uuid and found.block_size == first.block_size
        ]
        for found in sorted(candidates, key=lambda found: -found.transaction):
            try:
                if checksum_fits(self.blocks.read(found.object_map)):
                    return found
            except (CorruptStructureError, UnreadableError):
                continue
        message = "no checkpoint is sound; the state of block zero is shown"
        self.notices.append(Notice(code=NoticeCode.DAMAGED, message=message, offset=0, structure="APFS checkpoint"))
        return first

    def volume_blocks(self) -> Iterator[tuple[int, bytes] | Notice]:
        """Yield number and superblock of each volume, or why there is none."""
        for place, number in enumerate(self.superblock.volumes[:_MAXIMUM_VOLUMES]):
            try:
                block = self.blocks.read(self.objects.find(number, self.superblock.transaction))
            except KavalError as error:
                yield Notice(code=NoticeCode.DAMAGED, message=f"volume {place} cannot be opened: {error}")
                continue
            if block[32:36] != b"APSB":
                yield Notice(code=NoticeCode.DAMAGED, message=f"volume {place} has no superblock")
                continue
            yield place, block

    def free_extents(self) -> Iterator[Extent]:
        """Yield the runs of blocks that the space manager calls free.

        Raises:
            CorruptStructureError: There is no space manager, or it contradicts itself.
        """
        size = self.superblock.block_size
        pending: Extent | None = None
        for first, count in self._free_runs():
            extent = Extent(offset=first * size, length=count * size)
            if pending is not None and pending.offset + pending.length == extent.offset:
                pending = Extent(offset=pending.offset, length=pending.length + extent.length)
                continue
            if pending is not None:
                yield pending
            pending = extent
        if pending is not None:
            yield pending

    def _space_manager(self) -> bytes:
        """Return the space manager of the checkpoint in use, as the checkpoint maps tell where it lies."""
        for block in self._descriptors(self.superblock):
            kind, transaction = struct.unpack_from("<H", block, 24)[0], struct.unpack_from("<Q", block, 16)[0]
            if kind != _CHECKPOINT_MAP or transaction != self.superblock.transaction:
                continue
            count = min(struct.unpack_from("<I", block, 36)[0], (len(block) - 40) // 40)
            for index in range(count):
                length, number, address = struct.unpack_from("<8xI12xQQ", block, 40 + 40 * index)
                if number == self.superblock.space_manager:
                    return self.blocks.read(address, max(1, length // self.superblock.block_size))
        raise CorruptStructureError("APFS space manager", "no checkpoint tells where it lies")

    def _free_runs(self) -> Iterator[tuple[int, int]]:
        manager = self._space_manager()
        cib_count, cab_count, offset = struct.unpack_from("<16xII8xI", manager, 48)
        last = 0
        for address in self._chunk_blocks(manager, cib_count, cab_count, offset):
            block = self.blocks.read(address)
            count = min(struct.unpack_from("<I", block, 36)[0], (len(block) - 40) // 32)
            for index in range(count):
                first, blocks, free, bitmap = struct.unpack_from("<8xQIIQ", block, 40 + 32 * index)
                if first < last or first + blocks > self.superblock.block_count:
                    raise CorruptStructureError("APFS space manager", f"a chunk claims blocks from {first} on")
                last = first + blocks
                if free:
                    yield from self._chunk(first, blocks, bitmap)

    def _chunk_blocks(self, manager: bytes, cib_count: int, cab_count: int, offset: int) -> Iterator[int]:
        """Yield the addresses of the chunk-info blocks, through address blocks where there are such."""
        count = cab_count or cib_count
        if offset + 8 * count > len(manager):
            raise CorruptStructureError("APFS space manager", f"it has no room for {count} addresses")
        addresses = struct.unpack_from(f"<{count}Q", manager, offset)
        if not cab_count:
            yield from addresses
            return
        for address in addresses:
            block = self.blocks.read(address)
            inner = min(struct.unpack_from("<I", block, 36)[0], (len(block) - 40) // 8)
            yield from struct.unpack_from(f"<{inner}Q", block, 40)

    def _chunk(self, first: int, count: int, bitmap: int) -> Iterator[tuple[int, int]]:
        if not bitmap:
            yield first, count
            return
        bits = np.unpackbits(np.frombuffer(self.blocks.read(bitmap), np.uint8), bitorder="little")[:count]
        edges = np.flatnonzero(np.diff(np.concatenate(([1], bits, [1])).astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield first + start, end - start
