"""The superblock, the allocation groups and their trees ("Allocation Groups", "B+trees")."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.sources import ByteSource

_MAXIMUM_LEVEL = 9
_FREE_MAGICS = (b"ABTB", b"AB3B")
_INODE_MAGICS = (b"IABT", b"IAB3")
_INODES_PER_CHUNK = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Superblock:
    """What the superblock says; sizes are bytes, ``group_blocks`` those of one allocation group."""

    version: int
    block_size: int
    block_count: int
    uuid: bytes
    label: str
    root_inode: int
    group_blocks: int
    group_count: int
    sector_size: int
    inode_size: int
    inodes_per_block: int
    group_bits: int
    inode_bits: int
    directory_block_size: int
    has_types: bool
    sparse_inodes: bool
    free_blocks: int

    @property
    def checked(self) -> bool:
        return self.version == 5


def parse_superblock(block: bytes) -> Superblock:
    """Return the superblock in a sector.

    Raises:
        CorruptStructureError: It is none, or could not be worked with.
    """
    if len(block) < 264 or block[:4] != b"XFSB":
        raise CorruptStructureError("XFS superblock", "it has no signature", 0)
    block_size, block_count = struct.unpack_from(">IQ", block, 4)
    root_inode = struct.unpack_from(">Q", block, 56)[0]
    group_blocks, group_count = struct.unpack_from(">II", block, 84)
    version, sector_size, inode_size, inodes_per_block = struct.unpack_from(">4H", block, 100)
    block_bits, _, _, inode_bits, group_bits = struct.unpack_from(">5B", block, 120)
    features2, incompatible = struct.unpack_from(">I", block, 200)[0], struct.unpack_from(">I", block, 216)[0]
    directory_bits = block[192]
    sound = (
        512 <= block_size <= 65536
        and block_size == 1 << block_bits
        and 256 <= inode_size <= min(2048, block_size)
        and inode_size * inodes_per_block == block_size
        and 1 << inode_bits == inodes_per_block
        and 512 <= sector_size <= 32768
        and 0 < group_blocks <= 1 << group_bits
        and group_bits <= 31
        and group_count == -(-block_count // group_blocks)
        and directory_bits <= 7
    )
    if not sound:
        raise CorruptStructureError("XFS superblock", "its sizes contradict each other", 0)
    number = version & 0xF
    return Superblock(
        version=number,
        block_size=block_size,
        block_count=block_count,
        uuid=block[32:48],
        label=block[108:120].split(b"\0")[0].decode("utf-8", "replace"),
        root_inode=root_inode,
        group_blocks=group_blocks,
        group_count=group_count,
        sector_size=sector_size,
        inode_size=inode_size,
        inodes_per_block=inodes_per_block,
        group_bits=group_bits,
        inode_bits=inode_bits,
        directory_block_size=block_size << directory_bits,
        has_types=bool(incompatible & 1 if number == 5 else version & 0x8000 and features2 & 0x200),
        sparse_inodes=number == 5 and bool(incompatible & 2),
        free_blocks=struct.unpack_from(">Q", block, 144)[0],
    )


class Volume:
    """An open volume: its blocks, and the trees of its allocation groups."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.superblock = parse_superblock(source.read_at(0, 512))

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly the bytes of a range."""
        content = self.source.read_at(offset, length)
        if len(content) < length:
            raise UnreadableError(offset + len(content), length - len(content), "the image ends before the file system")
        return content

    def place(self, block: int) -> int:
        """Return the byte a block lies at, by its number as inodes and maps give it: group and block in the group.

        Raises:
            CorruptStructureError: There is no such block.
        """
        group, within = block >> self.superblock.group_bits, block & (1 << self.superblock.group_bits) - 1
        number = group * self.superblock.group_blocks + within
        if within >= self.superblock.group_blocks or number >= self.superblock.block_count:
            raise CorruptStructureError("XFS block", f"block {block} lies outside the file system")
        return number * self.superblock.block_size

    def inode_place(self, number: int) -> int:
        """Return the byte an inode lies at."""
        superblock = self.superblock
        block, index = number >> superblock.inode_bits, number & superblock.inodes_per_block - 1
        try:
            return self.place(block) + index * superblock.inode_size
        except CorruptStructureError as error:
            raise CorruptStructureError("XFS inode", f"inode {number} lies outside the file system") from error

    def free_runs(self) -> Iterator[tuple[int, int]]:
        """Yield byte and length of each run of free space, in order."""
        size = self.superblock.block_size
        for group in range(self.superblock.group_count):
            start = group * self.superblock.group_blocks
            last = 0
            for record in self._records(group, 1, b"XAGF", 16, _FREE_MAGICS, 8, 8):
                first, count = struct.unpack(">II", record)
                if first < last or first + count > self.superblock.group_blocks:
                    raise CorruptStructureError(
                        "XFS free space", f"a run at block {first} of group {group} makes no sense"
                    )
                last = first + count
                yield (start + first) * size, count * size

    def inode_chunks(self) -> Iterator[tuple[int, int]]:
        """Yield number of the first of 64 inodes, and a mask of those that are free, for each chunk of inodes."""
        shift = self.superblock.group_bits + self.superblock.inode_bits
        for group in range(self.superblock.group_count):
            for record in self._records(group, 2, b"XAGI", 20, _INODE_MAGICS, 16, 4):
                first, counts, free = struct.unpack(">IIQ", record)
                if self.superblock.sparse_inodes:
                    free |= _holes(counts >> 16)
                yield group << shift | first, free

    def _records(
        self, group: int, sector: int, magic: bytes, root_at: int, magics: tuple[bytes, bytes], record: int, key: int
    ) -> Iterator[bytes]:
        """Yield the records of one of a group's own trees, whose root a header sector names."""
        start = group * self.superblock.group_blocks * self.superblock.block_size
        offset = start + sector * self.superblock.sector_size
        header = self.read(offset, self.superblock.sector_size)
        if header[:4] != magic:
            raise CorruptStructureError("XFS allocation group", f"group {group} has no header {magic.decode()}", offset)
        root = struct.unpack_from(">I", header, root_at)[0]

        def locate(block: int) -> int:
            return self.place(group << self.superblock.group_bits | block)

        head = 56 if self.superblock.checked else 16
        yield from walk(self, root, locate, magics, head=head, record=record, key=key, pointer=4)


def _holes(mask: int) -> int:
    """Return which of 64 inodes a hole mask says are not there; each of its bits stands for four."""
    return sum(0xF << 4 * bit for bit in range(16) if mask >> bit & 1)


def walk(
    volume: Volume,
    root: int,
    locate: Callable[[int], int],
    magics: tuple[bytes, bytes],
    *,
    head: int,
    record: int,
    key: int,
    pointer: int,
    level: int | None = None,
) -> Iterator[bytes]:
    """Yield the records of a B+tree in order. A child lies one level below its parent, and no block comes twice.

    Args:
        volume: Where the tree lies.
        root: Number of its root block.
        locate: Gives the byte a numbered block lies at.
        magics: Signatures its blocks may have.
        head: Size of a block's header.
        record: Size of a record of a leaf.
        key: Size of a key of an inner node.
        pointer: Size of a pointer of an inner node.
        level: Level the root is to have, where that is known.

    Raises:
        CorruptStructureError: A block is none of this tree, or comes twice.
    """
    seen: set[int] = set()
    pending = [(root, level)]
    while pending:
        number, wanted = pending.pop()
        offset = locate(number)
        block = volume.read(offset, volume.superblock.block_size)
        found, count = struct.unpack_from(">HH", block, 4)
        width = record if found == 0 else key + pointer
        fits = head + count * width <= len(block) and found <= _MAXIMUM_LEVEL and wanted in (None, found)
        if block[:4] not in magics or number in seen or not fits:
            raise CorruptStructureError("XFS tree", f"block {number} is no block of it", offset)
        seen.add(number)
        if found == 0:
            for index in range(count):
                yield block[head + index * record : head + (index + 1) * record]
            continue
        capacity = (len(block) - head) // (key + pointer)
        at = head + capacity * key
        form = f">{count}{'I' if pointer == 4 else 'Q'}"
        pending += [(child, found - 1) for child in reversed(struct.unpack_from(form, block, at))]
