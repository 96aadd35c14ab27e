"""Structures of NTFS that traces are made of: records with update sequences, attributes, runs, index entries.

Fields are named as in the linux-ntfs documentation. Whatever does not fit is left out: slack is no promise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from kaval.core.records import Extent

if TYPE_CHECKING:
    from numpy import bool_, uint16
    from numpy.typing import NDArray

STRIDE = 512
STANDARD_INFORMATION, FILE_NAME, DATA, INDEX_ALLOCATION = 0x10, 0x30, 0x80, 0xA0
NAMELESS_HEADER, DOS_NAME = 64, 2
IN_USE, IS_DIRECTORY = 1, 2
DIRECTORY_FLAG = 0x10000000
REFERENCE_MASK = (1 << 48) - 1
MAXIMUM_RUNS = 1 << 16
LATEST = 189_000_000_000_000_000
"""A FILETIME in the year 2199: whatever is later was no time."""

_ATTRIBUTE = struct.Struct("<IIBBHHH")
_RESIDENT = struct.Struct("<IH")
_MAPPED = struct.Struct("<QQHH4xQQQ")
_NAME = struct.Struct("<QQQQQQQIIBB")
ENTRY_HEADER, KEY_HEADER = 16, 66


class Name(NamedTuple):
    """One $FILE_NAME: whose child, called what; ``times`` are created, modified, changed, accessed as FILETIME."""

    parent: int
    parent_sequence: int
    text: str
    namespace: int
    times: tuple[int, int, int, int]
    size: int
    is_directory: bool


class Attribute(NamedTuple):
    """One attribute: ``value`` is what a resident one holds, ``pairs`` are the mapping pairs of another.

    A ``plain`` one is neither compressed nor encrypted.
    """

    kind: int
    id: int
    name: str
    resident: bool
    value: bytes
    first: int
    size: int
    valid: int
    pairs: bytes
    pairs_start: int
    plain: bool


def restored(raw: bytes, unit: int, magic: bytes) -> tuple[NDArray[uint16], NDArray[bool_]]:
    """Return records side by side as rows of words with their update sequences put back, and which carry the magic.

    Where a sector does not fit its sequence it is left as it is: half of a torn record is better than none.
    """
    import numpy as np

    count = len(raw) // unit
    words = np.frombuffer(raw, "<u2", count * unit // 2).reshape(count, unit // 2).copy()
    first, second = struct.unpack("<HH", magic)
    signed = (words[:, 0] == first) & (words[:, 1] == second)
    for place in np.unique(words[signed, 2]).tolist():
        start = place // 2
        if place % 2 or start + unit // STRIDE + 1 > unit // 2:
            continue
        rows = np.flatnonzero(signed & (words[:, 2] == place))
        mark = words[rows, start]
        for sector in range(unit // STRIDE):
            last = (sector + 1) * (STRIDE // 2) - 1
            good = rows[words[rows, last] == mark]
            words[good, last] = words[good, start + 1 + sector]
    return words, signed


def attributes(record: bytes, start: int = 0) -> Iterator[Attribute]:
    """Yield the attributes of a record, or those that stand in a row from a place on, as far as they make sense."""
    place = start or int.from_bytes(record[20:22], "little")
    while place + _ATTRIBUTE.size <= len(record):
        kind, length, mapped, _, _, _, _ = _ATTRIBUTE.unpack_from(record, place)
        if kind == 0xFFFFFFFF or length < 24 or length & 7 or place + length > len(record) or mapped > 1:
            return
        found = _attribute(record[place : place + length])
        if found is not None:
            yield found
        place += length


def _attribute(block: bytes) -> Attribute | None:
    kind, length, mapped, characters, name_place, flags, ident = _ATTRIBUTE.unpack_from(block, 0)
    name = block[name_place : name_place + 2 * characters].decode("utf-16-le", "replace")
    if not mapped:
        size, place = _RESIDENT.unpack_from(block, 16)
        if place + size > length:
            return None
        return Attribute(kind, ident, name, True, block[place : place + size], 0, size, size, b"", 0, not flags)
    if length < NAMELESS_HEADER:
        return None
    first, _, pairs, _, _, size, valid = _MAPPED.unpack_from(block, 16)
    return Attribute(kind, ident, name, False, b"", first, size, valid, block[pairs:], pairs, not flags & 0x40FF)


def file_name(block: bytes, place: int = 0) -> Name | None:
    """Return the $FILE_NAME at a place; ``None`` where its numbers are none that a system writes."""
    if place + KEY_HEADER > len(block):
        return None
    parent, created, modified, changed, accessed, _, size, flags, _, characters, namespace = _NAME.unpack_from(
        block, place
    )
    times = (created, modified, changed, accessed)
    raw = block[place + KEY_HEADER : place + KEY_HEADER + 2 * characters]
    text = raw.decode("utf-16-le", "surrogatepass")
    if not characters or len(raw) < 2 * characters or namespace > 3 or "\0" in text or "/" in text:
        return None
    if max(times) > LATEST or size >= 1 << 60 or not parent >> 48:
        return None
    is_directory = bool(flags & DIRECTORY_FLAG)
    return Name(
        parent & REFERENCE_MASK, parent >> 48, text, namespace, times, 0 if is_directory else size, is_directory
    )


def index_places(words: NDArray[uint16]) -> list[int]:
    """Return the bytes at which something stands that has the form of an index entry with a $FILE_NAME as its key."""
    lengths, keys, names = words[4::4], words[5::4], words[40::4]
    count = len(names)
    if count == 0:
        return []
    lengths, keys = lengths[:count], keys[:count]
    whole = (lengths & 7) == 0
    whole &= keys == KEY_HEADER + 2 * (names & 255)
    whole &= (names & 255) > 0
    whole &= names < 0x400
    room = lengths - ((keys + (ENTRY_HEADER + 7)) & 0xFFF8)
    whole &= (room == 0) | (room == 8)
    return [8 * int(place) for place in whole.nonzero()[0]]


def index_entry(block: bytes, place: int) -> tuple[int, int, Name] | None:
    """Return number, sequence and name of the entry at a place of a block that ``index_places`` has told."""
    name = file_name(block, place + ENTRY_HEADER)
    reference = int.from_bytes(block[place : place + 8], "little")
    if name is None or not reference >> 48:
        return None
    return reference & REFERENCE_MASK, reference >> 48, name


def decode_pairs(pairs: bytes, clusters: int) -> tuple[list[tuple[int, int]], bool]:
    """Return the runs of mapping pairs, -1 for a hole, and whether they came to their end."""
    runs: list[tuple[int, int]] = []
    place, cluster = 0, 0
    while place < len(pairs) and len(runs) < MAXIMUM_RUNS:
        header = pairs[place]
        if header == 0:
            return runs, True
        after = place + 1 + (header & 15)
        end = after + (header >> 4)
        if not 1 <= header & 15 <= 8 or header >> 4 > 8 or end > len(pairs):
            break
        length = int.from_bytes(pairs[place + 1 : after], "little")
        place = end
        if end == after:
            if not 0 < length < 1 << 52:
                break
            runs.append((-1, length))
            continue
        cluster += int.from_bytes(pairs[after:end], "little", signed=True)
        if length == 0 or length > clusters or not 0 <= cluster <= clusters - length:
            break
        runs.append((cluster, length))
    return runs, False


def stored_extents(runs: list[tuple[int, int]], cluster_size: int) -> list[Extent]:
    """Return where the runs lie that are no holes, in order."""
    return [
        Extent(offset=cluster * cluster_size, length=count * cluster_size) for cluster, count in runs if cluster >= 0
    ]
