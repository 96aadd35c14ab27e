"""The boot sector of FAT12, FAT16 and FAT32: where tables, root directory and clusters lie.

Microsoft, *FAT: General Overview of On-Disk Format* 1.03 (fatgen103), sections "Boot Sector and BPB"
and "FAT Type Determination"; a damaged FAT32 boot sector is replaced by its copy (BPB_BkBootSec).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters import FIRST_CLUSTER, Grid, TablePlace

STRUCTURE = "FAT boot sector"
BACKUP_SECTOR = 6
_SECTOR_SIZES = frozenset({128, 256, 512, 1024, 2048, 4096})
_BPB = struct.Struct("<HBHBHHBHHHII")
_BPB32 = struct.Struct("<IHHIHH")
_FOREIGN = (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-", b"ReFS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """The geometry of one volume; offsets and sizes are bytes, ``bits`` is 12, 16 or 32."""

    bits: int
    sector_size: int
    cluster_size: int
    table: TablePlace
    root_offset: int
    root_size: int
    root_cluster: int
    grid: Grid
    total_size: int
    media: int
    maker: bytes
    label: bytes
    serial: int
    from_copy: bool = False


def starts_fat(source: ByteSource) -> bool:
    """Say whether a FAT starts here: a sane boot sector, and a table or a label that agrees with it."""
    return _agrees(source, 0)


def has_copy(source: ByteSource) -> bool:
    """Say whether sector 6 holds the copy of a boot sector of FAT32 that makes sense."""
    return _agrees(source, BACKUP_SECTOR * 512)


def _agrees(source: ByteSource, offset: int) -> bool:
    sector = source.read_at(offset, 512)
    try:
        boot = parse(sector, from_copy=offset > 0)
    except CorruptStructureError:
        return False
    if offset and (boot.bits != 32 or sector[510:512] != b"\x55\xaa"):
        return False
    if sector[54:58] == b"FAT1" or sector[82:87] == b"FAT32":
        return True
    head = source.read_at(boot.table.copies[0], 3)
    return len(head) == 3 and head[0] == boot.media and head[1] == 0xFF


def read_boot(source: ByteSource) -> Boot:
    """Return the geometry, from the copy of the boot sector where the first is damaged.

    Raises:
        CorruptStructureError: Neither can be used.
    """
    try:
        return parse(source.read_at(0, 512))
    except CorruptStructureError as error:
        copy = source.read_at(BACKUP_SECTOR * 512, 512)
        try:
            boot = parse(copy, from_copy=True)
        except CorruptStructureError:
            raise error from None
        if boot.bits != 32 or copy[510:512] != b"\x55\xaa":
            raise
        return boot


def parse(sector: bytes, *, from_copy: bool = False) -> Boot:
    """Return the geometry one boot sector tells.

    Raises:
        CorruptStructureError: It contradicts itself, or belongs to another file system.
    """
    if len(sector) < 512 or sector[3:11] in _FOREIGN or sector[3:7] == b"ReFS":
        raise CorruptStructureError(STRUCTURE, "it is none", 0)
    sector_size, per_cluster, reserved, tables, root_entries, total16, media, size16 = _BPB.unpack_from(sector, 11)[:8]
    total32 = _BPB.unpack_from(sector, 11)[11]
    size32, flags, _, root_cluster = _BPB32.unpack_from(sector, 36)[:4]
    if sector_size not in _SECTOR_SIZES:
        raise CorruptStructureError(STRUCTURE, f"{sector_size} bytes a sector", 11)
    if per_cluster == 0 or per_cluster & (per_cluster - 1):
        raise CorruptStructureError(STRUCTURE, f"{per_cluster} sectors a cluster", 13)
    if reserved == 0 or not 1 <= tables <= 4 or media < 0xF0:
        raise CorruptStructureError(STRUCTURE, f"{reserved} reserved sectors, {tables} tables, medium {media:#x}", 14)
    table_sectors = size16 or size32
    total = total16 or total32
    root_sectors = -(-root_entries * 32 // sector_size)
    first = reserved + tables * table_sectors + root_sectors
    if table_sectors == 0 or total <= first:
        raise CorruptStructureError(STRUCTURE, f"{table_sectors} sectors a table in {total} sectors", 22)
    count = (total - first) // per_cluster
    bits = 32 if size16 == 0 else 12 if count < 4085 else 16
    if bits == 32 and (root_entries or root_cluster < 2):
        raise CorruptStructureError(STRUCTURE, f"root directory at cluster {root_cluster}", 44)
    count = min(count, table_sectors * sector_size * 8 // bits - 2)
    if count < 1:
        raise CorruptStructureError(STRUCTURE, "it has no clusters", 19)
    extended = 64 if bits == 32 else 36
    signed = sector[extended + 2] in (0x28, 0x29)
    return Boot(
        bits=bits,
        sector_size=sector_size,
        cluster_size=per_cluster * sector_size,
        table=_table(bits, reserved * sector_size, table_sectors * sector_size, tables, flags, count),
        root_offset=(reserved + tables * table_sectors) * sector_size,
        root_size=root_entries * 32,
        root_cluster=root_cluster if bits == 32 else 0,
        grid=Grid(offset=first * sector_size, cluster_size=per_cluster * sector_size, count=count),
        total_size=total * sector_size,
        media=media,
        maker=sector[3:11],
        label=sector[extended + 7 : extended + 18] if sector[extended + 2] == 0x29 else b"",
        serial=int.from_bytes(sector[extended + 3 : extended + 7], "little") if signed else 0,
        from_copy=from_copy,
    )


def _table(bits: int, offset: int, size: int, tables: int, flags: int, count: int) -> TablePlace:
    """Return where the tables lie; BPB_ExtFlags of FAT32 may make another than the first the active one."""
    active = flags & 0x0F if bits == 32 and flags & 0x80 and flags & 0x0F < tables else 0
    order = (active, *(number for number in range(tables) if number != active))
    mask = {12: 0xFFF, 16: 0xFFFF, 32: 0x0FFFFFFF}[bits]
    copies = tuple(offset + number * size for number in order)
    return TablePlace(copies=copies, size=size, bits=bits, mask=mask, end=count + FIRST_CLUSTER)
