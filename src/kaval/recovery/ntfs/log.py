"""The transaction log, ``$LogFile``: earlier states of file records and directory entries.

By the linux-ntfs documentation: pages that start with ``RCRD``, log records that tell what was done and how to undo
it. A log record is known by its sequence number, which holds its own place in the file; restart areas are not needed
for that. A file whose making was taken back, because its transaction was given up, never was one. Not followed: a
record that runs over the end of the log back to its start, and of earlier turns what is no index entry. The first pages
hold copies of pages that are still being filled, and are taken where what stands in the page's own place is older.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kaval.core.progress import advance
from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.recovery.ntfs.structures import (
    DATA,
    FILE_NAME,
    KEY_HEADER,
    NAMELESS_HEADER,
    REFERENCE_MASK,
    Attribute,
    Name,
    attributes,
    decode_pairs,
    file_name,
    index_entry,
    index_places,
    restored,
)
from kaval.recovery.ntfs.table import Volume, read_extents
from kaval.recovery.ntfs.traces import Body, Reference

if TYPE_CHECKING:
    from numpy import bool_, uint16
    from numpy.typing import NDArray

PAGE, PAGE_HEADER = 4096, 64
MAXIMUM_BYTES = 64 << 20
MAXIMUM_PAIRS = 4096
FIRST_COPY, FIRST_PLACE = 2, 34
CLIENT_RECORD = 1
COMPENSATION = 0x01
INITIALISE, DEALLOCATE, CREATE, DELETE, MAP, RESIZE = 0x02, 0x03, 0x05, 0x06, 0x09, 0x0B
ADDED, REMOVED = (0x0C, 0x0E), (0x0D, 0x0F)
_RECORD = struct.Struct("<Q16xI4xI8x")
RECORD_HEADER = 48
_CLIENT = struct.Struct("<12HQ")
_SIZES = struct.Struct("<QQQ")


class Operation(NamedTuple):
    """One log record: what was done to which record of the table, and how to undo it."""

    lsn: int
    redo_code: int
    undo_code: int
    redo: bytes
    undo: bytes
    place: int
    inside: int
    number: int


@dataclass(slots=True)
class Draft:
    """What the log has told so far of the file in one record; sequence nought where that is not told yet.

    ``full_pairs`` are the mapping pairs before the file was emptied, which is done when it is deleted; ``at`` is the
    sequence number of the last log record that told of it.
    """

    sequence: int = 0
    names: list[Name] = field(default_factory=list)
    pairs: bytes = b""
    full_pairs: bytes = b""
    pairs_start: int = 0
    place: int = -1
    size: int = 0
    valid: int = 0
    at: int = 0


class LogReader:
    """Puts together what the log tells of files: names, bodies, and which were deleted."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._drafts: dict[int, Draft] = {}
        self.names: list[tuple[int, int, Name]] = []
        self.bodies: dict[Reference, Body] = {}
        self.freed: set[Reference] = set()
        self.taken_back: set[Reference] = set()
        self.notices: list[Notice] = []

    def read(self, source: ByteSource, extents: list[Extent]) -> None:
        """Read the log, as a whole, as far as it is one."""
        size = sum(extent.length for extent in extents)
        if size > MAXIMUM_BYTES:
            message = f"of {size} bytes of the log the first {MAXIMUM_BYTES} were read"
            self.notices.append(Notice(code=NoticeCode.COUNT_LIMIT, message=message, structure="$LogFile"))
        raw, unreadable = bytearray(), 0
        for _, block, could in read_extents(source, extents, MAXIMUM_BYTES):
            raw += block
            unreadable += not could
        if unreadable:
            message = f"{unreadable} parts of the log cannot be read"
            self.notices.append(Notice(code=NoticeCode.UNREADABLE, message=message, structure="$LogFile"))
        words, signed = restored(bytes(raw), PAGE, b"RCRD")
        del raw
        if not signed.any():
            return
        held = words[:, PAGE_HEADER // 2 :].copy()
        held[~signed] = 0
        self._find_names(held.tobytes(), held)
        put_in_place(words, signed, size)
        held = words[:, PAGE_HEADER // 2 :].copy()
        held[~signed] = 0
        stream = held.tobytes()
        for operation in sorted(operations(words, signed, stream, size, self._volume)):
            self._follow(operation)
        for number, draft in self._drafts.items():
            self._finish(number, draft)

    def _find_names(self, stream: bytes, held: NDArray[uint16]) -> None:
        """Take every index entry that stands anywhere in the log, in the records of old turns as well."""
        for place in index_places(held.ravel()):
            found = index_entry(stream[place : place + 16 + KEY_HEADER + 510], 0)
            if found is not None:
                self.names.append(found)

    def _follow(self, operation: Operation) -> None:
        number = operation.number
        if operation.redo_code in (CREATE, DELETE, MAP, RESIZE):
            self._draft(number).at = operation.lsn
        if operation.redo_code in ADDED:
            self._see_entry(operation.redo)
        elif operation.redo_code in REMOVED:
            self._see_entry(operation.undo)
        elif operation.redo_code == DEALLOCATE and operation.undo_code == COMPENSATION:
            self._take_back(number)
        elif operation.redo_code == INITIALISE and operation.redo[:4] == b"FILE" and len(operation.redo) >= 48:
            self._initialise(number, operation.redo)
        elif operation.redo_code == DEALLOCATE and operation.undo[:4] == b"FILE" and len(operation.undo) >= 18:
            self._deallocate(number, int.from_bytes(operation.undo[16:18], "little"))
        elif operation.redo_code in (CREATE, DELETE):
            self._attribute(number, operation)
        elif operation.redo_code == MAP:
            self._map(self._draft(number), operation)
        elif operation.redo_code == RESIZE and len(operation.redo) >= _SIZES.size:
            draft = self._draft(number)
            _, valid, size = _SIZES.unpack_from(operation.redo)
            if operation.place == draft.place and 0 < size < 1 << 60:
                draft.size, draft.valid = size, min(valid, size)

    def _draft(self, number: int) -> Draft:
        return self._drafts.setdefault(number, Draft())

    def _see_entry(self, block: bytes) -> None:
        """Learn from an index entry which file a record holds at this point of the log."""
        fits = len(block) > 80 and int.from_bytes(block[10:12], "little") == KEY_HEADER + 2 * block[80]
        found = index_entry(block, 0) if fits else None
        if found is None:
            return
        number, sequence, _ = found
        draft = self._draft(number)
        if draft.sequence not in (0, sequence):
            self._finish(number, draft)
            draft = self._drafts[number] = Draft()
        draft.sequence = sequence

    def _initialise(self, number: int, record: bytes) -> None:
        self._finish(number, self._draft(number))
        draft = self._drafts[number] = Draft()
        if int.from_bytes(record[32:40], "little") & REFERENCE_MASK:
            return
        draft.sequence = int.from_bytes(record[16:18], "little")
        for attribute in attributes(record):
            _learn(draft, attribute, -1)

    def _deallocate(self, number: int, sequence: int) -> None:
        draft = self._draft(number)
        if draft.sequence in (0, sequence):
            draft.sequence = sequence
        self._finish(number, draft)
        self.freed.add((number, sequence))
        self._drafts[number] = Draft()

    def _take_back(self, number: int) -> None:
        """Forget the file in a record: the transaction that made it was given up."""
        draft = self._drafts.pop(number, None)
        if draft is not None and draft.sequence:
            self.taken_back.add((number, draft.sequence))

    def _attribute(self, number: int, operation: Operation) -> None:
        block = operation.redo if operation.redo_code == CREATE else operation.undo
        for attribute in attributes(bytes(8) + block, 8):
            _learn(self._draft(number), attribute, operation.place)

    def _map(self, draft: Draft, operation: Operation) -> None:
        """Take over changed mapping pairs, where what was there before is what the log says was there."""
        if not draft.pairs:
            if operation.inside == NAMELESS_HEADER:
                _take_pairs(draft, operation.redo, NAMELESS_HEADER, operation.place)
            return
        keep = operation.inside - draft.pairs_start
        before = draft.pairs[keep : keep + len(operation.undo)]
        if 0 <= keep <= len(draft.pairs) and before.rstrip(b"\0") == operation.undo.rstrip(b"\0"):
            _take_pairs(draft, draft.pairs[:keep] + operation.redo, draft.pairs_start, operation.place)

    def _finish(self, number: int, draft: Draft) -> None:
        if not draft.sequence:
            return
        self.names.extend((number, draft.sequence, name) for name in draft.names)
        runs, whole = decode_pairs(draft.full_pairs, self._volume.clusters)
        if whole and any(cluster >= 0 for cluster, _ in runs):
            self.bodies[number, draft.sequence] = Body(runs, draft.size, draft.valid, draft.at)


def _take_pairs(draft: Draft, pairs: bytes, start: int, place: int) -> None:
    draft.pairs, draft.pairs_start, draft.place = pairs[:MAXIMUM_PAIRS], start, place
    if pairs[:1] != b"\0":
        draft.full_pairs = draft.pairs


def _learn(draft: Draft, attribute: Attribute, place: int) -> None:
    """Take a name or the unnamed stream from an attribute as it was made or as it was before it went."""
    if attribute.kind == FILE_NAME:
        name = file_name(attribute.value)
        if name is not None:
            draft.names.append(name)
    elif attribute.kind == DATA and not attribute.name and not attribute.resident and attribute.plain:
        if attribute.first:
            return
        _take_pairs(draft, attribute.pairs, attribute.pairs_start, place)
        if 0 < attribute.size < 1 << 60:
            draft.size, draft.valid = attribute.size, min(attribute.valid, attribute.size)


def put_in_place(words: NDArray[uint16], signed: NDArray[bool_], size: int) -> None:
    """Lay copies of pages over the pages they belong to, where those are older; the end of the last record tells it."""
    ends = words[:, 16:20].copy().view("<u8")[:, 0]
    mask = (1 << (size.bit_length() - 3)) - 1
    for number in range(FIRST_COPY, min(FIRST_PLACE, len(words))):
        end = int(ends[number])
        place = (end & mask) * 8 // PAGE
        if not signed[number] or place in (0, number) or place >= len(words):
            continue
        if not signed[place] or int(ends[place]) < end:
            words[place], signed[place], ends[place] = words[number], True, end


def operations(
    words: NDArray[uint16], signed: NDArray[bool_], stream: bytes, size: int, volume: Volume
) -> Iterator[Operation]:
    """Yield the log records of the pages, in order of place; ``stream`` is what the pages hold, laid end to end.

    What begins inside another record is none.
    """
    import numpy as np

    bits = size.bit_length() - 3
    numbers = words.ravel().view("<u8")
    own = (numbers & np.uint64((1 << bits) - 1)) == np.arange(len(numbers), dtype="<u8")
    own &= (numbers >> np.uint64(bits)) > 0
    room = PAGE - PAGE_HEADER
    end = 0
    for count, place in enumerate((8 * own.nonzero()[0]).tolist()):
        if count % 4096 == 0:
            advance()
        page, inside = divmod(place, PAGE)
        start = page * room + inside - PAGE_HEADER
        if not signed[page] or inside < PAGE_HEADER or not end <= start <= len(stream) - RECORD_HEADER:
            continue
        lsn, length, kind = _RECORD.unpack_from(stream, start)
        body = stream[start + RECORD_HEADER : start + RECORD_HEADER + min(length, 1 << 16)]
        last = (start + RECORD_HEADER + len(body) - 1) // room
        if kind == CLIENT_RECORD and len(body) == length >= _CLIENT.size and signed[page : last + 1].all():
            end = start + RECORD_HEADER + length
            yield _operation(lsn, body, volume)


def _operation(lsn: int, body: bytes, volume: Volume) -> Operation:
    fields = _CLIENT.unpack_from(body)
    redo_code, undo_code, redo, redo_size, undo, undo_size, _, _, place, inside, block, _, vcn = fields
    number = (vcn * volume.cluster_size + block * 512) // volume.record_size
    redone, undone = body[redo : redo + redo_size], body[undo : undo + undo_size]
    return Operation(lsn, redo_code, undo_code, redone, undone, place, inside, number)
