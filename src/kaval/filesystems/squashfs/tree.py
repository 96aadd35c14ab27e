"""The tree of a SquashFS image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource
from kaval.filesystems.dissected.translation import translated
from kaval.filesystems.squashfs.bounded import FOREIGN, BoundedSquashFS, SquashedStream, open_bounded

_KINDS = {
    0x8000: EntryKind.FILE, 0x4000: EntryKind.DIRECTORY, 0xA000: EntryKind.SYMLINK, 0x6000: EntryKind.DEVICE,
    0x2000: EntryKind.DEVICE, 0x1000: EntryKind.FIFO, 0xC000: EntryKind.SOCKET,
}  # fmt: skip
_COMPRESSIONS = {1: "zlib", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}
_MAXIMUM_TARGET = 65536


def open_tree(source: ByteSource) -> SquashfsTree:
    """Return the tree of an image."""
    return SquashfsTree(source, open_bounded(source))


class _Directory(NamedTuple):
    inode: Any
    path: str
    raw: bytes | None
    address: str | None


class SquashfsTree:
    """Lists an image. An address is block and offset of the inode; ``.n`` marks the n-th name of one listed before."""

    def __init__(self, source: ByteSource, system: BoundedSquashFS) -> None:
        self._source = source
        self._system = system
        self._seen: dict[int, int] = {}
        self.facts: Mapping[str, str] = {
            "version": f"{system.major}.{system.minor}",
            "block size": str(system.block_size),
            "compression": _COMPRESSIONS.get(int(system.sb.compression), "unknown"),
            "inodes": str(system.sb.inodes),
        }

    def entries(self) -> Iterator[Entry | Notice]:
        if self._system.size > self._source.size:
            message = f"the file system has {self._system.size} bytes, the image ends after {self._source.size}"
            yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=self._source.size)
        self._seen = {_reference(self._system.root): 1}
        pending = [_Directory(self._system.root, "", None, None)]
        while pending:
            below: list[_Directory] = []
            yield from self._list(pending.pop(), below)
            pending += reversed(below)

    def _list(self, directory: _Directory, below: list[_Directory]) -> Iterator[Entry | Notice]:
        """Yield the entries of one directory; what cannot be read of it ends it with a notice."""
        try:
            with translated("SquashFS directory", *FOREIGN):
                if directory.inode.size > self._system.size:
                    raise CorruptStructureError("SquashFS directory", f"it claims {directory.inode.size} bytes")
                names = directory.inode.iterdir()
            while True:
                with translated("SquashFS directory", *FOREIGN):
                    inode = next(names, None)
                if inode is None:
                    return
                yield from self._name(directory, inode, below)
        except (CorruptStructureError, UnreadableError) as error:
            yield _notice_of(error, directory.address or "")

    def _name(self, directory: _Directory, inode: Any, below: list[_Directory]) -> Iterator[Entry | Notice]:
        raw_name = inode.name.encode("utf-8", "surrogateescape")
        shown = raw_name.decode("utf-8", "replace").replace("/", "\ufffd")
        path = f"{directory.path}/{shown}" if directory.path else shown
        raw = None
        if directory.raw is not None or "\ufffd" in shown:
            above = directory.raw if directory.raw is not None else directory.path.encode()
            raw = above + b"/" + raw_name if above else raw_name
        reference = _reference(inode)
        count = self._seen[reference] = self._seen.get(reference, 0) + 1
        address = f"{inode.block}-{inode.offset}" + (f".{count}" if count > 1 else "")
        if raw is not None and directory.raw is None:
            message = "the name is no UTF-8; its bytes are kept beside it"
            yield Notice(code=NoticeCode.NAME_UNDECODABLE, message=message, address=address)
        place = _Directory(inode, path, raw, address)
        try:
            with translated("SquashFS inode", *FOREIGN):
                entry = _entry(place, directory.address)
        except (CorruptStructureError, UnreadableError) as error:
            yield _notice_of(error, address)
            yield _without_inode(place, directory.address)
            return
        yield entry
        if entry.kind is EntryKind.DIRECTORY and count == 1:
            below.append(place)
        elif entry.kind is EntryKind.DIRECTORY:
            message = "the directory was listed before under another name; it is not entered a second time"
            yield Notice(code=NoticeCode.LOOP, message=message, address=address)

    def open_stream(self, address: str) -> ByteSource:
        block, _, offset = address.partition(".")[0].partition("-")
        if not (block + offset).isascii() or not block.isdecimal() or not offset.isdecimal():
            raise LocatorError(address, "a SquashFS address is block and offset of an inode")
        return SquashedStream(self._system, self._system.inode(int(block), int(offset)))

    def unallocated(self) -> Iterator[Extent]:
        return iter(())


def _reference(inode: Any) -> int:
    return int(inode.block) << 16 | int(inode.offset)


def _entry(place: _Directory, parent: str | None) -> Entry:
    inode = place.inode
    mode = int(inode.mode)
    kind = _KINDS.get(mode & 0xF000, EntryKind.UNKNOWN)
    size = int(inode.size) if kind in (EntryKind.FILE, EntryKind.SYMLINK) else 0
    if size >= 1 << 62 or (kind is EntryKind.SYMLINK and size > _MAXIMUM_TARGET):
        raise CorruptStructureError("SquashFS inode", f"it claims {size} bytes")
    is_file = kind is EntryKind.FILE
    return Entry(
        address=place.address or "",
        path=place.path,
        kind=kind,
        size=size,
        state=EntryState.ALLOCATED,
        content=ContentState.INTACT if is_file else ContentState.NONE,
        parent=parent,
        times=Times(modified=int(inode.header.mtime) * 1_000_000_000, zone="utc", resolution="m=1s"),
        extents=None if is_file and size else (),
        path_raw=place.raw,
        link_target=_target(inode) if kind is EntryKind.SYMLINK else None,
        mode=mode,
        owner=str(inode.uid),
        group=str(inode.gid),
    )


def _target(inode: Any) -> str:
    raw: bytes = inode.link.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace")


def _without_inode(place: _Directory, parent: str | None) -> Entry:
    """Return the entry of a name whose inode cannot be read."""
    return Entry(
        address=place.address or "",
        path=place.path,
        kind=EntryKind.UNKNOWN,
        size=0,
        state=EntryState.ALLOCATED,
        content=ContentState.PARTIAL,
        parent=parent,
        extents=(),
        path_raw=place.raw,
    )


def _notice_of(error: KavalError, address: str) -> Notice:
    code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
    return Notice(
        code=code,
        message=str(error),
        address=address,
        offset=getattr(error, "offset", None),
        structure=getattr(error, "structure", None),
    )
