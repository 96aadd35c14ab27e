"""Deleted files: old inodes in the segments of nodes, and names whose slots were freed.

F2FS never writes in place. A deleted file loses its line in the address table and its bits in the map of blocks in use;
its inode, which holds name, parent, size, times and addresses, stays where it was until the segment is cleaned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError, KavalError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.filesystems.deleted.claims import Claims
from kaval.filesystems.f2fs.describing import ORPHANS, Place, describe, kind_of
from kaval.filesystems.f2fs.directories import TYPE_KINDS, Name
from kaval.filesystems.f2fs.nodes import Inode, parse_inode, pieces_of
from kaval.filesystems.f2fs.volume import BLOCK, Volume

_MAXIMUM_DEPTH = 256
_KEPT = 64
_FORMS = (0x8000, 0x4000, 0xA000)
_NEW = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stale:
    """A node block that the address table no longer leads to."""

    number: int
    inode: int
    version: int
    block: int


class Lost:
    """Finds what was deleted, once what lives is known."""

    def __init__(self, volume: Volume, places: Mapping[int, Place], names: Sequence[tuple[int, Name]]) -> None:
        self._volume = volume
        self._places = places
        self._names = names
        self._nodes: dict[int, list[_Stale]] = {}
        self._dead: dict[tuple[int, int], Inode] = {}
        self._used: dict[int, npt.NDArray[np.bool_]] = {}
        self._owners: dict[int, npt.NDArray[np.int64] | None] = {}

    def entries(self) -> Iterator[Entry | Notice]:
        """Yield deleted files by number of inode, then freed names of which nothing else is left."""
        for segment in self._volume.node_segments():
            try:
                self._scan(segment)
            except (CorruptStructureError, UnreadableError):
                continue
        judged = self._judge()
        for key in sorted(self._dead):
            yield judged[key]
        yield from self._names_only()

    def _scan(self, segment: int) -> None:
        """Gather the node blocks of a segment that are no longer current."""
        superblock = self._volume.superblock
        first = superblock.main + segment * superblock.segment_blocks
        content = self._volume.read(first, superblock.segment_blocks)
        rows = np.frombuffer(content, np.uint8).reshape(-1, BLOCK)
        footers = np.ascontiguousarray(rows[:, BLOCK - 24 : BLOCK - 4]).view("<u4").astype(np.int64)
        for index in np.flatnonzero((footers[:, 0] > 0) & (footers[:, 1] > 0)).tolist():
            number, inode, _, version = footers[index, :4].tolist()
            if version > self._volume.checkpoint.version & 0xFFFFFFFF:
                continue
            try:
                current = self._volume.node_block(number)
            except (CorruptStructureError, UnreadableError):
                continue
            if current == first + index:
                continue
            stale = _Stale(number=number, inode=inode, version=version, block=first + index)
            self._nodes.setdefault(number, []).append(stale)
            if number == inode:
                self._consider(stale, content[index * BLOCK : (index + 1) * BLOCK], current)

    def _consider(self, stale: _Stale, raw: bytes, current: int) -> None:
        """Keep the newest version of an inode that is no older version of one that lives."""
        try:
            inode = parse_inode(raw, stale.block, self._volume.superblock.features)
        except CorruptStructureError:
            return
        if inode.mode & 0xF000 not in _FORMS or (not inode.name and not inode.size):
            return
        if current and self._lives(inode, current):
            return
        key = inode.number, inode.generation
        known = self._dead.get(key)
        better = (bool(inode.links), bool(inode.size), inode.version & 0xFFFFFFFF, inode.block)
        if known is None or better > (bool(known.links), bool(known.size), known.version & 0xFFFFFFFF, known.block):
            self._dead[key] = inode

    def _lives(self, inode: Inode, current: int) -> bool:
        try:
            now = parse_inode(self._volume.read(current), current, self._volume.superblock.features)
        except (CorruptStructureError, UnreadableError):
            return True
        return now.generation == inode.generation

    def _read_node(self, inode: Inode, number: int) -> bytes:
        """Return the newest stale node of an inode by number."""
        found = [stale for stale in self._nodes.get(number, []) if stale.inode == inode.number]
        if not found:
            raise CorruptStructureError("F2FS node", f"node {number} of the deleted inode {inode.number} is gone")
        return self._volume.read(max(found, key=lambda stale: (stale.version, stale.block)).block)

    def _judge(self) -> dict[tuple[int, int], Entry]:
        claims = Claims()
        judged = {}
        for key, inode in sorted(self._dead.items(), key=lambda item: -(item[1].version & 0xFFFFFFFF)):
            number, generation = key
            entry, _ = describe(
                self._volume,
                inode,
                self._place(inode, 0),
                f"{number}-{generation:08x}",
                None,
                lambda node, inode=inode: self._read_node(inode, node),  # type: ignore[misc]
            )
            known = inode.parent in self._places or self._parent(inode) is not None
            entry = replace(entry, state=EntryState.DELETED if known and inode.name else EntryState.ORPHAN)
            judged[key] = self._with_overlap(entry, inode, claims)
        return judged

    def _with_overlap(self, entry: Entry, inode: Inode, claims: Claims) -> Entry:
        """Return the entry with what of its blocks is in use, or was written by something else since."""
        if entry.kind is not EntryKind.FILE or inode.has_inline_data or entry.content is ContentState.PARTIAL:
            return entry
        used = reused = 0
        try:
            for piece in pieces_of(inode, lambda node: self._read_node(inode, node)):
                for place in np.flatnonzero((piece.addresses != 0) & (piece.addresses != _NEW)).tolist():
                    block = int(piece.addresses[place])
                    size = min(BLOCK, entry.size - (piece.logical + place) * BLOCK)
                    if self._in_use(block):
                        used += size
                    elif claims.among(block, 1)[0] or self._owner(block) not in (None, piece.owner):
                        reused += size
                    claims.add(block, 1)
        except (CorruptStructureError, UnreadableError):
            return replace(entry, content=ContentState.PARTIAL)
        if (not used and not reused) or entry.content is ContentState.ENCRYPTED:
            return replace(entry, overlap_size=used + reused)
        content = ContentState.OVERLAPS_ALLOCATED if used else ContentState.OVERLAPS_DELETED
        return replace(entry, content=ContentState.GONE if used >= entry.size else content, overlap_size=used + reused)

    def _in_use(self, block: int) -> bool:
        """Say whether a block is in use; all blocks of a segment whose map cannot be read count so."""
        segment, within = divmod(block - self._volume.superblock.main, self._volume.superblock.segment_blocks)
        if segment not in self._used:
            while len(self._used) >= _KEPT:
                del self._used[next(iter(self._used))]
            try:
                self._used[segment] = self._volume.used_blocks(segment)
            except (CorruptStructureError, UnreadableError):
                self._used[segment] = np.ones(self._volume.superblock.segment_blocks, np.bool_)
        return bool(self._used[segment][within])

    def _owner(self, block: int) -> int | None:
        """Return the node that a block was written for last, by the summary of its segment; ``None`` if not known."""
        segment, within = divmod(block - self._volume.superblock.main, self._volume.superblock.segment_blocks)
        if segment not in self._owners:
            while len(self._owners) >= _KEPT:
                del self._owners[next(iter(self._owners))]
            self._owners[segment] = self._volume.owners_in(segment)
        owners = self._owners[segment]
        return None if owners is None or within >= len(owners) else int(owners[within])

    def _parent(self, inode: Inode) -> Inode | None:
        """Return the deleted directory an inode was in, the newest of that number."""
        found = [other for (number, _), other in self._dead.items() if number == inode.parent and other is not inode]
        found = [other for other in found if kind_of(other) is EntryKind.DIRECTORY]
        return max(found, key=lambda other: other.version & 0xFFFFFFFF, default=None)

    def _place(self, inode: Inode, depth: int) -> Place:
        if not inode.name:
            return Place(f"{ORPHANS}/OrphanFile-{inode.number}", None)
        if inode.parent in self._places:
            return self._places[inode.parent].below(inode.name)
        above = self._parent(inode) if depth < _MAXIMUM_DEPTH else None
        if above is None:
            return Place(f"{ORPHANS}/OrphanFile-{inode.parent}", None).below(inode.name)
        return self._place(above, depth + 1).below(inode.name)

    def _names_only(self) -> Iterator[Entry | Notice]:
        """Yield freed names whose inodes are gone; one that leads to an inode in use may have been renamed."""
        told = {number for number, _ in self._dead}
        counts: dict[str, int] = {}
        skipped = 0
        for parent, name in self._names:
            if name.inode in told:
                continue
            try:
                in_use = bool(self._volume.node_block(name.inode))
            except KavalError:
                continue
            if in_use:
                skipped += 1
                continue
            address = f"{name.inode}~{parent}"
            counts[address] = counts.get(address, 0) + 1
            place = self._places[parent].below(name.name)
            yield Entry(
                address=address if counts[address] == 1 else f"{address}.{counts[address]}",
                path=place.path,
                kind=TYPE_KINDS.get(name.file_type, EntryKind.UNKNOWN),
                size=0,
                state=EntryState.DELETED,
                content=ContentState.GONE,
                extents=(),
                path_raw=place.raw,
            )
        if skipped:
            message = f"{skipped} freed names lead to inodes in use, renamed or used again; they are not listed"
            yield Notice(code=NoticeCode.SKIPPED, message=message)
