"""Directory records and the Rock Ridge fields in their system use area.

ECMA-119 section 9.1; SUSP 1.12; RRIP 1.12. Numbers are stored in both byte orders; where those disagree, both are kept.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import UnreadableError
from kaval.core.records import Times
from kaval.core.sources import ByteSource

DIRECTORY, ASSOCIATED, MULTIPLE = 0x02, 0x04, 0x80
MAXIMUM_CONTINUATIONS = 32
_SECOND = 1_000_000_000


class Record(NamedTuple):
    """One directory record; ``other_block`` and ``other_size`` are the big-endian values where they differ."""

    offset: int
    block: int
    size: int
    other_block: int
    other_size: int
    time: bytes
    flags: int
    unit: int
    gap: int
    name: bytes
    system_use: bytes


class RockRidge(NamedTuple):
    """What the POSIX fields of a record say."""

    name: bytes | None
    mode: int | None
    owner: int | None
    group: int | None
    link: str | None
    times: dict[str, bytes]
    child: int | None
    relocated: bool


def parse_record(block: bytes, place: int, offset: int) -> Record | None:
    """Return the record at a place of a block; ``None`` where it is too short to be one."""
    length = block[place]
    if length < 34 or place + length > len(block):
        return None
    raw = block[place : place + length]
    name_length = raw[32]
    if 33 + name_length > length:
        return None
    system = 33 + name_length + (1 - name_length % 2)
    little, big = int.from_bytes(raw[2:6], "little"), int.from_bytes(raw[6:10], "big")
    size, big_size = int.from_bytes(raw[10:14], "little"), int.from_bytes(raw[14:18], "big")
    return Record(
        offset + place, little + raw[1], size, big + raw[1], big_size, raw[18:25], raw[25], raw[26], raw[27],
        raw[33 : 33 + name_length], raw[system:],
    )  # fmt: skip


def fields(area: bytes, source: ByteSource, block_size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields of a system use area as signature and payload, following its continuations."""
    for _ in range(MAXIMUM_CONTINUATIONS):
        following: tuple[int, int] | None = None
        place = 0
        while place + 4 <= len(area):
            signature, length = area[place : place + 2], area[place + 2]
            if length < 4 or place + length > len(area):
                break
            payload = area[place + 4 : place + length]
            if signature == b"CE" and len(payload) >= 24:
                start, inside, size = (int.from_bytes(payload[k : k + 4], "little") for k in (0, 8, 16))
                following = (start * block_size + inside, min(size, block_size))
            elif signature == b"ST":
                break
            else:
                yield signature, payload
            place += length
        if following is None:
            return
        try:
            area = source.read_at(*following)
        except UnreadableError:
            return


def rock_ridge(record: Record, skip: int, source: ByteSource, block_size: int) -> RockRidge:
    """Return the POSIX fields of a record; ``skip`` is what the ``SP`` field of the root tells to leave out."""
    name: bytes | None = None
    mode = owner = group = child = None
    parts: list[str] = []
    joins = relocated = False
    times: dict[str, bytes] = {}
    for signature, payload in fields(record.system_use[skip:], source, block_size):
        if signature == b"NM" and payload and not payload[0] & 0x06:
            name = (name or b"") + payload[1:]
        elif signature == b"PX" and len(payload) >= 32:
            mode, owner, group = (int.from_bytes(payload[k : k + 4], "little") for k in (0, 16, 24))
        elif signature == b"SL" and payload:
            joins = _link(payload[1:], parts, joins=joins)
        elif signature == b"TF" and payload:
            times |= _times(payload)
        elif signature == b"CL" and len(payload) >= 4:
            child = int.from_bytes(payload[:4], "little")
        elif signature == b"RE":
            relocated = True
    link = "/".join(parts).replace("//", "/") if parts else None
    return RockRidge(name, mode, owner, group, link, times, child, relocated)


def _link(area: bytes, parts: list[str], *, joins: bool) -> bool:
    """Add the components of a symbolic link (RRIP 4.1.3.1); return whether the last one goes on in the next field."""
    place = 0
    while place + 2 <= len(area):
        flags, length = area[place], area[place + 1]
        text = area[place + 2 : place + 2 + length].decode("utf-8", "replace")
        text = "." if flags & 2 else ".." if flags & 4 else "" if flags & 8 else text
        if joins and parts:
            parts[-1] += text
        else:
            parts.append(text)
        joins = bool(flags & 1)
        place += 2 + length
    return joins


def _times(payload: bytes) -> dict[str, bytes]:
    """Return the stamps of a ``TF`` field by their names (RRIP 4.1.6)."""
    flags, place = payload[0], 1
    size = 17 if flags & 0x80 else 7
    found = {}
    for bit, name in enumerate(("created", "modified", "accessed", "changed")):
        if flags >> bit & 1 and place + size <= len(payload):
            found[name] = payload[place : place + size]
            place += size
    return found


def moment(stamp: bytes) -> tuple[int | None, int]:
    """Return a stamp in nanoseconds since 1970 of its own clock, and that clock's minutes east of UTC."""
    try:
        if len(stamp) == 17:
            digits = stamp[:16].decode("ascii")
            parts = (int(digits[:4]), *(int(digits[k : k + 2]) for k in (4, 6, 8, 10, 12)))
            fraction = int(digits[14:16]) * 10_000_000
        else:
            parts, fraction = (1900 + stamp[0], *stamp[1:6]), 0
    except (ValueError, IndexError):
        return None, 0
    year, month, day, hour, minute, second = parts
    if not (1 <= month <= 12 and year and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None, 0
    if hour > 23 or minute > 59 or second > 59:
        return None, 0
    zone = int.from_bytes(stamp[-1:], "little", signed=True) * 15
    return calendar.timegm((year, month, day, hour, minute, second)) * _SECOND + fraction, zone


def times_of(record: Record, ridge: RockRidge | None) -> Times:
    """Return the times of a record in the zone it was written in; where its stamps name several, in UTC."""
    stamps = ridge.times if ridge is not None and ridge.times else {"modified": record.time}
    known = {name: moment(stamp) for name, stamp in stamps.items()}
    zones = {zone for value, zone in known.values() if value is not None}
    if not zones:
        return Times()
    resolution = "10ms" if any(len(stamp) == 17 for stamp in stamps.values()) else "1s"
    if len(zones) == 1:
        (zone,) = zones
        sign = "-" if zone < 0 else "+"
        text = f"{sign}{abs(zone) // 60:02}:{abs(zone) % 60:02}"
        values = {name: value for name, (value, _) in known.items()}
    else:
        text = "utc"
        values = {name: None if value is None else value - zone * 60 * _SECOND for name, (value, zone) in known.items()}
    return Times(
        modified=values.get("modified"),
        accessed=values.get("accessed"),
        changed=values.get("changed"),
        created=values.get("created"),
        zone=text,
        resolution=resolution,
    )
