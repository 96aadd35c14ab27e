"""Where the blocks of a file lie: extent trees and block maps (ext4 Data Structures, "inode.i_block")."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Extent
from kaval.filesystems.ext.inodes import BLOCK_MAP_OFFSET, EXTENTS_FLAG, Inode

ReadBlock = Callable[[int], bytes]

_HEADER = struct.Struct("<2sHHHI")
_EXTENT_MAGIC = b"\x0a\xf3"
_KEPT_INSIDE = 4
_MAXIMUM_DEPTH = 5
_DIRECT_BLOCKS = 12


class Run(NamedTuple):
    """Blocks that lie side by side; ``unwritten`` ones were reserved and read as zeros."""

    logical: int
    physical: int
    length: int
    unwritten: bool = False


@dataclass(kw_only=True)
class Layout:
    """The runs of one inode, in order; ``tree_blocks`` hold the map itself.

    ``problem`` says why the runs end early, where they do; ``problem_block`` where that was seen.
    """

    runs: list[Run] = field(default_factory=list)
    tree_blocks: list[int] = field(default_factory=list)
    problem: str | None = None
    problem_block: int | None = None

    @property
    def block_count(self) -> int:
        """How many blocks the inode owns by this map."""
        return sum(run.length for run in self.runs) + len(self.tree_blocks)


class _BrokenMapError(Exception):
    """The map contradicts itself from here on."""

    def __init__(self, reason: str, block: int | None = None) -> None:
        self.block = block
        super().__init__(reason)


def map_blocks(inode: Inode, read_block: ReadBlock, block_size: int, first_block: int, block_count: int) -> Layout:
    """Return where an inode's blocks lie, as far as its map makes sense.

    ``read_block`` gives the blocks of the map that lie outside the inode. No block of the map is entered twice.
    """
    layout = Layout()
    valid = range(first_block, block_count)
    try:
        if not inode.flags & EXTENTS_FLAG:
            _Mapper(layout, read_block, block_size, valid).block_map(inode.block_map, -(-inode.size // block_size))
        elif inode.block_map[:2] == _EXTENT_MAGIC and not inode.block_map[6] and inode.block_map[2] <= _KEPT_INSIDE:
            _read_leaf(layout.runs, inode.block_map, inode.block_map[2], valid, None)
        else:
            _Mapper(layout, read_block, block_size, valid).extents(inode.block_map, _MAXIMUM_DEPTH, exact=False)
    except _BrokenMapError as broken:
        layout.problem, layout.problem_block = str(broken), broken.block
    except (CorruptStructureError, UnreadableError) as error:
        layout.problem = str(error)
    return layout


class _Mapper:
    def __init__(self, layout: Layout, read_block: ReadBlock, block_size: int, valid: range) -> None:
        self._layout = layout
        self._read_block = read_block
        self._block_size = block_size
        self._valid = valid
        self._seen: set[int] = set()

    def extents(self, node: bytes, depth: int, *, exact: bool, block: int | None = None) -> None:
        magic, count, maximum, stored_depth, _ = _HEADER.unpack_from(node)
        if magic != _EXTENT_MAGIC:
            raise _BrokenMapError("a node of the extent tree has no signature", block)
        if count > maximum or 12 + 12 * count > len(node) or stored_depth > depth or (exact and stored_depth != depth):
            raise _BrokenMapError(
                f"a node of the extent tree claims {count} of {maximum} entries at depth {stored_depth}", block
            )
        if stored_depth == 0:
            _read_leaf(self._layout.runs, node, count, self._valid, block)
            return
        for start, low, high, _ in struct.iter_unpack("<IIHH", node[12 : 12 + 12 * count]):
            child = low | high << 32
            if self._layout.runs and start < _end(self._layout.runs):
                raise _BrokenMapError(f"the extent tree goes back to block {start} of the file", block)
            self.extents(self._enter(child), stored_depth - 1, exact=True, block=child)

    def _enter(self, block: int) -> bytes:
        if block not in self._valid:
            raise _BrokenMapError(f"the map leads to block {block}, outside the file system", block)
        if block in self._seen:
            raise _BrokenMapError(f"the map leads to block {block} a second time", block)
        self._seen.add(block)
        content = self._read_block(block)
        self._layout.tree_blocks.append(block)
        return content

    def block_map(self, block_map: bytes, wanted: int) -> None:
        """Follow direct, indirect, double and triple indirect pointers; ``wanted`` blocks make the file."""
        pointers = struct.unpack("<15I", block_map)
        self._pointers(np.array(pointers[:_DIRECT_BLOCKS], np.int64), 0, wanted)
        logical = _DIRECT_BLOCKS
        for depth, pointer in enumerate(pointers[_DIRECT_BLOCKS:]):
            if pointer:
                self._indirect(pointer, depth, logical, wanted)
            logical += (self._block_size // 4) ** (depth + 1)

    def _indirect(self, block: int, depth: int, logical: int, wanted: int) -> None:
        if logical >= wanted:
            return
        pointers = np.frombuffer(self._enter(block), "<u4").astype(np.int64)
        if depth == 0:
            self._pointers(pointers, logical, wanted)
            return
        span = (self._block_size // 4) ** depth
        for place in np.flatnonzero(pointers):
            self._indirect(int(pointers[place]), depth - 1, logical + int(place) * span, wanted)

    def _pointers(self, pointers: np.ndarray[tuple[int, ...], np.dtype[np.int64]], logical: int, wanted: int) -> None:
        pointers = pointers[: max(0, wanted - logical)]
        places = np.flatnonzero(pointers)
        if not len(places):
            return
        blocks = pointers[places]
        breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(blocks) != 1)) + 1
        starts = np.concatenate(([0], breaks)).tolist()
        ends = [*breaks.tolist(), len(places)]
        for start, end in zip(starts, ends, strict=True):
            first, count = int(blocks[start]), end - start
            if first not in self._valid or first + count > self._valid.stop:
                raise _BrokenMapError(f"the block map leads to block {first}, outside the file system")
            _add(self._layout.runs, Run(logical + int(places[start]), first, count))


def _read_leaf(runs: list[Run], node: bytes, count: int, valid: range, block: int | None) -> None:
    """Add the extents of a leaf to the runs."""
    for logical, stored, high, low in struct.iter_unpack("<IHHI", node[12 : 12 + 12 * count]):
        physical = low | high << 32
        unwritten = stored > 0x8000
        length = stored - 0x8000 if unwritten else stored
        if not length or physical < valid.start or physical + length > valid.stop:
            raise _BrokenMapError(
                f"an extent of {length} blocks at block {physical} lies outside the file system", block
            )
        if runs and logical < _end(runs):
            raise _BrokenMapError(f"the extent tree goes back to block {logical} of the file", block)
        _add(runs, Run(logical, physical, length, unwritten))


def _end(runs: Sequence[Run]) -> int:
    return runs[-1].logical + runs[-1].length


def _add(runs: list[Run], run: Run) -> None:
    """Add a run at the end, joined to the last one where it goes on from it."""
    if runs:
        last = runs[-1]
        if (last.logical + last.length, last.physical + last.length, last.unwritten) == (
            run.logical,
            run.physical,
            run.unwritten,
        ):
            runs[-1] = last._replace(length=last.length + run.length)
            return
    runs.append(run)


def stream_extents(runs: Sequence[Run], size: int, block_size: int) -> tuple[Extent, ...]:
    """Return runs as extents in bytes that add up to ``size``: holes and unwritten blocks are sparse."""
    if len(runs) == 1:
        run = runs[0]
        if run.logical == 0 and not run.unwritten and run.length * block_size >= size:
            return (Extent(offset=run.physical * block_size, length=size),) if size else ()
    return tuple(_extents(runs, size, block_size))


def _extents(runs: Sequence[Run], size: int, block_size: int) -> Iterator[Extent]:
    position = 0
    for run in runs:
        start = run.logical * block_size
        if start >= size:
            break
        if start > position:
            yield Extent(offset=0, length=start - position, sparse=True)
        length = min(run.length * block_size, size - start)
        yield Extent(offset=0 if run.unwritten else run.physical * block_size, length=length, sparse=run.unwritten)
        position = start + length
    if position < size:
        yield Extent(offset=0, length=size - position, sparse=True)


def inline_place(inode_offset: int) -> int:
    """Return where in the medium the bytes of the block map of an inode lie."""
    return inode_offset + BLOCK_MAP_OFFSET
