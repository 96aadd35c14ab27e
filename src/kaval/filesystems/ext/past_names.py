"""What names were: old copies of directory blocks in the journal, joined to the inodes they named."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from kaval.filesystems.ext.directories import Name, self_number
from kaval.filesystems.ext.journal import Column, Log
from kaval.filesystems.ext.lost import Lost, LostName
from kaval.filesystems.ext.names import DirectoryReader
from kaval.filesystems.ext.past_inodes import ENDLESS
from kaval.filesystems.ext.volume import Volume

_CHUNK = 1024


class Sighting(NamedTuple):
    """A name, and a transaction that saw it; ``live`` is false where it lay in slack, that is, had ended before."""

    sequence: int
    live: bool
    name: LostName


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
        self.sightings: dict[int, list[Sighting]] = {}

    def own(self, number: int, blocks: Iterable[int], first: int, until: int) -> None:
        """Note that a directory that is no more had these blocks from one transaction until another."""
        for block in blocks:
            self._owners.setdefault(block, []).append((first, until, number))

    def gather(self) -> None:
        """Read all copies of directory blocks, oldest first; then the names left in slack today."""
        wanted = self._candidates()
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            rows = self._log.read_rows(part)
            sound = self._log.sound(part, rows)
            for index, row in zip(part[sound].tolist(), rows[sound], strict=True):
                self._read_copy(index, row.tobytes())
        for name in self._lost.untold:
            if name.inode in self._ended or not self._lost.may_be_renamed(name):
                self._see(Sighting(ENDLESS - 1, False, name))

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

    def _read_copy(self, index: int, block: bytes) -> None:
        number = int(self._log.blocks[index])
        sequence = int(self._log.sequences[index])
        parent = self_number(block)
        if parent is None:
            parent = self._owner(number, sequence)
        names = self._reader.read(block)
        if parent is None and (names.problem is not None or not _plausible(names.live, len(self._volume.inodes))):
            return
        for live, found in ((True, names.live), (False, names.slack)):
            for name in found:
                if self._is_wanted(name.inode) and name.name not in (b".", b".."):
                    self._see(Sighting(sequence, live, LostName(name.inode, parent or 0, name.name, name.file_type)))

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
