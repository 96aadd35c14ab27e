"""Thumbnail caches of Windows Vista and later (``thumbcache_*.db``, ``iconcache_*.db``), by libyal's description.

Each cached picture is listed as a file, a plain range of the cache: what was deleted from the disk is often still here.
A picture is called after the identifier the cache gives it. Not read: the index, which only speeds up finding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.remarks import limited
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LocatorError, UnreadableError
from kaval.core.progress import advance
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import BLOCK_SIZE, ByteSource, SliceSource, pieces

_MAGIC = b"CMMM"
_VISTA, _SEVEN = 20, 21
_HEAD_SIZE = 4096
_MOST_NAME = 4096
_ENDINGS = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"), (b"BM", "bmp"), (b"GIF8", "gif"), (b"RIFF", "webp"))


def ending_of(head: bytes) -> str:
    """Return the extension that goes with the first bytes of a picture, ``bin`` where they are none."""
    return next((ending for magic, ending in _ENDINGS if head.startswith(magic)), "bin")


class ThumbcacheTree:
    """The pictures of a cache, in order of place."""

    def __init__(self, source: ByteSource, version: int) -> None:
        self.facts: Mapping[str, str] = {"version": str(version)}
        self._source = source
        self._vista = version == _VISTA
        self._head_size = 48 if version == _SEVEN else 56
        self._unread: list[UnreadableError] = []

    def entries(self) -> Iterator[Entry | Notice]:
        return limited(self._records())

    def _records(self) -> Iterator[Entry | Notice]:
        self._unread.clear()
        place = self._next(8)
        while place is not None:
            yield from self._not_searched()
            try:
                size, entry = self._entry(place)
            except (CorruptStructureError, UnreadableError) as error:
                code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
                yield Notice(code=code, message=str(error), offset=place, structure="thumbnail cache")
                place = self._next(place + len(_MAGIC))
                continue
            if entry is not None:
                yield entry
            place = self._next(place + size)
        yield from self._not_searched()

    def _not_searched(self) -> Iterator[Notice]:
        for error in self._unread:
            message = f"these bytes could not be searched for thumbnails: {error}"
            yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=error.offset, structure="thumbnail cache")
        self._unread.clear()

    def _next(self, start: int) -> int | None:
        """Return where the next record begins: at the place given or, past what is damaged, where its mark stands."""
        while start < self._source.size:
            for found in pieces(self._source, start, BLOCK_SIZE):
                if isinstance(found, UnreadableError):
                    self._unread.append(found)
                elif (inside := found[1].find(_MAGIC)) >= 0:
                    return found[0] + inside
            advance()
            start += BLOCK_SIZE - len(_MAGIC) + 1
        return None

    def _entry(self, place: int) -> tuple[int, Entry | None]:
        """Return the size of the record at a place and the picture in it, if it holds one."""
        head = self._source.read_at(place, self._head_size)
        if len(head) < self._head_size:
            raise CorruptStructureError("thumbnail cache", "it ends inside the head of a record", place)
        (size,) = struct.unpack_from("<I", head, 4)
        name_size, padding, content_size = struct.unpack_from("<III", head, 24 if self._vista else 16)
        start = self._head_size + name_size + padding
        if size < self._head_size or start + content_size > size or place + size > self._source.size:
            raise CorruptStructureError("thumbnail cache", "the sizes of a record contradict each other", place)
        if not content_size:
            return size, None
        name = self._source.read_at(place + self._head_size, min(name_size, _MOST_NAME))
        identifier = name[: len(name) & ~1].decode("utf-16-le", "replace").rstrip("\0")
        called = identifier or f"{struct.unpack_from('<Q', head, 8)[0]:016x}"
        magic = self._source.read_at(place + start, min(4, content_size))
        return size, Entry(
            address=f"{place + start}+{content_size}",
            path=f"{called.replace('/', '_')}.{ending_of(magic)}",
            kind=EntryKind.FILE,
            size=content_size,
            state=EntryState.ALLOCATED,
            content=ContentState.INTACT,
            extents=(Extent(offset=place + start, length=content_size),),
        )

    def open_stream(self, address: str) -> ByteSource:
        return range_of(self._source, address)

    def unallocated(self) -> Iterator[Extent]:
        return iter(())


def range_of(source: ByteSource, address: str) -> ByteSource:
    """Return the range of a source that an address ``offset+length`` names.

    Raises:
        LocatorError: It names none inside the source.
    """
    offset, plus, length = address.partition("+")
    if not (plus and offset.isdecimal() and length.isdecimal()) or int(offset) + int(length) > source.size:
        raise LocatorError(address, "there is no picture at this place of the cache")
    return SliceSource(source, int(offset), int(length))


@CONTAINERS.register
class Thumbcache:
    """Lists the pictures of a thumbnail cache."""

    name: ClassVar[str] = "thumbcache"
    title: ClassVar[str] = "Windows thumbnail cache"
    rank: ClassVar[int] = 250
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        head = source.read_at(0, 8)
        return head.startswith(_MAGIC) and len(head) == 8 and 1 <= int.from_bytes(head[4:], "little") <= 64

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        version = int.from_bytes(source.read_at(4, 4), "little")
        tree = ThumbcacheTree(source, version)
        return Opened(tree=tree, facts=tree.facts)
