"""QCOW2 images, versions 2 and 3, by the specification in QEMU's docs/interop/qcow2.rst.

Clusters may be plain, zero, or compressed (deflate, Zstandard); backing files and external data files are looked for
beside the image. Internal snapshots are told and not read. Encrypted images and extended L2 entries are not read here.
"""

from __future__ import annotations

import struct
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.blockcodecs import undeflate, unzstd
from kaval.containers.blockmap import BlockSource, Place
from kaval.containers.parents import base_name, open_parent
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LockedError, UnreadableError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

MAGIC = b"QFI\xfb"
MAXIMUM_TABLES = 64
MAXIMUM_SNAPSHOTS = 64

_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_FEATURES = struct.Struct(">QQQII")
_DIRTY, _CORRUPT, _EXTERNAL, _COMPRESSION, _EXTENDED = 1, 2, 4, 8, 16
_KNOWN = _DIRTY | _CORRUPT | _EXTERNAL | _COMPRESSION | _EXTENDED
_BACKING_FORMAT, _EXTERNAL_NAME = 0xE2792ACA, 0x44415441
_OFFSET_MASK = 0x00FFFFFFFFFFFE00
_COMPRESSED_FLAG = 1 << 62


@dataclass(kw_only=True)
class _Header:
    """The header and its extensions."""

    version: int
    cluster_bits: int
    size: int
    encryption: int
    l1_size: int
    l1_offset: int
    backing: str = ""
    snapshots: int = 0
    snapshots_offset: int = 0
    incompatible: int = 0
    compression: int = 0
    extensions: dict[int, bytes] = field(default_factory=dict)

    @property
    def cluster_size(self) -> int:
        return 1 << self.cluster_bits


def _read_header(source: ByteSource) -> _Header:
    block = source.read_at(0, 104)
    if len(block) < _HEADER.size:
        raise CorruptStructureError("the QCOW2 header", "it is cut off", len(block))
    fields = _HEADER.unpack_from(block)
    version, backing_offset, backing_size = fields[1:4]
    header = _Header(
        version=version,
        cluster_bits=fields[4],
        size=fields[5],
        encryption=fields[6],
        l1_size=fields[7],
        l1_offset=fields[8],
        snapshots=fields[11],
        snapshots_offset=fields[12],
    )
    if version not in (2, 3):
        raise UnsupportedError(f"a QCOW image of version {version}", "convert it with qemu-img convert -O raw")
    if not 9 <= header.cluster_bits <= 21 or header.size > 1 << 62:
        raise CorruptStructureError("the QCOW2 header", f"clusters of 2**{header.cluster_bits} bytes", 20)
    length = 72
    if version == 3 and len(block) == 104:
        header.incompatible, _, _, _, length = _FEATURES.unpack_from(block, 72)
        header.compression = source.read_at(104, 1)[0] if header.incompatible & _COMPRESSION and length > 104 else 0
    header.extensions = dict(_extensions(source, length, header.cluster_size))
    if backing_offset:
        stored = source.read_at(backing_offset, min(backing_size, 1023))
        header.backing = stored.decode("utf-8", "replace")
    return header


def _extensions(source: ByteSource, offset: int, end: int) -> Iterator[tuple[int, bytes]]:
    while offset + 8 <= end:
        head = source.read_at(offset, 8)
        if len(head) < 8:
            return
        kind, length = struct.unpack(">II", head)
        if not kind or length > end - offset - 8:
            return
        yield kind, source.read_at(offset + 8, length)
        offset += 8 + -(-length // 8) * 8


def _refuse(header: _Header, title: str) -> None:
    """Raise for what is not read here."""
    if header.encryption:
        how = "LUKS" if header.encryption == 2 else "AES"
        raise LockedError(title, f"it is encrypted ({how}); decrypt it with qemu-img convert and its passphrase")
    if header.incompatible & ~_KNOWN or header.incompatible & _EXTENDED or header.compression > 1:
        unknown = "extended L2 entries" if header.incompatible & _EXTENDED else "features unknown here"
        raise UnsupportedError(f"{title} with {unknown}", "convert it with qemu-img convert -O raw")


class ClusterMap:
    """The two levels of tables; tables of the second are read when they are needed."""

    def __init__(self, source: ByteSource, header: _Header, title: str) -> None:
        self._source = source
        self._header = header
        self._title = title
        self._entries_bits = header.cluster_bits - 3
        self._absent = Place.PARENT if header.backing else Place.ZERO
        self._external = bool(header.incompatible & _EXTERNAL)
        needed = -(-header.size // (1 << header.cluster_bits + self._entries_bits))
        if header.l1_size < needed or 8 * needed > source.size:
            reason = f"its first table has {header.l1_size} entries where {needed} are needed"
            raise CorruptStructureError(title, reason, header.l1_offset)
        block = source.read_at(header.l1_offset, 8 * needed)
        if len(block) < 8 * needed:
            raise CorruptStructureError(title, "its first table lies outside the file", header.l1_offset)
        self._first = _numbers(block)
        self._tables: OrderedDict[int, array[int]] = OrderedDict()

    def locate(self, block: int) -> int:
        offset = self._first[block >> self._entries_bits] & _OFFSET_MASK
        if not offset:
            return self._absent
        entry = self._table(offset, block)[block & ((1 << self._entries_bits) - 1)]
        if entry & _COMPRESSED_FLAG:
            return Place.COMPRESSED
        if entry & 1 and self._header.version == 3:
            return Place.ZERO
        place = entry & _OFFSET_MASK
        if not place and not (self._external and entry >> 63):
            return self._absent
        return place

    def _table(self, offset: int, block: int) -> array[int]:
        table = self._tables.get(offset)
        if table is None:
            size = self._header.cluster_size
            stored = self._source.read_at(offset, size)
            if len(stored) < size:
                reason = f"a table of {self._title}, at its byte {offset}, lies outside the file"
                raise UnreadableError(block * size, size, reason)
            while len(self._tables) >= MAXIMUM_TABLES:
                self._tables.popitem(last=False)
            table = self._tables[offset] = _numbers(stored)
        return table

    def decode(self, block: int) -> bytes:
        header = self._header
        entry = self._table(self._first[block >> self._entries_bits] & _OFFSET_MASK, block)[
            block & ((1 << self._entries_bits) - 1)
        ]
        shift = 62 - (header.cluster_bits - 8)
        offset = entry & ((1 << shift) - 1)
        sectors = (entry & (_COMPRESSED_FLAG - 1)) >> shift
        stored = self._source.read_at(offset, (sectors + 1) * 512 - (offset & 511))
        decode = unzstd if header.compression else undeflate
        decoded = decode(stored, header.cluster_size)
        if decoded is None:
            reason = f"the compressed cluster at byte {offset} of {self._title} cannot be decoded"
            raise UnreadableError(block * header.cluster_size, header.cluster_size, reason)
        return decoded


def _numbers(block: bytes) -> array[int]:
    numbers = array("Q", block)
    numbers.byteswap()
    return numbers


@CONTAINERS.register
class Qcow2:
    """A QCOW2 image."""

    name: ClassVar[str] = "qcow2"
    title: ClassVar[str] = "QCOW2 image"
    rank: ClassVar[int] = 110
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        return source.read_at(0, 4) == MAGIC

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        title = f"the QCOW2 image {name}"
        header = _read_header(source)
        _refuse(header, title)
        facts = {"version": str(header.version), "cluster size": str(header.cluster_size)}
        notices = list(_notices(source, header, title))
        stored, parent = source, None
        if header.incompatible & _EXTERNAL:
            stored = _external(header, siblings, title)
        if header.backing:
            facts["based on"] = header.backing
            raw = header.extensions.get(_BACKING_FORMAT, b"") == b"raw"
            opened = open_parent(header.backing, siblings, child=name, title=title, raw=raw)
            parent = opened.source
            notices.extend(opened.notices)
        if header.snapshots:
            facts["internal snapshots"] = str(header.snapshots)
        blocks = ClusterMap(source, header, title)
        decoded = BlockSource(
            blocks.locate,
            stored,
            size=header.size,
            block_size=header.cluster_size,
            title=title,
            decode=blocks.decode,
            parent=parent,
        )
        return Opened(source=decoded, facts=facts, notices=tuple(notices))


def _external(header: _Header, siblings: Siblings, title: str) -> ByteSource:
    name = base_name(header.extensions.get(_EXTERNAL_NAME, b"").decode("utf-8", "replace"))
    source = siblings(name) if name else None
    if source is None:
        raise UnsupportedError(f"{title}, whose bytes are in another file,", f"put {name or 'that file'} beside it")
    return source


def _notices(source: ByteSource, header: _Header, title: str) -> Iterator[Notice]:
    if header.incompatible & _CORRUPT:
        yield Notice(code=NoticeCode.DAMAGED, message=f"{title} was marked as corrupt by the machine that used it")
    offset = header.snapshots_offset
    for number in range(header.snapshots):
        head = source.read_at(offset, 40)
        if len(head) < 40 or number >= MAXIMUM_SNAPSHOTS:
            message = f"{header.snapshots - number} further snapshots inside {title} are not read"
            yield Notice(code=NoticeCode.SKIPPED, message=message, structure="QCOW2 snapshot")
            return
        id_size, name_size = struct.unpack_from(">HH", head, 12)
        extra = int.from_bytes(head[36:40], "big")
        text = source.read_at(offset + 40 + extra, id_size + name_size)[id_size:].decode("utf-8", "replace")
        message = f"the snapshot {text!r} inside {title} is not read; only the current state is"
        yield Notice(code=NoticeCode.SKIPPED, message=message, offset=offset, structure="QCOW2 snapshot")
        offset += -(-(40 + extra + id_size + name_size) // 8) * 8
