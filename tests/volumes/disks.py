"""Small disks built in code: partition tables over sources that are mostly holes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from uuid import UUID

SECTOR = 512
LINUX = UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
BASIC = UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
MbrRow = tuple[int, int, int]


class HoleySource:
    """A source of any size that holds a few blocks and zeros between them."""

    def __init__(self, size: int, blocks: dict[int, bytes]) -> None:
        self.size = size
        self.blocks = blocks

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        length = min(length, self.size - offset)
        target = bytearray(length)
        for start, block in self.blocks.items():
            low, high = max(start, offset), min(start + len(block), offset + length)
            if low < high:
                target[low - offset : high - offset] = block[low - start : high - start]
        return bytes(target)


def mbr_sector(rows: Sequence[MbrRow], *, code: bytes = b"", active: int | None = None) -> bytes:
    """Return a sector of up to four entries (type, first sector, sector count)."""
    sector = bytearray(code.ljust(SECTOR, b"\0"))
    for index, (kind, first, count) in enumerate(rows):
        status = 0x80 if index == active else 0
        struct.pack_into("<B3xB3xII", sector, 446 + 16 * index, status, kind, first, count)
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def gpt_entry(first: int, last: int, name: str = "", kind: UUID = LINUX, attributes: int = 0) -> bytes:
    """Return one entry of 128 bytes; its own identifier is made of its place."""
    unique = UUID(int=(first << 64) | last)
    stored = name.encode("utf-16-le").ljust(72, b"\0")
    return struct.pack("<16s16sQQQ72s", kind.bytes_le, unique.bytes_le, first, last, attributes, stored)


def gpt_header(entries: bytes, own: int, alternate: int, first: int, sectors: int, sector_size: int = SECTOR) -> bytes:
    """Return a header sector over an array of 128-byte entries that starts at sector ``first``."""
    disk = UUID("00112233-4455-6677-8899-aabbccddeeff").bytes_le
    count = len(entries) // 128
    table_sectors = -(-len(entries) // sector_size)
    usable = (2 + table_sectors, sectors - 2 - table_sectors)
    fields = (own, alternate, *usable, disk, first, count, 128, zlib.crc32(entries))
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, *fields)
    checksum = struct.pack("<I", zlib.crc32(header))
    return (header[:16] + checksum + header[20:]).ljust(sector_size, b"\0")


def gpt_blocks(rows: Sequence[bytes], sectors: int, sector_size: int = SECTOR) -> dict[int, bytes]:
    """Return the blocks of a whole table: protective MBR, primary copy, backup copy."""
    entries = b"".join(rows).ljust(128 * 128, b"\0")
    table_sectors = len(entries) // sector_size
    last = sectors - 1
    return {
        0: mbr_sector([(0xEE, 1, last)]),
        sector_size: gpt_header(entries, 1, last, 2, sectors, sector_size),
        2 * sector_size: entries,
        (last - table_sectors) * sector_size: entries,
        last * sector_size: gpt_header(entries, last, 1, last - table_sectors, sectors, sector_size),
    }


def fat_boot_sector() -> bytes:
    """Return the first sector of a FAT16 volume, its message text where an MBR has its entries."""
    sector = bytearray(SECTOR)
    sector[:11] = b"\xeb\x3c\x90NEBULA  "
    struct.pack_into("<HBHBHHBH", sector, 11, 512, 4, 1, 2, 512, 8192, 0xF8, 8)
    sector[54:62] = b"FAT16   "
    sector[440:508] = b"No system on this medium, take it out and press a key".ljust(68, b"\0")
    sector[510:] = b"\x55\xaa"
    return bytes(sector)
