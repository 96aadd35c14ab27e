"""The disk: a GUID partition table and four volumes, by UEFI 2.10 section 5.3."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID, UUID, uuid5

_SECTOR = 512
_ALIGNED = 1 << 20
_ENTRIES, _ENTRY_SIZE = 128, 128
_BASIC_DATA = UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
_LINUX = UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One partition; ``offset`` and ``size`` in bytes."""

    name: str
    file_system: str
    offset: int
    size: int


def lay_out(sizes: Sequence[tuple[str, str, int]]) -> tuple[list[Partition], int]:
    """Return partitions for names, file systems and sizes, one behind the other, and the size of the disk."""
    found = []
    offset = _ALIGNED
    for name, file_system, size in sizes:
        found.append(Partition(name=name, file_system=file_system, offset=offset, size=size))
        offset = -(-(offset + size) // _ALIGNED) * _ALIGNED
    return found, offset + _ALIGNED


def tables(partitions: Sequence[Partition], disk_size: int, seed: int) -> dict[int, bytes]:
    """Return what is written where: protective MBR, table, and its copy at the end."""
    sectors = disk_size // _SECTOR
    entries = b"".join(_entry(partition, seed) for partition in partitions).ljust(_ENTRIES * _ENTRY_SIZE, b"\0")
    last = sectors - 1
    copy = last - len(entries) // _SECTOR
    identity = uuid5(NAMESPACE_OID, f"kaval demonstration disk {seed}")
    return {
        0: _protective(sectors),
        _SECTOR: _header(1, last, 2, sectors, entries, identity),
        2 * _SECTOR: entries,
        copy * _SECTOR: entries,
        last * _SECTOR: _header(last, 1, copy, sectors, entries, identity),
    }


def _protective(sectors: int) -> bytes:
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, sectors - 1)
    return bytes(446) + entry.ljust(64, b"\0") + b"\x55\xaa"


def _entry(partition: Partition, seed: int) -> bytes:
    kind = _LINUX if partition.file_system == "ext4" else _BASIC_DATA
    own = uuid5(NAMESPACE_OID, f"kaval demonstration {partition.name} {seed}")
    first, last = partition.offset // _SECTOR, (partition.offset + partition.size) // _SECTOR - 1
    name = partition.name.encode("utf-16-le").ljust(72, b"\0")
    return kind.bytes_le + own.bytes_le + struct.pack("<QQQ", first, last, 0) + name


def _header(here: int, other: int, table: int, sectors: int, entries: bytes, identity: UUID) -> bytes:
    def packed(checksum: int) -> bytes:
        return struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, here, other, 34, sectors - 34,
            identity.bytes_le, table, _ENTRIES, _ENTRY_SIZE, zlib.crc32(entries),
        )  # fmt: skip

    return packed(zlib.crc32(packed(0))).ljust(_SECTOR, b"\0")
