"""The file table read once more: which record is whose by now, where directories lie, and the slack of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kaval.core.contracts import Tree
from kaval.core.errors import KavalError, UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource
from kaval.recovery.ntfs.structures import (
    DATA,
    DOS_NAME,
    FILE_NAME,
    IN_USE,
    INDEX_ALLOCATION,
    IS_DIRECTORY,
    REFERENCE_MASK,
    Attribute,
    Name,
    attributes,
    decode_pairs,
    file_name,
    index_entry,
    index_places,
    restored,
    stored_extents,
)

if TYPE_CHECKING:
    from numpy import bool_, int64, uint16
    from numpy.typing import NDArray

ADDRESS = "0-1"
LOG_FILE = 2
BATCH_SIZE = 1 << 20
MAXIMUM_RECORDS = 1 << 28
JOURNAL_NAME = "$UsnJrnl".encode("utf-16-le")

Sink = Callable[[int, int, Name, bool], None]
"""Takes number, sequence and name of a trace, and whether it stands where entries in force stand."""


class Volume:
    """Geometry and records of one volume, read through its tree; ``slack`` takes what record slack holds of names."""

    def __init__(self, tree: Tree, slack: Sink) -> None:
        self.cluster_size = int(tree.facts["cluster size"])
        self.clusters = int(tree.facts["clusters"])
        self.notices: list[Notice] = []
        self.record_size = 0
        self.names: dict[int, Name] = {}
        self.indexes: dict[int, list[Attribute]] = {}
        self.journals: dict[int, list[Attribute]] = {}
        self.log: list[Attribute] = []
        self._slack = slack
        self._sequences = bytearray()
        self._states = bytearray()
        self._tree = tree

    def read(self, limit: int) -> bool:
        """Read the table, at most so many bytes of it; false where that cannot be done at all, with a notice."""
        try:
            self._stream = self._tree.open_stream(ADDRESS)
            head = self._stream.read_at(0, 48)
        except KavalError as error:
            self._note(NoticeCode.UNREADABLE, f"the file table cannot be read again: {error}")
            return False
        size = int.from_bytes(head[28:32], "little")
        if head[:4] != b"FILE" or not 512 <= size <= 65536 or size & (size - 1):
            self._note(NoticeCode.DAMAGED, "the first record of the file table does not tell the size of a record")
            return False
        self.record_size = size
        self._size = min(self._stream.size, limit, MAXIMUM_RECORDS * size)
        for first, words, signed in self._batches():
            self._take(first, words, signed)
        return True

    def _batches(self) -> Iterator[tuple[int, NDArray[uint16], NDArray[bool_]]]:
        unreadable = 0
        for offset in range(0, self._size, BATCH_SIZE):
            advance()
            length = min(BATCH_SIZE, self._size - offset) // self.record_size * self.record_size
            try:
                raw = self._stream.read_at(offset, length)
            except UnreadableError:
                raw = bytes(length)
                unreadable += 1
            yield offset // self.record_size, *restored(raw, self.record_size, b"FILE")
        if unreadable:
            message = f"{unreadable} parts of the file table cannot be read; names kept elsewhere may belong to them"
            self._note(NoticeCode.UNREADABLE, message)

    def _take(self, first: int, words: NDArray[uint16], signed: NDArray[bool_]) -> None:
        self._sequences += words[:, 8].tobytes()
        self._states += (signed * (1 + (words[:, 11] & IN_USE)).astype("u1")).tobytes()
        block = words.tobytes()
        bases = words[:, 16:20].copy().view("<u8")[:, 0]
        wanted = signed & ((words[:, 11] & IS_DIRECTORY != 0) | (bases != 0))
        if first == 0:
            wanted[LOG_FILE : LOG_FILE + 1] |= signed[LOG_FILE : LOG_FILE + 1]
        rows = set(wanted.nonzero()[0].tolist()) | set(self._journal_rows(block))
        for row in sorted(rows):
            start = row * self.record_size
            self._keep(first + row, int(bases[row]) & REFERENCE_MASK, block[start : start + self.record_size])
        self._search_slack(words, signed, block)

    def _journal_rows(self, block: bytes) -> Iterator[int]:
        place = block.find(JOURNAL_NAME)
        while place >= 0:
            yield place // self.record_size
            place = block.find(JOURNAL_NAME, place + len(JOURNAL_NAME))

    def _keep(self, number: int, base: int, record: bytes) -> None:
        used = int.from_bytes(record[24:28], "little")
        for attribute in attributes(record[:used] if used >= 48 else record):
            owner = base or number
            if attribute.kind == FILE_NAME:
                name = file_name(attribute.value)
                if name is not None and (owner not in self.names or self.names[owner].namespace == DOS_NAME):
                    self.names[owner] = name
            elif attribute.kind == INDEX_ALLOCATION and attribute.name == "$I30":
                self.indexes.setdefault(owner, []).append(attribute)
            elif attribute.kind == DATA and attribute.name == "$J":
                self.journals.setdefault(owner, []).append(attribute)
            elif attribute.kind == DATA and not attribute.name and owner == LOG_FILE:
                self.log.append(attribute)

    def _search_slack(self, words: NDArray[uint16], signed: NDArray[bool_], block: bytes) -> None:
        for place in index_places(words.ravel()):
            row, inside = divmod(place, self.record_size)
            start = row * self.record_size
            used = int.from_bytes(block[start + 24 : start + 28], "little")
            if not signed[row] or inside < used:
                continue
            found = index_entry(block[start : start + self.record_size], inside)
            if found is not None:
                self._slack(*found, False)

    def _note(self, code: NoticeCode, message: str) -> None:
        self.notices.append(Notice(code=code, message=message, structure="$MFT"))

    def record(self, number: int) -> tuple[int, int]:
        """Return the sequence of a record and its state: 0 not there or not readable, 1 free, 2 in use."""
        if number >= len(self._states):
            return 0, 0
        return int.from_bytes(self._sequences[2 * number : 2 * number + 2], "little"), self._states[number]

    def is_listed(self, number: int, sequence: int) -> bool:
        """Whether the table itself still holds the file of a reference, living or deleted."""
        now, state = self.record(number)
        return state > 0 and (now == sequence or (state == 1 and now == following(sequence)))

    def cannot_tell(self, number: int, sequence: int) -> bool:
        """Whether the table is silent on a reference: the record is unreadable, or older than what refers to it."""
        now, state = self.record(number)
        return state == 0 or 0 < (sequence - now) & 0xFFFF < 0x8000

    def reference(self, number: int) -> int:
        """Return the reference that the children of a directory keep of it."""
        sequence, state = self.record(number)
        return number | (sequence if state == 2 else (sequence - 1) & 0xFFFF) << 48

    def extents(self, parts: list[Attribute]) -> list[Extent]:
        """Return where the parts of a stream lie, holes left out."""
        found = []
        for part in sorted(parts, key=lambda part: part.first):
            runs, _ = decode_pairs(part.pairs, self.clusters)
            found.extend(stored_extents(runs, self.cluster_size))
        return found

    def with_times(self, wanted: NDArray[int64]) -> set[int]:
        """Return which of these times, in order, stand anywhere in the table at a place where attributes have them."""
        import numpy as np

        found: set[int] = set()
        for _, words, _ in self._batches():
            numbers = words.ravel().view("<i8")
            near = numbers[(numbers >= wanted[0]) & (numbers <= wanted[-1])]
            found.update(np.unique(near[np.isin(near, wanted)]).tolist())
        return found


def following(sequence: int) -> int:
    """Return the sequence a record has once a file is deleted: it never is nought."""
    return sequence + 1 if sequence < 0xFFFF else 1


def read_extents(
    source: ByteSource, extents: list[Extent], limit: int, chunk: int = BATCH_SIZE
) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the bytes of extents laid end to end, in chunks: where, what, and whether they could be read."""
    size = min(sum(extent.length for extent in extents), limit)
    stream = ExtentSource(source, extents, size)
    for offset in range(0, size, chunk):
        advance()
        length = min(chunk, size - offset)
        try:
            yield offset, stream.read_at(offset, length), True
        except UnreadableError:
            yield offset, bytes(length), False
