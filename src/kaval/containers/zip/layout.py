"""The structures of a ZIP file (PKWARE APPNOTE.TXT 6.3.10, section 4.3), read and not yet interpreted."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kaval.containers.window import Window
from kaval.core.errors import CorruptStructureError, LockedError, UnsupportedError
from kaval.core.sources import ByteSource

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
LOCATOR64 = b"PK\x06\x07"
DESCRIPTOR = b"PK\x07\x08"
SIGNATURE = b"PK\x05\x05"
ARCHIVE_EXTRA = b"PK\x06\x08"

_LOCAL = struct.Struct("<4s2B4HL2L2H")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
LOCAL_SIZE = _LOCAL.size
CENTRAL_SIZE = _CENTRAL.size

_MASKED = 0xFFFFFFFF
_CANDIDATES = 64

ENCRYPTED_FLAG = 1 << 0
DESCRIPTOR_FLAG = 1 << 3
UTF8_FLAG = 1 << 11
MASKED_FLAG = 1 << 13


class Member(NamedTuple):
    """One member as a header tells it; ``record_offset`` is where that header lies.

    ``system`` and ``attributes`` stand in the central directory only, and are ``None`` otherwise.
    """

    record_offset: int
    header_offset: int
    system: int | None
    flags: int
    method: int
    time: int
    date: int
    crc: int
    compressed_size: int
    size: int
    name: bytes
    extra: bytes
    attributes: int | None
    disk: int = 0


class Local(NamedTuple):
    """A local header: the member as told there, and where its bytes start."""

    member: Member
    data_offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """Where the central directory lies, and what its end record says.

    ``shift`` is to be added to every stored offset: bytes stand before the archive. ``trailing_size`` bytes follow it.
    """

    offset: int
    end: int
    count: int
    shift: int
    comment: bytes
    is_zip64: bool
    trailing_size: int


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield identifier and content of the extra fields; one that is cut short ends them (APPNOTE 4.5.1)."""
    place = 0
    while place + 4 <= len(extra):
        identifier, length = struct.unpack_from("<HH", extra, place)
        place += 4
        if place + length > len(extra):
            return
        yield identifier, extra[place : place + length]
        place += length


def _zip64_values(extra: bytes) -> list[int]:
    """Return the 64-bit numbers of the ZIP64 field in their order (APPNOTE 4.5.3)."""
    for identifier, content in extra_fields(extra):
        if identifier == 1:
            return [number for (number,) in struct.iter_unpack("<Q", content[: len(content) // 8 * 8])]
    return []


def read_central(window: Window, offset: int, end: int, shift: int) -> tuple[Member, int]:
    """Return the member whose central header stands at ``offset``, and where the next one would.

    Raises:
        CorruptStructureError: There is no header, or it runs past the end of the directory.
    """
    head = window.read_at(offset, CENTRAL_SIZE)
    if len(head) < CENTRAL_SIZE or offset + CENTRAL_SIZE > end or head[:4] != CENTRAL:
        raise CorruptStructureError("the ZIP central directory", "there is no header where one is due", offset)
    (_, _, system, _, _, flags, method, time, date, crc, packed, size, name_length, extra_length, comment_length,
     disk, _, attributes, header) = _CENTRAL.unpack(head)  # fmt: skip
    after = offset + CENTRAL_SIZE + name_length + extra_length + comment_length
    if after > end:
        raise CorruptStructureError("the ZIP central directory", "a header runs past its end", offset)
    names = window.read_at(offset + CENTRAL_SIZE, name_length + extra_length)
    extra = names[name_length:]
    if _MASKED in (size, packed, header):
        values = iter(_zip64_values(extra))
        size = next(values, size) if size == _MASKED else size
        packed = next(values, packed) if packed == _MASKED else packed
        header = next(values, header) if header == _MASKED else header
    name = names[:name_length]
    member = Member(
        offset, header + shift, system, flags, method, time, date, crc, packed, size, name, extra, attributes, disk
    )  # fmt: skip
    return member, after


def read_local(window: Window, offset: int) -> Local | None:
    """Return the local header at ``offset``, ``None`` if there is none."""
    head = window.read_at(offset, LOCAL_SIZE) if 0 <= offset < window.size else b""
    if len(head) < LOCAL_SIZE or head[:4] != LOCAL:
        return None
    _, _, _, flags, method, time, date, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
    names = window.read_at(offset + LOCAL_SIZE, name_length + extra_length)
    if len(names) < name_length + extra_length:
        return None
    extra = names[name_length:]
    if _MASKED in (size, packed):
        values = iter(_zip64_values(extra))
        size = next(values, size) if size == _MASKED else size
        packed = next(values, packed) if packed == _MASKED else packed
    name = names[:name_length]
    member = Member(offset, offset, None, flags, method, time, date, crc, packed, size, name, extra, None)
    return Local(member, offset + LOCAL_SIZE + name_length + extra_length)


def find_directory(source: ByteSource) -> Directory | None:
    """Return where the central directory lies; ``None`` where no end record leads to one (APPNOTE 4.3.16).

    Raises:
        UnsupportedError: The archive consists of several disks.
        LockedError: The directory itself is encrypted.
    """
    length = min(source.size, _END.size + 0xFFFF)
    start = source.size - length
    tail = source.read_at(start, length)
    place = len(tail)
    for _ in range(_CANDIDATES):
        place = tail.rfind(END, 0, place)
        if place < 0:
            return None
        found = _directory(source, start + place, tail[place:])
        if found is not None:
            return found
    return None


def _directory(source: ByteSource, at: int, tail: bytes) -> Directory | None:
    if len(tail) < _END.size:
        return None
    _, disk, start_disk, _, count, size, offset, comment_length = _END.unpack_from(tail)
    if _END.size + comment_length > len(tail):
        return None
    end, is_zip64 = at, False
    wide = _end64(source, at)
    if wide is not None:
        end, disk, start_disk, count, size, offset = wide
        is_zip64 = True
    start = _start_of(source, end, size, offset)
    if disk != start_disk or disk not in (0, 0xFFFF):
        remedy = "join its parts into one file first (zip -s 0), and examine that"
        raise UnsupportedError("A ZIP made of several disks", remedy)
    if start is None:
        return None
    comment = tail[_END.size : _END.size + comment_length]
    return Directory(
        offset=start,
        end=end,
        count=count,
        shift=start - offset,
        comment=comment,
        is_zip64=is_zip64,
        trailing_size=len(tail) - _END.size - comment_length,
    )


def _start_of(source: ByteSource, end: int, size: int, offset: int) -> int | None:
    """Return where the directory starts: right before its end, or where it is said to."""
    for start in (end - size, offset):
        if start < 0 or start > end:
            continue
        head = source.read_at(start, 4)
        if head == ARCHIVE_EXTRA:
            raise LockedError("The directory of the ZIP", "it is encrypted; the certificate or passphrase is needed")
        if head == CENTRAL or (size == 0 and start == end):
            return start
    return None


def _end64(source: ByteSource, at: int) -> tuple[int, int, int, int, int, int] | None:
    """Return place and values of the ZIP64 end record that belongs to the end record at ``at`` (APPNOTE 4.3.14)."""
    locator = source.read_at(at - _LOCATOR64.size, _LOCATOR64.size) if at >= _LOCATOR64.size else b""
    if locator[:4] != LOCATOR64:
        return None
    _, _, stored, _ = _LOCATOR64.unpack(locator)
    for place in (at - _LOCATOR64.size - _END64.size, stored):
        head = source.read_at(place, _END64.size) if 0 <= place < at else b""
        if head[:4] == END64 and len(head) == _END64.size:
            _, _, _, _, disk, start_disk, _, count, size, offset = _END64.unpack(head)
            return place, disk, start_disk, count, size, offset
    return None
