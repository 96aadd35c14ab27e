"""What names were: old copies of directory blocks in the journal, joined to the inodes they named."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kaval.filesystems.ext.directories import Name, UsedRanges, is_clean, is_index_block, name_at, self_number
from kaval.filesystems.ext.journal import Column, Log
from kaval.filesystems.ext.lost import Lost, LostName
from kaval.filesystems.ext.names import DirectoryReader
from kaval.filesystems.ext.past_inodes import ENDLESS
from kaval.filesystems.ext.volume import Volume

_CHUNK = 1024


class Sighting(NamedTuple):
    """A name, and the first and last of the transactions in a row that saw it in one place.

    ``live`` is false where it lay in slack, that is, had ended before.
    """

    first: int
    last: int
    live: bool
    name: LostName


class _Held:
    """A name at one place of a block, from copy to copy."""

    __slots__ = ("_head", "_offset", "_tail", "first", "last", "live", "name")

    def __init__(self, sequence: int, live: bool, name: LostName, offset: int, head: bytes, tail: bytes) -> None:
        self.first = self.last = sequence
        self.live = live
        self.name = name
        self._offset = offset
        self._head = head
        self._tail = tail

    def goes_on(self, block: bytes, live: bool, parent: int) -> bool:
        """Say whether a later copy of the block has the same name in the same place."""
        offset = self._offset
        start = offset + 6
        return (
            live == self.live
            and block[offset : offset + 4] == self._head
            and block[start : start + len(self._tail)] == self._tail
            and parent == self.name.parent
        )


class PastNames:
    """The names that old directory blocks give to inodes."""

    def __init__(self, volume: Volume, log: Log, lost: Lost, ended: Container[int]) -> None:
        self._volume = volume
        self._log = log
        self._lost = lost
        self._ended = ended
        self._reader = DirectoryReader(volume)
        self._owners: dict[int, list[tuple[int, int, int]]] = {}
        self._wanted: dict[int, bool] = {}
        self._block = -1
        self._held: dict[int, _Held] = {}
        self.sightings: dict[int, list[Sighting]] = {}

    def own(self, number: int, blocks: Iterable[int], first: int, until: int) -> None:
        """Note that a directory that is no more had these blocks from one transaction until another."""
        for block in blocks:
            self._owners.setdefault(block, []).append((first, until, number))

    def gather(self) -> None:
        """Read all copies of directory blocks, those of one block in order; then the names left in slack today."""
        wanted = self._candidates()
        wanted = wanted[np.argsort(self._log.blocks[wanted], kind="stable")]
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            rows = self._log.read_rows(part)
            sound = self._log.sound(part, rows)
            part, rows = part[sound], rows[sound]
            hits = self._hits(rows)
            for row in np.flatnonzero(hits.any(axis=1)).tolist():
                offsets = (np.flatnonzero(hits[row]) * 4).tolist()
                self._read_copy(int(part[row]), rows[row].tobytes(), offsets)
        for held in self._held.values():
            self._close(held)
        for name in self._lost.untold:
            if name.inode in self._ended or not self._lost.may_be_renamed(name):
                self._see(Sighting(ENDLESS - 1, ENDLESS - 1, False, name))

    def _candidates(self) -> Column:
        """Return the copies that may be directory blocks: not bitmaps, inode tables or descriptors."""
        groups, superblock = self._volume.groups, self._volume.superblock
        blocks = self._log.blocks
        bitmaps = np.concatenate((groups.block_bitmap, groups.inode_bitmap))
        table_blocks = -(-superblock.inodes_per_group * superblock.inode_size // superblock.block_size)
        starts = np.sort(groups.inode_table)
        nearest = (np.searchsorted(starts, blocks, side="right") - 1).clip(0)
        within = blocks - starts[nearest]
        in_table = (within >= 0) & (within < table_blocks)
        return np.flatnonzero(~in_table & ~np.isin(blocks, bitmaps))

    def _hits(self, rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Say of each word of each block whether it is the number of an inode that names are wanted for."""
        words = np.ascontiguousarray(rows[:, : rows.shape[1] - 8]).view("<u4")
        numbers = np.unique(words[(words > 0) & (words <= len(self._volume.inodes))])
        wanted = [number for number in numbers.tolist() if self._is_wanted(number)]
        return np.isin(words, np.array(wanted, np.uint32))

    def _read_copy(self, index: int, block: bytes, offsets: list[int]) -> None:
        number = int(self._log.blocks[index])
        sequence = int(self._log.sequences[index])
        parent = self_number(block)
        if parent is None:
            parent = self._owner(number, sequence)
        if parent is None:
            names = self._reader.read(block)
            if names.problem is not None or not _plausible(names.live, len(self._volume.inodes)):
                return
        if is_index_block(block):
            return
        self._begin(number)
        used = UsedRanges(block, has_types=self._reader.has_types)
        for offset in offsets:
            held = self._held.get(offset)
            live = used.begins_at(offset)
            if held is not None and held.goes_on(block, live, parent or 0):
                held.last = sequence
            elif live or not used.cover(offset):
                self._hold(block, offset, live, sequence, parent or 0)

    def _begin(self, block: int) -> None:
        """Turn to a copy of a block; what was seen in copies of another block is closed."""
        if block != self._block:
            for held in self._held.values():
                self._close(held)
            self._held.clear()
            self._block = block

    def _hold(self, block: bytes, offset: int, live: bool, sequence: int, parent: int) -> None:
        name = name_at(block, offset, has_types=self._reader.has_types)
        if name is None or not (live or is_clean(name.name)):
            return
        if offset in self._held:
            self._close(self._held[offset])
        lost = LostName(name.inode, parent, name.name, name.file_type)
        end = offset + 8 + len(name.name)
        self._held[offset] = _Held(sequence, live, lost, offset, block[offset : offset + 4], block[offset + 6 : end])

    def _close(self, held: _Held) -> None:
        self._see(Sighting(held.first, held.last, held.live, held.name))

    def _is_wanted(self, number: int) -> bool:
        """Say whether an inode had a life that ended, or is free."""
        if number not in self._wanted:
            known = 0 < number <= len(self._volume.inodes)
            self._wanted[number] = known and (number in self._ended or not self._volume.bitmaps.inode_in_use(number))
        return self._wanted[number]

    def _owner(self, block: int, sequence: int) -> int | None:
        """Return the directory a block belonged to at a transaction: an ended one that had it then, else today's."""
        owners = self._owners.get(block, [])
        for first, until, number in owners:
            if first <= sequence < until:
                return number
        if block in self._lost.directory_blocks:
            return self._lost.directory_blocks[block]
        return owners[-1][2] if owners else None

    def _see(self, sighting: Sighting) -> None:
        self.sightings.setdefault(sighting.name.inode, []).append(sighting)


def _plausible(names: Sequence[Name], limit: int) -> bool:
    """Say whether names can be those of a directory, where nothing but themselves tells."""
    return bool(names) and all(
        name.inode <= limit and name.file_type <= 7 and name.name and not {0, 0x2F}.intersection(name.name)
        for name in names
    )
