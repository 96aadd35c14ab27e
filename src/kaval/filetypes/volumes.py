"""Disks and volumes by their first bytes: what is worth opening as a further source, whatever it is called."""

from __future__ import annotations

from typing import ClassVar

from kaval.filetypes import FILETYPES, FileType
from kaval.filetypes.signatures import Signature, first_fit, kind, types_of

LEAST_SIZE = 64 << 10

DISK = kind("application/x-raw-disk-image", "Disk or volume", "dd", "img", "raw", "bin", "000", "001", "iso")


def _large(head: bytes, size: int) -> bool:
    return size >= LEAST_SIZE


def _boot_sector(head: bytes, size: int) -> bool:
    """Whether a boot sector's mark stands where it has to, and the sector size before it is one."""
    sector_size = int.from_bytes(head[11:13], "little")
    return _large(head, size) and head[510:512] == b"\x55\xaa" and sector_size in (0, 512, 1024, 2048, 4096)


def _partition_table(head: bytes, size: int) -> bool:
    """Whether four partition entries stand before the mark: known flags, and at least one that lies inside."""
    if not _large(head, size) or head[510:512] != b"\x55\xaa":
        return False
    entries = [head[place : place + 16] for place in range(446, 510, 16)]
    if any(entry[0] not in (0, 0x80) for entry in entries):
        return False
    used = [entry for entry in entries if entry[4]]
    starts = [int.from_bytes(entry[8:12], "little") for entry in used]
    lengths = [int.from_bytes(entry[12:16], "little") for entry in used]
    inside = all(0 < start * 512 < size and length for start, length in zip(starts, lengths, strict=True))
    return bool(used) and inside


def _ext(head: bytes, size: int) -> bool:
    """Whether an ext superblock stands at byte 1024: block size and creator as they may be."""
    return _large(head, size) and int.from_bytes(head[1048:1052], "little") <= 6 and head[1096:1097] in b"\0\1\2\3\4"


SIGNATURES = (
    Signature(b"NTFS    ", DISK, 3, _boot_sector),
    Signature(b"EXFAT   ", DISK, 3, _boot_sector),
    Signature(b"FAT32   ", DISK, 82, _boot_sector),
    Signature(b"FAT16   ", DISK, 54, _boot_sector),
    Signature(b"FAT12   ", DISK, 54, _boot_sector),
    Signature(b"EFI PART", DISK, 512, _large),
    Signature(b"LABELONE", DISK, 512, _large),
    Signature(b"\x53\xef", DISK, 1080, _ext),
    Signature(b"NXSB", DISK, 32, _large),
    Signature(b"XFSB\0\0", DISK, 0, _large),
    Signature(b"H+\0\4", DISK, 1024, _large),
    Signature(b"HX\0\5", DISK, 1024, _large),
    Signature(b"\x55\xaa", DISK, 510, _partition_table),
)


@FILETYPES.register
class Disks:
    """Raw disks and volumes."""

    name: ClassVar[str] = "disks"
    title: ClassVar[str] = "Raw disks and volumes"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    types: ClassVar[tuple[FileType, ...]] = types_of(SIGNATURES)

    def identify(self, head: bytes, size: int) -> FileType | None:
        return first_fit(SIGNATURES, head, size)
