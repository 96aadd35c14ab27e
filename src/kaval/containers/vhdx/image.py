"""A VHDX image as a disk: its block allocation table, and its parent if it has one."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Mapping
from uuid import UUID

from kaval.containers.blockmap import BlockSource, Place
from kaval.containers.parents import open_parent
from kaval.containers.vhdx.log import replay
from kaval.containers.vhdx.structures import BAT_REGION, MIB, Disk, Region, read_disk, read_header, read_regions
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

NOT_PRESENT, UNDEFINED, ZERO, UNMAPPED, FULL, PARTIAL = 0, 1, 2, 3, 6, 7
MAXIMUM_BITMAPS = 64
_PATHS = ("relative_path", "absolute_win32_path", "volume_path")


class AllocationTable:
    """The block allocation table ([MS-VHDX] 2.5): an entry for each block, one for a bitmap after each chunk of them.

    ``locate`` counts in blocks, or in sectors where the image is a differencing one.
    """

    def __init__(self, source: ByteSource, table: array[int], disk: Disk, title: str, *, by_sector: bool) -> None:
        self._source = source
        self._table = table
        self._ratio = (1 << 23) * disk.sector_size // disk.block_size
        self._block_size = disk.block_size
        self._sector_size = disk.sector_size
        self._per_block = disk.block_size // disk.sector_size
        self._title = title
        self._by_sector = by_sector
        self._bitmaps: OrderedDict[int, bytes] = OrderedDict()

    def locate(self, block: int) -> int:
        if not self._by_sector:
            return self._place(block)
        number, sector = divmod(block, self._per_block)
        place = self._place(number)
        if place == Place.PARENT or place == Place.ZERO:
            return place
        if self._table[number + number // self._ratio] & 7 == PARTIAL and not self._here(number, sector, block):
            return Place.PARENT
        return place + sector * self._sector_size

    def _place(self, block: int) -> int:
        entry = self._table[block + block // self._ratio]
        state = entry & 7
        if state in (FULL, PARTIAL):
            return (entry >> 20) * MIB
        if state == NOT_PRESENT and self._by_sector:
            return Place.PARENT
        if state in (NOT_PRESENT, UNDEFINED, ZERO, UNMAPPED):
            return Place.ZERO
        reason = f"the entry of block {block} of {self._title} has the unknown state {state}"
        raise UnreadableError(block * self._block_size, self._block_size, reason)

    def _here(self, number: int, sector: int, block: int) -> bool:
        chunk, inside = divmod(number, self._ratio)
        bitmap = self._bitmaps.get(chunk)
        if bitmap is None:
            index = chunk * (self._ratio + 1) + self._ratio
            entry = self._table[index] if index < len(self._table) else 0
            bitmap = self._source.read_at((entry >> 20) * MIB, MIB) if entry & 7 == FULL else b""
            if len(bitmap) < MIB:
                reason = f"the sector bitmap of chunk {chunk} of {self._title} cannot be read"
                raise UnreadableError(block * self._sector_size, self._sector_size, reason)
            while len(self._bitmaps) >= MAXIMUM_BITMAPS:
                self._bitmaps.popitem(last=False)
            self._bitmaps[chunk] = bitmap
        bit = inside * self._per_block + sector
        return bool(bitmap[bit >> 3] >> (bit & 7) & 1)


def open_image(source: ByteSource, name: str, siblings: Siblings) -> Opened:
    """Return the disk of a VHDX image."""
    title = f"the VHDX image {name}"
    header, both = read_header(source, title)
    notices = []
    facts = {"written": str(header.written)}
    if not both:
        message = f"one of the two headers of {title} is damaged; the other was used"
        notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure="VHDX header"))
    if header.log_identifier.int:
        logged = replay(source, header.log_offset, header.log_size, header.log_identifier)
        facts["log"] = "applied in memory" if logged else "not empty, and not sound"
        if logged is None:
            message = f"{title} was not closed, and its log holds no sound entries; it is read as it stands"
            notices.append(
                Notice(code=NoticeCode.DAMAGED, message=message, offset=header.log_offset, structure="VHDX log")
            )
        source = logged or source
    regions = read_regions(source, title)
    disk = read_disk(source, regions, title)
    facts |= {"block size": str(disk.block_size), "sector size": str(disk.sector_size)}
    if disk.identifier is not None:
        facts["identifier"] = str(disk.identifier)
    parent = None
    if disk.parent is not None:
        opened = _parent(disk.parent, siblings, name, title)
        parent = opened.source
        notices.extend(opened.notices)
        facts["based on"] = _path(disk.parent)
    table = _table(source, regions, disk, title)
    blocks = AllocationTable(source, table, disk, title, by_sector=parent is not None)
    block_size = disk.sector_size if parent is not None else disk.block_size
    decoded = BlockSource(blocks.locate, source, size=disk.size, block_size=block_size, title=title, parent=parent)
    return Opened(source=decoded, facts=facts, notices=tuple(notices))


def _table(source: ByteSource, regions: Mapping[UUID, Region], disk: Disk, title: str) -> array[int]:
    region = regions.get(BAT_REGION)
    if region is None:
        raise CorruptStructureError(title, "it has no block allocation table")
    ratio = (1 << 23) * disk.sector_size // disk.block_size
    blocks = -(-disk.size // disk.block_size)
    count = -(-blocks // ratio) * (ratio + 1) if disk.parent is not None else blocks + (blocks - 1) // ratio
    if 8 * count > region.size:
        reason = f"its block allocation table holds {region.size // 8} entries where {count} are needed"
        raise CorruptStructureError(title, reason, region.offset)
    stored = source.read_at(region.offset, 8 * count)
    if len(stored) < 8 * count:
        raise CorruptStructureError(title, "its block allocation table lies outside the file", region.offset)
    return array("Q", stored)


def _path(locator: Mapping[str, str]) -> str:
    return next((locator[key] for key in _PATHS if locator.get(key)), "")


def _parent(locator: Mapping[str, str], siblings: Siblings, name: str, title: str) -> Opened:
    """Return the parent, with a notice if its identifier is not the one the child was made for."""
    opened = open_parent(_path(locator), siblings, child=name, title=title)
    wanted = {locator.get(key, "").strip("{}").lower() for key in ("parent_linkage", "parent_linkage2")} - {""}
    is_now = opened.facts.get("written", "")
    if wanted and is_now not in wanted:
        message = f"{title} is based on {' or '.join(sorted(wanted))}; the parent beside it is {is_now or 'no VHDX'}"
        notice = Notice(code=NoticeCode.DAMAGED, message=message, structure="VHDX parent")
        return Opened(source=opened.source, facts=opened.facts, notices=(*opened.notices, notice))
    return opened
