"""What a sector that ends in 55 AA may be besides a partition table, and what else tells that a volume starts.

FAT, exFAT, NTFS and BitLocker volumes start with a sector that carries the same mark as an MBR. Layouts: Microsoft
FAT specification 1.03 (section 3), exFAT specification (section 3.1), [MS-FSCC]; ECMA-119 section 8.
"""

from __future__ import annotations

import struct

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource

BOOT_MARK = b"\x55\xaa"
_OEM_NAMES = (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-", b"ReFS\0\0\0\0")
_FORMATTED = (
    (0, b"XFSB"),
    (0, b"LUKS\xba\xbe"),
    (32, b"NXSB"),
    (510, BOOT_MARK),
    (512, b"LABELONE"),
    (1024, b"H+"),
    (1024, b"HX"),
    (1024, b"BD"),
    (1024, b"\x10\x20\xf5\xf2"),
    (1080, b"\x53\xef"),
    (4086, b"SWAPSPACE2"),
    (0x10040, b"_BHRfS_M"),
)


def is_named_boot_sector(sector: bytes) -> bool:
    """Say whether the sector names itself the start of an NTFS, exFAT, ReFS or BitLocker volume."""
    return sector[3:11] in _OEM_NAMES


def fat_start(sector: bytes) -> tuple[int, int] | None:
    """Return where the first FAT must lie (bytes) and its first byte, if the sector is a FAT boot sector."""
    if len(sector) < 512 or sector[0] not in (0xEB, 0xE9):
        return None
    sector_size, cluster_sectors, reserved, tables = struct.unpack_from("<HBHB", sector, 11)
    total_16, media, table_size_16 = struct.unpack_from("<HBH", sector, 19)
    total_32, table_size_32 = struct.unpack_from("<II", sector, 32)
    if sector_size not in (512, 1024, 2048, 4096) or cluster_sectors == 0 or cluster_sectors & (cluster_sectors - 1):
        return None
    if reserved == 0 or tables not in (1, 2, 3, 4) or not (media == 0xF0 or media >= 0xF8):
        return None
    if not (total_16 or total_32) or not (table_size_16 or table_size_32):
        return None
    return reserved * sector_size, media


def starts_fat(source: ByteSource, sector: bytes) -> bool:
    """Say whether the FAT which a boot sector points to begins as a FAT must."""
    start = fat_start(sector)
    if start is None:
        return False
    return source.read_at(start[0], 3) in (bytes((start[1], 0xFF, 0xFF)), bytes((start[1], 0xFF, 0x0F)))


def looks_formatted(source: ByteSource, offset: int) -> bool:
    """Say whether a volume that is known by its first bytes starts at that byte."""
    for distance, mark in _FORMATTED:
        try:
            if source.read_at(offset + distance, len(mark)) == mark:
                return True
        except UnreadableError:
            continue
    return False


def starts_iso9660(source: ByteSource) -> bool:
    """Say whether an ISO 9660 file system starts with the source: a volume descriptor whose root leads to itself."""
    try:
        descriptor = source.read_at(32768, 2048)
        if descriptor[:6] != b"\x01CD001" or len(descriptor) < 2048:
            return False
        block_size = struct.unpack_from("<H", descriptor, 128)[0]
        root = struct.unpack_from("<I", descriptor, 158)[0]
        record = source.read_at(root * block_size, 34)
    except UnreadableError:
        return False
    return len(record) == 34 and struct.unpack_from("<I", record, 2)[0] == root and record[32:34] == b"\x01\x00"
