"""The tree of a 7z archive: its files in the order of the header; an address is the number of a file in it, from zero.

A folder holds many files one behind the other and is unpacked from its start: read in order it is unpacked once.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kaval.containers.remarks import limited
from kaval.containers.sevenzip.headers import STRUCTURE, Folder, Listed
from kaval.containers.sevenzip.unpacking import is_encrypted, is_stored, open_folder_stream
from kaval.containers.verified import VerifiedSource
from kaval.core.errors import CorruptStructureError, KavalError, LocatorError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, SliceSource

_UNIX, _DIRECTORY, _LONGEST_LINK = 0x8000, 0x10, 1 << 16
_EPOCH_1601 = 11_644_473_600_000_000_000
_KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.DIRECTORY,
    stat.S_IFLNK: EntryKind.SYMLINK,
    stat.S_IFBLK: EntryKind.DEVICE,
    stat.S_IFCHR: EntryKind.DEVICE,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}


class SevenZipTree:
    """The files of one archive; the folder that was read last stays open."""

    def __init__(self, source: ByteSource, listed: Listed, facts: Mapping[str, str]) -> None:
        self.facts = facts
        self._source = source
        self._listed = listed
        self._open: tuple[int, ByteSource] | None = None
        self._streams_before: list[int] = []

    def entries(self) -> Iterator[Entry | Notice]:
        return limited(self._records())

    def _records(self) -> Iterator[Entry | Notice]:
        locked = stream = 0
        for number in range(self._listed.count):
            place = None
            if not self._listed.is_empty[number]:
                place, stream = stream, stream + 1
            entry = self._entry(number, place)
            locked += entry.content is ContentState.ENCRYPTED
            if entry.kind is EntryKind.SYMLINK and place is not None:
                yield from self._link(entry, number, place)
            else:
                yield entry
            yield from self._problems(entry, place)
        if locked:
            message = f"{locked} files are encrypted (AES-256); the passphrase the archive was made with is needed"
            yield Notice(code=NoticeCode.LOCKED, message=message, structure=STRUCTURE)
        if stream != len(self._listed.streams):
            message = f"its files have {stream} streams, its folders {len(self._listed.streams)}"
            yield Notice(code=NoticeCode.DAMAGED, message=message, structure=STRUCTURE)

    def open_stream(self, address: str) -> ByteSource:
        if not (address.isascii() and address.isdecimal()) or len(address) > 10 or str(int(address)) != address:
            raise LocatorError(address, "an address in a 7z archive is the number of a file in it")
        number = int(address)
        if number >= self._listed.count or self._listed.is_anti[number]:
            raise LocatorError(address, f"the 7z archive lists {self._listed.count} files")
        if self._listed.is_empty[number]:
            return SliceSource(self._source, 0, 0)
        return self._stream(number, self._stream_number(number))

    def unallocated(self) -> Iterator[Extent]:
        return iter(())

    def _stream_number(self, number: int) -> int:
        """Return which stream belongs to a file; those without one are left out in the count."""
        if not self._streams_before:
            total = 0
            for is_empty in self._listed.is_empty:
                self._streams_before.append(total)
                total += not is_empty
        return self._streams_before[number]

    def _stream(self, number: int, place: int) -> ByteSource:
        title = f"the file {self._name(number)[-120:]}"
        if place >= len(self._listed.streams):
            raise CorruptStructureError(title, "the archive has no stream for it")
        folder, offset, size, crc = self._listed.streams[place]
        if not size:
            return SliceSource(self._source, 0, 0)
        if self._open is None or self._open[0] != folder:
            self._open = None
            self._open = (folder, open_folder_stream(self._source, self._listed.folders[folder]))
        return VerifiedSource(SliceSource(self._open[1], offset, size), crc, title)

    def _name(self, number: int) -> str:
        return self._listed.names[number] if self._listed.names else ""

    def _folder(self, place: int | None) -> Folder | None:
        if place is None or place >= len(self._listed.streams):
            return None
        return self._listed.folders[self._listed.streams[place][0]]

    def _entry(self, number: int, place: int | None) -> Entry:
        attributes = self._listed.attributes[number] if self._listed.attributes else -1
        mode = attributes >> 16 if attributes > 0 and attributes & _UNIX else None
        kind = self._kind(number, mode, attributes)
        folder = self._folder(place)
        is_file = kind is EntryKind.FILE
        size, extents = 0, None
        content = ContentState.INTACT if is_file else ContentState.NONE
        if is_file and place is not None:
            size = self._listed.streams[place][2] if folder else 0
            content = self._content(folder) if size or folder is None else ContentState.INTACT
            if folder is not None and is_stored(folder) and content is ContentState.INTACT:
                offset = folder.offset + self._listed.streams[place][1]
                extents = (Extent(offset=offset, length=size),) if size else ()
        path, raw = _path(self._name(number))
        return Entry(
            address=str(number),
            path=path,
            kind=kind,
            size=size,
            state=EntryState.ALLOCATED,
            content=content,
            times=self._times(number),
            extents=extents,
            path_raw=raw,
            mode=mode,
        )

    def _kind(self, number: int, mode: int | None, attributes: int) -> EntryKind:
        if self._listed.is_anti[number]:
            return EntryKind.UNKNOWN
        kind = _KINDS.get(stat.S_IFMT(mode)) if mode else None
        if self._listed.is_empty[number]:
            if kind in (None, EntryKind.FILE, EntryKind.DIRECTORY):
                return EntryKind.FILE if self._listed.is_file[number] else EntryKind.DIRECTORY
            return kind or EntryKind.UNKNOWN
        return EntryKind.FILE if kind in (None, EntryKind.DIRECTORY) else kind or EntryKind.FILE

    def _content(self, folder: Folder | None) -> ContentState:
        if folder is None:
            return ContentState.GONE
        if is_encrypted(folder):
            return ContentState.ENCRYPTED
        end = folder.offset + folder.packed_size
        return ContentState.INTACT if end <= self._source.size else ContentState.PARTIAL

    def _times(self, number: int) -> Times:
        stored: dict[str, int | None] = {}
        for kind in ("modified", "accessed", "created"):
            column = self._listed.times.get(kind)
            ticks = column[number] if column else -1
            stored[kind] = ticks * 100 - _EPOCH_1601 if ticks > 0 else None
        letters = [letter for letter, kind in zip("mab", stored, strict=True) if stored[kind] is not None]
        return Times(
            **stored,
            zone="utc" if letters else "unknown",
            resolution=" ".join(f"{letter}=100ns" for letter in letters),
        )

    def _link(self, entry: Entry, number: int, place: int) -> Iterator[Entry | Notice]:
        """Yield a symbolic link with its target, which is what its stream holds."""
        folder = self._folder(place)
        if folder is None or self._content(folder) is not ContentState.INTACT:
            yield entry
            return
        size = self._listed.streams[place][2]
        try:
            target = self._stream(number, place).read_at(0, min(size, _LONGEST_LINK))
        except KavalError as error:
            yield entry
            message = f"it is a symbolic link; its target cannot be read: {error}"
            yield Notice(code=NoticeCode.DAMAGED, message=message, address=entry.address, structure=STRUCTURE)
            return
        yield replace(entry, link_target=target.decode("utf-8", "replace"))

    def _problems(self, entry: Entry, place: int | None) -> Iterator[Notice]:
        code, message = NoticeCode.DAMAGED, ""
        if entry.content is ContentState.GONE:
            message = "the archive has no stream for it"
        elif entry.content is ContentState.PARTIAL:
            code, message = NoticeCode.TRUNCATED, "the archive ends before the part that holds it does"
        elif entry.kind is EntryKind.UNKNOWN:
            code, message = NoticeCode.SKIPPED, "it is the mark that a file of this name is to be deleted on unpacking"
        if message:
            yield Notice(code=code, message=message, address=entry.address, structure=STRUCTURE)


def _path(name: str) -> tuple[str, bytes | None]:
    """Return the path of an entry, and the stored bytes where they say more than it."""
    text = name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\\", "/").strip("/")
    return text or "_", None if text == name else name.encode("utf-16-le", "surrogatepass")
