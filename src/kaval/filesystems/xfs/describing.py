"""From an inode and a name to the record of an entry."""

from __future__ import annotations

from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, KavalError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.filesystems.xfs.inodes import LOCAL, REALTIME_FLAG, Inode, parse_inode, runs_of, stream_extents
from kaval.filesystems.xfs.volume import Volume

ORPHANS = "$OrphanFiles"
_KINDS = {
    0x8000: EntryKind.FILE, 0x4000: EntryKind.DIRECTORY, 0xA000: EntryKind.SYMLINK, 0x6000: EntryKind.DEVICE,
    0x2000: EntryKind.DEVICE, 0x1000: EntryKind.FIFO, 0xC000: EntryKind.SOCKET,
}  # fmt: skip
_MAXIMUM_SIZE = 1 << 62
_MAXIMUM_TARGET = 1024
_LINK_HEAD = 56
_KEPT_PIECES = 256
_PIECE = 1 << 15


class Place(NamedTuple):
    path: str
    raw: bytes | None

    def below(self, name: bytes) -> Place:
        shown = name.decode("utf-8", "replace").replace("/", "\ufffd")
        raw = None
        if self.raw is not None or "\ufffd" in shown:
            above = self.raw if self.raw is not None else self.path.encode()
            raw = above + b"/" + name if self.path else name
        return Place(f"{self.path}/{shown}" if self.path else shown, raw)


class Describer:
    """Reads inodes of one volume and describes them."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._pieces: dict[int, bytes] = {}

    def inode(self, number: int) -> Inode:
        """Return an inode, through the pieces of the device read last."""
        offset = self._volume.inode_place(number)
        size = self._volume.superblock.inode_size
        start = offset - offset % _PIECE
        if start not in self._pieces:
            while len(self._pieces) >= _KEPT_PIECES:
                del self._pieces[next(iter(self._pieces))]
            length = min(_PIECE, max(0, self._volume.source.size - start))
            try:
                self._pieces[start] = self._volume.read(start, length)
            except UnreadableError:
                self._pieces[start] = b""
        raw = self._pieces[start][offset - start : offset - start + size]
        return parse_inode(raw if len(raw) == size else self._volume.read(offset, size), number, offset)

    def describe(self, inode: Inode, place: Place, address: str, parent: str | None) -> tuple[Entry, Notice | None]:
        """Return the entry of an inode, and what speaks against it."""
        kind = _KINDS.get(inode.mode & 0xF000, EntryKind.UNKNOWN)
        has_stream = kind in (EntryKind.FILE, EntryKind.DIRECTORY, EntryKind.SYMLINK)
        size, extents, notice = self._stream(inode, address) if has_stream else (0, (), None)
        content = ContentState.NONE
        if kind is EntryKind.FILE:
            content = ContentState.INTACT if notice is None else ContentState.PARTIAL
        entry = Entry(
            address=address,
            path=place.path,
            kind=kind,
            size=size,
            state=EntryState.ALLOCATED,
            content=content,
            parent=parent,
            times=inode.times,
            extents=extents,
            path_raw=place.raw,
            link_target=self._target(inode) if kind is EntryKind.SYMLINK else None,
            mode=inode.mode,
            owner=str(inode.owner),
            group=str(inode.group),
        )
        return entry, notice

    def _stream(self, inode: Inode, address: str) -> tuple[int, tuple[Extent, ...], Notice | None]:
        """Return size and extents of a stream, and why they are not whole."""
        size = inode.size
        try:
            if size >= _MAXIMUM_SIZE:
                raise CorruptStructureError("XFS inode", f"inode {inode.number} claims {size} bytes", inode.offset)
            if inode.flags & REALTIME_FLAG and inode.mode & 0xF000 == 0x8000 and size:
                raise UnreadableError(inode.offset, size, "the file lies on the realtime device")
            if inode.format == LOCAL:
                kept = min(size, len(inode.fork))
                extent = Extent(offset=inode.offset + inode.fork_offset, length=kept)
                return kept, (extent,) if kept else (), None
            return size, stream_extents(runs_of(self._volume, inode), size, self._volume.superblock.block_size), None
        except (CorruptStructureError, UnreadableError) as error:
            return size if size < _MAXIMUM_SIZE else 0, (), notice_of(error, address)

    def _target(self, inode: Inode) -> str | None:
        """Return what a link points to; of version 5, each block of a long target starts with a header."""
        if not 0 < inode.size <= _MAXIMUM_TARGET:
            return None
        try:
            if inode.format == LOCAL:
                return inode.fork[: inode.size].decode("utf-8", "replace")
            block_size = self._volume.superblock.block_size
            skip = _LINK_HEAD if self._volume.superblock.checked else 0
            target = b""
            for run in runs_of(self._volume, inode):
                for index in range(run.length):
                    if len(target) >= inode.size:
                        break
                    target += self._volume.read(run.offset + index * block_size, block_size)[skip:]
            return target[: inode.size].decode("utf-8", "replace")
        except (CorruptStructureError, UnreadableError):
            return None


def notice_of(error: KavalError, address: str) -> Notice:
    """Return the notice an error amounts to."""
    code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
    return Notice(
        code=code,
        message=str(error),
        address=address,
        offset=getattr(error, "offset", None),
        structure=getattr(error, "structure", None),
    )
