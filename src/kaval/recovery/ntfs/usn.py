"""The change journal, ``$Extend/$UsnJrnl:$J``: which file was called what, and when it was made and deleted.

Records of version 2 and 3, as Microsoft documents them (USN_RECORD_V2, USN_RECORD_V3). None crosses a page of 4096
bytes. The journal's start is given up as it grows and then is a hole; holes are stepped over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.recovery.ntfs.structures import LATEST, REFERENCE_MASK, Name
from kaval.recovery.ntfs.table import Volume, read_extents
from kaval.recovery.ntfs.traces import FIRST_USER, MAXIMUM_TRACES, Reference

PAGE = 4096
MAXIMUM_BYTES = 256 << 20
FILE_CREATE, FILE_DELETE = 0x100, 0x200
DIRECTORY_ATTRIBUTE = 0x10
_HEAD = struct.Struct("<IHH")
_VERSIONS = {
    2: struct.Struct("<8xQQ8xQI8xIHH"),
    3: struct.Struct("<8xQ8xQ8x8xQI8xIHH"),
}


class Change(NamedTuple):
    """One record of the journal."""

    reference: int
    parent: int
    at: int
    reason: int
    is_directory: bool
    name: str


@dataclass(slots=True)
class Seen:
    """What the journal tells of one file: its newest name, and when it was made and deleted, nought if not told."""

    newest: Change
    created: int = 0
    deleted: int = 0

    def name(self) -> Name:
        """Return the newest name; the journal keeps neither times of the file nor its size."""
        change = self.newest
        parent, sequence = change.parent & REFERENCE_MASK, change.parent >> 48
        return Name(parent, sequence, change.name, 1, (0, 0, 0, 0), 0, change.is_directory)


def changes(block: bytes) -> Iterator[Change]:
    """Yield the records of whole pages; where something is no record, the rest of its page is left out."""
    place, end = 0, len(block)
    while place + _HEAD.size <= end:
        length, major, _ = _HEAD.unpack_from(block, place)
        page_end = place - place % PAGE + PAGE
        layout = _VERSIONS.get(major)
        if layout is None or length < layout.size or length & 7 or place + length > min(page_end, end):
            place = page_end
            continue
        reference, parent, at, reason, attributes, name_size, name_place = layout.unpack_from(block, place)
        if layout.size <= name_place <= length - name_size and 0 < at <= LATEST:
            text = block[place + name_place : place + name_place + name_size].decode("utf-16-le", "surrogatepass")
            yield Change(reference, parent, at, reason, bool(attributes & DIRECTORY_ATTRIBUTE), text)
        place += length


class ChangeJournal:
    """Gathers what the newest part of a journal tells of files the table no longer has."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._listed: set[int] = set()
        self.found: dict[Reference, Seen] = {}
        self.notices: list[Notice] = []

    def read(self, source: ByteSource, extents: list[Extent]) -> None:
        """Read the extents of one journal, its last bytes where there are too many."""
        extents, skipped = _last(extents, MAXIMUM_BYTES)
        unreadable = 0
        for _, block, could in read_extents(source, extents, MAXIMUM_BYTES):
            unreadable += not could
            for change in changes(block):
                self._take(change)
        if skipped:
            message = f"the last {MAXIMUM_BYTES} bytes of the change journal were read; {skipped} before were left out"
            self.notices.append(Notice(code=NoticeCode.COUNT_LIMIT, message=message, structure="$UsnJrnl"))
        if unreadable:
            message = f"{unreadable} parts of the change journal cannot be read"
            self.notices.append(Notice(code=NoticeCode.UNREADABLE, message=message, structure="$UsnJrnl"))

    def _take(self, change: Change) -> None:
        if change.reference in self._listed or not change.name or "\0" in change.name or "/" in change.name:
            return
        reference = (change.reference & REFERENCE_MASK, change.reference >> 48)
        seen = self.found.get(reference)
        if seen is None:
            if self._volume.is_listed(*reference) or reference[0] < FIRST_USER or not reference[1]:
                if len(self._listed) < MAXIMUM_TRACES:
                    self._listed.add(change.reference)
                return
            if len(self.found) >= MAXIMUM_TRACES:
                return
            seen = self.found[reference] = Seen(change)
        if change.at >= seen.newest.at:
            seen.newest = change
        if change.reason & FILE_CREATE:
            seen.created = min(seen.created or change.at, change.at)
        if change.reason & FILE_DELETE:
            seen.deleted = max(seen.deleted, change.at)

    def deleted_ones(self) -> Iterator[tuple[Reference, Seen]]:
        """Yield the files found, but for those on which the table is silent and of which no deletion is told."""
        for reference, seen in self.found.items():
            if seen.deleted or not self._volume.cannot_tell(*reference):
                yield reference, seen


def _last(extents: list[Extent], limit: int) -> tuple[list[Extent], int]:
    """Return the extents that hold the last bytes, and how many bytes were left out before them."""
    kept: list[Extent] = []
    left = limit
    for extent in reversed(extents):
        length = min(extent.length, left)
        if length:
            kept.append(Extent(offset=extent.offset + extent.length - length, length=length))
        left -= length
    return kept[::-1], sum(extent.length for extent in extents) - (limit - left)
