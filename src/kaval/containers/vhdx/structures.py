"""The structures of [MS-VHDX] 2: headers, region table, metadata, parent locator."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from kaval.containers.vhdx.crc32c import crc32c
from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.sources import ByteSource

KIB64 = 1 << 16
MIB = 1 << 20
MAXIMUM_ENTRIES = 2047
MAXIMUM_METADATA = 1 << 20

BAT_REGION = UUID("2dc27766-f623-4200-9d64-115e9bfd4a08")
METADATA_REGION = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")
FILE_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
DISK_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
DISK_IDENTIFIER = UUID("beca12ab-b2e6-4523-93ef-c309e000c746")
LOGICAL_SECTOR_SIZE = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
PHYSICAL_SECTOR_SIZE = UUID("cda348c7-445d-4471-9cc9-e9885251c556")
PARENT_LOCATOR = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c")
_KNOWN = {FILE_PARAMETERS, DISK_SIZE, DISK_IDENTIFIER, LOGICAL_SECTOR_SIZE, PHYSICAL_SECTOR_SIZE, PARENT_LOCATOR}
_HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")


@dataclass(frozen=True, kw_only=True)
class Header:
    """The current one of the two headers: which log it speaks of, and the identifier that changes with the disk."""

    sequence: int
    written: UUID
    log_identifier: UUID
    log_size: int
    log_offset: int


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where a region of the file lies."""

    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What the metadata say of the disk."""

    block_size: int
    size: int
    sector_size: int
    identifier: UUID | None
    parent: Mapping[str, str] | None


def _checked(block: bytes) -> bool:
    return crc32c(block[:4] + bytes(4) + block[8:]) == int.from_bytes(block[4:8], "little")


def read_header(source: ByteSource, title: str) -> tuple[Header, bool]:
    """Return the sound header with the higher sequence number, and whether both are sound ([MS-VHDX] 2.2.2)."""
    found = []
    for offset in (KIB64, 2 * KIB64):
        block = source.read_at(offset, 4096)
        if len(block) == 4096 and block[:4] == b"head" and _checked(block):
            fields = _HEADER.unpack_from(block)
            header = Header(
                sequence=fields[2],
                written=UUID(bytes_le=fields[4]),
                log_identifier=UUID(bytes_le=fields[5]),
                log_size=fields[8],
                log_offset=fields[9],
            )
            found.append(header)
    if not found:
        raise CorruptStructureError(title, "neither of its headers is sound", KIB64)
    return max(found, key=lambda header: header.sequence), len(found) == 2


def read_regions(source: ByteSource, title: str) -> dict[UUID, Region]:
    """Return the regions of the first sound region table ([MS-VHDX] 2.2.3)."""
    for offset in (3 * KIB64, 4 * KIB64):
        block = source.read_at(offset, KIB64)
        if len(block) < KIB64 or block[:4] != b"regi" or not _checked(block):
            continue
        regions = {}
        for number in range(min(int.from_bytes(block[8:12], "little"), MAXIMUM_ENTRIES)):
            raw, start, size, required = struct.unpack_from("<16sQII", block, 16 + 32 * number)
            identifier = UUID(bytes_le=raw)
            regions[identifier] = Region(offset=start, size=size)
            if required & 1 and identifier not in (BAT_REGION, METADATA_REGION):
                raise UnsupportedError(f"{title} with a region {identifier}", "convert it with qemu-img convert -O raw")
        return regions
    raise CorruptStructureError(title, "neither of its region tables is sound", 3 * KIB64)


def read_disk(source: ByteSource, regions: Mapping[UUID, Region], title: str) -> Disk:
    """Return the items of the metadata region ([MS-VHDX] 2.6)."""
    region = regions.get(METADATA_REGION)
    if region is None:
        raise CorruptStructureError(title, "it has no metadata region")
    block = source.read_at(region.offset, min(region.size, KIB64))
    if len(block) < 32 or block[:8] != b"metadata":
        raise CorruptStructureError(title, "its metadata table is not where the region table says", region.offset)
    items: dict[UUID, bytes] = {}
    for number in range(min(int.from_bytes(block[10:12], "little"), MAXIMUM_ENTRIES, (len(block) - 32) // 32)):
        raw, offset, size, flags = struct.unpack_from("<16sIII", block, 32 + 32 * number)
        identifier = UUID(bytes_le=raw)
        if identifier not in _KNOWN:
            if flags & 4:
                raise UnsupportedError(f"{title} with metadata {identifier}", "convert it with qemu-img convert -O raw")
            continue
        items[identifier] = source.read_at(region.offset + offset, min(size, MAXIMUM_METADATA))
    return _disk(items, title, region.offset)


def _disk(items: Mapping[UUID, bytes], title: str, offset: int) -> Disk:
    def number(identifier: UUID, start: int, size: int) -> int:
        item = items.get(identifier, b"")[start : start + size]
        if len(item) < size:
            raise CorruptStructureError(title, f"its metadata have no item {identifier}", offset)
        return int.from_bytes(item, "little")

    block_size, flags = number(FILE_PARAMETERS, 0, 4), number(FILE_PARAMETERS, 4, 4)
    size, sector_size = number(DISK_SIZE, 0, 8), number(LOGICAL_SECTOR_SIZE, 0, 4)
    power = block_size & (block_size - 1) == 0
    if not power or not MIB <= block_size <= 256 * MIB or sector_size not in (512, 4096) or not 0 < size <= 1 << 47:
        reason = f"it claims {size} bytes in blocks of {block_size} and sectors of {sector_size}"
        raise CorruptStructureError(title, reason, offset)
    raw = items.get(DISK_IDENTIFIER, b"")
    return Disk(
        block_size=block_size,
        size=size,
        sector_size=sector_size,
        identifier=UUID(bytes_le=raw[:16]) if len(raw) >= 16 else None,
        parent=read_locator(items.get(PARENT_LOCATOR, b"")) if flags & 2 else None,
    )


def read_locator(item: bytes) -> dict[str, str]:
    """Return keys and values of a parent locator ([MS-VHDX] 2.6.2.6)."""

    def text(start: int, size: int) -> str:
        return item[start : start + size].decode("utf-16-le", "replace")

    found = {}
    count = int.from_bytes(item[18:20], "little")
    for number in range(min(count, max(0, len(item) - 20) // 12)):
        key, value, key_size, value_size = struct.unpack_from("<IIHH", item, 20 + 12 * number)
        found[text(key, key_size)] = text(value, value_size)
    return found
