"""Folders: a directory on the examiner's machine as a logical source.

Symbolic links are listed with their target and never followed; devices, pipes and sockets are listed and never opened.
Names are bytes to the system: what is no UTF-8 shows as U+FFFD, and stands whole in ``path_raw``. Times of access are
left as they are where the system lets this process do so (owner, or root). Not told: alternate streams, extended
attributes, and the time of creation, which the system call does not give.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import LocatorError, UnreadableError, UnsupportedError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, FileSource, open_quietly

_KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.DIRECTORY,
    stat.S_IFLNK: EntryKind.SYMLINK,
    stat.S_IFBLK: EntryKind.DEVICE,
    stat.S_IFCHR: EntryKind.DEVICE,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}


class _QuietFile(FileSource):
    """A file whose time of access reading does not change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._descriptor = open_quietly(path, os.O_NOFOLLOW | os.O_NONBLOCK)
        self._size = os.lseek(self._descriptor, 0, os.SEEK_END)


class FolderTree:
    """The entries below a directory, in the order of their names as bytes.

    An address is the path below the directory; bytes that are no UTF-8 stand in it as lone surrogates.
    """

    MAXIMUM_ENTRIES: ClassVar[int] = 100_000_000
    """After that many entries the listing ends with a notice."""

    MAXIMUM_DEPTH: ClassVar[int] = 1024
    """Directories deeper than this are listed and not entered."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.facts: Mapping[str, str] = {}

    def entries(self) -> Iterator[Entry | Notice]:
        count = 0
        stack: list[Iterator[Entry | Notice]] = [self._listed("")]
        while stack:
            record = next(stack[-1], None)
            if record is None:
                stack.pop()
                continue
            yield record
            if isinstance(record, Notice):
                continue
            count += 1
            if count >= self.MAXIMUM_ENTRIES:
                yield Notice(code=NoticeCode.COUNT_LIMIT, message=f"listing stopped after {count} entries")
                return
            if record.kind is EntryKind.DIRECTORY:
                if len(stack) < self.MAXIMUM_DEPTH:
                    stack.append(self._listed(record.address))
                else:
                    message = f"the directory lies {len(stack)} deep and was not entered"
                    yield Notice(code=NoticeCode.DEPTH_LIMIT, message=message, address=record.address)

    def open_stream(self, address: str) -> ByteSource:
        parts = address.split("/")
        if not all(parts) or not {".", ".."}.isdisjoint(parts):
            raise LocatorError(address, "it is no path below the folder")
        path = self.path / address
        if path.is_symlink() or path.resolve() != self.path.resolve() / address:
            raise LocatorError(address, "the path leads through a symbolic link")
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise UnsupportedError(address, "it is no regular file and is never opened")
            return _QuietFile(path)
        except OSError as error:
            raise UnreadableError(0, 0, error.strerror or str(error)) from error

    def unallocated(self) -> Iterator[Extent]:
        return iter(())

    def _listed(self, directory: str) -> Iterator[Entry | Notice]:
        """Yield the entries of one directory."""
        try:
            names = _names_in(self.path / directory)
        except OSError as error:
            yield _unreadable(directory, error)
            return
        for name in names:
            address = f"{directory}/{name}" if directory else name
            try:
                yield self._entry(address, directory)
            except OSError as error:
                yield _unreadable(address, error)

    def _entry(self, address: str, directory: str) -> Entry:
        path = self.path / address
        facts = path.lstat()
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), EntryKind.UNKNOWN)
        raw = os.fsencode(address)
        shown = raw.decode("utf-8", "replace")
        is_file = kind is EntryKind.FILE
        return Entry(
            address=address,
            path=shown,
            kind=kind,
            size=facts.st_size if is_file else 0,
            state=EntryState.ALLOCATED,
            content=ContentState.INTACT if is_file else ContentState.NONE,
            parent=directory or None,
            times=Times(
                modified=facts.st_mtime_ns,
                accessed=facts.st_atime_ns,
                changed=facts.st_ctime_ns,
                zone="utc",
                resolution="m=1ns a=1ns c=1ns",
            ),
            path_raw=None if shown == address else raw,
            link_target=_shown(os.fsencode(path.readlink())) if kind is EntryKind.SYMLINK else None,
            mode=facts.st_mode,
            owner=str(facts.st_uid),
            group=str(facts.st_gid),
        )


def _names_in(path: Path) -> list[str]:
    descriptor = open_quietly(path, os.O_DIRECTORY)
    try:
        return sorted(os.listdir(descriptor), key=os.fsencode)
    finally:
        os.close(descriptor)


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _unreadable(address: str, error: OSError) -> Notice:
    return Notice(
        code=NoticeCode.UNREADABLE, message=f"cannot be looked at: {error.strerror or error}", address=address
    )


def open_folder(path: str | Path) -> Opened:
    """Return the tree of a directory on the examiner's machine.

    Raises:
        UnreadableError: It is no directory, or cannot be listed.
    """
    try:
        _names_in(Path(path))
    except OSError as error:
        raise UnreadableError(0, 0, error.strerror or str(error)) from error
    return Opened(tree=FolderTree(path))


@CONTAINERS.register
class Folder:
    """A directory; it is no byte source, so nothing is ever recognised as one. ``open_folder`` opens it."""

    name: ClassVar[str] = "folder"
    title: ClassVar[str] = "Folder on this machine"
    rank: ClassVar[int] = 1000
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return False

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        raise UnsupportedError("a folder", "it is opened by its path, not from bytes")
