"""What is lost on an ext volume: inodes without a name, deleted inodes that still have a map, names in slack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kaval.core.errors import UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.filesystems.ext.describing import Described, Place, describe
from kaval.filesystems.ext.directories import TYPE_KINDS, Name, self_number
from kaval.filesystems.ext.inodes import EA_INODE_FLAG, ROOT_INODE, Inode, has_map
from kaval.filesystems.ext.judging import Judge
from kaval.filesystems.ext.mapping import Layout
from kaval.filesystems.ext.names import DirectoryReader
from kaval.filesystems.ext.volume import Volume

ORPHANS = "$OrphanFiles"
MAXIMUM_NAMES = 500_000
_READ_SIZE = 1 << 20
_MAXIMUM_DEPTH = 256


class LostName(NamedTuple):
    """A name that is no longer in use: the inode it names (0 where that is wiped) and the directory it was in."""

    inode: int
    parent: int
    name: bytes
    file_type: int

    @property
    def kind(self) -> EntryKind:
        return TYPE_KINDS.get(self.file_type, EntryKind.UNKNOWN)


class Survivor(NamedTuple):
    """A deleted inode that was not emptied."""

    generation: int
    layout: Layout


class Lost:
    """Gathers during the walk what is needed to tell afterwards what is lost.

    Attributes:
        places: Where each directory in use stands.
        directory_blocks: To which directory in use a block belongs, if the volume has a journal.
        untold: Names that no entry was yielded for, because a journal may know more of them.
        survivors: Deleted inodes that entries were yielded for, since they still have a map.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._seen = bytearray((len(volume.inodes) >> 3) + 1)
        self._names: dict[int, list[LostName]] = {}
        self._name_count = 0
        self.places: dict[int, Place] = {}
        self.directory_blocks: dict[int, int] = {}
        self.untold: list[LostName] = []
        self.survivors: dict[int, Survivor] = {}

    def see(self, number: int) -> bool:
        """Note that an inode has a name in use; say whether it is the first."""
        byte, bit = number >> 3, 1 << (number & 7)
        first = not self._seen[byte] & bit
        self._seen[byte] |= bit
        return first

    def note(self, parent: int, slack: Sequence[Name]) -> None:
        """Note the names found in the slack of a directory."""
        for name in slack:
            self._note(LostName(name.inode, parent, name.name, name.file_type))

    def _note(self, name: LostName) -> None:
        self._name_count += 1
        if self._name_count <= MAXIMUM_NAMES:
            known = self._names.setdefault(name.inode, [])
            if name not in known:
                known.append(name)

    def entries(self) -> Iterator[Entry | Notice]:
        """Yield orphans, then deleted entries by number of inode, then names of which nothing else is left."""
        nameless, deleted = self._scan()
        yield from self._nameless(nameless)
        survivors = self._survivors(deleted)
        for number, described in survivors.items():
            if described.notice is not None:
                yield described.notice
            yield described.entry
            self._names[number] = self._names.get(number, [])[1:]
        yield from self._names_only()
        if self._name_count > MAXIMUM_NAMES:
            message = (
                f"{self._name_count - MAXIMUM_NAMES} of the deleted names in the slack of directories were left out"
            )
            yield Notice(code=NoticeCode.COUNT_LIMIT, message=message)

    def _scan(self) -> tuple[list[int], list[int]]:
        """Return the inodes in use that have no name, and the deleted ones that still tell where their bytes lie."""
        nameless: list[int] = []
        deleted: list[int] = []
        per_group = self._volume.superblock.inodes_per_group
        seen = np.unpackbits(np.frombuffer(self._seen, np.uint8), bitorder="little").astype(np.bool_)
        for group, used in enumerate(self._volume.groups.inodes_used.tolist()):
            first = group * per_group + 1
            count = min(used, len(self._volume.inodes) + 1 - first)
            if count <= 0:
                continue
            in_use = self._volume.bitmaps.inodes_of(group)[:count]
            unseen = ~seen[first : first + count]
            for start, rows in self._table(group, count):
                part = slice(start, start + len(rows))
                has_mode = rows[:, 0:2].any(axis=1)
                lost = has_mode & in_use[part] & unseen[part]
                nameless += (first + start + np.flatnonzero(lost)).tolist()
                lost = has_mode & ~in_use[part] & unseen[part] & has_map(rows)
                deleted += (first + start + np.flatnonzero(lost)).tolist()
        floor = self._volume.superblock.first_inode
        return [number for number in nameless if number >= floor], [number for number in deleted if number >= floor]

    def _table(self, group: int, count: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """Yield the inodes of a group as rows, some at a time; those that cannot be read are left out."""
        superblock = self._volume.superblock
        offset = int(self._volume.groups.inode_table[group]) * superblock.block_size
        size = superblock.inode_size
        step = _READ_SIZE // size
        for start in range(0, count, step):
            number = min(step, count - start)
            try:
                content = self._volume.medium.read(offset + start * size, number * size)
            except UnreadableError:
                continue
            yield start, np.frombuffer(content, np.uint8).reshape(number, size)

    def _nameless(self, numbers: list[int]) -> Iterator[Entry | Notice]:
        for number in numbers:
            inode = self._volume.inodes.get(number)
            kind = EntryKind.SYSTEM if inode.flags & EA_INODE_FLAG else None
            place = Place(f"{ORPHANS}/OrphanFile-{number}", None, None)
            described = describe(self._volume, inode, place, str(number), state=EntryState.ORPHAN, kind=kind)
            if described.notice is not None:
                yield described.notice
            yield replace(described.entry, times=replace(described.entry.times, deleted=None))

    def _survivors(self, numbers: list[int]) -> dict[int, Described]:
        """Return the deleted inodes by number; of those that claim the same blocks the one deleted last is believed."""
        inodes = [self._volume.inodes.get(number) for number in numbers]
        for inode in inodes:
            if inode.kind is EntryKind.DIRECTORY:
                self._note_names_in(inode)
        judge = Judge(self._volume)
        found: dict[int, Described] = {}
        for inode in sorted(inodes, key=lambda inode: (-inode.deleted, inode.number)):
            place, named = self._place_of(inode)
            state = EntryState.DELETED if named else EntryState.ORPHAN
            described = describe(self._volume, inode, place, str(inode.number), state=state)
            entry = judge.judge(described.entry, described.layout)
            found[inode.number] = described._replace(entry=entry)
            self.survivors[inode.number] = Survivor(inode.generation, described.layout)
        return {number: found[number] for number in numbers}

    def _place_of(self, inode: Inode) -> tuple[Place, bool]:
        names = self._names.get(inode.number, [])
        names.sort(key=lambda name: name.kind is not inode.kind)
        for name in names[:1]:
            place = self._place(name, 0)
            if place is not None:
                return place, True
        return Place(f"{ORPHANS}/OrphanFile-{inode.number}", None, None), False

    def _place(self, name: LostName, depth: int) -> Place | None:
        """Return where a lost name stood, through directories that may be lost themselves."""
        if name.parent in self.places:
            address = None if name.parent == ROOT_INODE else str(name.parent)
            return self.places[name.parent].child(name.name, address)
        if depth > _MAXIMUM_DEPTH:
            return None
        for above in self._names.get(name.parent, [])[:1]:
            place = self._place(above, depth + 1)
            if place is not None:
                return place.child(name.name, str(name.parent))
        return Place(f"{ORPHANS}/OrphanFile-{name.parent}", None, None).child(name.name, str(name.parent))

    def _note_names_in(self, inode: Inode) -> None:
        """Note the names in a deleted directory, from those of its blocks that nothing else uses."""
        reader = DirectoryReader(self._volume)
        layout = self._volume.map(inode)
        for number, block in enumerate(self._volume.directory_blocks(inode, layout)):
            if self._volume.bitmaps.used_runs(block, 1):
                continue
            try:
                content = self._volume.medium.read_block(block)
            except UnreadableError:
                continue
            if number == 0 and self_number(content) != inode.number:
                return
            names = reader.read(content)
            kept = [name for name in names.live if name.name not in (b".", b"..")]
            self.note(inode.number, kept + names.slack)

    def _names_only(self) -> Iterator[Entry | Notice]:
        """Yield names whose inodes have nothing left, unless a journal may know more: then they are left untold.

        A name whose inode is in use again may have been renamed, which is no deletion; it is counted, not listed.
        """
        counts: dict[tuple[int, int], int] = {}
        in_use = 0
        for number in sorted(self._names):
            for name in self._names[number]:
                if self._volume.log is not None:
                    self.untold.append(name)
                    continue
                place = self._place(name, 0)
                if self.may_be_renamed(name) or place is None:
                    in_use += 1
                    continue
                counts[number, name.parent] = count = counts.get((number, name.parent), 0) + 1
                yield gone(name, place, f"{number}~{name.parent}" + (f".{count}" if count > 1 else ""))
        if in_use:
            message = (
                f"{in_use} names in the slack of directories lead to inodes in use; renamed or used again, not listed"
            )
            yield Notice(code=NoticeCode.SKIPPED, message=message)

    def may_be_renamed(self, name: LostName) -> bool:
        """Say whether what a name led to may live on under another: its inode is in use, and of its kind."""
        if not name.inode or not self._volume.bitmaps.inode_in_use(name.inode):
            return False
        try:
            kind = self._volume.inodes.get(name.inode).kind
        except UnreadableError:
            return True
        return name.kind in (kind, EntryKind.UNKNOWN)


def gone(name: LostName, place: Place, address: str) -> Entry:
    """Return the entry of a name of which nothing but the name is left."""
    return Entry(
        address=address,
        path=place.path,
        kind=name.kind,
        size=0,
        state=EntryState.DELETED,
        content=ContentState.GONE,
        parent=place.parent,
        extents=(),
        path_raw=place.raw,
    )
