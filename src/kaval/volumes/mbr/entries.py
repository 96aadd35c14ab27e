"""The sector of four partition entries, as the master boot record and every extended boot record carry it.

Layout: UEFI specification 2.10 section 5.2.1 (table 5.1). Entries lie at byte 446, sixteen bytes each; the mark
55 AA ends the sector. Addresses count sectors of a size the sector does not tell.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from kaval.volumes.boot_sectors import BOOT_MARK

ENTRIES_OFFSET = 446
ENTRY_SIZE = 16
MBR_SIZE = 512
EXTENDED_TYPES = frozenset((0x05, 0x0F, 0x85, 0xC5, 0xCF, 0xD5))
PROTECTIVE_TYPE = 0xEE
_ENTRY = struct.Struct("<B3xB3xII")

TYPE_TITLES = {
    0x01: "FAT12",
    0x04: "FAT16 under 32 MiB",
    0x05: "extended",
    0x06: "FAT16",
    0x07: "NTFS, exFAT or HPFS",
    0x0B: "FAT32",
    0x0C: "FAT32 (LBA)",
    0x0E: "FAT16 (LBA)",
    0x0F: "extended (LBA)",
    0x11: "hidden FAT12",
    0x12: "maker's diagnostics",
    0x14: "hidden FAT16 under 32 MiB",
    0x16: "hidden FAT16",
    0x17: "hidden NTFS, exFAT or HPFS",
    0x1B: "hidden FAT32",
    0x1C: "hidden FAT32 (LBA)",
    0x1E: "hidden FAT16 (LBA)",
    0x27: "Windows recovery",
    0x39: "Plan 9",
    0x42: "Windows dynamic disk",
    0x4D: "QNX4",
    0x63: "Unix System V",
    0x6C: "DragonFly BSD",
    0x82: "Linux swap or Solaris",
    0x83: "Linux",
    0x84: "hibernation",
    0x85: "Linux extended",
    0x86: "NTFS volume set",
    0x87: "NTFS volume set",
    0x88: "Linux plain text",
    0x8E: "Linux LVM",
    0xA0: "hibernation",
    0xA5: "FreeBSD",
    0xA6: "OpenBSD",
    0xA8: "Apple UFS",
    0xA9: "NetBSD",
    0xAB: "Apple boot",
    0xAF: "Apple HFS or HFS+",
    0xB1: "QNX6",
    0xBE: "Solaris boot",
    0xBF: "Solaris",
    0xDA: "data without file system",
    0xDB: "CP/M",
    0xDE: "Dell diagnostics",
    0xE8: "LUKS",
    0xEB: "BeOS",
    0xEE: "GPT protective",
    0xEF: "EFI system",
    0xFB: "VMware VMFS",
    0xFC: "VMware swap",
    0xFD: "Linux RAID",
}


@dataclass(frozen=True, slots=True)
class MbrEntry:
    """One entry as stored: ``first_sector`` and ``sector_count`` count sectors of unknown size."""

    index: int
    status: int
    type: int
    first_sector: int
    sector_count: int

    @property
    def empty(self) -> bool:
        """Whether the entry names no partition."""
        return self.type == 0

    @property
    def well_formed(self) -> bool:
        """Whether nothing in the entry speaks against it."""
        return self.status in (0, 0x80) and (self.empty or self.sector_count > 0)

    @property
    def title(self) -> str:
        """What the type byte stands for."""
        return TYPE_TITLES.get(self.type, "unknown type")


def parse_entries(sector: bytes) -> list[MbrEntry] | None:
    """Return the four entries of a sector, or ``None`` where the mark at its end is missing."""
    if len(sector) < MBR_SIZE or sector[510:512] != BOOT_MARK:
        return None
    return [MbrEntry(index, *_ENTRY.unpack_from(sector, ENTRIES_OFFSET + ENTRY_SIZE * index)) for index in range(4)]


def describes_partitions(entries: Sequence[MbrEntry]) -> bool:
    """Say whether four entries are a table: all well formed, none of them beginning in another, one in use at least."""
    used = sorted((entry for entry in entries if not entry.empty), key=lambda entry: entry.first_sector)
    if not used or not all(entry.well_formed for entry in entries):
        return False
    return all(first.first_sector + first.sector_count <= second.first_sector for first, second in pairwise(used))


def is_protective(entries: Sequence[MbrEntry]) -> bool:
    """Say whether the record only guards a GPT, or mirrors part of one."""
    return any(entry.type == PROTECTIVE_TYPE and entry.well_formed for entry in entries)
