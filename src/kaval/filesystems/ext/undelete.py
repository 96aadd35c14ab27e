"""Deleted files as the journal still knows them: inode versions, names and older maps, put together.

ext3 and ext4 empty an inode as they delete a file, and recent kernels wipe the name; but every change of an inode
table, a directory, a map or a bitmap goes through the journal as a copy of the whole block. The newest version of an
inode from before its end gives size, times and map; a copy of the directory from that time gives the name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from kaval.core.errors import KavalError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.filesystems.ext.describing import Described, Place, describe
from kaval.filesystems.ext.inodes import EXTENTS_FLAG, INLINE_DATA_FLAG, ROOT_INODE, Inode, parse_inode
from kaval.filesystems.ext.journal import Log
from kaval.filesystems.ext.judging import Judge
from kaval.filesystems.ext.lost import ORPHANS, Lost, LostName, gone
from kaval.filesystems.ext.mapping import Layout
from kaval.filesystems.ext.past_blocks import PastBlocks
from kaval.filesystems.ext.past_inodes import ENDLESS, Life, Past, Version, gather_past
from kaval.filesystems.ext.past_names import PastNames, Sighting
from kaval.filesystems.ext.volume import Volume

PREFIX = "journal-"
RECOVERED_BY = "ext-journal"
_MAXIMUM_DEPTH = 256
_IN_FLIGHT = 10
"""Seconds within which blocks written to are known to be written."""

_NOWHERE = Place(f"{ORPHANS}/unknown directory", None, None)


@dataclass(kw_only=True, slots=True)
class _Found:
    """A life, the version of it that is told, and what that version says."""

    life: Life
    version: Version
    inode: Inode
    described: Described


def undelete(volume: Volume, log: Log, lost: Lost) -> Iterator[Entry | Notice]:
    """Yield deleted files, one entry a file, by number of inode; then names of which nothing else is left.

    A file that still has its inode, whatever its name is now, is not among them. Nor is one the tree itself lists.
    """
    yield from (Notice(code=NoticeCode.DAMAGED, message=text, structure="ext journal") for text in log.problems)
    yield from _Undeletion(volume, log, lost).entries()


class _Undeletion:
    def __init__(self, volume: Volume, log: Log, lost: Lost) -> None:
        self._volume = volume
        self._lost = lost
        self._blocks = PastBlocks(volume, log)
        self._past: Past = gather_past(volume, log)
        self._names = PastNames(volume, log, lost, self._past.lives)
        self._found = [found for life in self._lives() if (found := self._choose(life)) is not None]
        self._name_directories()
        self._names.gather()

    def _lives(self) -> Iterator[Life]:
        for number in sorted(self._past.lives):
            survivor = self._lost.survivors.get(number)
            for life in self._past.lives[number]:
                if survivor is None or survivor.generation != life.generation:
                    yield life

    def _choose(self, life: Life) -> _Found | None:
        """Return the newest version of a life that is whole; else the newest that has any content; else the newest."""
        best: _Found | None = None
        for version in life.versions:
            inode = parse_inode(version.raw, life.number, self._volume.superblock)
            found = _Found(life=life, version=version, inode=inode, described=self._describe(life, version, inode))
            if inode.size and self._is_whole(inode, found.described):
                return found
            if best is None or (inode.size and not best.inode.size):
                best = found
        return best

    def _describe(self, life: Life, version: Version, inode: Inode) -> Described:
        in_tree = bool(inode.flags & EXTENTS_FLAG)
        read_block = self._blocks.reader(life.number, life.generation, version.until, in_tree=in_tree)
        described = describe(
            self._volume,
            inode,
            _NOWHERE,
            "",
            state=EntryState.DELETED,
            inode_offset=version.offset,
            read_block=read_block,
        )
        if inode.kind is EntryKind.SYMLINK and described.layout.runs:
            entry = replace(described.entry, link_target=self._target(life, version, inode, described.layout))
            return described._replace(entry=entry)
        return described

    def _target(self, life: Life, version: Version, inode: Inode, layout: Layout) -> str | None:
        """Return what a long symbolic link pointed to, if its block is in the journal or still free."""
        read_block = self._blocks.reader(life.number, life.generation, version.until, in_tree=False)
        try:
            content = read_block(layout.runs[0].physical)
        except KavalError:
            return None
        return content[: inode.size].split(b"\0")[0].decode("utf-8", "replace") or None

    def _is_whole(self, inode: Inode, described: Described) -> bool:
        """Say whether a map accounts for all blocks the inode counts as its own."""
        if described.notice is not None:
            return False
        superblock = self._volume.superblock
        if inode.flags & INLINE_DATA_FLAG or not described.layout.runs or superblock.cluster_blocks > 1:
            return True
        owned = described.layout.block_count + (1 if inode.attribute_block else 0)
        return inode.block_count == owned * (superblock.block_size // 512)

    def _name_directories(self) -> None:
        """Tell the reader of old directory blocks which of them belonged to directories that are no more."""
        for found in self._found:
            if found.inode.kind is EntryKind.DIRECTORY:
                blocks = self._volume.directory_blocks(found.inode, found.described.layout)
                self._names.own(found.life.number, blocks, found.life.first, found.life.until)

    def entries(self) -> Iterator[Entry | Notice]:
        judged = self._judge()
        addresses: dict[str, int] = {}
        for found in self._found:
            life = found.life
            address = f"{PREFIX}{life.number}-{life.generation:08x}"
            count = addresses[address] = addresses.get(address, 0) + 1
            if count > 1:
                address += f".{count}"
            yield from self._finish(found, judged[id(found)], address)
        yield from self._names_only()

    def _judge(self) -> dict[int, Entry]:
        """Judge all that was found, what held its blocks last first."""
        judge = Judge(self._volume)
        for survivor in self._lost.survivors.values():
            judge.claim(survivor.layout)
        judged = {}
        for found in sorted(self._found, key=lambda found: -found.version.sequence):
            version, layout = found.version, found.described.layout
            witness = partial(self._blocks.reused, since=version.sequence, until=version.until)
            judged[id(found)] = judge.judge(self._whole_or_partial(found), layout, witness)
        return judged

    def _whole_or_partial(self, found: _Found) -> Entry:
        """Return the entry, called partial where its map does not account for all its blocks, or has none at all."""
        entry = found.described.entry
        if entry.kind is not EntryKind.FILE or entry.content is not ContentState.INTACT:
            return entry
        runs = found.described.layout.runs
        nothing_stored = not runs and not found.inode.flags & INLINE_DATA_FLAG
        if entry.size and (nothing_stored or not self._is_whole(found.inode, found.described)):
            return replace(entry, content=ContentState.PARTIAL)
        if any(run.unwritten for run in runs) and _ended_in_flight(found):
            return self._with_unwritten(found, entry)
        return entry

    def _with_unwritten(self, found: _Found, entry: Entry) -> Entry:
        """Return the entry with blocks that were reserved, and perhaps written just before the end, as assumed ones."""
        runs = [run._replace(unwritten=False) for run in found.described.layout.runs]
        extents = self._volume.extents(Layout(runs=runs), entry.size) or ()
        reserved = [run for run in found.described.layout.runs if run.unwritten]
        block_size = self._volume.superblock.block_size
        ranges = [range(run.physical * block_size, (run.physical + run.length) * block_size) for run in reserved]
        marked = tuple(
            replace(extent, assumed=not extent.sparse and any(extent.offset in held for held in ranges))
            for extent in extents
        )
        assumed = sum(extent.length for extent in marked if extent.assumed)
        if not assumed:
            return entry
        return replace(entry, extents=marked, assumed_size=assumed, content=ContentState.ASSUMED)

    def _finish(self, found: _Found, entry: Entry, address: str) -> Iterator[Entry | Notice]:
        if found.described.notice is not None:
            yield replace(found.described.notice, address=address)
        life = found.life
        sighting = self._name_of(life, found.inode.kind)
        if sighting is None:
            place = Place(f"{ORPHANS}/OrphanFile-{life.number}", None, None)
        else:
            place = self._place(sighting.name, sighting.first, 0)
        deleted = life.deleted if life.deleted > len(self._volume.inodes) else 0
        yield replace(
            entry,
            address=address,
            path=place.path,
            path_raw=place.raw,
            path_resolved=None,
            parent=None,
            state=EntryState.DELETED if sighting else EntryState.ORPHAN,
            times=replace(entry.times, deleted=deleted * 1_000_000_000 or None),
            recovered_by=RECOVERED_BY,
        )

    def _name_of(self, life: Life, kind: EntryKind) -> Sighting | None:
        """Return the last name a file had: seen in use during its life, else before it is known, else in slack."""
        earlier = max((other.until for other in self._past.lives[life.number] if other.until <= life.first), default=0)
        later = min(
            (other.first for other in self._past.lives[life.number] if other.first > life.first), default=ENDLESS
        )
        later = min(later, self._past.alive_since.get(life.number, ENDLESS))
        best: tuple[tuple[bool, bool, int], Sighting] | None = None
        for sighting in self._names.sightings.get(life.number, ()):
            if sighting.name.kind not in (kind, EntryKind.UNKNOWN):
                continue
            during = sighting.live and life.first <= sighting.last and sighting.first < life.until
            before = sighting.live and earlier <= sighting.last < life.first
            after = not sighting.live and life.first <= sighting.first < later
            if during or before or after:
                rank = (during, before, sighting.last if sighting.live else -sighting.first)
                if best is None or rank > best[0]:
                    best = (rank, sighting)
        return best[1] if best else None

    def _place(self, name: LostName, sequence: int, depth: int) -> Place:
        """Return where a name stood at a transaction."""
        parent = name.parent
        above = self._directory_at(parent, sequence)
        if above is None and parent in self._lost.places:
            return self._lost.places[parent].child(name.name, None)
        if above is not None and depth < _MAXIMUM_DEPTH:
            sighting = self._name_of(above, EntryKind.DIRECTORY)
            if sighting is not None:
                return self._place(sighting.name, sighting.first, depth + 1).child(name.name, None)
        shown = f"{ORPHANS}/OrphanFile-{parent}" if parent else f"{ORPHANS}/unknown directory"
        return Place(shown, None, None).child(name.name, None)

    def _directory_at(self, number: int, sequence: int) -> Life | None:
        """Return the ended life of a directory that covers a transaction, or the last one if it is not there today."""
        lives = self._past.lives.get(number, []) if number != ROOT_INODE else []
        for life in lives:
            if life.first <= sequence < life.until:
                return life
        return lives[0] if lives and number not in self._lost.places else None

    def _names_only(self) -> Iterator[Entry | Notice]:
        """Yield the last name of each free inode that no version is left of."""
        addresses: dict[str, int] = {}
        for number in sorted(self._names.sightings):
            if number in self._past.lives or number in self._lost.survivors:
                continue
            seen = sorted(self._names.sightings[number], key=lambda sighting: (sighting.live, sighting.last))
            for sighting in seen if number == 0 else seen[-1:]:
                address = f"{PREFIX}{number}~{sighting.name.parent}"
                count = addresses[address] = addresses.get(address, 0) + 1
                place = self._place(sighting.name, sighting.first, 0)
                entry = gone(sighting.name, place, address if count == 1 else f"{address}.{count}")
                yield replace(entry, parent=None, recovered_by=RECOVERED_BY)


def _ended_in_flight(found: _Found) -> bool:
    """Say whether a file may have ended before the journal learnt that its reserved blocks were written.

    That is known a moment after the blocks are written; of a file that lived on for longer, reserved blocks were never
    written, and read as zeros.
    """
    return found.life.deleted - found.inode.changed // 1_000_000_000 < _IN_FLIGHT
