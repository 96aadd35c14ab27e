"""What inodes were: the versions of each that the journal still holds, gathered into lives.

A life lasts from the making of a file to its deletion; the next file that gets the same inode has another generation
(``i_generation``) and, where that is kept, another time of birth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.filesystems.ext.inodes import column, has_map
from kaval.filesystems.ext.journal import Column, Log
from kaval.filesystems.ext.volume import Volume

ENDLESS = 1 << 62
"""Stands for a transaction that has not come yet."""

_CHUNK = 2048
_MAXIMUM_VERSIONS = 16

Rows = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """An inode as one or more transactions in a row left it.

    ``sequence`` is the last transaction known to hold it so, ``until`` the one that holds it otherwise; ``offset`` is
    the byte of the source the inode starts at.
    """

    raw: bytes
    sequence: int
    until: int
    offset: int


@dataclass(kw_only=True, slots=True)
class Life:
    """One file that had an inode and is no more; its versions, the newest first.

    ``first`` and ``until`` are transactions: the earliest that shows it alive, and the first that does not.
    ``deleted`` is ``i_dtime`` as its end left it, 0 where that is not known.
    """

    number: int
    generation: int
    born: int
    versions: list[Version] = field(default_factory=list)
    first: int = ENDLESS
    until: int = 0
    deleted: int = 0


@dataclass(kw_only=True)
class Past:
    """The lives that ended, by number of inode, the latest first; and since when inodes in use are known to be so."""

    lives: dict[int, list[Life]] = field(default_factory=dict)
    alive_since: dict[int, int] = field(default_factory=dict)


def gather_past(volume: Volume, log: Log) -> Past:
    """Return all that the journal tells of inodes that are free now, or used by another file."""
    past = Past()
    for group, first, indexes in _table_copies(volume, log):
        _Block(volume, log, group, first, past).gather(indexes)
    return past


def _table_copies(volume: Volume, log: Log) -> Iterator[tuple[int, int, Column]]:
    """Yield group, first inode, and copies in order, for each block of an inode table that was journalled."""
    superblock = volume.superblock
    order = np.argsort(volume.groups.inode_table, kind="stable")
    starts = volume.groups.inode_table[order]
    table_blocks = -(-superblock.inodes_per_group * superblock.inode_size // superblock.block_size)
    per_block = superblock.block_size // superblock.inode_size
    nearest = np.searchsorted(starts, log.blocks, side="right") - 1
    within = log.blocks - starts[nearest.clip(0)]
    wanted = np.flatnonzero((nearest >= 0) & (within < table_blocks))
    wanted = wanted[np.argsort(log.blocks[wanted], kind="stable")]
    if not len(wanted):
        return
    for part in np.split(wanted, np.flatnonzero(np.diff(log.blocks[wanted])) + 1):
        group = int(order[nearest[part[0]]])
        yield group, group * superblock.inodes_per_group + int(within[part[0]]) * per_block + 1, part


class _Block:
    """One block of an inode table through time, the newest copies first."""

    def __init__(self, volume: Volume, log: Log, group: int, first: int, past: Past) -> None:
        superblock = volume.superblock
        self._log = log
        self._past = past
        self._size = superblock.inode_size
        self._first = first
        per_group = superblock.inodes_per_group
        self._count = min(superblock.block_size // self._size, per_group - (first - 1) % per_group)
        index = (first - 1) % per_group
        self._in_use = volume.bitmaps.inodes_of(group)[index : index + self._count]
        self._floor = superblock.first_inode
        self._current = self._read_current(volume)

    def _read_current(self, volume: Volume) -> Rows:
        offset = volume.inodes.offset(self._first)
        try:
            content = volume.medium.read(offset, self._count * self._size)
        except (CorruptStructureError, UnreadableError):
            content = bytes(self._count * self._size)
        return np.frombuffer(content, np.uint8).reshape(1, self._count, self._size)

    def gather(self, indexes: Column) -> None:
        """Read the copies and keep what they tell of ended lives."""
        newer, newer_sequence = self._current, np.array([ENDLESS])
        for end in range(len(indexes), 0, -_CHUNK):
            part = indexes[max(0, end - _CHUNK) : end]
            rows = self._log.read_rows(part)
            sound = self._log.sound(part, rows)
            part, rows = part[sound], rows[sound][:, : self._count * self._size]
            if not len(part):
                continue
            inodes = np.concatenate((rows.reshape(len(part), self._count, self._size), newer))
            sequences = np.concatenate((self._log.sequences[part], newer_sequence))
            self._sift(inodes, sequences, self._log.places[part])
            newer, newer_sequence = inodes[:1], sequences[:1]

    def _sift(self, inodes: Rows, sequences: Column, places: Column) -> None:
        """Sort out which inodes have lives that ended; the last row is the state after all others."""
        alive = (column(inodes, 0, "<u2") != 0) & ((column(inodes, 0x1A, "<u2") != 0) | has_map(inodes))
        identity = _identities(inodes)
        same_as_now = (identity == _identities(self._current)[0]) & self._in_use
        ended = alive[:-1] & ~same_as_now[:-1]
        for place in np.flatnonzero(ended.any(axis=0)).tolist():
            if self._first + place >= self._floor:
                self._keep(place, inodes[:, place], sequences, places, identity[:, place], ended[:, place])
        for place in np.flatnonzero((alive & same_as_now)[:-1].any(axis=0)).tolist():
            rows = np.flatnonzero((alive & same_as_now)[:-1, place])
            self._past.alive_since[self._first + place] = int(sequences[rows[0]])

    def _keep(self, place: int, rows: Rows, sequences: Column, places: Column, identity: Column, ended: Bits) -> None:
        number = self._first + place
        changed = (rows[:-1] != rows[1:]).any(axis=1)
        deleted = column(rows, 0x14, "<u4")
        for index in np.flatnonzero(ended & (changed | (identity[:-1] != identity[1:])))[::-1].tolist():
            life = self._life(number, rows[index], sequences, ended & (identity[:-1] == identity[index]))
            life.until = life.until or int(sequences[index + 1])
            if len(life.versions) < _MAXIMUM_VERSIONS:
                offset = int(places[index]) + place * self._size
                version = Version(
                    raw=rows[index].tobytes(),
                    sequence=int(sequences[index]),
                    until=int(sequences[index + 1]),
                    offset=offset,
                )
                life.versions.append(version)
            if not life.deleted:
                after = identity == identity[index]
                after[: index + 1] = False
                times = deleted[after]
                life.deleted = int(times[-1]) if len(times) else 0

    def _life(self, number: int, row: Rows, sequences: Column, alive: Bits) -> Life:
        generation, born = divmod(int(_identities(row[None])[0]) & (1 << 64) - 1, 1 << 32)
        lives = self._past.lives.setdefault(number, [])
        for life in lives:
            if (life.generation, life.born) == (generation, born):
                break
        else:
            life = Life(number=number, generation=generation, born=born)
            lives.append(life)
        life.first = min(life.first, int(sequences[:-1][alive].min()))
        return life


def _identities(inodes: Rows) -> Column:
    """Return what tells the files apart that had an inode one after the other: generation and time of birth."""
    born = column(inodes, 0x90, "<u4") if inodes.shape[-1] >= 0x94 else 0
    return column(inodes, 0x64, "<u4") << 32 | born
