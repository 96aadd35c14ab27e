"""Directories of FAT: short entries, the long names before them, and what is left of both when deleted.

fatgen103, "FAT Directory Structure" and "FAT Long Directory Entries". Deletion overwrites the first byte of every
entry with 0xE5. The first character of a short name comes back from its long name: by the checksum each part of
a long name carries, it is the only one that fits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from kaval.core.records import Times

ENTRY_SIZE = 32
MAXIMUM_DIRECTORY_SIZE = 65536 * ENTRY_SIZE
READ_ONLY, HIDDEN, SYSTEM, LABEL, DIRECTORY, ARCHIVE = 1, 2, 4, 8, 16, 32
_LONG = 0x0F
_ENTRY = struct.Struct("<11sBBBHHHHHHHI")
_DELETED, _END, _KANJI = 0xE5, 0x00, 0x05
_LOWER_BASE, _LOWER_EXTENSION = 0x08, 0x10
_NANOSECONDS = 1_000_000_000
_FORBIDDEN = frozenset(b'"*+,/:;<=>?[\\]|') | frozenset(range(0x20)) | {0x7F}
RESOLUTION = "m=2s a=1d b=10ms"


class Slot(NamedTuple):
    """One short entry with the long name that belongs to it.

    ``offset`` is its place in the source; ``raw`` the 11 bytes of the short name; ``moments`` are the stored
    modification, access and creation times, undecoded. ``beyond`` says that it lies behind the end mark, ``width`` how
    many entries it takes with its long name.
    """

    offset: int
    name: str
    raw: bytes
    attributes: int
    moments: tuple[int, int, int, int, int, int]
    start: int
    size: int
    deleted: bool
    beyond: bool
    width: int

    @property
    def is_directory(self) -> bool:
        return bool(self.attributes & DIRECTORY) and not self.attributes & LABEL

    @property
    def is_label(self) -> bool:
        return bool(self.attributes & LABEL)

    @property
    def is_dot(self) -> bool:
        return self.raw in (b".          ", b"..         ")


class DirectoryParser:
    """Parses the clusters of one directory in turn; a long name may run across their border."""

    def __init__(self, *, wide: bool) -> None:
        self._wide = wide
        self._parts: list[tuple[int, int, bytes]] = []
        self.ended = False

    def parse(self, block: bytes, offset: int) -> Iterator[Slot]:
        """Yield the slots of one block that lies at a byte of the source."""
        for entry in _ENTRY.iter_unpack(block[: len(block) // ENTRY_SIZE * ENTRY_SIZE]):
            first = entry[0][0]
            attributes = entry[1]
            if first == _END:
                self.ended = True
                self._parts.clear()
            elif attributes & 0x3F == _LONG or (first == _DELETED and _was_long(entry)):
                self._parts.append((first, entry[3], _long_part(entry)))
            else:
                yield self._slot(entry, offset, first == _DELETED)
                self._parts.clear()
            offset += ENTRY_SIZE

    def _slot(
        self, entry: tuple[bytes, int, int, int, int, int, int, int, int, int, int, int], offset: int, deleted: bool
    ) -> Slot:
        raw, attributes, case, tenths, time, date, accessed, high, changed, day, low, size = entry
        if self._parts:
            raw, long = _with_long(raw, self._parts, deleted)
        else:
            long = ""
        return Slot(
            offset,
            long or _short(raw, case),
            raw,
            attributes,
            (day, changed, accessed, date, time, tenths),
            (high << 16 | low) if self._wide else low,
            size,
            deleted or self.ended,
            self.ended,
            1 + len(self._parts),
        )


def _was_long(entry: tuple[bytes, int, int, int, int, int, int, int, int, int, int, int]) -> bool:
    """Say whether a deleted entry is a part of a long name whose attributes are cleared, as old Linux did."""
    return entry[1] == 0 and entry[2] == 0 and entry[10] == 0 and not _FORBIDDEN.isdisjoint(entry[0][1:])


def _long_part(entry: tuple[bytes, int, int, int, int, int, int, int, int, int, int, int]) -> bytes:
    """Return the 26 bytes of name in a long entry: LDIR_Name1, LDIR_Name2, LDIR_Name3."""
    raw, _, _, _, a, b, c, d, e, f, _, g = entry
    return raw[1:] + struct.pack("<HHHHHHI", a, b, c, d, e, f, g)


def checksum(raw: bytes) -> int:
    """Return the checksum of a short name, as its long entries carry it."""
    total = 0
    for octet in raw:
        total = ((total >> 1) | (total << 7)) + octet & 0xFF
    return total


def _with_long(raw: bytes, parts: list[tuple[int, int, bytes]], deleted: bool) -> tuple[bytes, str]:
    """Return the short name with its first byte restored, and the long name if the parts before belong to it."""
    wanted = parts[-1][1]
    if deleted:
        restored = _restore(raw, wanted)
        if restored is None:
            return raw, ""
        raw = restored
    elif checksum(raw) != wanted:
        return raw, ""
    pieces = []
    for number, (ordinal, sum_, piece) in enumerate(reversed(parts), 1):
        if sum_ != wanted or (not deleted and ordinal & 0x3F != number):
            break
        pieces.append(piece)
        if not deleted and ordinal & 0x40:
            return raw, _text(b"".join(pieces))
        if deleted and piece[24:26] in (b"\0\0", b"\xff\xff"):
            return raw, _text(b"".join(pieces))
    if deleted and pieces:
        return raw, _perhaps_cut(_text(b"".join(pieces)), raw)
    return raw, ""


def _perhaps_cut(name: str, raw: bytes) -> str:
    """Return a long name without end mark, marked as cut where it lacks the extension of the short one."""
    wanted = raw[8:].rstrip(b" ").decode("ascii", "replace")
    whole = not wanted or name.rpartition(".")[2].upper().startswith(wanted)
    return name if whole else name + "\N{REPLACEMENT CHARACTER}"


def _restore(raw: bytes, wanted: int) -> bytes | None:
    """Return a short name with the only first byte its checksum allows; ``None`` where no name begins so."""
    first = wanted
    for octet in reversed(raw[1:]):
        first = first - octet & 0xFF
        first = (first << 1 | first >> 7) & 0xFF
    if first in _FORBIDDEN or first == 0x20 or 0x61 <= first <= 0x7A:
        return None
    return bytes((first,)) + raw[1:]


def _text(units: bytes) -> str:
    text = units.decode("utf-16-le", "surrogatepass")
    return text.partition("\0")[0].rstrip("\uffff")


def _short(raw: bytes, case: int) -> str:
    """Return a short name as NT shows it; bytes of an unknown code page stand as U+FFFD."""
    if raw[0] in (_DELETED, _KANJI):
        base = "\N{REPLACEMENT CHARACTER}" + raw[1:8].decode("ascii", "replace")
    else:
        base = raw[:8].decode("ascii", "replace")
    extension = raw[8:].decode("ascii", "replace").rstrip(" ")
    base = base.rstrip(" ")
    if case & _LOWER_BASE:
        base = base.lower()
    if case & _LOWER_EXTENSION:
        extension = extension.lower()
    return f"{base}.{extension}" if extension else base


@lru_cache(maxsize=65536)
def _date(day: int) -> int | None:
    """Return a stored date in nanoseconds since 1970, of its own clock; ``None`` for one that does not exist."""
    import calendar

    year, month, number = 1980 + (day >> 9), day >> 5 & 15, day & 31
    if not 1 <= month <= 12 or not 1 <= number <= calendar.monthrange(year, month)[1]:
        return None
    return calendar.timegm((year, month, number, 0, 0, 0)) * _NANOSECONDS


@lru_cache(maxsize=4096)
def moment(day: int, time: int, tenths: int = 0) -> int | None:
    """Return a stored date and time in nanoseconds since 1970 of the writer's clock."""
    start = _date(day)
    if start is None:
        return None
    hours, minutes, seconds = time >> 11, time >> 5 & 63, (time & 31) * 2
    if hours > 23 or minutes > 59 or seconds > 58 or tenths > 199:
        return None
    return start + ((hours * 60 + minutes) * 60 + seconds) * _NANOSECONDS + tenths * 10_000_000


def times_of(slot: Slot) -> Times:
    """Return the times of an entry: local to whoever wrote them, in a zone nobody stored."""
    day, changed, accessed, date, time, tenths = slot.moments
    return Times(
        modified=moment(day, changed),
        accessed=_date(accessed) if accessed else None,
        created=moment(date, time, tenths) if date else None,
        resolution=RESOLUTION,
    )


def impossible_times(slot: Slot) -> tuple[str, ...]:
    """Return which stored times do not exist in any calendar."""
    day, changed, accessed, date, time, tenths = slot.moments
    found = []
    if day and moment(day, changed) is None:
        found.append("modification")
    if accessed and _date(accessed) is None:
        found.append("access")
    if date and moment(date, time, tenths) is None:
        found.append("creation")
    return tuple(found)


def plausible(slot: Slot, end: int, volume_size: int) -> bool:
    """Say whether a slot of doubtful origin looks like an entry: its name, attributes, times, place and size."""
    body = slot.raw[1:] if slot.raw[0] in (_DELETED, _KANJI) else slot.raw
    if slot.attributes & 0xC0 or slot.raw[0] == 0x20 or not _FORBIDDEN.isdisjoint(body):
        return False
    if any(0x61 <= octet <= 0x7A for octet in body) or not body.strip():
        return False
    if impossible_times(slot) or not slot.moments[0]:
        return False
    if slot.start == 1 or slot.start >= end or slot.size > volume_size:
        return False
    if slot.is_directory or slot.is_label:
        return slot.size == 0
    return (slot.start == 0) == (slot.size == 0)


def looks_like_directory(block: bytes, end: int, volume_size: int, *, wide: bool) -> bool:
    """Say whether a cluster holds nothing but directory entries, at least one of them."""
    if not block or block[0] in (0x00, 0x2E):
        return False
    count = 0
    for start in range(0, len(block) - ENTRY_SIZE + 1, ENTRY_SIZE):
        entry = block[start : start + ENTRY_SIZE]
        if entry[0] == _END:
            return count > 0 and not any(block[start : start + 1024 * ENTRY_SIZE])
        if entry[11] & 0x3F == _LONG:
            if entry[12] or entry[26] or entry[27]:
                return False
        elif not all(plausible(slot, end, volume_size) for slot in DirectoryParser(wide=wide).parse(entry, start)):
            return False
        count += 1
    return count > 0


def born(slot: Slot) -> int | None:
    """Return when an entry was made: its creation, or where none is stored its last modification."""
    day, changed, _, date, time, tenths = slot.moments
    created = moment(date, time, tenths) if date else None
    return created if created is not None else moment(day, changed)
