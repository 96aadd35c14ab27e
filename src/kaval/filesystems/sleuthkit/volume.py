"""One file system as The Sleuth Kit reads it, in our own words: inodes, names, stored streams, extents.

Foreign exceptions end here. Offsets are bytes of the source; times keep the zone and the step the file
system has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import EntryKind, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource
from kaval.filesystems.sleuthkit.image import image_of

RESIDENT, ENCRYPTED, COMPRESSED = 0x04, 0x10, 0x20
_RUN_FILLER, _RUN_SPARSE = 0x01, 0x02
_ALLOCATED = 0x01

_META_KINDS = {
    1: EntryKind.FILE, 2: EntryKind.DIRECTORY, 3: EntryKind.FIFO, 4: EntryKind.DEVICE, 5: EntryKind.DEVICE,
    6: EntryKind.SYMLINK, 8: EntryKind.SOCKET, 10: EntryKind.SYSTEM, 11: EntryKind.SYSTEM,
}  # fmt: skip
_NAME_KINDS = {
    1: EntryKind.FIFO, 2: EntryKind.DEVICE, 3: EntryKind.DIRECTORY, 4: EntryKind.DEVICE, 5: EntryKind.FILE,
    6: EntryKind.SYMLINK, 7: EntryKind.SOCKET, 10: EntryKind.SYSTEM, 11: EntryKind.SYSTEM,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """What a file system's times are worth: their zone, their step, and whether they count nanoseconds."""

    zone: str
    resolution: str
    nanoseconds: bool = False

    def times(self, meta: Any) -> Times:
        """Return the times of a TSK_FS_META; a stored zero is no time."""
        kept = []
        for name in ("mtime", "atime", "ctime", "crtime"):
            seconds = int(getattr(meta, name))
            fraction = int(getattr(meta, f"{name}_nano")) if self.nanoseconds and seconds else 0
            kept.append(seconds * 1_000_000_000 + fraction if seconds else None)
        modified, accessed, changed, created = kept
        return Times(
            modified=modified, accessed=accessed, changed=changed, created=created,
            zone=self.zone, resolution=self.resolution,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One stored stream of an inode.

    ``extents`` is ``None`` where its bytes are no plain run of the source (resident, compressed);
    ``flags`` are those of TSK_FS_ATTR.
    """

    type: int
    id: int
    name: str
    size: int
    flags: int
    extents: tuple[Extent, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Inode:
    """What the file system keeps of a thing beside its name; ``file`` is the ``pytsk3.File`` it came from."""

    number: int
    sequence: int
    kind: EntryKind
    size: int
    allocated: bool
    times: Times
    mode: int
    owner: int
    group: int
    link_target: bytes | None
    file: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A name in a directory; ``inode`` is ``None`` where what it points to cannot be read."""

    raw: bytes
    number: int
    allocated: bool
    kind: EntryKind
    inode: Inode | None


class SleuthkitVolume:
    """A file system opened by The Sleuth Kit; ``structure`` names it in errors.

    Raises:
        CorruptStructureError: The Sleuth Kit finds no file system there.
        UnreadableError: It found none because bytes could not be read.
    """

    def __init__(self, source: ByteSource, structure: str, clock: Clock) -> None:
        import pytsk3

        self.source = source
        self.structure = structure
        self.clock = clock
        self._image = image_of(source)
        with self._translated("superblock"):
            self._foreign = pytsk3.FS_Info(self._image)
        facts = self._foreign.info
        self.type = int(facts.ftype)
        self.block_size = int(facts.block_size)
        self.block_count = int(facts.block_count)
        self.root_number = int(facts.root_inum)
        self.first_number = int(facts.first_inum)
        self.last_number = int(facts.last_inum)

    @contextmanager
    def _translated(self, part: str) -> Iterator[None]:
        """Turn what pytsk3 throws into our errors: unreadable where a read failed meanwhile, else damaged."""
        before = len(self._image.failures)
        try:
            yield
        except (OSError, RuntimeError, KeyError) as error:
            if len(self._image.failures) > before:
                failure = self._image.failures[-1]
                raise UnreadableError(failure.offset, failure.length, f"{part}: {failure.reason}") from error
            raise CorruptStructureError(self.structure, f"{part}: {_last_words(error)}") from error

    def failure_notices(self) -> Iterator[Notice]:
        """Yield, once each, the reads that failed so far; call it after listing."""
        for failure in self._image.failures:
            yield Notice(
                code=NoticeCode.UNREADABLE,
                message=f"{failure.length} bytes of {self.structure} could not be read: {failure.reason}",
                offset=failure.offset,
                structure=self.structure,
            )
        self._image.failures.clear()

    def inode(self, number: int) -> Inode:
        """Return the inode of a number, allocated or not."""
        with self._translated(f"inode {number}"):
            file = self._foreign.open_meta(inode=number)
            return self._inode(file)

    def names(self, number: int) -> Iterator[Name]:
        """Yield the names in a directory as stored, deleted ones too, without ``.`` and ``..``."""
        with self._translated(f"directory {number}"):
            directory = self._foreign.open_dir(inode=number)
            entries = iter(directory)
        while True:
            with self._translated(f"directory {number}"):
                file = next(entries, None)
                if file is None:
                    return
                name = self._name(file)
            if name is not None:
                yield name

    def _name(self, file: Any) -> Name | None:
        stored = file.info.name
        if stored is None or stored.name is None or stored.name in (b".", b".."):
            return None
        return Name(
            raw=bytes(stored.name),
            number=int(stored.meta_addr),
            allocated=bool(int(stored.flags) & _ALLOCATED),
            kind=_NAME_KINDS.get(int(stored.type), EntryKind.UNKNOWN),
            inode=self._inode(file) if file.info.meta is not None else None,
        )

    def _inode(self, file: Any) -> Inode:
        meta = file.info.meta
        if meta is None:
            raise KeyError("it holds nothing")
        link = meta.link
        return Inode(
            number=int(meta.addr),
            sequence=int(meta.seq),
            kind=_META_KINDS.get(int(meta.type), EntryKind.UNKNOWN),
            size=max(0, int(meta.size)),
            allocated=bool(int(meta.flags) & _ALLOCATED),
            times=self.clock.times(meta),
            mode=int(meta.mode),
            owner=int(meta.uid),
            group=int(meta.gid),
            link_target=bytes(link) if link is not None else None,
            file=file,
        )

    def streams(self, inode: Inode) -> Iterator[Stored]:
        """Yield the stored streams of an inode with their extents, in the order they are stored."""
        part = f"inode {inode.number}"
        with self._translated(part):
            attributes = iter(inode.file)
        while True:
            with self._translated(part):
                attribute = next(attributes, None)
                if attribute is None:
                    return
                facts = attribute.info
                flags = int(facts.flags)
                extents = None if flags & (RESIDENT | COMPRESSED | ENCRYPTED) else tuple(self._extents(attribute))
                name = facts.name
                stored = Stored(
                    type=int(facts.type),
                    id=int(facts.id),
                    name=bytes(name).decode("utf-8", "replace") if name else "",
                    size=max(0, int(facts.size)),
                    flags=flags,
                    extents=extents,
                )
            yield stored

    def _extents(self, attribute: Any) -> Iterator[Extent]:
        """Yield the runs of a stream in bytes of the source, joined where they lie side by side."""
        start = length = 0
        sparse = False
        for run in attribute:
            flags = int(run.flags)
            hole = bool(flags & (_RUN_FILLER | _RUN_SPARSE))
            offset, size = (0 if hole else int(run.addr) * self.block_size), int(run.len) * self.block_size
            if length and hole == sparse and (hole or offset == start + length):
                length += size
                continue
            if length:
                yield Extent(offset=start, length=length, sparse=sparse)
            start, length, sparse = offset, size, hole
        if length:
            yield Extent(offset=start, length=length, sparse=sparse)

    def open_stored(self, number: int, stored_type: int, stored_id: int) -> StoredSource:
        """Return a stream read through The Sleuth Kit, decompressed where it can."""
        inode = self.inode(number)
        for stored in self.streams(inode):
            if (stored.type, stored.id) == (stored_type, stored_id):
                return StoredSource(self, inode, stored)
        raise CorruptStructureError(self.structure, f"inode {number} has no stream {stored_type}-{stored_id}")

    def read_stored(self, inode: Inode, stored: Stored, offset: int, length: int) -> bytes:
        """Return bytes of a stream; fewer than asked for only at its end."""
        length = min(length, stored.size - offset)
        if offset < 0 or length <= 0:
            return b""
        with self._translated(f"inode {inode.number}"):
            block: bytes = inode.file.read_random(offset, length, stored.type, stored.id)
        if len(block) < length:
            raise UnreadableError(offset + len(block), length - len(block), f"inode {inode.number} ends early")
        return block


class StoredSource:
    """A stream of an inode that The Sleuth Kit reads for us."""

    def __init__(self, volume: SleuthkitVolume, inode: Inode, stored: Stored) -> None:
        self._volume = volume
        self._inode = inode
        self._stored = stored

    @property
    def size(self) -> int:
        return self._stored.size

    def read_at(self, offset: int, length: int) -> bytes:
        return self._volume.read_stored(self._inode, self._stored, offset, length)


def _last_words(error: BaseException) -> str:
    """Return what The Sleuth Kit says, without the place in its own code."""
    return str(error).rpartition("with error: ")[2].strip().strip("'") or type(error).__name__
