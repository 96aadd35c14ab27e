"""The boot region of exFAT: where table, bitmap, root directory and clusters lie.

Microsoft, *exFAT File System Specification* 1.00, section 3 (Main and Backup Boot Regions).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError
from kaval.core.sources import ByteSource
from kaval.filesystems.clusters import FIRST_CLUSTER, Grid, TablePlace

STRUCTURE = "exFAT boot sector"
SIGNATURE = b"EXFAT   "
BACKUP_SECTOR = 12
MAXIMUM_MISSING = 1 << 28
"""Clusters a volume may have beyond those the image holds; more are taken for damage."""

_FIELDS = struct.Struct("<QQIIIIIIHHBBBBB")


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """The geometry of one volume; offsets and sizes are bytes."""

    sector_size: int
    cluster_size: int
    table: TablePlace
    grid: Grid
    root_cluster: int
    total_size: int
    serial: int
    revision: int
    flags: int
    from_copy: bool = False


def starts_exfat(source: ByteSource) -> bool:
    """Say whether the first sector carries the signature of exFAT."""
    return source.read_at(3, 8) == SIGNATURE


def has_copy(source: ByteSource) -> bool:
    """Say whether the copy of the boot sector, for any sector size, is one that makes sense."""
    for offset in _places()[1:]:
        try:
            parse(source.read_at(offset, 512), source.size, from_copy=True)
        except CorruptStructureError:
            continue
        return True
    return False


def _places() -> tuple[int, ...]:
    return (0, *(BACKUP_SECTOR << shift for shift in range(9, 13)))


def read_boot(source: ByteSource) -> Boot:
    """Return the geometry, from the copy of the boot sector where the first is damaged.

    Raises:
        CorruptStructureError: Neither can be used.
    """
    problem: CorruptStructureError | None = None
    for offset in _places():
        try:
            return parse(source.read_at(offset, 512), source.size, from_copy=offset > 0)
        except CorruptStructureError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def parse(sector: bytes, source_size: int, *, from_copy: bool = False) -> Boot:
    """Return the geometry one boot sector tells.

    Raises:
        CorruptStructureError: It contradicts the specification.
    """
    if len(sector) < 512 or sector[3:11] != SIGNATURE:
        raise CorruptStructureError(STRUCTURE, "it carries no signature", 3)
    (_, length, table_sector, table_sectors, heap_sector, count, root, serial, revision, flags, sector_shift,
     cluster_shift, tables, _, _) = _FIELDS.unpack_from(sector, 64)  # fmt: skip
    if not 9 <= sector_shift <= 12:
        raise CorruptStructureError(STRUCTURE, f"BytesPerSectorShift {sector_shift}", 108)
    if cluster_shift > 25 - sector_shift:
        raise CorruptStructureError(STRUCTURE, f"SectorsPerClusterShift {cluster_shift}", 109)
    if tables not in (1, 2):
        raise CorruptStructureError(STRUCTURE, f"NumberOfFats {tables}", 110)
    if not 1 <= count <= 0xFFFFFFF5 or not FIRST_CLUSTER <= root < count + FIRST_CLUSTER:
        raise CorruptStructureError(STRUCTURE, f"{count} clusters, root directory at {root}", 92)
    if not 24 <= table_sector < heap_sector or (count + FIRST_CLUSTER) * 4 > table_sectors << sector_shift:
        raise CorruptStructureError(STRUCTURE, f"{table_sectors} sectors of table for {count} clusters", 84)
    cluster_size = 1 << sector_shift + cluster_shift
    heap = heap_sector << sector_shift
    if (
        count > max(source_size // cluster_size, MAXIMUM_MISSING)
        or count > (length << sector_shift) // cluster_size + 1
    ):
        raise CorruptStructureError(STRUCTURE, f"{count} clusters in {length} sectors", 92)
    size = table_sectors << sector_shift
    first = table_sector << sector_shift
    copies = (first,) if tables == 1 else (first + size, first) if flags & 1 else (first, first + size)
    return Boot(
        sector_size=1 << sector_shift,
        cluster_size=cluster_size,
        table=TablePlace(copies=copies, size=size, bits=32, mask=0xFFFFFFFF, end=count + FIRST_CLUSTER),
        grid=Grid(offset=heap, cluster_size=cluster_size, count=count),
        root_cluster=root,
        total_size=length << sector_shift,
        serial=serial,
        revision=revision,
        flags=flags,
        from_copy=from_copy,
    )
