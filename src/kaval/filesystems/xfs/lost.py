"""What is lost on an XFS volume: free inodes whose old extents still stand in them, names in unused space."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.filesystems.xfs.describing import ORPHANS, Describer, Place, notice_of
from kaval.filesystems.xfs.directories import TYPE_KINDS, Name
from kaval.filesystems.xfs.inodes import Inode, Run, parse_run
from kaval.filesystems.xfs.volume import Volume

_INODES_PER_CHUNK = 64
_END_OF_ARCHIVE = 22
"""Size of the record that ends a ZIP archive without a comment."""


class Lost:
    """Free inodes whose old extents still stand in them, and names that unused space of directories still holds."""

    def __init__(
        self,
        volume: Volume,
        describer: Describer,
        *,
        seen: set[int],
        places: Mapping[int, Place],
        names: Sequence[tuple[int, Name]],
    ) -> None:
        """``seen`` are the inodes with a name in use, ``names`` lost ones with the number of their directory."""
        self._volume = volume
        self._describer = describer
        self._seen = seen
        self._places = places
        self._names = names
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._free_known = True

    def entries(self) -> Iterator[Entry | Notice]:
        names: dict[int, list[tuple[int, Name]]] = {}
        for parent, name in self._names:
            number = name.inode if name.inode >> 32 else name.inode | parent & ~0xFFFFFFFF
            names.setdefault(number, []).append((parent, name))
        try:
            for offset, length in self._volume.free_runs():
                self._starts.append(offset)
                self._ends.append(offset + length)
        except (CorruptStructureError, UnreadableError) as error:
            self._free_known = False
            yield notice_of(error, "")
        try:
            yield from self._inodes(names)
        except (CorruptStructureError, UnreadableError) as error:
            yield notice_of(error, "")

    def _inodes(self, names: dict[int, list[tuple[int, Name]]]) -> Iterator[Entry | Notice]:
        used_again = 0
        for first, free in self._volume.inode_chunks():
            for index in range(_INODES_PER_CHUNK):
                number = first + index
                if free >> index & 1 and number not in self._seen:
                    yield from self._free_inode(number, names.get(number, []))
                else:
                    used_again += len(names.get(number, []))
                    yield from self._nameless(number)
        if used_again:
            message = f"{used_again} names in unused space lead to inodes in use, renamed or used again; not listed"
            yield Notice(code=NoticeCode.SKIPPED, message=message)

    def _nameless(self, number: int) -> Iterator[Entry | Notice]:
        """Yield an inode in use that has no name; those of the file system itself have none by design."""
        if number in self._seen:
            return
        try:
            inode = self._describer.inode(number)
        except (CorruptStructureError, UnreadableError) as error:
            yield notice_of(error, str(number))
            return
        if not inode.mode or (not inode.size and not inode.extent_count):
            return
        entry, notice = self._describer.describe(
            inode, Place(f"{ORPHANS}/OrphanFile-{number}", None), str(number), None
        )
        if notice is not None:
            yield notice
        yield replace(entry, state=EntryState.ORPHAN)

    def _free_inode(self, number: int, names: list[tuple[int, Name]]) -> Iterator[Entry]:
        try:
            inode = self._describer.inode(number)
        except (CorruptStructureError, UnreadableError):
            inode = None
        runs = _old_runs(self._volume, inode) if inode is not None and not inode.mode else []
        for index, (parent, name) in enumerate(names):
            place = self._places[parent].below(name.name)
            kind = TYPE_KINDS.get(name.file_type, EntryKind.UNKNOWN)
            if index == 0 and runs and inode is not None and kind in (EntryKind.FILE, EntryKind.UNKNOWN):
                yield self._with_runs(inode, runs, place, EntryState.DELETED)
            else:
                address = f"{number}~{parent}" + (f".{index}" if index else "")
                yield _gone(address, place, kind)
        if runs and inode is not None and not names:
            place = Place(f"{ORPHANS}/OrphanFile-{number}", None)
            yield self._with_runs(inode, runs, place, EntryState.ORPHAN)

    def _with_runs(self, inode: Inode, runs: list[Run], place: Place, state: EntryState) -> Entry:
        """Return a deleted file by its old extents; its size is no longer known, and concluded from its last block."""
        block_size = self._volume.superblock.block_size
        lengths = [run.length * block_size for run in runs]
        lengths[-1] -= self._zeros_at_end(runs[-1])
        extents = tuple(
            Extent(offset=run.offset, length=length, assumed=True) for run, length in zip(runs, lengths, strict=True)
        )
        size = sum(lengths)
        used = sum(self._used(extent) for extent in extents)
        content = ContentState.ASSUMED
        if used:
            content = ContentState.OVERLAPS_ALLOCATED if used < size else ContentState.GONE
        return Entry(
            address=str(inode.number),
            path=place.path,
            kind=EntryKind.FILE,
            size=size,
            state=state,
            content=content,
            times=inode.times,
            extents=extents,
            assumed_size=size,
            overlap_size=used,
            path_raw=place.raw,
            owner=str(inode.owner),
            group=str(inode.group),
        )

    def _zeros_at_end(self, run: Run) -> int:
        """Return how many bytes of its last block seem to lie behind a file's end: the kernel fills them with zeros.

        An archive ends in zeros of its own; its last record is left whole.
        """
        block_size = self._volume.superblock.block_size
        try:
            block = self._volume.read(run.offset + (run.length - 1) * block_size, block_size)
        except UnreadableError:
            return 0
        kept = len(block.rstrip(b"\0"))
        record = block.rfind(b"PK\5\6", max(0, kept - _END_OF_ARCHIVE), kept)
        if record >= 0:
            kept = min(block_size, max(kept, record + _END_OF_ARCHIVE))
        return block_size - kept if kept else 0

    def _used(self, extent: Extent) -> int:
        """Return how many bytes of an extent are not free; all of them where the free space is not known."""
        if not self._free_known:
            return extent.length
        end = extent.offset + extent.length
        free = 0
        index = max(0, bisect_right(self._starts, extent.offset) - 1)
        while index < len(self._starts) and self._starts[index] < end:
            free += max(0, min(end, self._ends[index]) - max(extent.offset, self._starts[index]))
            index += 1
        return extent.length - free


def _old_runs(volume: Volume, inode: Inode) -> list[Run]:
    """Return the extents that an emptied inode still holds behind its head, as far as they follow each other."""
    runs: list[Run] = []
    position = 0
    for start in range(0, len(inode.fork) - 15, 16):
        try:
            run = parse_run(inode.fork[start : start + 16], volume)
        except CorruptStructureError:
            break
        if run.logical != position or run.reserved:
            break
        position += run.length
        runs.append(run)
    return runs


def _gone(address: str, place: Place, kind: EntryKind) -> Entry:
    return Entry(
        address=address,
        path=place.path,
        kind=kind,
        size=0,
        state=EntryState.DELETED,
        content=ContentState.GONE,
        extents=(),
        path_raw=place.raw,
    )
