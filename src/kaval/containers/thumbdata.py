"""Thumbnails Android kept up to version 9: ``.thumbdata3--1967290299``, by AOSP's ``MiniThumbFile``.

A file of blocks of 10,000 bytes, the block's number being the picture's number in the media store: one byte that says
whether it is used, eight that must match the store, four that give the length (big-endian), then a JPEG. The files
are sparse and never shrink: pictures stay when the originals are deleted.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.remarks import limited
from kaval.containers.thumbcache import range_of
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import UnreadableError
from kaval.core.progress import advance
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource

_NAME = re.compile(r"\.thumbdata3(-.*)?$")
_BLOCK = 10_000
_BLOCKS_AT_ONCE = 512
_HEAD = struct.Struct(">BqI")
_JPEG = b"\xff\xd8\xff"


class ThumbdataTree:
    """The pictures of the file, in order of their numbers."""

    def __init__(self, source: ByteSource) -> None:
        self.facts: Mapping[str, str] = {}
        self._source = source

    def entries(self) -> Iterator[Entry | Notice]:
        return limited(self._records())

    def _records(self) -> Iterator[Entry | Notice]:
        for start in range(0, self._source.size, _BLOCK * _BLOCKS_AT_ONCE):
            advance()
            try:
                blocks = self._source.read_at(start, _BLOCK * _BLOCKS_AT_ONCE)
            except UnreadableError:
                for place in range(start, min(start + _BLOCK * _BLOCKS_AT_ONCE, self._source.size), _BLOCK):
                    yield from self._doubtful(place)
                continue
            if blocks.count(0) == len(blocks):
                continue
            for offset in range(0, len(blocks), _BLOCK):
                entry = _entry(blocks[offset : offset + _BLOCK], start + offset)
                if entry is not None:
                    yield entry

    def _doubtful(self, place: int) -> Iterator[Entry | Notice]:
        """Yield the picture of a block of which some bytes may not be readable, or that its head is not."""
        try:
            head = self._source.read_at(place, _HEAD.size + len(_JPEG))
            entry = _entry(head.ljust(min(_BLOCK, self._source.size - place), b"\0"), place)
        except UnreadableError as error:
            message = f"thumbnail {place // _BLOCK}: {error}"
            yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=error.offset, structure="thumbdata")
        else:
            if entry is not None:
                yield entry

    def open_stream(self, address: str) -> ByteSource:
        return range_of(self._source, address)

    def unallocated(self) -> Iterator[Extent]:
        return iter(())


def _entry(block: bytes, place: int) -> Entry | None:
    """Return the picture of a block, ``None`` where it holds none."""
    if len(block) < _HEAD.size + len(_JPEG) or not block.startswith(_JPEG, _HEAD.size):
        return None
    used, _, length = _HEAD.unpack_from(block)
    whole = length <= len(block) - _HEAD.size
    start, size = place + _HEAD.size, min(length, len(block) - _HEAD.size)
    return Entry(
        address=f"{start}+{size}",
        path=f"{place // _BLOCK}.jpg",
        kind=EntryKind.FILE,
        size=size,
        state=EntryState.ALLOCATED if used else EntryState.DELETED,
        content=ContentState.INTACT if whole else ContentState.PARTIAL,
        extents=(Extent(offset=start, length=size),),
    )


@CONTAINERS.register
class Thumbdata:
    """Lists the pictures of Android's file of thumbnails."""

    name: ClassVar[str] = "thumbdata"
    title: ClassVar[str] = "Android thumbnails (.thumbdata3)"
    rank: ClassVar[int] = 252
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return _NAME.match(name) is not None

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        return Opened(tree=ThumbdataTree(source))
