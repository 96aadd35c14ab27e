"""VHD images, by Microsoft's Virtual Hard Disk Image Format Specification 1.0: fixed, dynamic, differencing.

The footer stands in the last 512 bytes (511 before Virtual PC 2004); dynamic images have a copy of it at their start,
which is used where the footer is cut off or damaged.
"""

from __future__ import annotations

import struct
from array import array
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from kaval.containers import CONTAINERS
from kaval.containers.blockmap import BlockSource, Place
from kaval.containers.parents import open_parent
from kaval.containers.segments import MissingSource
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, JoinedSource, SliceSource

COOKIE = b"conectix"
SECTOR = 512
MAXIMUM_BITMAPS = 256

_FOOTER = struct.Struct(">8sIIQI4sI4sQQ4sII16s")
_DYNAMIC = struct.Struct(">8sQQIIII16sII512s")
_LOCATOR = struct.Struct(">4sIIIQ")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_KINDS = {2: "fixed", 3: "dynamic", 4: "differencing"}


@dataclass(frozen=True, kw_only=True)
class Footer:
    """What a footer, or its copy, says."""

    header_offset: int
    created: int
    creator: str
    size: int
    kind: int
    identifier: bytes
    sound: bool


def _read_footer(source: ByteSource, offset: int) -> Footer | None:
    block = source.read_at(offset, SECTOR) if offset >= 0 else b""
    if block[:8] != COOKIE or len(block) < SECTOR - 1:
        return None
    block = block.ljust(SECTOR, b"\0")
    fields = _FOOTER.unpack_from(block)
    total = sum(block[:64]) + sum(block[68:])
    return Footer(
        header_offset=fields[3],
        created=fields[4],
        creator=fields[5].decode("latin-1").strip("\0 "),
        size=fields[9],
        kind=fields[11],
        identifier=fields[13],
        sound=~total & 0xFFFFFFFF == fields[12],
    )


def _footers(source: ByteSource) -> list[Footer]:
    """Return the footer and its copy, sound ones first."""
    found = [_read_footer(source, offset) for offset in (source.size - 512, source.size - 511, 0)]
    return sorted((footer for footer in found if footer is not None), key=lambda footer: not footer.sound)


class BlockTable:
    """The block allocation table of a dynamic image."""

    def __init__(self, table: array[int], bitmap_size: int) -> None:
        self._table = table
        self._bitmap_size = bitmap_size

    def locate(self, block: int) -> int:
        sector = self._table[block]
        return Place.ZERO if sector == 0xFFFFFFFF else sector * SECTOR + self._bitmap_size


class SectorTable:
    """The table of a differencing image: the bitmap of each block tells which of its sectors are here."""

    def __init__(self, source: ByteSource, table: array[int], sectors: int, bitmap_size: int, title: str) -> None:
        self._source = source
        self._table = table
        self._sectors = sectors
        self._bitmap_size = bitmap_size
        self._title = title
        self._bitmaps: OrderedDict[int, bytes] = OrderedDict()

    def locate(self, block: int) -> int:
        number, sector = divmod(block, self._sectors)
        start = self._table[number]
        if start == 0xFFFFFFFF:
            return Place.PARENT
        bitmap = self._bitmap(number, start, block)
        if not bitmap[sector >> 3] & (0x80 >> (sector & 7)):
            return Place.PARENT
        return (start + sector) * SECTOR + self._bitmap_size

    def _bitmap(self, number: int, start: int, block: int) -> bytes:
        bitmap = self._bitmaps.get(number)
        if bitmap is None:
            bitmap = self._source.read_at(start * SECTOR, self._bitmap_size)
            if len(bitmap) < self._bitmap_size:
                raise UnreadableError(
                    block * SECTOR, SECTOR, f"{self._title} ends before the bitmap of its block {number}"
                )
            while len(self._bitmaps) >= MAXIMUM_BITMAPS:
                self._bitmaps.popitem(last=False)
            self._bitmaps[number] = bitmap
        return bitmap


@CONTAINERS.register
class Vhd:
    """A VHD image."""

    name: ClassVar[str] = "vhd"
    title: ClassVar[str] = "VHD image"
    rank: ClassVar[int] = 130
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return bool(_footers(source))

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        title = f"the VHD image {name}"
        footers = _footers(source)
        if not footers:
            raise CorruptStructureError(title, "it has no footer", source.size)
        footer = footers[0]
        notices = []
        if not footer.sound or _read_footer(source, source.size - 512) != footer:
            state = "its copy at the start was used" if footer.sound else "its checksum does not match"
            message = f"the footer of {title} is damaged or cut off; {state}"
            notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure="VHD footer"))
        if not 0 < footer.size <= 1 << 46:
            raise CorruptStructureError(title, f"it claims to hold {footer.size} bytes", source.size - 464)
        if footer.kind not in _KINDS:
            raise UnsupportedError(f"{title} of kind {footer.kind}", "convert it with qemu-img convert -O raw")
        facts = {
            "kind": _KINDS[footer.kind],
            "creator": footer.creator,
            "created": (_EPOCH + timedelta(seconds=footer.created)).isoformat().replace("+00:00", "Z"),
            "identifier": str(UUID(bytes=footer.identifier)),
        }
        fixed = footer.kind == 2
        opened = _fixed(source, footer, title) if fixed else _dynamic(source, footer, siblings, name, title)
        return replace(opened, facts={**facts, **opened.facts}, notices=(*notices, *opened.notices))


def _fixed(source: ByteSource, footer: Footer, title: str) -> Opened:
    present = source.size - SECTOR
    if footer.size <= present:
        return Opened(source=SliceSource(source, 0, footer.size))
    missing = footer.size - present
    message = f"{title} holds {present} of its {footer.size} bytes: the rest cannot be read"
    lost = MissingSource(missing, f"{title} ends before it", present)
    notice = Notice(code=NoticeCode.TRUNCATED, message=message, offset=present, structure="VHD image")
    return Opened(source=JoinedSource([SliceSource(source, 0, present), lost]), notices=(notice,))


def _dynamic(source: ByteSource, footer: Footer, siblings: Siblings, name: str, title: str) -> Opened:
    block = source.read_at(footer.header_offset, 1024)
    if len(block) < 1024 or block[:8] != b"cxsparse":
        raise CorruptStructureError(title, "its dynamic header is not where the footer says", footer.header_offset)
    fields = _DYNAMIC.unpack_from(block)
    table_offset, count, block_size = fields[2], fields[4], fields[5]
    needed = -(-footer.size // block_size) if block_size else 0
    possible = block_size >= SECTOR and not block_size & (block_size - 1)
    if not possible or needed > count or 4 * needed > source.size:
        reason = f"{count} blocks of {block_size} bytes do not make {footer.size} bytes"
        raise CorruptStructureError(title, reason, footer.header_offset)
    stored = source.read_at(table_offset, 4 * needed)
    if len(stored) < 4 * needed:
        raise CorruptStructureError(title, "its block table lies outside the file", table_offset)
    table = array("I", stored)
    table.byteswap()
    sectors = block_size // SECTOR
    bitmap_size = -(-sectors // 8 // SECTOR) * SECTOR if sectors >= 8 else SECTOR
    facts = {"block size": str(block_size)}
    if footer.kind == 3:
        blocks = BlockTable(table, bitmap_size)
        decoded = BlockSource(blocks.locate, source, size=footer.size, block_size=block_size, title=title)
        return Opened(source=decoded, facts=facts)
    path = _parent_path(source, block, fields[10])
    parent = open_parent(path, siblings, child=name, title=title)
    notices = list(parent.notices)
    identifier = str(UUID(bytes=fields[7]))
    if parent.facts.get("identifier") != identifier:
        message = f"{title} is based on the image {identifier}; what lies beside it is {parent.facts.get('identifier')}"
        notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure="VHD parent"))
    changes = SectorTable(source, table, sectors, bitmap_size, title)
    decoded = BlockSource(
        changes.locate, source, size=footer.size, block_size=SECTOR, title=title, parent=parent.source
    )
    return Opened(source=decoded, facts={**facts, "based on": path}, notices=tuple(notices))


def _parent_path(source: ByteSource, header: bytes, unicode_name: bytes) -> str:
    """Return the path of the parent: a relative or absolute one of a locator, else the name in the header."""
    for number in range(8):
        platform, _, length, _, offset = _LOCATOR.unpack_from(header, 576 + 24 * number)
        if platform in (b"W2ru", b"W2ku") and 0 < length <= 4096:
            path = source.read_at(offset, length).decode("utf-16-le", "replace").rstrip("\0")
            if path:
                return path
    return unicode_name.decode("utf-16-be", "replace").split("\0")[0]
