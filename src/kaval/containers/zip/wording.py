"""What the headers of a ZIP member mean: names, times, owners, modes (APPNOTE 4.4 and 4.5, Info-ZIP's extra fields)."""

from __future__ import annotations

import stat
import struct
import zlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from kaval.containers.zip.layout import UTF8_FLAG, Member, extra_fields
from kaval.core.records import NO_TIMES, EntryKind, Times

_DOS_SYSTEMS = frozenset({0, 10, 11, 14})
_UNIX_SYSTEMS = frozenset({3, 19})
_TIMES = 0x5455
_NTFS = 0x000A
_UNIX_OLD = 0x5855
_UNIX_IDS_OLD = 0x7855
_UNIX_IDS = 0x7875
_UNICODE_PATH = 0x7075
_EPOCH_1601 = 11_644_473_600
_SECOND = 1_000_000_000

_KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.DIRECTORY,
    stat.S_IFLNK: EntryKind.SYMLINK,
    stat.S_IFBLK: EntryKind.DEVICE,
    stat.S_IFCHR: EntryKind.DEVICE,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}


class Path(NamedTuple):
    """A member's path as an entry tells it; ``raw`` where the stored bytes say more than ``text``."""

    text: str
    raw: bytes | None
    is_directory: bool


def path_of(member: Member) -> Path:
    """Return the path of a member, decoded as its header says.

    Without the UTF-8 flag or a Unicode path the format means code page 437 (APPNOTE D.1), but most writers store
    UTF-8 all the same: what is valid UTF-8 is taken for it. DOS separators become ``/``; a leading one is left away.
    """
    text, certain = _decode(member)
    if member.system in _DOS_SYSTEMS or member.system is None:
        text = text.replace("\\", "/")
    is_directory = text.endswith("/")
    shown = text.strip("/") or "_"
    exact = certain and shown.encode("utf-8", "replace") == member.name.rstrip(b"/")
    return Path(shown, None if exact else member.name, is_directory)


def _decode(member: Member) -> tuple[str, bool]:
    if member.name.isascii() and b"\0" not in member.name:
        return member.name.decode("ascii"), True
    if member.flags & UTF8_FLAG:
        return member.name.decode("utf-8", "replace"), True
    for identifier, content in extra_fields(member.extra):
        if identifier == _UNICODE_PATH and content[:5] == b"\x01" + zlib.crc32(member.name).to_bytes(4, "little"):
            return content[5:].decode("utf-8", "replace"), False
    try:
        return member.name.decode("utf-8"), False
    except UnicodeDecodeError:
        return member.name.decode("cp437"), False


class Owner(NamedTuple):
    """Numbers of user and group as text, ``None`` where none are stored."""

    user: str | None
    group: str | None


def owner_of(central: Member, local: Member | None) -> Owner:
    """Return owner and group from Info-ZIP's Unix fields."""
    for member in (central, local):
        for identifier, content in extra_fields(member.extra) if member and member.extra else ():
            if identifier == _UNIX_IDS and content[:1] == b"\x01" and len(content) > 2:
                user, rest = _sized_number(content[1:])
                group, _ = _sized_number(rest)
                return Owner(user, group)
            if identifier == _UNIX_IDS_OLD and len(content) >= 4:
                return Owner(*map(str, struct.unpack_from("<2H", content)))
            if identifier == _UNIX_OLD and len(content) >= 12:
                return Owner(*map(str, struct.unpack_from("<2H", content, 8)))
    return Owner(None, None)


def _sized_number(content: bytes) -> tuple[str | None, bytes]:
    length = content[0] if content else 0
    if not length or len(content) < 1 + length:
        return None, b""
    return str(int.from_bytes(content[1 : 1 + length], "little")), content[1 + length :]


def mode_of(member: Member) -> int | None:
    """Return the Unix mode where the member was made on such a system."""
    if member.attributes is None or member.system not in _UNIX_SYSTEMS:
        return None
    return member.attributes >> 16 or None


def kind_of(member: Member, path: Path, mode: int | None) -> EntryKind:
    """Return the kind by mode, else by the closing separator or the DOS attribute; what holds bytes is a file."""
    kind = _KINDS.get(stat.S_IFMT(mode)) if mode else None
    if kind is None or kind is EntryKind.FILE:
        dos_directory = (member.attributes or 0) & 0x10 and member.system in _DOS_SYSTEMS
        kind = EntryKind.DIRECTORY if path.is_directory or dos_directory else EntryKind.FILE
    return EntryKind.FILE if kind is EntryKind.DIRECTORY and member.size else kind


def times_of(central: Member, local: Member | None) -> tuple[Times, bool]:
    """Return the times of a member, and whether a stored one is impossible.

    Times in UTC come from the NTFS field, else Info-ZIP's fields (whose local copy holds more); without them only
    the DOS time is left, of a clock whose zone nobody stored.
    """
    for read in (_ntfs_times, _unix_times):
        for member in (local, central):
            times = read(member) if member and member.extra else None
            if times is not None:
                return times, False
    return _dos_times(central.date, central.time)


def _ntfs_times(member: Member) -> Times | None:
    for identifier, content in extra_fields(member.extra):
        if identifier == _NTFS and len(content) >= 32 and content[4:8] == b"\x01\x00\x18\x00":
            ticks = struct.unpack_from("<3Q", content, 8)
            modified, accessed, created = ((tick * 100 - _EPOCH_1601 * _SECOND) if tick else None for tick in ticks)
            return _utc(modified, accessed, created, "100ns")
    return None


def _unix_times(member: Member) -> Times | None:
    for identifier, content in extra_fields(member.extra):
        if identifier == _TIMES and len(content) >= 5 and content[0] & 7:
            numbers = iter(struct.unpack_from(f"<{(len(content) - 1) // 4}l", content, 1))
            stored = [next(numbers, None) if content[0] & bit else None for bit in (1, 2, 4)]
            modified, accessed, created = (None if number is None else number * _SECOND for number in stored)
            return _utc(modified, accessed, created, "1s")
        if identifier == _UNIX_OLD and len(content) >= 8:
            accessed, modified = (number * _SECOND for number in struct.unpack_from("<2l", content))
            return _utc(modified, accessed, None, "1s")
    return None


def _utc(modified: int | None, accessed: int | None, created: int | None, step: str) -> Times:
    stored = (("m", modified), ("a", accessed), ("b", created))
    resolution = " ".join(f"{letter}={step}" for letter, value in stored if value is not None)
    return Times(modified=modified, accessed=accessed, created=created, zone="utc", resolution=resolution)


@lru_cache(maxsize=4096)
def _dos_times(date: int, time: int) -> tuple[Times, bool]:
    """Return the DOS time; a date of zero means that none was stored."""
    if not date:
        return NO_TIMES, False
    try:
        moment = datetime(
            1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2, tzinfo=UTC
        )
    except ValueError:
        return NO_TIMES, True
    return Times(modified=int(moment.timestamp()) * _SECOND, zone="unknown", resolution="m=2s"), False
