"""The superblock and the chunks: from logical addresses to bytes of the device ("On-disk Format", "Chunk tree")."""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.sources import ByteSource
from kaval.filesystems.btrfs import SUPERBLOCK_OFFSETS
from kaval.filesystems.checksums.crc32c import crc32c_rows

KEY = struct.Struct("<QBQ")
_SUPERBLOCK_SIZE = 4096
_STRIPED = 0x8 | 0x40 | 0x80 | 0x100
_CHUNK_KEY = 228
_CHUNK_SIZE, _STRIPE_SIZE = 48, 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Superblock:
    """What the superblock says; addresses of trees are logical."""

    offset: int
    uuid: UUID
    label: str
    generation: int
    root_tree: int
    chunk_tree: int
    log_tree: int
    total_size: int
    devices: int
    device: int
    sector_size: int
    node_size: int
    checksum_kind: int
    chunks: bytes


def parse_superblock(block: bytes, offset: int) -> Superblock | None:
    """Return the superblock in a block, ``None`` if it is none that could be worked with."""
    if len(block) < _SUPERBLOCK_SIZE or block[64:72] != b"_BHRfS_M":
        return None
    sector_size, node_size = struct.unpack_from("<II", block, 144)
    sound = 512 <= sector_size <= 65536 and 512 <= node_size <= 65536 and not node_size & node_size - 1
    chunks_size = struct.unpack_from("<I", block, 160)[0]
    if not sound or chunks_size > 2048:
        return None
    generation, root_tree, chunk_tree, log_tree = struct.unpack_from("<4Q", block, 72)
    return Superblock(
        offset=offset,
        uuid=UUID(bytes=block[32:48]),
        label=block[299:555].split(b"\0")[0].decode("utf-8", "replace"),
        generation=generation,
        root_tree=root_tree,
        chunk_tree=chunk_tree,
        log_tree=log_tree,
        total_size=struct.unpack_from("<Q", block, 112)[0],
        devices=struct.unpack_from("<Q", block, 136)[0],
        device=struct.unpack_from("<Q", block, 201)[0],
        sector_size=sector_size,
        node_size=node_size,
        checksum_kind=struct.unpack_from("<H", block, 196)[0],
        chunks=block[811 : 811 + chunks_size],
    )


def checksum_fits(block: bytes, kind: int) -> bool:
    """Say whether a block fits the checksum at its start; kinds not computed here (xxhash64) pass."""
    content = block[32:]
    if kind == 0:
        rows = np.frombuffer(content, np.uint8).reshape(1, -1)
        found = int(crc32c_rows(np.array([0xFFFFFFFF], np.uint32), rows)[0]) ^ 0xFFFFFFFF
        return found.to_bytes(4, "little") == block[:4]
    if kind == 2:
        return hashlib.sha256(content).digest() == block[:32]
    if kind == 3:
        return hashlib.blake2b(content, digest_size=32).digest() == block[:32]
    return True


def find_superblock(source: ByteSource) -> Superblock:
    """Return the newest superblock that fits its checksum, else the first that makes sense at all.

    Raises:
        CorruptStructureError: There is none.
    """
    found = []
    for offset in SUPERBLOCK_OFFSETS:
        block = source.read_at(offset, _SUPERBLOCK_SIZE)
        superblock = parse_superblock(block, offset)
        if superblock is not None:
            found.append((checksum_fits(block, superblock.checksum_kind), superblock.generation, -offset, superblock))
    if not found:
        raise CorruptStructureError(
            "Btrfs superblock", "neither it nor a copy of it makes sense", SUPERBLOCK_OFFSETS[0]
        )
    return max(found, key=lambda candidate: candidate[:3])[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """One chunk of logical addresses; ``stripes`` are those of its copies that lie on this device, as byte offsets.

    ``whole`` says whether each of them holds every byte of the chunk.
    """

    start: int
    length: int
    stripes: tuple[int, ...]
    whole: bool


def parse_chunk(start: int, item: bytes, device: int) -> Chunk:
    """Return a chunk.

    Raises:
        CorruptStructureError: The item is too short for its stripes.
    """
    if len(item) < _CHUNK_SIZE:
        raise CorruptStructureError("Btrfs chunk", f"the item for logical byte {start} is too short")
    length, kind, count = struct.unpack_from("<Q16xQ12xH", item)
    if len(item) < _CHUNK_SIZE + count * _STRIPE_SIZE:
        raise CorruptStructureError("Btrfs chunk", f"the item for logical byte {start} has no room for {count} stripes")
    stripes = [struct.unpack_from("<QQ", item, _CHUNK_SIZE + index * _STRIPE_SIZE) for index in range(count)]
    return Chunk(
        start=start,
        length=length,
        stripes=tuple(offset for number, offset in stripes if number == device),
        whole=not kind & _STRIPED or count == 1,
    )


class Space:
    """The logical addresses of a file system, as far as this device holds them."""

    def __init__(self, source: ByteSource, superblock: Superblock) -> None:
        self.source = source
        self.superblock = superblock
        self._chunks: list[Chunk] = []
        self._starts: list[int] = []
        for chunk in _system_chunks(superblock):
            self.add(chunk)

    def add(self, chunk: Chunk) -> None:
        """Make a chunk known; one that overlaps another known is left out."""
        index = bisect_right(self._starts, chunk.start)
        before = self._chunks[index - 1] if index else None
        if before is not None and before.start + before.length > chunk.start:
            return
        self._chunks.insert(index, chunk)
        self._starts.insert(index, chunk.start)

    def place(self, address: int, length: int) -> tuple[int, int]:
        """Return the byte of the device a logical address lies at, and how many of ``length`` bytes lie there in a row.

        Raises:
            CorruptStructureError: No chunk covers the address.
            UnreadableError: It lies on another device, or striped over several.
        """
        chunk = self._chunk(address)
        if not chunk.stripes or not chunk.whole:
            raise UnreadableError(address, length, "this logical address lies on another device of the file system")
        within = address - chunk.start
        return chunk.stripes[0] + within, min(length, chunk.length - within)

    def copies(self, address: int, length: int) -> Iterator[tuple[int, int]]:
        """Yield every range of the device that a logical range takes up; nothing where that cannot be told."""
        while length > 0:
            try:
                chunk = self._chunk(address)
            except CorruptStructureError:
                return
            within = address - chunk.start
            taken = min(length, chunk.length - within)
            for stripe in chunk.stripes:
                yield (stripe + within, taken) if chunk.whole else (stripe, chunk.length)
            address += taken
            length -= taken

    def _chunk(self, address: int) -> Chunk:
        index = bisect_right(self._starts, address) - 1
        if index < 0 or address >= self._chunks[index].start + self._chunks[index].length:
            raise CorruptStructureError("Btrfs address", f"no chunk covers logical byte {address}")
        return self._chunks[index]

    def read(self, address: int, length: int) -> bytes:
        """Return exactly the bytes of a logical range."""
        parts = []
        while length > 0:
            offset, taken = self.place(address, length)
            content = self.source.read_at(offset, taken)
            if len(content) < taken:
                raise UnreadableError(
                    offset + len(content), taken - len(content), "the image ends before the file system"
                )
            parts.append(content)
            address += taken
            length -= taken
        return b"".join(parts)


def _system_chunks(superblock: Superblock) -> Iterator[Chunk]:
    """Yield the chunks the superblock itself knows: those that hold the chunk tree."""
    place = 0
    content = superblock.chunks
    while place + KEY.size + _CHUNK_SIZE <= len(content):
        _, kind, start = KEY.unpack_from(content, place)
        if kind != _CHUNK_KEY:
            raise CorruptStructureError(
                "Btrfs superblock", f"its chunks hold an item of type {kind}", superblock.offset
            )
        place += KEY.size
        (count,) = struct.unpack_from("<H", content, place + 44)
        size = _CHUNK_SIZE + count * _STRIPE_SIZE
        yield parse_chunk(start, content[place : place + size], superblock.device)
        place += size
