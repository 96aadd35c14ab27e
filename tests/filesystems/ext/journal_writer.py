"""Writes a jbd2 log into a volume, in every form of tag, so that tests need no kernel."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from kaval.filesystems.checksums.crc32c import crc32c
from kaval.filesystems.ext.inodes import Inode
from tests.filesystems.ext.volumes import open_tree

MAGIC = 0xC03B3998
PLAIN, WIDE, CHECKED_2, CHECKED_3 = 0, 0x2, 0xA, 0x12
"""Features of a journal: none, 64-bit block numbers, and those with checksums of version 2 and 3."""


class JournalWriter:
    """A volume whose journal is written block by block; ``content`` is the volume so far."""

    def __init__(self, content: bytes, features: int) -> None:
        self.content = bytearray(content)
        self.features = features
        volume = open_tree(content).volume
        journal: Inode = volume.inodes.get(8)
        self.block_size = volume.superblock.block_size
        self._blocks = [run.physical + index for run in volume.map(journal).runs for index in range(run.length)]
        self.length = len(self._blocks)
        self.position = 1
        self._uuid = bytes(range(16))
        self._seed = crc32c(0xFFFFFFFF, self._uuid)

    def block(self, number: int) -> bytes:
        return bytes(self.content[number * self.block_size : (number + 1) * self.block_size])

    def _put(self, block: bytes) -> None:
        place = self._blocks[self.position] * self.block_size
        self.content[place : place + self.block_size] = block.ljust(self.block_size, b"\0")
        self.position = 1 if self.position + 1 == self.length else self.position + 1

    def _checked(self, block: bytes) -> bytes:
        """Return a descriptor or revoke block with its checksum at the end, where there is one."""
        if not self.features & 0x18:
            return block
        block = block.ljust(self.block_size - 4, b"\0")
        return block + struct.pack(">I", crc32c(self._seed, block + bytes(4)))

    def transaction(
        self, sequence: int, copies: Sequence[tuple[int, bytes]], revoked: Sequence[int] = (), *, commit: bool = True
    ) -> None:
        """Write a descriptor, the copies, what is revoked, and the commit."""
        stored = [bytes(4) + copy[4:] if copy[:4] == struct.pack(">I", MAGIC) else copy for _, copy in copies]
        tags = b""
        for index, (number, copy) in enumerate(copies):
            flags = (1 if stored[index] != copy else 0) | (2 if index else 0) | (8 if index + 1 == len(copies) else 0)
            tags += self._tag(number, flags, stored[index], sequence) + (b"" if index else self._uuid)
        if copies:
            self._put(self._checked(struct.pack(">III", MAGIC, 1, sequence) + tags))
        for block in stored:
            self._put(block)
        if revoked:
            form = ">Q" if self.features & 2 else ">I"
            numbers = b"".join(struct.pack(form, number) for number in revoked)
            self._put(self._checked(struct.pack(">IIII", MAGIC, 5, sequence, 16 + len(numbers)) + numbers))
        if commit:
            self._put(struct.pack(">III", MAGIC, 2, sequence).ljust(0x30, b"\0") + struct.pack(">QI", 10**9, 0))

    def _tag(self, number: int, flags: int, stored: bytes, sequence: int) -> bytes:
        checksum = crc32c(crc32c(self._seed, struct.pack(">I", sequence)), stored)
        if self.features & 0x10:
            return struct.pack(">IIII", number, flags, 0, checksum)
        tag = struct.pack(">IHH", number, checksum & 0xFFFF if self.features & 8 else 0, flags)
        return tag + (bytes(4) if self.features & 2 else b"") + (bytes(2) if self.features & 8 else b"")

    def finish(self, *, start: int, sequence: int) -> bytes:
        """Write the journal's superblock; ``start`` is 0 where nothing waits to be replayed. Return the volume."""
        facts = struct.pack(
            ">12I", MAGIC, 4, 0, self.block_size, self.length, 1, sequence, start, 0, 0, self.features, 0
        )
        place = self._blocks[0] * self.block_size
        self.content[place : place + self.block_size] = (facts + self._uuid).ljust(self.block_size, b"\0")
        incompat = struct.unpack_from("<I", self.content, 1024 + 0x60)[0]
        struct.pack_into("<I", self.content, 1024 + 0x60, incompat | 4 if start else incompat & ~4)
        return bytes(self.content)
