"""Superblock, checkpoint, and the tables that say where nodes lie and which blocks are in use ("On-disk Layout")."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.f2fs import MAGIC, SUPERBLOCK_OFFSETS

BLOCK = 4096
_NAT_PER_BLOCK, _NAT_SIZE = 455, 9
_SIT_PER_BLOCK, _SIT_SIZE = 55, 74
_JOURNAL, _JOURNAL_SIZE = 3584, 507
_NODE_SUMMARY = 1
_UMOUNT, _COMPACT, _FASTBOOT, _LARGE_NAT = 0x1, 0x4, 0x20, 0x400
_HOT_DATA, _COLD_DATA = 0, 2
_KEPT_BLOCKS = 1024

FLEXIBLE_INLINE_XATTR = 0x40

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Superblock:
    """What the superblock says; addresses are blocks, ``segment_blocks`` those of one segment."""

    offset: int
    uuid: UUID
    label: str
    version: str
    block_count: int
    segment_blocks: int
    main_segments: int
    nat_segments: int
    sit_segments: int
    checkpoint: int
    sit: int
    nat: int
    summaries: int
    main: int
    root_inode: int
    payload: int
    features: int
    devices: int


def parse_superblock(block: bytes, offset: int) -> Superblock | None:
    """Return the superblock in these bytes, ``None`` if it is none that could be worked with."""
    if len(block) < 3072 or block[:4] != MAGIC:
        return None
    block_bits, segment_bits = struct.unpack_from("<II", block, 16)
    (block_count,) = struct.unpack_from("<Q", block, 36)
    _, segments, _, sit_segments, nat_segments, _, main_segments = struct.unpack_from("<7I", block, 44)
    _, checkpoint, sit, nat, summaries, main, root = struct.unpack_from("<7I", block, 72)
    sound = (
        block_bits == 12
        and 6 <= segment_bits <= 12
        and 0 < checkpoint < sit < nat < summaries < main < block_count
        and 0 < main_segments <= segments
        and main + (main_segments << segment_bits) <= block_count + (1 << segment_bits)
        and sit_segments >= 2
        and nat_segments >= 2
    )
    if not sound:
        return None
    return Superblock(
        offset=offset,
        uuid=UUID(bytes=block[108:124]),
        label=block[124:1148].decode("utf-16-le", "replace").split("\0")[0],
        version=block[1668:1924].split(b"\0")[0].decode("utf-8", "replace"),
        block_count=block_count,
        segment_blocks=1 << segment_bits,
        main_segments=main_segments,
        nat_segments=nat_segments,
        sit_segments=sit_segments,
        checkpoint=checkpoint,
        sit=sit,
        nat=nat,
        summaries=summaries,
        main=main,
        root_inode=root,
        payload=struct.unpack_from("<I", block, 1664)[0],
        features=struct.unpack_from("<I", block, 2180)[0],
        devices=sum(block[2201 + 68 * index] != 0 for index in range(8)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The newer of the two checkpoints; ``block`` is where its pack begins, ``raw`` its first block and payload."""

    block: int
    version: int
    flags: int
    total: int
    summaries: int
    raw: bytes

    def bitmap(self, superblock: Superblock, *, nat: bool) -> bytes:
        """Return the bitmap that tells which of two copies of each table block is the current one."""
        sit_size, nat_size = struct.unpack_from("<II", self.raw, 156)
        size = nat_size if nat else sit_size
        if self.flags & _LARGE_NAT:
            start = 192 + 4 + (0 if nat else nat_size)
        elif superblock.payload:
            start = 192 if nat else BLOCK
        else:
            start = 192 + (sit_size if nat else 0)
        return self.raw[start : start + size]


def test_bit(bitmap: bytes, number: int) -> bool:
    """Say whether a bit is set, counted from the highest of each byte, as F2FS does."""
    place = number >> 3
    return place < len(bitmap) and bool(bitmap[place] & 0x80 >> (number & 7))


def _checksum(content: bytes) -> int:
    """Return the checksum of F2FS: CRC-32 from its magic number, not inverted."""
    return zlib.crc32(content, 0xF2F52010 ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


class Volume:
    """An open volume, as of its last checkpoint.

    Attributes:
        notices: What could not be established on opening.
    """

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.notices: list[Notice] = []
        self.superblock = self._find_superblock()
        self.checkpoint = self._newest_checkpoint()
        self._nat_bitmap = self.checkpoint.bitmap(self.superblock, nat=True)
        self._nat_blocks: dict[int, bytes] = {}
        self._nat_journal: dict[int, int] = {}
        self._sit_journal: dict[int, bytes] = {}
        self._read_journals()
        self._remark()

    def _find_superblock(self) -> Superblock:
        for offset in SUPERBLOCK_OFFSETS:
            found = parse_superblock(self.source.read_at(offset, 3072), offset)
            if found is not None:
                if offset != SUPERBLOCK_OFFSETS[0]:
                    message = f"the superblock is destroyed; its copy at byte {offset} was used"
                    self.notices.append(Notice(code=NoticeCode.DAMAGED, message=message, offset=SUPERBLOCK_OFFSETS[0]))
                return found
        raise CorruptStructureError("F2FS superblock", "neither it nor its copy makes sense", SUPERBLOCK_OFFSETS[0])

    def _remark(self) -> None:
        superblock = self.superblock
        size = superblock.block_count * BLOCK
        if superblock.devices > 1:
            message = f"the file system spans {superblock.devices} devices; what lies on the others cannot be read"
            self.notices.append(Notice(code=NoticeCode.UNAVAILABLE, message=message))
        elif size > self.source.size:
            message = f"the file system has {size} bytes, the image ends after {self.source.size}"
            self.notices.append(Notice(code=NoticeCode.TRUNCATED, message=message, offset=self.source.size))
        if not self.checkpoint.flags & _UMOUNT:
            message = "it was not unmounted cleanly; what was synced after the last checkpoint is not shown"
            self.notices.append(Notice(code=NoticeCode.SKIPPED, message=message))

    def read(self, block: int, count: int = 1) -> bytes:
        """Return blocks.

        Raises:
            CorruptStructureError: They lie outside the file system.
            UnreadableError: The image ends before them.
        """
        if not block > 0 or block + count > self.superblock.block_count:
            raise CorruptStructureError("F2FS address", f"block {block} lies outside the file system")
        content = self.source.read_at(block * BLOCK, count * BLOCK)
        if len(content) < count * BLOCK:
            place = block * BLOCK + len(content)
            raise UnreadableError(place, count * BLOCK - len(content), "the image ends before the file system")
        return content

    def _newest_checkpoint(self) -> Checkpoint:
        """Return the newer checkpoint of those whose first and last blocks agree and fit their checksums."""
        found = []
        for pack in range(2):
            start = self.superblock.checkpoint + pack * self.superblock.segment_blocks
            try:
                found.append(self._checkpoint(start))
            except (CorruptStructureError, UnreadableError) as error:
                offset = start * BLOCK
                self.notices.append(
                    Notice(code=NoticeCode.DAMAGED, message=str(error), offset=offset, structure="F2FS checkpoint")
                )
        if not found:
            raise CorruptStructureError(
                "F2FS checkpoint", "neither of the two is sound", self.superblock.checkpoint * BLOCK
            )
        return max(found, key=lambda checkpoint: checkpoint.version)

    def _checkpoint(self, start: int) -> Checkpoint:
        first = self.read(start)
        version, flags, total, summaries = struct.unpack_from("<Q124xIII", first)
        place = struct.unpack_from("<I", first, 164)[0]
        if not 192 <= place <= BLOCK - 4 or _checksum(first[:place]) != struct.unpack_from("<I", first, place)[0]:
            raise CorruptStructureError("F2FS checkpoint", "it does not fit its checksum", start * BLOCK)
        if not 2 <= total <= self.superblock.segment_blocks or self.read(start + total - 1)[:8] != first[:8]:
            raise CorruptStructureError("F2FS checkpoint", "its two halves do not agree", start * BLOCK)
        raw = first + (self.read(start + 1, self.superblock.payload) if 0 < self.superblock.payload < total else b"")
        return Checkpoint(block=start, version=version, flags=flags, total=total, summaries=summaries, raw=raw)

    def _read_journals(self) -> None:
        """Learn the newest entries of both tables, which the checkpoint keeps beside its summaries."""
        checkpoint = self.checkpoint
        if checkpoint.flags & _COMPACT:
            block = self.read(checkpoint.block + checkpoint.summaries)
            nats, sits = block[:_JOURNAL_SIZE], block[_JOURNAL_SIZE : 2 * _JOURNAL_SIZE]
        else:
            kinds = 6 if checkpoint.flags & (_UMOUNT | _FASTBOOT) else 3
            base = checkpoint.block + checkpoint.total - (kinds + 1)
            nats = self.read(base + _HOT_DATA)[_JOURNAL : _JOURNAL + _JOURNAL_SIZE]
            sits = self.read(base + _COLD_DATA)[_JOURNAL : _JOURNAL + _JOURNAL_SIZE]
        for index in range(min(struct.unpack_from("<H", nats)[0], (_JOURNAL_SIZE - 2) // 13)):
            number, _, _, block_number = struct.unpack_from("<IBII", nats, 2 + 13 * index)
            self._nat_journal[number] = block_number
        for index in range(min(struct.unpack_from("<H", sits)[0], (_JOURNAL_SIZE - 2) // 78)):
            (segment,) = struct.unpack_from("<I", sits, 2 + 78 * index)
            self._sit_journal[segment] = sits[6 + 78 * index : 6 + 78 * index + _SIT_SIZE]

    def node_block(self, number: int) -> int:
        """Return the block a node lies in, 0 if there is no such node.

        Raises:
            CorruptStructureError: No node can have that number.
        """
        if number in self._nat_journal:
            return self._nat_journal[number]
        index, within = divmod(number, _NAT_PER_BLOCK)
        superblock = self.superblock
        if not number > 0 or index >= superblock.nat_segments // 2 * superblock.segment_blocks:
            raise CorruptStructureError("F2FS node", f"no node can have the number {number}")
        if index not in self._nat_blocks:
            while len(self._nat_blocks) >= _KEPT_BLOCKS:
                del self._nat_blocks[next(iter(self._nat_blocks))]
            block = superblock.nat + 2 * index - index % superblock.segment_blocks
            if test_bit(self._nat_bitmap, index):
                block += superblock.segment_blocks
            self._nat_blocks[index] = self.read(block)
        address: int = struct.unpack_from("<I", self._nat_blocks[index], within * _NAT_SIZE + 5)[0]
        return address

    def used_blocks(self, segment: int) -> Bits:
        """Return for each block of a segment of the main area whether it is in use."""
        entry = self._sit_journal.get(segment)
        if entry is None:
            superblock = self.superblock
            index, within = divmod(segment, _SIT_PER_BLOCK)
            block = superblock.sit + index
            if test_bit(self.checkpoint.bitmap(superblock, nat=False), index):
                block += superblock.sit_segments // 2 * superblock.segment_blocks
            entry = self.read(block)[within * _SIT_SIZE : (within + 1) * _SIT_SIZE]
        bits = np.unpackbits(np.frombuffer(entry[2:66], np.uint8)).astype(np.bool_)
        return bits[: self.superblock.segment_blocks]

    def free_runs(self) -> Iterator[tuple[int, int]]:
        """Yield the runs (block, count) of the main area that are not in use, in order, joined across segments."""
        pending: tuple[int, int] | None = None
        for segment in range(self.superblock.main_segments):
            start = self.superblock.main + segment * self.superblock.segment_blocks
            free = ~self.used_blocks(segment)
            edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(np.int8))).tolist()
            for low, high in zip(edges[::2], edges[1::2], strict=True):
                if pending is not None and pending[0] + pending[1] == start + low:
                    pending = pending[0], pending[1] + high - low
                    continue
                if pending is not None:
                    yield pending
                pending = start + low, high - low
        if pending is not None:
            yield pending

    def node_segments(self) -> Iterator[int]:
        """Yield the segments that hold nodes, as their summaries say, and those that are being written."""
        active = set(struct.unpack_from("<8I", self.checkpoint.raw, 36)[:3])
        for segment in range(self.superblock.main_segments):
            block = self.superblock.summaries + segment
            try:
                is_node = self.read(block)[BLOCK - 5] == _NODE_SUMMARY
            except (CorruptStructureError, UnreadableError):
                continue
            if is_node or segment in active:
                yield segment

    def owners_in(self, segment: int) -> npt.NDArray[np.int64] | None:
        """Return for each block of a segment the node it was written for last; ``None`` where that is not known yet.

        The summaries of segments that are being written lie in the checkpoint, and are brought here when they are full.
        """
        active = struct.unpack_from("<3I", self.checkpoint.raw, 36) + struct.unpack_from("<3I", self.checkpoint.raw, 84)
        if segment in active:
            return None
        try:
            block = self.read(self.superblock.summaries + segment)
        except (CorruptStructureError, UnreadableError):
            return None
        rows = np.frombuffer(block, np.uint8, 512 * 7).reshape(512, 7)
        owners: npt.NDArray[np.int64] = np.ascontiguousarray(rows[:, :4]).view("<u4")[:, 0].astype(np.int64)
        return owners
