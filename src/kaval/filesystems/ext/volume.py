"""One ext volume: superblock, groups, inodes, bitmaps and journal, read through one medium."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property

from kaval.core.errors import CorruptStructureError, KavalError, UnreadableError, UnsupportedError
from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.ext.attributes import inline_ranges
from kaval.filesystems.ext.bitmaps import Bitmaps
from kaval.filesystems.ext.groups import Groups, read_groups
from kaval.filesystems.ext.inodes import INLINE_DATA_FLAG, Inode, InodeTable, parse_inode
from kaval.filesystems.ext.journal import Log, plan_replay, read_log
from kaval.filesystems.ext.mapping import Layout, ReadBlock, map_blocks, stream_extents
from kaval.filesystems.ext.medium import Medium
from kaval.filesystems.ext.superblock import (
    COMPAT_HAS_JOURNAL,
    INCOMPAT_JOURNAL_DEV,
    INCOMPAT_RECOVER,
    SUPERBLOCK_OFFSET,
    SUPERBLOCK_SIZE,
    Superblock,
    find_superblock,
    parse_superblock,
)


class Volume:
    """An open ext volume, as it stands after its last commit.

    Where the volume was not unmounted cleanly, committed transactions of the journal that were not yet written back are
    laid over the bytes in memory, as a kernel would do on disk. ``notices`` tell what spoke against it.

    Attributes:
        superblock: What the file system says of itself.
        medium: Its bytes.
        groups: Its block groups.
        inodes: Its inode table.
        bitmaps: What is in use.
        notices: What could not be established on opening.
    """

    def __init__(self, source: ByteSource) -> None:
        superblock = find_superblock(source)
        if superblock is None:
            raise CorruptStructureError("ext superblock", "neither it nor a copy of it makes sense", SUPERBLOCK_OFFSET)
        if superblock.incompat & INCOMPAT_JOURNAL_DEV:
            raise UnsupportedError("an external ext journal", "examine it together with the volume it belongs to")
        self.source = source
        self.notices: list[Notice] = []
        self.replayed_transactions = 0
        self.medium = Medium(source, superblock.block_size, superblock.block_count)
        self._adopt(superblock)
        self._remark_superblock()
        if superblock.incompat & INCOMPAT_RECOVER and self.log is not None:
            self._replay(self.log)

    def _adopt(self, superblock: Superblock) -> None:
        self.superblock = superblock
        self.groups: Groups = read_groups(self.medium, superblock)
        self.inodes = InodeTable(self.medium, superblock, self.groups)
        self.bitmaps = Bitmaps(self.medium, superblock, self.groups)

    def _remark_superblock(self) -> None:
        superblock = self.superblock
        if superblock.offset != SUPERBLOCK_OFFSET:
            message = f"the superblock is destroyed; its copy at byte {superblock.offset} was used"
            self._remark(NoticeCode.DAMAGED, message, SUPERBLOCK_OFFSET)
        size = superblock.block_count * superblock.block_size
        if size > self.source.size:
            message = f"the file system has {size} bytes, the image ends after {self.source.size}"
            self._remark(NoticeCode.TRUNCATED, message, self.source.size)
        unknown = superblock.unknown_incompat()
        if unknown:
            message = f"features {unknown:#x} are unknown here; what depends on them may be read wrongly"
            self._remark(NoticeCode.UNSUPPORTED, message, superblock.offset)

    def _remark(self, code: NoticeCode, message: str, offset: int | None = None) -> None:
        self.notices.append(Notice(code=code, message=message, offset=offset, structure="ext superblock"))

    @cached_property
    def log(self) -> Log | None:
        """What the journal inside the volume holds; ``None`` where there is none, or none that can be read."""
        superblock = self.superblock
        if not superblock.compat & COMPAT_HAS_JOURNAL:
            return None
        if not superblock.journal_inode:
            message = "the journal lies on another device; what it holds was not considered"
            self._remark(NoticeCode.UNAVAILABLE, message)
            return None
        try:
            return read_log(Medium(self.source, superblock.block_size, superblock.block_count), self._journal().runs)
        except (CorruptStructureError, UnreadableError) as error:
            code = NoticeCode.DAMAGED if isinstance(error, CorruptStructureError) else NoticeCode.UNREADABLE
            self._remark(code, f"the journal was not considered: {error}", getattr(error, "offset", None))
            return None

    def _journal(self) -> Layout:
        """Return where the journal lies: by its inode, else by the copy of its block map in the superblock."""
        number = self.superblock.journal_inode
        try:
            inode = self.inodes.get(number)
            layout = self.map(inode)
        except KavalError as error:
            inode, layout = None, Layout(problem=str(error))
        if (layout.problem or not layout.runs) and self.superblock.field(0xFD, "B") == 1:
            raw = bytearray(128)
            raw[0x28:0x64] = self.superblock.raw[0x10C : 0x10C + 60]
            raw[0:2] = struct.pack("<H", 0x8180)
            raw[4:8] = self.superblock.raw[0x10C + 64 : 0x10C + 68]
            if raw[0x28:0x2A] == b"\x0a\xf3":
                raw[0x20:0x24] = struct.pack("<I", 0x80000)
            copy = self.map(parse_inode(bytes(raw), number, self.superblock))
            if copy.runs and not copy.problem:
                layout = copy
        if layout.problem and not layout.runs:
            raise CorruptStructureError("ext journal", layout.problem)
        return layout

    def _replay(self, log: Log) -> None:
        if not log.facts.start:
            return
        replay = plan_replay(log)
        if replay.problem:
            self._remark(NoticeCode.DAMAGED, replay.problem)
        if log.fast_transaction == log.facts.sequence + replay.transactions:
            message = (
                "fast commits behind the last transaction are not applied; the last moments before a crash may lack"
            )
            self._remark(NoticeCode.SKIPPED, message)
        self.replayed_transactions = replay.transactions
        self.medium.replayed = replay.replayed
        self.medium.escaped = replay.escaped
        superblock = parse_superblock(self.medium.read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE), SUPERBLOCK_OFFSET)
        self._adopt(superblock if superblock is not None else self.superblock)

    def map(self, inode: Inode, read_block: ReadBlock | None = None) -> Layout:
        """Return where the blocks of an inode lie; ``read_block`` may give older copies of the blocks of its map."""
        superblock = self.superblock
        return map_blocks(
            inode,
            read_block or self.medium.read_block,
            superblock.block_size,
            superblock.first_block,
            superblock.block_count,
        )

    def inline_extents(self, inode: Inode, offset: int) -> tuple[Extent, ...]:
        """Return the extents of data kept in an inode that starts at byte ``offset`` of the source."""
        extents, left = [], inode.size
        ranges = inline_ranges(inode) if inode.flags & INLINE_DATA_FLAG else [(0x28, 60)]
        for start, length in ranges:
            if left > 0:
                extents.append(Extent(offset=offset + start, length=min(length, left)))
                left -= length
        return tuple(extents)

    def extents(self, layout: Layout, size: int) -> tuple[Extent, ...] | None:
        """Return a stream's extents in bytes of the source; ``None`` where escaped copies in the journal are part."""
        extents = stream_extents(layout.runs, size, self.superblock.block_size)
        return self.medium.placed(extents) if self.medium.replayed else extents

    def directory_blocks(self, inode: Inode, layout: Layout) -> Iterator[int]:
        """Yield the blocks of a directory in order; unwritten and missing ones hold no names."""
        left = -(-inode.size // self.superblock.block_size)
        for run in layout.runs:
            if run.unwritten:
                continue
            for index in range(max(0, min(run.length, left - run.logical))):
                yield run.physical + index
