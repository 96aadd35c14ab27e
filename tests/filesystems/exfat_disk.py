"""An exFAT driver in miniature, after ``fat_disk``: contiguous files without a chain, others with one.

Deleting clears the bitmap and the in-use bits; with ``clears_chains`` the table too, as some drivers do.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

SECTOR = 512
CLUSTER = 4096
HEAP = 64 * SECTOR
TABLE = 24 * SECTOR
END = 0xFFFFFFFF
DAY = (2024 - 1980) << 9 | 5 << 5 | 17


@dataclass
class Node:
    """A file or directory as the driver knows it; ``places`` are where its entries lie."""

    name: str
    parent: Node | None
    is_directory: bool
    created: int
    modified: int
    chain: list[int] = field(default_factory=list)
    content: bytes = b""
    in_pieces: bool = False
    valid: int | None = None
    places: list[int] = field(default_factory=list)


@dataclass
class ExfatDisk:
    """One volume; ``clock`` is in seconds of one day, ``zone`` the stored UTC offset in quarters of an hour."""

    clusters: int = 1000
    policy: str = "next"
    clears_chains: bool = False
    clock: int = 43200
    zone: int = 22

    def __post_init__(self) -> None:
        self.image = bytearray(HEAP + self.clusters * CLUSTER)
        self.table = [0] * (self.clusters + 2)
        self.used: set[int] = set()
        self.random = random.Random(5)
        self.hint = 2
        self.root = Node("", None, True, 0, 0)
        bitmap = self._allocate(1)
        upcase = self._allocate(1)
        self.root.chain = self._allocate(1)
        self.bitmap = bitmap[0]
        for cluster in (*bitmap, *upcase, *self.root.chain):
            self.table[cluster] = END
        self.root.in_pieces = True
        root = self.place(self.root.chain[0])
        label = "Vindra".encode("utf-16-le")
        self.image[root : root + 32] = (bytes((0x83, 6)) + label).ljust(32, b"\0")
        size = (self.clusters + 7) // 8
        self.image[root + 32 : root + 64] = struct.pack("<BB18xIQ", 0x81, 0, bitmap[0], size)
        self.image[root + 64 : root + 96] = struct.pack("<B3xI12xIQ", 0x82, 0, upcase[0], 60)

    def place(self, cluster: int) -> int:
        """Return the byte at which a cluster starts."""
        return HEAP + (cluster - 2) * CLUSTER

    def _allocate(self, count: int, hint: int | None = None) -> list[int]:
        cluster = hint or (self.hint if self.policy == "next" else 2)
        found: list[int] = []
        for _ in range(self.clusters):
            if len(found) == count:
                break
            cluster = 2 if cluster >= self.clusters + 2 else cluster
            if cluster not in self.used:
                found.append(cluster)
                self.used.add(cluster)
            cluster += 1
        assert len(found) == count, "the disk is full"
        self.hint = found[-1] + 1
        return found

    def _slots(self, directory: Node) -> list[int]:
        return [self.place(cluster) + k for cluster in directory.chain for k in range(0, CLUSTER, 32)]

    def _entries(self, node: Node) -> bytes:
        units = node.name.encode("utf-16-le")
        names = [units[k : k + 30].ljust(30, b"\0") for k in range(0, len(units), 30)]
        created, modified = (self._stamp(moment) for moment in (node.created, node.modified))
        zone = 0x80 | self.zone & 0x7F
        size = len(node.chain) * CLUSTER if node.is_directory else len(node.content)
        first = node.chain[0] if node.chain else 0
        flags = 1 | (0 if node.in_pieces else 2)
        total = 0
        for character in node.name.upper():
            for octet in character.encode("utf-16-le"):
                total = ((total >> 1) | (total << 15)) + octet & 0xFFFF
        head = struct.pack(
            "<BBHHHIIIBBBBB7x", 0x85, 1 + len(names), 0, 0x10 if node.is_directory else 0x20, 0, created, modified,
            modified, node.created % 2 * 100, node.modified % 2 * 100, zone, zone, zone,
        )  # fmt: skip
        valid = size if node.valid is None else node.valid
        stream = struct.pack("<BBBBHHQIIQ", 0xC0, flags, 0, len(units) // 2, total, 0, valid, 0, first, size)
        block = bytearray(head + stream + b"".join(b"\xc1\0" + name for name in names))
        total = 0
        for place, octet in enumerate(block):
            if place not in (2, 3):
                total = ((total >> 1) | (total << 15)) + octet & 0xFFFF
        block[2:4] = total.to_bytes(2, "little")
        return bytes(block)

    @staticmethod
    def _stamp(seconds: int) -> int:
        return DAY << 16 | seconds // 3600 << 11 | seconds // 60 % 60 << 5 | seconds % 60 // 2

    def _write_entries(self, node: Node) -> None:
        block = self._entries(node)
        if not node.places:
            node.places = self._gap(node.parent or self.root, len(block) // 32)
        for number, place in enumerate(node.places):
            self.image[place : place + 32] = block[number * 32 : number * 32 + 32]

    def _gap(self, directory: Node, width: int) -> list[int]:
        run: list[int] = []
        for slot in self._slots(directory):
            run = [*run, slot] if not self.image[slot] & 0x80 else []
            if len(run) == width:
                return run
        raise AssertionError("the directory is full")

    def create(self, name: str, size: int, parent: Node | None = None) -> Node:
        """Make a file with so many bytes."""
        node = Node(name, parent or self.root, False, self.clock, self.clock)
        self._write_entries(node)
        self.append(node, size)
        return node

    def make_directory(self, name: str, parent: Node | None = None) -> Node:
        """Make a directory of one cluster."""
        node = Node(name, parent or self.root, True, self.clock, self.clock, self._allocate(1))
        self.image[self.place(node.chain[0]) : self.place(node.chain[0]) + CLUSTER] = bytes(CLUSTER)
        self._write_entries(node)
        return node

    def append(self, node: Node, size: int) -> None:
        """Write more bytes to the end of a file, now."""
        node.modified = self.clock
        node.content += self.random.randbytes(size)
        need = -(-len(node.content) // CLUSTER) - len(node.chain)
        if need > 0:
            node.chain += self._allocate(need, node.chain[-1] + 1 if node.chain else None)
        if node.chain and node.chain != list(range(node.chain[0], node.chain[0] + len(node.chain))):
            node.in_pieces = True
            for before, after in zip(node.chain, [*node.chain[1:], END], strict=True):
                self.table[before] = after
        for number, cluster in enumerate(node.chain):
            part = node.content[number * CLUSTER : (number + 1) * CLUSTER]
            self.image[self.place(cluster) : self.place(cluster) + len(part)] = part
        self._write_entries(node)

    def delete(self, node: Node) -> None:
        """Delete a file or directory."""
        for place in node.places:
            self.image[place] &= 0x7F
        for cluster in node.chain:
            self.used.discard(cluster)
            if self.clears_chains:
                self.table[cluster] = 0

    def rename(self, node: Node, name: str, parent: Node) -> None:
        """Move a file: a new set with the old stream, the old set struck."""
        for place in node.places:
            self.image[place] &= 0x7F
        node.name, node.parent, node.places = name, parent, []
        self._write_entries(node)

    def build(self) -> bytes:
        """Return the image with boot sector, table and bitmap written."""
        boot = b"\xeb\x76\x90EXFAT   ".ljust(64, b"\0") + struct.pack(
            "<QQIIIIIIHHBBBBB", 0, len(self.image) // SECTOR, TABLE // SECTOR, (HEAP - TABLE) // SECTOR, HEAP // SECTOR,
            self.clusters, self.root.chain[0], 0x0A1B2C3D, 0x100, 0, 9, 3, 1, 0x80, 0,
        )  # fmt: skip
        boot = boot.ljust(510, b"\0") + b"\x55\xaa"
        self.image[:SECTOR] = boot
        self.image[12 * SECTOR : 13 * SECTOR] = boot
        packed = struct.pack(f"<{len(self.table)}I", 0xFFFFFFF8, END, *self.table[2:])
        self.image[TABLE : TABLE + len(packed)] = packed
        bits = bytearray((self.clusters + 7) // 8)
        for cluster in self.used:
            bits[cluster - 2 >> 3] |= 1 << (cluster - 2 & 7)
        self.image[self.place(self.bitmap) : self.place(self.bitmap) + len(bits)] = bits
        return bytes(self.image)
