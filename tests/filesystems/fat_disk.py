"""A FAT driver in miniature: files are written, appended, renamed and deleted as drivers do it; the image is kept.

Clusters are handed out in rising order behind the last one (``next``) or from the start (``first``). The clock is the
caller's. Contents are bytes of a seeded generator, so that no two clusters are alike.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

SECTOR = 512
EPOCH_DAY = (2004 - 1980) << 9 | 2 << 5 | 14


@dataclass
class Node:
    """A file or directory as the driver knows it; ``slot`` is where its short entry lies."""

    name: str
    parent: Node | None
    is_directory: bool
    created: int
    modified: int
    chain: list[int] = field(default_factory=list)
    content: bytes = b""
    slot: int = -1
    width: int = 1


@dataclass
class FatDisk:
    """One volume; ``clock`` is in seconds of one day, and is moved on by the caller."""

    bits: int = 16
    cluster_size: int = 1024
    clusters: int = 5000
    policy: str = "next"
    clock: int = 43200
    seed: int = 1

    def __post_init__(self) -> None:
        self.reserved = 32 if self.bits == 32 else 1
        self.table_size = -(-(self.clusters + 2) * self.bits // 8 // SECTOR) * SECTOR + SECTOR
        self.root_size = 0 if self.bits == 32 else 512 * 32
        self.table_offset = self.reserved * SECTOR
        self.heap = self.table_offset + 2 * self.table_size + self.root_size
        self.image = bytearray(self.heap + self.clusters * self.cluster_size)
        self.table = [0] * (self.clusters + 2)
        self.random = random.Random(self.seed)
        self.hint = 2
        self.end_mark = {12: 0xFFF, 16: 0xFFFF, 32: 0x0FFFFFFF}[self.bits]
        self.table[0], self.table[1] = self.end_mark & ~0x07, self.end_mark
        self.root = Node("", None, True, 0, 0)
        if self.bits == 32:
            self.root.chain = self._allocate(1)
        self._boot()

    def _boot(self) -> None:
        per = self.cluster_size // SECTOR
        total = len(self.image) // SECTOR
        small = self.bits != 32
        short = small and total < 65536
        boot = b"\xeb\x3c\x90KAVALTST" + struct.pack(
            "<HBHBHHBHHHII", SECTOR, per, self.reserved, 2, self.root_size // 32, total if short else 0,
            0xF8, self.table_size // SECTOR if small else 0, 63, 255, 0, 0 if short else total,
        )  # fmt: skip
        if small:
            boot += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x12345678, b"NO NAME    ", f"FAT{self.bits}   ".encode())
        else:
            boot += struct.pack("<IHHIHH12x", self.table_size // SECTOR, 0, 0, 2, 1, 6)
            boot += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x12345678, b"NO NAME    ", b"FAT32   ")
        boot = boot.ljust(510, b"\0") + b"\x55\xaa"
        self.image[:512] = boot
        if not small:
            self.image[6 * SECTOR : 7 * SECTOR] = boot

    def place(self, cluster: int) -> int:
        """Return the byte at which a cluster starts."""
        return self.heap + (cluster - 2) * self.cluster_size

    def _allocate(self, count: int) -> list[int]:
        found: list[int] = []
        cluster = self.hint if self.policy == "next" else 2
        for _ in range(self.clusters):
            if len(found) == count:
                break
            if cluster >= self.clusters + 2:
                cluster = 2
            if self.table[cluster] == 0:
                found.append(cluster)
                self.table[cluster] = self.end_mark
            cluster += 1
        assert len(found) == count, "the disk is full"
        self.hint = found[-1] + 1
        return found

    def _slots(self, directory: Node) -> list[int]:
        if directory.parent is None and self.bits != 32:
            start = self.table_offset + 2 * self.table_size
            return list(range(start, start + self.root_size, 32))
        return [self.place(c) + k for c in directory.chain for k in range(0, self.cluster_size, 32)]

    def _free_slots(self, directory: Node, width: int) -> list[int]:
        """Return the first gap of a directory that is wide enough, growing the directory where there is none."""
        while True:
            run: list[int] = []
            for slot in self._slots(directory):
                if self.image[slot] in (0x00, 0xE5):
                    run.append(slot)
                    if len(run) == width:
                        return run
                else:
                    run = []
            fresh = self._allocate(1)
            self.table[directory.chain[-1]] = fresh[0]
            directory.chain += fresh
            self.image[self.place(fresh[0]) : self.place(fresh[0]) + self.cluster_size] = bytes(self.cluster_size)

    @staticmethod
    def _short(name: str, number: int) -> bytes:
        base, _, extension = name.upper().rpartition(".") if "." in name else (name.upper(), "", "")
        if len(base) <= 8 and len(extension) <= 3 and name == name.upper():
            return base.encode().ljust(8) + extension.encode().ljust(3)
        clean = "".join(c for c in base if c.isascii() and c.isalnum()) or "X"
        return f"{clean[:6]}~{number}".encode().ljust(8)[:8] + extension[:3].encode().ljust(3)

    def _write_name(self, node: Node) -> None:
        assert node.parent is not None
        raw = self._short(node.name, 1 + self.random.randrange(9))
        text = raw[:8].decode().rstrip() + ("." + raw[8:].decode().rstrip() if raw[8:].strip() else "")
        parts = [] if text == node.name else self._long_entries(node.name, raw)
        slots = self._free_slots(node.parent, len(parts) + 1)
        for slot, part in zip(slots, parts, strict=False):
            self.image[slot : slot + 32] = part
        node.slot, node.width = slots[-1], len(slots)
        self._write_entry(node, raw)

    @staticmethod
    def _long_entries(name: str, raw: bytes) -> list[bytes]:
        total = 0
        for octet in raw:
            total = ((total >> 1) | (total << 7)) + octet & 0xFF
        units = name.encode("utf-16-le")
        if len(units) % 26:
            units = (units + b"\0\0").ljust(-(-(len(units) + 2) // 26) * 26, b"\xff")
        count = len(units) // 26
        entries = []
        for number in range(count, 0, -1):
            part = units[(number - 1) * 26 : number * 26]
            order = number | (0x40 if number == count else 0)
            entries.append(bytes((order,)) + part[:10] + bytes((0x0F, 0, total)) + part[10:22] + b"\0\0" + part[22:])
        return entries

    def stamp(self, seconds: int) -> int:
        """Return a time of day as FAT stores it."""
        return seconds // 3600 << 11 | seconds // 60 % 60 << 5 | seconds % 60 // 2

    def _write_entry(self, node: Node, raw: bytes | None = None) -> None:
        raw = bytes(self.image[node.slot : node.slot + 11]) if raw is None else raw
        first = node.chain[0] if node.chain else 0
        self.image[node.slot : node.slot + 32] = struct.pack(
            "<11sBBBHHHHHHHI", raw, 0x10 if node.is_directory else 0x20, 0, node.created % 2 * 100,
            self.stamp(node.created), EPOCH_DAY, EPOCH_DAY, first >> 16, self.stamp(node.modified), EPOCH_DAY,
            first & 0xFFFF, 0 if node.is_directory else len(node.content),
        )  # fmt: skip

    def make_directory(self, name: str, parent: Node | None = None) -> Node:
        """Make a directory with its own first entries."""
        node = Node(name, parent or self.root, True, self.clock, self.clock)
        node.chain = self._allocate(1)
        place = self.place(node.chain[0])
        self.image[place : place + self.cluster_size] = bytes(self.cluster_size)
        above = node.parent.chain[0] if node.parent is not None and node.parent.parent is not None else 0
        for number, (raw, first) in enumerate(((b".          ", node.chain[0]), (b"..         ", above))):
            self.image[place + 32 * number : place + 32 * number + 32] = struct.pack(
                "<11sBBBHHHHHHHI", raw, 0x10, 0, node.created % 2 * 100, self.stamp(self.clock), EPOCH_DAY, EPOCH_DAY,
                first >> 16, self.stamp(self.clock), EPOCH_DAY, first & 0xFFFF, 0,
            )  # fmt: skip
        self._write_name(node)
        return node

    def create(self, name: str, size: int, parent: Node | None = None) -> Node:
        """Make a file with so many bytes."""
        node = Node(name, parent or self.root, False, self.clock, self.clock)
        self._write_name(node)
        self.append(node, size)
        return node

    def append(self, node: Node, size: int) -> None:
        """Write more bytes to the end of a file, now."""
        node.modified = self.clock
        node.content += self.random.randbytes(size)
        need = -(-len(node.content) // self.cluster_size) - len(node.chain)
        if need > 0:
            fresh = self._allocate(need)
            for before, after in zip([*node.chain[-1:], *fresh], fresh if node.chain else fresh[1:], strict=False):
                self.table[before] = after
            node.chain += fresh
        for number, cluster in enumerate(node.chain):
            part = node.content[number * self.cluster_size : (number + 1) * self.cluster_size]
            self.image[self.place(cluster) : self.place(cluster) + len(part)] = part
        self._write_entry(node)

    def delete(self, node: Node, *, zero_high_word: bool = False) -> None:
        """Delete a file or directory: first bytes of its entries, its chain, nothing else."""
        self._strike(node)
        if zero_high_word:
            self.image[node.slot + 20 : node.slot + 22] = b"\0\0"
        for cluster in node.chain:
            self.table[cluster] = 0

    def _strike(self, node: Node) -> None:
        assert node.parent is not None
        slots = self._slots(node.parent)
        place = slots.index(node.slot)
        for slot in slots[place - node.width + 1 : place + 1]:
            self.image[slot] = 0xE5

    def rename(self, node: Node, name: str, parent: Node) -> None:
        """Move a file: a new entry with the old content, the old entry struck."""
        self._strike(node)
        node.name, node.parent = name, parent
        self._write_name(node)

    def build(self) -> bytes:
        """Return the image with its tables written."""
        if self.bits == 32:
            packed = struct.pack(f"<{len(self.table)}I", *self.table)
        elif self.bits == 16:
            packed = struct.pack(f"<{len(self.table)}H", *self.table)
        else:
            number = sum(value << 12 * place for place, value in enumerate(self.table))
            packed = number.to_bytes(len(self.table) * 12 // 8 + 1, "little")
        for copy in range(2):
            start = self.table_offset + copy * self.table_size
            self.image[start : start + len(packed)] = packed
        return bytes(self.image)
