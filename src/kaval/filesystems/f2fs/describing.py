"""From an inode and a name to the record of an entry."""

from __future__ import annotations

from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, KavalError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ExtentSource
from kaval.filesystems.f2fs.nodes import Inode, ReadNode, stream_extents
from kaval.filesystems.f2fs.volume import Volume

ORPHANS = "$OrphanFiles"
KINDS = {
    0x8000: EntryKind.FILE, 0x4000: EntryKind.DIRECTORY, 0xA000: EntryKind.SYMLINK, 0x6000: EntryKind.DEVICE,
    0x2000: EntryKind.DEVICE, 0x1000: EntryKind.FIFO, 0xC000: EntryKind.SOCKET,
}  # fmt: skip
_MAXIMUM_TARGET = 4096


class Place(NamedTuple):
    """Where an entry stands: its path as shown, and in bytes where that differs."""

    path: str
    raw: bytes | None

    def below(self, name: bytes) -> Place:
        """Return the place of a name below."""
        shown = name.decode("utf-8", "replace").replace("/", "\ufffd")
        raw = None
        if self.raw is not None or "\ufffd" in shown:
            above = self.raw if self.raw is not None else self.path.encode()
            raw = above + b"/" + name if self.path else name
        return Place(f"{self.path}/{shown}" if self.path else shown, raw)


def kind_of(inode: Inode) -> EntryKind:
    """Return what an inode is."""
    return KINDS.get(inode.mode & 0xF000, EntryKind.UNKNOWN)


def describe(
    volume: Volume, inode: Inode, place: Place, address: str, parent: str | None, read_node: ReadNode
) -> tuple[Entry, Notice | None]:
    """Return the entry of an inode, and what speaks against it. A compressed file has no extents."""
    kind = kind_of(inode)
    size, content, notice = 0, ContentState.NONE, None
    extents: tuple[Extent, ...] | None = ()
    if kind in (EntryKind.FILE, EntryKind.DIRECTORY, EntryKind.SYMLINK):
        size, extents, notice = _stream(volume, inode, address, read_node)
    if kind is EntryKind.FILE:
        content = ContentState.INTACT if notice is None else ContentState.PARTIAL
    if inode.encrypted and size:
        content = ContentState.ENCRYPTED
    target = None
    if kind is EntryKind.SYMLINK and not inode.encrypted:
        target = _target(volume, extents, size)
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
        link_target=target,
        mode=inode.mode,
        owner=str(inode.owner),
        group=str(inode.group),
    )
    return entry, notice


def _stream(
    volume: Volume, inode: Inode, address: str, read_node: ReadNode
) -> tuple[int, tuple[Extent, ...] | None, Notice | None]:
    if inode.compressed and kind_of(inode) is EntryKind.FILE:
        return inode.size if inode.size < 1 << 62 else 0, None, None
    if inode.has_inline_names:
        return 0, (), None
    try:
        return inode.size, stream_extents(inode, volume, read_node), None
    except (CorruptStructureError, UnreadableError) as error:
        return inode.size if inode.size < 1 << 62 else 0, (), notice_of(error, address)


def _target(volume: Volume, extents: tuple[Extent, ...] | None, size: int) -> str | None:
    if not extents or not 0 < size <= _MAXIMUM_TARGET:
        return None
    try:
        return ExtentSource(volume.source, extents, size).read_at(0, size).split(b"\0")[0].decode("utf-8", "replace")
    except UnreadableError:
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
