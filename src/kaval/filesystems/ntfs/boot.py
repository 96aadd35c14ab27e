"""The boot sector of NTFS, and its copy in the last sector of the volume."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError
from kaval.core.sources import ByteSource

STRUCTURE = "NTFS boot sector"
SIGNATURE = b"NTFS    "
_FIELDS = struct.Struct("<HB")
_PLACES = struct.Struct("<QQQb3xb3xQ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """The geometry of one volume; sizes are bytes."""

    sector_size: int
    cluster_size: int
    cluster_count: int
    record_size: int
    table_cluster: int
    mirror_cluster: int
    serial: int
    from_copy: bool = False


def starts_ntfs(source: ByteSource) -> bool:
    """Say whether the first sector carries the signature of NTFS."""
    return source.read_at(3, 8) == SIGNATURE


def has_copy(source: ByteSource) -> bool:
    """Say whether the last sector holds a boot sector whose file table is there as well."""
    try:
        boot = parse(source.read_at(_places(source)[-1], 512), from_copy=True)
    except CorruptStructureError:
        return False
    places = (boot.table_cluster * boot.cluster_size, boot.mirror_cluster * boot.cluster_size)
    return any(source.read_at(place, 4) == b"FILE" for place in places)


def _places(source: ByteSource) -> tuple[int, ...]:
    last = (source.size - 1) // 512 * 512
    return (0, last) if last > 0 else (0,)


def read_boot(source: ByteSource) -> Boot:
    """Return the geometry, from the copy of the boot sector where the first is damaged.

    Raises:
        CorruptStructureError: Neither can be used.
    """
    problem: CorruptStructureError | None = None
    for offset in _places(source):
        try:
            return parse(source.read_at(offset, 512), from_copy=offset > 0)
        except CorruptStructureError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def parse(sector: bytes, *, from_copy: bool = False) -> Boot:
    """Return the geometry one boot sector tells.

    Raises:
        CorruptStructureError: It contradicts itself.
    """
    if len(sector) < 512 or sector[3:11] != SIGNATURE:
        raise CorruptStructureError(STRUCTURE, "it carries no signature", 3)
    sector_size, per_cluster = _FIELDS.unpack_from(sector, 11)
    sectors, table, mirror, record, _, serial = _PLACES.unpack_from(sector, 40)
    if sector_size not in (256, 512, 1024, 2048, 4096):
        raise CorruptStructureError(STRUCTURE, f"{sector_size} bytes a sector", 11)
    factor = per_cluster if per_cluster <= 0x80 else 1 << (256 - per_cluster) if per_cluster >= 0xF4 else 0
    if factor == 0 or factor & (factor - 1):
        raise CorruptStructureError(STRUCTURE, f"{per_cluster} sectors a cluster", 13)
    cluster_size = sector_size * factor
    record_size = record * cluster_size if record > 0 else 1 << -record if -record <= 16 else 0
    if not 256 <= record_size <= 65536 or record_size & (record_size - 1):
        raise CorruptStructureError(STRUCTURE, f"a record of {record_size} bytes", 64)
    count = sectors // factor
    if count == 0 or (table >= count and mirror >= count):
        raise CorruptStructureError(STRUCTURE, f"the table at cluster {table} of {count}", 48)
    return Boot(
        sector_size=sector_size,
        cluster_size=cluster_size,
        cluster_count=count,
        record_size=record_size,
        table_cluster=table,
        mirror_cluster=mirror,
        serial=serial,
        from_copy=from_copy,
    )
