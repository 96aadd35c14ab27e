"""The journal jbd2: what its log still holds, old and new (ext4 Data Structures, "Journal (jbd2)")."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError
from kaval.filesystems.checksums.crc32c import crc32c, crc32c_rows
from kaval.filesystems.ext.mapping import Run
from kaval.filesystems.ext.medium import JOURNAL_MAGIC, Medium

_DESCRIPTOR, _COMMIT, _SUPERBLOCK_1, _SUPERBLOCK_2, _REVOKE = 1, 2, 3, 4, 5
_HEADER = struct.Struct(">4sII")

_64BIT, _CHECKSUM_2, _CHECKSUM_3, _FAST_COMMIT = 0x2, 0x8, 0x10, 0x20
_ESCAPED, _SAME_UUID, _LAST_TAG = 1, 2, 8
_READ_SIZE = 4 << 20
_FAST_COMMIT_BLOCKS = 256
_FAST_HEAD = 9

Column = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalFacts:
    """What the superblock of a journal says; positions and lengths are blocks of the journal.

    ``start`` is 0 where nothing waits to be replayed; ``sequence`` is the first transaction expected there.
    """

    block_size: int
    length: int
    first: int
    end: int
    start: int
    sequence: int
    features: int
    seed: int

    @property
    def checked(self) -> bool:
        return bool(self.features & (_CHECKSUM_2 | _CHECKSUM_3))

    @property
    def tag_size(self) -> int:
        if self.features & _CHECKSUM_3:
            return 16
        size = 14 if self.features & _CHECKSUM_2 else 12
        return size if self.features & _64BIT else size - 4


@dataclass(kw_only=True)
class Log:
    """The copies of blocks a journal holds, as columns in the order of their transactions.

    ``blocks`` are those of the file system, ``places`` the bytes of the source the copies start at. Only copies that no
    later transaction has written over are listed. ``committed_at`` gives nanoseconds since 1970 by transaction;
    ``fast_transaction`` is the one that fast commits stand for, where there are any.
    """

    facts: JournalFacts
    medium: Medium
    blocks: Column
    places: Column
    sequences: Column
    escaped: npt.NDArray[np.bool_]
    checksums: Column
    committed_at: dict[int, int] = field(default_factory=dict)
    revoked: list[tuple[int, Column]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fast_transaction: int | None = None

    def __len__(self) -> int:
        return len(self.blocks)

    def read(self, index: int) -> bytes:
        """Return the block a copy stands for."""
        content = self.medium.read_stored(int(self.places[index]), self.facts.block_size)
        return JOURNAL_MAGIC + content[4:] if self.escaped[index] else content

    def read_rows(self, indexes: Sequence[int] | Column) -> npt.NDArray[np.uint8]:
        """Return several copies as rows; those that lie side by side are read at once."""
        size = self.facts.block_size
        rows = np.empty((len(indexes), size), np.uint8)
        places = self.places[indexes]
        breaks = [0, *(np.flatnonzero(np.diff(places) != size) + 1).tolist(), len(places)]
        for low, high in pairwise(breaks):
            if low < high:
                content = self.medium.read_stored(int(places[low]), (high - low) * size)
                rows[low:high] = np.frombuffer(content, np.uint8).reshape(-1, size)
        rows[self.escaped[indexes], :4] = np.frombuffer(JOURNAL_MAGIC, np.uint8)
        return rows

    def sound(self, indexes: Sequence[int] | Column, rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Say of each copy whether it fits the checksum in its tag; all do where the journal keeps none."""
        if not self.facts.checked:
            return np.ones(len(rows), np.bool_)
        sequences = (self.sequences[indexes] & 0xFFFFFFFF).astype(">u4")
        seeds = np.array([self.facts.seed], np.uint32).repeat(len(rows))
        seeds = crc32c_rows(seeds, sequences.view(np.uint8).reshape(-1, 4))
        stored = rows
        if self.escaped[indexes].any():
            stored = rows.copy()
            stored[self.escaped[indexes], :4] = 0
        sums = crc32c_rows(seeds, stored).astype(np.int64)
        if not self.facts.features & _CHECKSUM_3:
            sums &= 0xFFFF
        agreed: npt.NDArray[np.bool_] = sums == self.checksums[indexes]
        return agreed


def parse_facts(block: bytes, blocks_at_hand: int) -> JournalFacts:
    """Return what the first block of a journal says.

    Raises:
        CorruptStructureError: It is no journal superblock, or contradicts itself.
    """
    magic, kind, _ = _HEADER.unpack_from(block)
    block_size, length, first, sequence, start = struct.unpack_from(">5I", block, 12)
    if magic != JOURNAL_MAGIC or kind not in (_SUPERBLOCK_1, _SUPERBLOCK_2) or block_size != len(block):
        raise CorruptStructureError("ext journal", "its first block is no journal superblock")
    features = struct.unpack_from(">I", block, 40)[0] if kind == _SUPERBLOCK_2 else 0
    uuid = block[48:64]
    length = min(length, blocks_at_hand)
    end = length
    if features & _FAST_COMMIT:
        end -= struct.unpack_from(">I", block, 84)[0] or _FAST_COMMIT_BLOCKS
    if not 0 < first < end or not (start == 0 or first <= start < end):
        reason = f"a log of {length} blocks cannot begin at {first} and be replayed from {start}"
        raise CorruptStructureError("ext journal", reason)
    return JournalFacts(
        block_size=block_size,
        length=length,
        first=first,
        end=end,
        start=start,
        sequence=sequence,
        features=features,
        seed=crc32c(0xFFFFFFFF, uuid),
    )


def read_log(medium: Medium, runs: Sequence[Run]) -> Log:
    """Return what the whole journal holds, the parts that were replayed long ago included.

    Raises:
        CorruptStructureError: The journal has no superblock that makes sense.
        UnreadableError: Its bytes cannot be had.
    """
    if not runs:
        raise CorruptStructureError("ext journal", "it has no blocks")
    blocks = [np.arange(run.physical, run.physical + run.length, dtype=np.int64) for run in runs]
    places = np.concatenate(blocks) * medium.block_size
    facts = parse_facts(medium.read_stored(int(places[0]), medium.block_size), len(places))
    return _Reader(medium, facts, places).read()


@dataclass(frozen=True, slots=True)
class _Tag:
    block: int
    position: int
    sequence: int
    escaped: bool
    checksum: int


class _Reader:
    def __init__(self, medium: Medium, facts: JournalFacts, places: Column) -> None:
        self._medium = medium
        self._facts = facts
        self._places = places
        self._tags: list[_Tag] = []
        self._headers: list[tuple[int, int]] = []
        self._committed: dict[int, int] = {}
        self._revoked: list[tuple[int, Column]] = []
        self._problems: list[str] = []

    def read(self) -> Log:
        descriptors = []
        for position, block in self._own_blocks():
            _, kind, raw_sequence = _HEADER.unpack_from(block)
            sequence = self._unwrap(raw_sequence)
            if not self._facts.start and sequence >= self._facts.sequence:
                continue
            self._headers.append((position, sequence))
            if kind == _COMMIT:
                seconds, nanoseconds = struct.unpack_from(">QI", block, 0x30)
                self._committed[sequence] = min(seconds, 1 << 33) * 1_000_000_000 + nanoseconds
            elif kind in (_DESCRIPTOR, _REVOKE) and not self._agrees(block):
                self._problems.append(f"block {position} of the journal does not fit its checksum")
            elif kind == _DESCRIPTOR:
                descriptors.append((position, sequence, block))
            elif kind == _REVOKE:
                self._revoked.append((sequence, self._revocations(block)))
        own = {position for position, _ in self._headers}
        for position, sequence, block in descriptors:
            self._tags += self._read_tags(position, sequence, block, own)
        return self._log()

    def _unwrap(self, sequence: int) -> int:
        """Return a sequence number that does not wrap at 2**32, near the one expected next."""
        return self._facts.sequence + ((sequence - self._facts.sequence + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)

    def _own_blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield position and bytes of each block of the log that is the journal's own."""
        size = self._facts.block_size
        magic = int.from_bytes(JOURNAL_MAGIC, "big")
        position = self._facts.first
        while position < self._facts.end:
            stop = min(self._facts.end, position + _READ_SIZE // size)
            steps = np.flatnonzero(np.diff(self._places[position:stop]) != size)
            if len(steps):
                stop = position + int(steps[0]) + 1
            content = self._medium.read_stored(int(self._places[position]), (stop - position) * size)
            firsts = np.frombuffer(content, ">u4")[:: size // 4]
            for index in np.flatnonzero(firsts == magic).tolist():
                yield position + index, content[index * size : (index + 1) * size]
            position = stop

    def _agrees(self, block: bytes) -> bool:
        if not self._facts.checked:
            return True
        return crc32c(self._facts.seed, block[:-4] + b"\0\0\0\0") == int.from_bytes(block[-4:], "big")

    def _revocations(self, block: bytes) -> Column:
        wide = self._facts.features & _64BIT
        size = min(struct.unpack_from(">I", block, 12)[0], len(block))
        width = 8 if wide else 4
        count = max(0, size - 16) // width
        return np.frombuffer(block, ">u8" if wide else ">u4", count, 16).astype(np.int64)

    def _read_tags(self, position: int, sequence: int, block: bytes, own: set[int]) -> Iterator[_Tag]:
        """Yield the tags of a descriptor; the copies follow it, round the end of the log."""
        features, size = self._facts.features, self._facts.tag_size
        end = len(block) - (4 if self._facts.checked else 0)
        place, at = position, 12
        while at + size <= end:
            if features & _CHECKSUM_3:
                low, flags, high, checksum = struct.unpack_from(">IIII", block, at)
            else:
                low, checksum, flags = struct.unpack_from(">IHH", block, at)
                high = struct.unpack_from(">I", block, at + 8)[0] if features & _64BIT else 0
            place = self._facts.first if place + 1 >= self._facts.end else place + 1
            if place in own or place == position:
                return
            number = low | (high << 32 if features & _64BIT else 0)
            if number < self._medium.block_count:
                yield _Tag(number, place, sequence, bool(flags & _ESCAPED), checksum)
            if flags & _LAST_TAG:
                return
            at += size if flags & _SAME_UUID else size + 16

    def _log(self) -> Log:
        last = max(self._committed, default=-1)
        tags = [tag for tag in self._tags if tag.sequence <= last]
        tags.sort(key=lambda tag: tag.sequence)
        columns = [
            np.array([getattr(tag, name) for tag in tags], np.int64)
            for name in ("block", "position", "sequence", "escaped", "checksum")
        ]
        blocks, positions, sequences, escaped, checksums = columns
        kept = self._not_overwritten(positions, sequences)
        return Log(
            facts=self._facts,
            medium=self._medium,
            blocks=blocks[kept],
            places=self._places[positions[kept]],
            sequences=sequences[kept],
            escaped=escaped[kept].astype(np.bool_),
            checksums=checksums[kept],
            committed_at=self._committed,
            revoked=self._revoked,
            problems=self._problems,
            fast_transaction=self._fast_transaction(),
        )

    def _fast_transaction(self) -> int | None:
        """Return the transaction that the area of fast commits at the end of the log begins with, if any."""
        if not self._facts.features & _FAST_COMMIT or self._facts.end >= self._facts.length:
            return None
        block = self._medium.read_stored(int(self._places[self._facts.end]), self._facts.block_size)
        tag, length, _, transaction = struct.unpack_from("<HHII", block)
        return self._unwrap(transaction) if (tag, length) == (_FAST_HEAD, 8) else None

    def _not_overwritten(self, positions: Column, sequences: Column) -> npt.NDArray[np.bool_]:
        """Say of each tag whether the place of its copy was not used by a later transaction."""
        count = len(positions)
        header_positions = np.array([position for position, _ in self._headers], np.int64)
        header_sequences = np.array([sequence for _, sequence in self._headers], np.int64)
        everywhere = np.concatenate((positions, header_positions))
        order = np.argsort(np.concatenate((sequences, header_sequences)), kind="stable")
        owner = np.full(self._facts.length, -1, np.int64)
        owner[everywhere[order]] = order
        held: npt.NDArray[np.bool_] = owner[positions] == np.arange(count)
        return held


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What replaying a journal lays over the file system, as ``Medium`` wants it."""

    replayed: dict[int, int]
    escaped: frozenset[int]
    transactions: int
    problem: str | None = None


def plan_replay(log: Log) -> Replay:
    """Return the copies a kernel would write back on mounting: those of whole transactions, but for revoked blocks.

    A transaction whose copies do not fit their checksums ends it there, as it does for the kernel.
    """
    facts = log.facts
    last = facts.sequence
    while last in log.committed_at:
        last += 1
    wanted = np.flatnonzero((log.sequences >= facts.sequence) & (log.sequences < last))
    problem = None
    for start in range(0, len(wanted), 1024):
        part = wanted[start : start + 1024]
        bad = ~log.sound(part, log.read_rows(part))
        if bad.any():
            last = int(log.sequences[part][bad].min())
            problem = f"a copy in transaction {last} does not fit its checksum; it and what follows was not replayed"
            wanted = wanted[log.sequences[wanted] < last]
            break
    revoked: dict[int, int] = {}
    for sequence, blocks in log.revoked:
        if facts.sequence <= sequence < last:
            for block in blocks.tolist():
                revoked[block] = max(sequence, revoked.get(block, sequence))
    places: dict[int, int] = {}
    escaped: set[int] = set()
    for index in wanted.tolist():
        block = int(log.blocks[index])
        if revoked.get(block, -1) < log.sequences[index]:
            places[block] = int(log.places[index])
            (escaped.add if log.escaped[index] else escaped.discard)(block)
    return Replay(replayed=places, escaped=frozenset(escaped), transactions=last - facts.sequence, problem=problem)
