"""From an inode and a name to the record of an entry."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ExtentSource
from kaval.filesystems.ext.inodes import ENCRYPT_FLAG, EXTENTS_FLAG, INLINE_DATA_FLAG, Inode
from kaval.filesystems.ext.mapping import Layout, ReadBlock
from kaval.filesystems.ext.volume import Volume

MAXIMUM_TARGET = 4096


class Place(NamedTuple):
    """Where an entry stands: its path as shown, its path in bytes where that differs, the address of its parent."""

    path: str
    raw: bytes | None
    parent: str | None

    def child(self, name: bytes, address: str | None) -> Place:
        """Return the place of a name below; ``address`` is that of the directory at this place."""
        try:
            shown = name.decode()
        except UnicodeDecodeError:
            shown = name.decode("utf-8", "replace")
        if "/" in shown or "\ufffd" in shown:
            shown = shown.replace("/", "\ufffd")
            raw = name if not self.path else (self.raw or self.path.encode()) + b"/" + name
            return Place(f"{self.path}/{shown}" if self.path else shown, raw, address)
        raw_path = None if self.raw is None else self.raw + b"/" + name
        return Place(f"{self.path}/{shown}" if self.path else shown, raw_path, address)


class Described(NamedTuple):
    """An entry and, where its blocks could not all be found, why."""

    entry: Entry
    layout: Layout
    notice: Notice | None


def with_problem(described: Described) -> Iterator[Entry | Notice]:
    """Yield an entry, and before it the notice that says why it is not whole."""
    if described.notice is not None:
        yield described.notice
    yield described.entry


def describe(
    volume: Volume,
    inode: Inode,
    place: Place,
    address: str,
    *,
    state: EntryState = EntryState.ALLOCATED,
    kind: EntryKind | None = None,
    inode_offset: int | None = None,
    read_block: ReadBlock | None = None,
) -> Described:
    """Return the entry of an inode as its own map gives it; whether its blocks belong to others is not asked here.

    ``inode_offset`` is the byte of the source the inode was read from, needed where it holds data itself.
    """
    kind = kind or inode.kind
    form = inode.mode & 0xF000
    has_stream = form in _WITH_STREAM
    layout, extents, size = _stream(volume, inode, inode_offset, read_block) if has_stream else (_NOTHING, (), 0)
    notice = _notice(inode, layout, size, address) if has_stream else None
    content = ContentState.NONE
    if kind in (EntryKind.FILE, EntryKind.SYSTEM):
        content = ContentState.PARTIAL if notice else ContentState.INTACT
    target = None
    if has_stream and inode.flags & ENCRYPT_FLAG:
        content = ContentState.ENCRYPTED
    elif form == stat.S_IFLNK:
        target = _target(volume, layout, extents, size)
    entry = Entry(
        address=address,
        path=place.path,
        kind=kind,
        size=size,
        state=state,
        content=content,
        parent=place.parent,
        times=inode.times(),
        extents=extents,
        path_raw=place.raw,
        path_resolved=_resolved(place.path, target) if target else None,
        link_target=target,
        mode=inode.mode,
        owner=str(inode.owner),
        group=str(inode.group),
    )
    return Described(entry, layout, notice)


_WITH_STREAM = frozenset({stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK})
_NOTHING = Layout()


def _stream(
    volume: Volume, inode: Inode, inode_offset: int | None, read_block: ReadBlock | None
) -> tuple[Layout, tuple[Extent, ...] | None, int]:
    """Return layout, extents and size of a stream; the size is what the map covers, if the stored one is impossible."""
    if _kept_inside(inode):
        offset = volume.medium.place_of(volume.inodes.offset(inode.number)) if inode_offset is None else inode_offset
        kept = volume.inline_extents(inode, offset)
        return _NOTHING, kept, min(inode.size, sum(extent.length for extent in kept))
    layout = volume.map(inode, read_block)
    block_size = volume.superblock.block_size
    size = inode.size
    if size > block_size << 32:
        size = (layout.runs[-1].logical + layout.runs[-1].length) * block_size if layout.runs else 0
    extents = volume.extents(layout, size)
    return layout, known_extents(extents, layout, block_size) if layout.problem else extents, size


def _notice(inode: Inode, layout: Layout, size: int, address: str) -> Notice | None:
    """Return what speaks against the map of an inode."""
    if size != inode.size:
        message = f"it claims {inode.size} bytes, which it cannot have; {size} are told"
        return Notice(code=NoticeCode.ABSURD_SIZE, message=message, address=address, structure="ext inode")
    if layout.problem is None:
        return None
    return Notice(code=NoticeCode.DAMAGED, message=layout.problem, address=address, structure="ext block map")


def _kept_inside(inode: Inode) -> bool:
    if inode.flags & INLINE_DATA_FLAG:
        return True
    if inode.mode & 0xF000 != stat.S_IFLNK or inode.flags & EXTENTS_FLAG or inode.size >= 60:
        return False
    return inode.block_count == 0 or bool(inode.attribute_block)


def known_extents(extents: tuple[Extent, ...] | None, layout: Layout, block_size: int) -> tuple[Extent, ...]:
    """Return the extents up to where the map breaks off; reading on from there is an error, not zeros."""
    known = layout.runs[-1].logical + layout.runs[-1].length if layout.runs else 0
    left = known * block_size
    kept = []
    for extent in extents or ():
        if left <= 0:
            break
        kept.append(extent)
        left -= extent.length
    return tuple(kept)


def _target(volume: Volume, layout: Layout, extents: tuple[Extent, ...] | None, size: int) -> str | None:
    """Return what a symbolic link points to; ``None`` where it cannot be read."""
    if not 0 < size <= MAXIMUM_TARGET:
        return None
    try:
        if layout.runs:
            raw = volume.medium.read(layout.runs[0].physical * volume.superblock.block_size, size)
        else:
            raw = ExtentSource(volume.source, extents or (), size).read_at(0, size)
    except UnreadableError:
        return None
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _resolved(path: str, target: str) -> str | None:
    """Return where a relative link leads by its words alone; ``None`` where that is outside the file system."""
    if target.startswith("/"):
        return None
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return None if resolved == ".." or resolved.startswith("../") or resolved == path else resolved
