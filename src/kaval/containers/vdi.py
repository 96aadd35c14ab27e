"""VDI images of VirtualBox, by the structures of its VDICore.h: dynamic and fixed.

Differencing images name their parent by an identifier only, so it cannot be found; they are not read here.
"""

from __future__ import annotations

import struct
from array import array
from typing import ClassVar
from uuid import UUID

from kaval.containers import CONTAINERS
from kaval.containers.blockmap import BlockSource, Place
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.sources import ByteSource

SIGNATURE = b"\x7f\x10\xda\xbe"
HEADER_SIZE = 456
_HEADER = struct.Struct("<III256sIIIIIIIQIIII16s16s16s16s")
_FREE, _ZERO = 0xFFFFFFFF, 0xFFFFFFFE
_KINDS = {1: "dynamic", 2: "fixed", 3: "undo", 4: "differencing"}


class IndexMap:
    """One table of block numbers."""

    def __init__(self, table: array[int], start: int, step: int) -> None:
        self._table = table
        self._start = start
        self._step = step

    def locate(self, block: int) -> int:
        entry = self._table[block]
        return Place.ZERO if entry in (_FREE, _ZERO) else self._start + entry * self._step


@CONTAINERS.register
class Vdi:
    """A VDI image."""

    name: ClassVar[str] = "vdi"
    title: ClassVar[str] = "VDI image (VirtualBox)"
    rank: ClassVar[int] = 150
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return source.read_at(64, 4) == SIGNATURE

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        title = f"the VDI image {name}"
        block = source.read_at(0, HEADER_SIZE)
        if len(block) < HEADER_SIZE:
            raise CorruptStructureError(title, "its header is cut off", len(block))
        version = int.from_bytes(block[68:72], "little")
        if version >> 16 != 1:
            raise UnsupportedError(
                f"{title} of version {version >> 16}.{version & 0xFFFF}", "convert it with VBoxManage"
            )
        fields = _HEADER.unpack_from(block, 72)
        kind, blocks_offset, first_offset = fields[1], fields[4], fields[5]
        size, block_size, extra, count = fields[11:15]
        if kind not in (1, 2):
            what = _KINDS.get(kind, f"kind {kind}")
            remedy = "merge it with the image it is based on (VBoxManage clonemedium)"
            raise UnsupportedError(f"{title} ({what})", remedy)
        needed = -(-size // block_size) if block_size else 0
        if not 512 <= block_size <= 1 << 30 or needed > count or 4 * needed > source.size:
            reason = f"{count} blocks of {block_size} bytes do not make {size} bytes"
            raise CorruptStructureError(title, reason, 368)
        table = source.read_at(blocks_offset, 4 * needed)
        if len(table) < 4 * needed:
            raise CorruptStructureError(title, "its block table lies outside the file", blocks_offset)
        blocks = IndexMap(array("I", table), first_offset + extra, block_size + extra)
        facts = {
            "kind": _KINDS[kind],
            "block size": str(block_size),
            "identifier": str(UUID(bytes_le=fields[16])),
        }
        return Opened(
            source=BlockSource(blocks.locate, source, size=size, block_size=block_size, title=title), facts=facts
        )
