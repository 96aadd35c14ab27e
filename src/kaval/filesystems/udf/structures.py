"""Structures of ECMA-167 part 4: tags, addresses, file entries, file identifiers, timestamps, names."""

from __future__ import annotations

import calendar
import struct
from typing import NamedTuple

FILE_ENTRY, EXTENDED_FILE_ENTRY, IDENTIFIER = 261, 266, 257
DIRECTORY_TYPE, SYMLINK_TYPE = 4, 12
HIDDEN, IS_DIRECTORY, DELETED, PARENT = 0x01, 0x02, 0x04, 0x08
MAXIMUM_ADDRESSES = 1 << 16
_SECOND = 1_000_000_000


class LongAddress(NamedTuple):
    """Where something lies: a block of a partition; ``recorded`` is false for what was only set aside."""

    length: int
    block: int
    partition: int
    recorded: bool = True


class FileEntry(NamedTuple):
    """One file entry, plain or extended.

    ``embedded`` is the place of the content inside the entry and its length, where it is kept there.
    ``continued`` is where further addresses lie.
    """

    type: int
    size: int
    owner: int
    group: int
    permissions: int
    stamps: dict[str, bytes]
    addresses: list[LongAddress]
    embedded: tuple[int, int] | None
    continued: LongAddress | None
    wide: bool


def tag_of(block: bytes) -> int | None:
    """Return the identifier of a descriptor tag; ``None`` where its checksum is wrong (ECMA-167 3/7.2)."""
    if len(block) < 16 or not any(block[:16]):
        return None
    if (sum(block[:4]) + sum(block[5:16])) & 0xFF != block[4]:
        return None
    return int.from_bytes(block[:2], "little")


def long_address(block: bytes, place: int) -> LongAddress:
    """Return a long_ad (ECMA-167 4/14.14.2)."""
    length, number, partition = struct.unpack_from("<IIH", block, place)
    return LongAddress(length & 0x3FFFFFFF, number, partition, length >> 30 == 0)


def cs0(raw: bytes) -> str:
    """Return a dstring: compressed Unicode whose last byte is its length (UDF 2.1.3)."""
    return name_of(raw[: raw[-1]]) if raw and raw[-1] else ""


def name_of(raw: bytes) -> str:
    """Return d-characters by their compression identifier (UDF 2.1.1)."""
    if not raw:
        return ""
    if raw[0] == 16:
        return raw[1 : 1 + (len(raw) - 1) // 2 * 2].decode("utf-16-be", "replace")
    return raw[1:].decode("latin-1")


def file_entry(block: bytes, partition: int = 0) -> FileEntry | None:
    """Return the file entry a block holds; ``None`` where it holds none (ECMA-167 4/14.9, 4/14.17)."""
    kind = tag_of(block)
    if kind not in (FILE_ENTRY, EXTENDED_FILE_ENTRY) or len(block) < 216:
        return None
    extended = kind == EXTENDED_FILE_ENTRY
    flags = int.from_bytes(block[34:36], "little")
    owner, group, permissions = struct.unpack_from("<III", block, 36)
    places = {"accessed": 80, "modified": 92, "created": 104, "changed": 116} if extended else {
        "accessed": 72, "modified": 84, "changed": 96,
    }  # fmt: skip
    attributes, length = struct.unpack_from("<II", block, 208 if extended else 168)
    start = (216 if extended else 176) + attributes
    area = block[start : start + length]
    form = flags & 7
    addresses: list[LongAddress] = []
    continued = None
    if form in (0, 1):
        addresses, continued = parse_addresses(area, partition, wide=form == 1)
    return FileEntry(
        type=block[27],
        size=int.from_bytes(block[56:64], "little"),
        owner=owner,
        group=group,
        permissions=permissions,
        stamps={name: block[place : place + 12] for name, place in places.items()},
        addresses=addresses,
        embedded=(start, len(area)) if form == 3 else None,
        continued=continued,
        wide=form == 1,
    )


def parse_addresses(area: bytes, partition: int, *, wide: bool) -> tuple[list[LongAddress], LongAddress | None]:
    """Return the addresses of an area, and where they go on."""
    found: list[LongAddress] = []
    step = 16 if wide else 8
    for place in range(0, len(area) - step + 1, step):
        length, block = struct.unpack_from("<II", area, place)
        where = int.from_bytes(area[place + 8 : place + 10], "little") if wide else partition
        kind, length = length >> 30, length & 0x3FFFFFFF
        if length == 0:
            break
        if kind == 3:
            return found, LongAddress(length, block, where)
        found.append(LongAddress(length, block, where, kind == 0))
    return found, None


class Identifier(NamedTuple):
    """One name in a directory."""

    place: int
    characteristics: int
    icb: LongAddress
    name: str
    raw: bytes


def parse_identifier(block: bytes, place: int) -> tuple[Identifier | None, int]:
    """Return the file identifier at a place and the place behind it; ``None`` where there is none (4/14.4)."""
    head = block[place : place + 38]
    if len(head) < 38 or tag_of(head) != IDENTIFIER:
        return None, place
    characteristics, length = head[18], head[19]
    use = int.from_bytes(head[36:38], "little")
    start = place + 38 + use
    raw = block[start : start + length]
    if len(raw) < length:
        return None, place
    behind = place + (38 + use + length + 3) // 4 * 4
    return Identifier(place, characteristics, long_address(head, 20), name_of(raw), raw), behind


def moment(stamp: bytes) -> tuple[int | None, int | None]:
    """Return a timestamp in nanoseconds since 1970 of its own clock, and that clock's minutes east of UTC."""
    kind, year, month, day, hour, minute, second, centi, hundreds, micro = struct.unpack("<HhBBBBBBBB", stamp)
    if not 1 <= month <= 12 or not 1 <= year <= 9999 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None, None
    if hour > 23 or minute > 59 or second > 59 or max(centi, hundreds, micro) > 99:
        return None, None
    fraction = (centi * 10_000 + hundreds * 100 + micro) * 1000
    zone = kind & 0xFFF
    zone -= 0x1000 if zone & 0x800 else 0
    known = kind >> 12 == 1 and -1440 <= zone <= 1440
    value = calendar.timegm((year, month, day, hour, minute, second)) * _SECOND + fraction
    return value, zone if known else None
