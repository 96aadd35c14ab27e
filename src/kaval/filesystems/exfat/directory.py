"""Directories of exFAT: sets of 32-byte entries, in use or deleted.

*exFAT File System Specification* 1.00, sections 6 and 7. Deletion clears the highest bit of the type of every entry of
a set and nothing else, so a deleted set still proves itself by its checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.records import Times
from kaval.filesystems.fat.directory import moment

ENTRY_SIZE = 32
IN_USE = 0x80
BITMAP, UPCASE, LABEL = 0x81, 0x82, 0x83
FILE, STREAM, NAME = 0x05, 0x40, 0x41
DIRECTORY = 0x10
RESOLUTION = "m=10ms a=2s b=10ms"
_FILE = struct.Struct("<BBHHHIIIBBBBB7x")
_STREAM = struct.Struct("<BBBBHHQIIQ")
_POSSIBLE, _NO_CHAIN = 0x01, 0x02


class FileSet(NamedTuple):
    """One file or directory as its set of entries tells it.

    ``offset`` is the place of its first entry in the source. ``proved`` says that the checksum of the set is
    right; ``headless`` that the file entry itself is gone and stream and name alone are left.
    """

    offset: int
    name: str
    attributes: int
    moments: tuple[int, int, int, int, int, int, int, int]
    start: int
    size: int
    valid_size: int
    contiguous: bool
    deleted: bool
    proved: bool
    headless: bool
    width: int

    @property
    def is_directory(self) -> bool:
        return bool(self.attributes & DIRECTORY)


class Region(NamedTuple):
    """The allocation bitmap or another system stream of the root directory."""

    offset: int
    type: int
    flags: int
    start: int
    size: int


class Label(NamedTuple):
    """The volume label."""

    text: str


class DirectoryParser:
    """Parses the blocks of one directory in turn; a set may run across their border.

    ``ended`` is true once the end mark has been met; what lies behind it counts as deleted.
    """

    def __init__(self) -> None:
        self._head: list[tuple[bytes, int]] = []
        self._wanted = 0
        self.ended = False

    def parse(self, block: bytes, offset: int) -> Iterator[FileSet | Region | Label]:
        """Yield what one block holds that lies at a byte of the source."""
        for place in range(0, len(block) - ENTRY_SIZE + 1, ENTRY_SIZE):
            kind = block[place]
            if kind == 0:
                yield from self.finish()
                self.ended = True
                continue
            entry = block[place : place + ENTRY_SIZE]
            if kind & 0x7F == FILE:
                yield from self.finish()
                self._head = [(entry, offset + place)]
                self._wanted = 1 + entry[1]
            elif self._head and kind & 0x40 and len(self._head) < self._wanted and self._fits(kind):
                self._head.append((entry, offset + place))
            else:
                yield from self.finish()
                if kind & 0x7F == STREAM:
                    self._head = [(entry, offset + place)]
                    self._wanted = 1 + (entry[3] + 14) // 15
                elif kind & IN_USE and not self.ended:
                    yield from _single(entry, offset + place)
            if self._head and len(self._head) == self._wanted:
                yield from self.finish()

    def _fits(self, kind: int) -> bool:
        """Whether an entry can belong to the set begun: in use as it is, in the order of the specification."""
        first = self._head[0][0][0]
        if kind & IN_USE != first & IN_USE:
            return False
        if kind & 0x7F == STREAM:
            return len(self._head) == 1 and first & 0x7F == FILE
        return True

    def finish(self) -> Iterator[FileSet]:
        """Yield the set begun, if it is one; call it once more at the end of the directory."""
        head, self._head = self._head, []
        if not head:
            return
        found = _assemble(head, self.ended)
        if found is not None:
            yield found


def _single(entry: bytes, offset: int) -> Iterator[Region | Label]:
    if entry[0] == LABEL:
        yield Label(entry[2 : 2 + min(entry[1], 11) * 2].decode("utf-16-le", "replace"))
    elif entry[0] in (BITMAP, UPCASE):
        start, size = struct.unpack_from("<IQ", entry, 20)
        yield Region(offset, entry[0], entry[1], start, size)


def _assemble(head: list[tuple[bytes, int]], beyond: bool) -> FileSet | None:
    first, offset = head[0]
    deleted = not first[0] & IN_USE or beyond
    headless = first[0] & 0x7F == STREAM
    rest = head if headless else head[1:]
    if not rest or rest[0][0][0] & 0x7F != STREAM:
        return None
    _, flags, _, length, _, _, valid, _, start, size = _STREAM.unpack(rest[0][0])
    units = b"".join(entry[2:] for entry, _ in rest[1:] if entry[0] & 0x7F == NAME)
    whole = len(units) >= length * 2 > 0
    name = units[: length * 2].decode("utf-16-le", "surrogatepass")
    if headless:
        proved = whole and name_hash(name) == int.from_bytes(rest[0][0][4:6], "little")
        if not proved:
            return None
        attributes, moments = 0, (0,) * 8
    else:
        fields = _FILE.unpack(first)
        attributes = fields[3]
        moments = (fields[6], fields[9], fields[11], fields[7], fields[12], fields[5], fields[8], fields[10])
        complete = len(head) == 1 + first[1] and whole
        proved = complete and checksum([entry for entry, _ in head]) == fields[2]
    name = name.replace("/", "\N{FRACTION SLASH}").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if not whole:
        name += "\N{REPLACEMENT CHARACTER}"
    return FileSet(
        offset, name, attributes, moments, start if flags & _POSSIBLE else 0, size, valid, bool(flags & _NO_CHAIN),
        deleted, proved, headless, len(head),
    )  # fmt: skip


def checksum(entries: list[bytes]) -> int:
    """Return the checksum of a set as it was in use (section 6.3.3)."""
    block = bytearray(b"".join(entries))
    for start in range(0, len(block), ENTRY_SIZE):
        block[start] |= IN_USE
    del block[2:4]
    total = 0
    for octet in block:
        total = ((total >> 1) | (total << 15)) + octet & 0xFFFF
    return total


def name_hash(name: str) -> int:
    """Return the hash of an upper-cased name (section 7.6.4), by Unicode's own upper case."""
    total = 0
    for character in name:
        upper = character.upper()
        for octet in (upper if len(upper) == 1 else character).encode("utf-16-le", "surrogatepass"):
            total = ((total >> 1) | (total << 15)) + octet & 0xFFFF
    return total


def times_of(found: FileSet) -> Times:
    """Return the times of a set, in the zone they were written in where all three name the same.

    Where all name one, but not the same, they are given in UTC; where one names none, the zone is unknown.
    """
    modified, modified_step, modified_zone, accessed, accessed_zone, created, created_step, created_zone = found.moments
    stored = (
        (modified, modified_step, modified_zone),
        (accessed, 0, accessed_zone),
        (created, created_step, created_zone),
    )
    values = [moment(stamp >> 16, stamp & 0xFFFF, step) if stamp else None for stamp, step, _ in stored]
    zones = {zone for (stamp, _, zone), value in zip(stored, values, strict=True) if stamp and value is not None}
    zone = "unknown"
    if zones and all(octet & 0x80 for octet in zones):
        zone = _zone(next(iter(zones))) if len(zones) == 1 else "utc"
        if len(zones) > 1:
            values = [
                None if value is None else value - _minutes(octet) * 60_000_000_000
                for value, (_, _, octet) in zip(values, stored, strict=True)
            ]
    return Times(modified=values[0], accessed=values[1], created=values[2], zone=zone, resolution=RESOLUTION)


def birth(found: FileSet) -> tuple[int | None, int | None]:
    """Return creation and modification in nanoseconds of UTC where their zone is known, to be compared."""
    modified, modified_step, modified_zone, _, _, created, created_step, created_zone = found.moments
    values = []
    for stamp, step, zone in ((created, created_step, created_zone), (modified, modified_step, modified_zone)):
        value = moment(stamp >> 16, stamp & 0xFFFF, step) if stamp else None
        if value is not None and zone & 0x80:
            value -= _minutes(zone) * 60_000_000_000
        values.append(value)
    return values[0], values[1]


def impossible_times(found: FileSet) -> tuple[str, ...]:
    """Return which stored times do not exist in any calendar."""
    modified, modified_step, _, accessed, _, created, created_step, _ = found.moments
    names = (("modification", modified, modified_step), ("access", accessed, 0), ("creation", created, created_step))
    return tuple(n for n, stamp, step in names if stamp and moment(stamp >> 16, stamp & 0xFFFF, step) is None)


def _minutes(octet: int) -> int:
    """Return a stored UTC offset in minutes: seven bits, signed, in quarters of an hour."""
    value = octet & 0x7F
    return (value - 128 if value & 0x40 else value) * 15


def _zone(octet: int) -> str:
    minutes = _minutes(octet)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def plausible(found: FileSet, end: int, volume_size: int) -> bool:
    """Say whether a set that cannot prove itself looks like one."""
    if found.proved:
        return True
    if not found.name or found.attributes & ~0x37 or any(ord(character) < 0x20 for character in found.name):
        return False
    if impossible_times(found) or not found.moments[0]:
        return False
    return (found.start == 0 or 2 <= found.start < end) and found.valid_size <= found.size <= volume_size
