"""Thumbnails of Windows before Vista, and of network folders since: ``Thumbs.db``, by libyal's description.

A compound file ([MS-CFB]) with one stream a picture: a head of 12 or 24 bytes, then JPEG or PNG. ``Catalog`` names the
files they were made of, with their times, also of files deleted since. Pictures without the head of a JPEG of its own
(Windows 98) are listed as they lie.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.remarks import limited
from kaval.containers.thumbcache import ending_of
from kaval.containers.thumbsdb.compound import SIGNATURE, CompoundFile, Stream
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LocatorError, UnreadableError
from kaval.core.records import (
    NO_TIMES,
    ContentState,
    Entry,
    EntryKind,
    EntryState,
    Extent,
    Notice,
    NoticeCode,
    Times,
)
from kaval.core.sources import ByteSource, ExtentSource

_CATALOG = "Catalog"
_FILE_NAME = re.compile(r"(eh)?thumbs(_vista)?\.db$", re.IGNORECASE)
_PICTURE = re.compile(r"\d{1,10}|\d{1,5}_[0-9a-f]{1,16}", re.IGNORECASE)
_MOST_CATALOG = 64 << 20
_EPOCH = 116_444_736_000_000_000
_HEADS = (12, 24)


class ThumbsTree:
    """The pictures of the file, in the order of its directory."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._compound = CompoundFile(source)
        self._names = self._catalog()
        self.facts: Mapping[str, str] = {"named in the catalogue": str(len(self._names))}

    def _catalog(self) -> dict[str, tuple[str, Times]]:
        """Return names and times of the files by the name of their stream: their number written backwards."""
        stream = next((stream for stream in self._compound.streams() if stream.name == _CATALOG), None)
        if stream is None or not 16 <= stream.size <= _MOST_CATALOG:
            return {}
        content = ExtentSource(self._source, self._compound.extents(stream), stream.size).read_at(0, stream.size)
        names: dict[str, tuple[str, Times]] = {}
        place = int.from_bytes(content[:2], "little")
        while 16 <= place <= len(content) - 16:
            size, number, written = struct.unpack_from("<IIQ", content, place)
            if size < 16:
                break
            name = content[place + 16 : place + size].decode("utf-16-le", "replace").partition("\0")[0]
            at = (written - _EPOCH) * 100
            known = abs(at) < 2**63 and written
            times = Times(modified=at, zone="utc", resolution="m=100ns") if known else NO_TIMES
            names[str(number)[::-1]] = (name, times)
            place += size
        return names

    def entries(self) -> Iterator[Entry | Notice]:
        return limited(self._records())

    def _records(self) -> Iterator[Entry | Notice]:
        for stream in self._compound.streams():
            if _PICTURE.fullmatch(stream.name):
                try:
                    entry = self._entry(stream)
                except (CorruptStructureError, UnreadableError) as error:
                    code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
                    address = str(stream.number)
                    yield Notice(code=code, message=str(error), address=address, structure="Thumbs.db")
                    continue
                if entry is not None:
                    yield entry

    def _entry(self, stream: Stream) -> Entry | None:
        """Return the picture of a stream without the head that Windows puts before it."""
        extents = self._compound.extents(stream)
        head = ExtentSource(self._source, extents, stream.size).read_at(0, 32)
        skipped = int.from_bytes(head[:4], "little")
        if skipped not in _HEADS or skipped >= stream.size:
            skipped = 0
        name, times = self._names.get(stream.name, ("", NO_TIMES))
        path = (name or f"{stream.name}.{ending_of(head[skipped:])}").replace("/", "_")
        return Entry(
            address=str(stream.number),
            path=path,
            kind=EntryKind.FILE,
            size=stream.size - skipped,
            state=EntryState.ALLOCATED,
            content=ContentState.INTACT,
            times=times,
            extents=tuple(_behind(extents, skipped)),
        )

    def open_stream(self, address: str) -> ByteSource:
        for record in self._records():
            if isinstance(record, Entry) and record.address == address and record.extents is not None:
                return ExtentSource(self._source, record.extents, record.size)
        raise LocatorError(address, "the file has no such stream")

    def unallocated(self) -> Iterator[Extent]:
        return iter(())


def _behind(extents: list[Extent], skipped: int) -> Iterator[Extent]:
    """Yield extents without their first bytes."""
    for extent in extents:
        if skipped < extent.length:
            yield Extent(offset=extent.offset + skipped, length=extent.length - skipped)
        skipped = max(0, skipped - extent.length)


@CONTAINERS.register
class ThumbsDb:
    """Lists the pictures of a ``Thumbs.db``."""

    name: ClassVar[str] = "thumbsdb"
    title: ClassVar[str] = "Windows thumbnails (Thumbs.db)"
    rank: ClassVar[int] = 251
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return _FILE_NAME.search(name) is not None and source.read_at(0, len(SIGNATURE)) == SIGNATURE

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        tree = ThumbsTree(source)
        return Opened(tree=tree, facts=tree.facts)
