"""The superblock of a member of a Linux software RAID (md), in all its versions.

Known: ``include/uapi/linux/raid/md_p.h``. Version 1.1 lies at the start of the member, 1.2 at 4096 bytes, 1.0 and 0.90
near its end. Only superblocks whose checksum holds are taken for any.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from kaval.core.sources import ByteSource
from kaval.volumes.ranges import read_or_none

_MAGIC = 0xA92B4EFC
_V1 = struct.Struct("<IIII16s32sQiIQIIII")
_LEVELS = {-4: "multipath", -1: "linear"}
_MAXIMUM_DEVICES = 4096


@dataclass(frozen=True, kw_only=True)
class MdSuperblock:
    """What a member says of its array; ``data_offset`` and ``data_size`` are bytes of the member."""

    version: str
    offset: int
    array_id: str
    name: str
    level: int
    members: int
    role: str
    data_offset: int
    data_size: int

    @property
    def is_whole(self) -> bool:
        """Whether one member holds all the array: a mirror, or an array of one."""
        return self.level == 1 or (self.members == 1 and self.level in (-1, 0))

    @property
    def description(self) -> str:
        """The array in words."""
        level = _LEVELS.get(self.level, f"RAID {self.level}")
        name = f" “{self.name}”" if self.name else ""
        return f"{level} array{name} of {self.members} members ({self.array_id}); this is {self.role}"


def front_superblock(source: ByteSource) -> MdSuperblock | None:
    """Return the superblock before the data of the member (1.1, 1.2)."""
    for offset, minor in ((0, 1), (4096, 2)):
        found = _read_v1(source, offset, f"1.{minor}")
        if found is not None:
            return found
    return None


def tail_superblock(source: ByteSource) -> MdSuperblock | None:
    """Return the superblock behind the data of the member (1.0, 0.90)."""
    sectors = source.size // 512
    found = _read_v1(source, ((sectors - 16) & ~7) * 512, "1.0")
    if found is not None:
        return found
    return _read_v0(source, (source.size & ~0xFFFF) - 0x10000)


def _read_v1(source: ByteSource, offset: int, version: str) -> MdSuperblock | None:
    block = read_or_none(source, offset, 256) if offset >= 0 else None
    if block is None or block[:8] != struct.pack("<II", _MAGIC, 1):
        return None
    fields = _V1.unpack_from(block)
    data_sector, data_sectors, own_sector = struct.unpack_from("<QQQ", block, 128)
    number, checksum, devices = struct.unpack_from("<I52xII", block, 160)
    if devices > _MAXIMUM_DEVICES or own_sector * 512 != offset:
        return None
    roles = read_or_none(source, offset + 256, 2 * devices)
    if roles is None or _checksum_v1(block, roles) != checksum:
        return None
    role = struct.unpack_from("<H", roles, 2 * number)[0] if number < devices else 0xFFFF
    return MdSuperblock(
        version=version,
        offset=offset,
        array_id=str(UUID(bytes=fields[4])),
        name=fields[5].partition(b"\0")[0].decode("utf-8", "replace"),
        level=fields[7],
        members=fields[11],
        role="a spare" if role >= 0xFFFE else f"member {role}",
        data_offset=data_sector * 512,
        data_size=data_sectors * 512,
    )


def _checksum_v1(block: bytes, roles: bytes) -> int:
    content = block[:216] + bytes(4) + block[220:] + roles
    total: int = sum(struct.unpack(f"<{len(content) // 4}I", content[: len(content) & ~3]))
    if len(content) & 2:
        total += struct.unpack("<H", content[-2:])[0]
    return ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


def _read_v0(source: ByteSource, offset: int) -> MdSuperblock | None:
    block = read_or_none(source, offset, 4096) if offset >= 0 else None
    if block is None or block[:12] != struct.pack("<III", _MAGIC, 0, 90):
        return None
    words = struct.unpack("<1024I", block)
    checksum = 38
    total = sum(words) - words[checksum]
    if ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF != words[checksum]:
        return None
    identifier = struct.pack("<4I", words[5], *words[13:16])
    return MdSuperblock(
        version="0.90",
        offset=offset,
        array_id=str(UUID(bytes=identifier)),
        name="",
        level=words[7] - (1 << 32) if words[7] >= 1 << 31 else words[7],
        members=words[10],
        role=f"member {words[995]}",
        data_offset=0,
        data_size=words[8] * 1024,
    )
