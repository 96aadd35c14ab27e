"""BSD disklabels, on a whole disk or inside a partition of another table.

Known: ``disklabel(5)`` of FreeBSD, NetBSD and OpenBSD (``sys/disklabel.h``), little-endian, with OpenBSD's wide
offsets. A label counts its sectors from the start of its slice or from that of the disk; which, is concluded from its
third partition, the whole slice. The 64-bit label of DragonFly BSD is recognised and told.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import reduce
from operator import xor
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.ranges import Partition, Table, VolumeSlice, lay_out, read_or_none, shows_its_holders_table

_MAGIC = (0x82564557).to_bytes(4, "little")
_MAGIC_64 = (0xC4464C59).to_bytes(4, "little")
_PLACES = (512, 64, 0, 4096)
_LABEL_SIZE = 148
_PARTITION = struct.Struct("<IIHHBBH")
_MAXIMUM_PARTITIONS = 52
_WHOLE = 2
_STRUCTURE = "BSD disklabel"

TYPE_TITLES = {
    1: "swap",
    2: "Version 6 Unix",
    3: "Version 7 Unix",
    4: "System V",
    6: "Eighth Edition Unix",
    7: "4.2BSD (FFS, UFS)",
    8: "FAT",
    9: "4.4BSD log-structured",
    10: "other",
    11: "HPFS",
    12: "ISO 9660",
    13: "boot",
    14: "Vinum",
    15: "RAID",
    16: "Filecore",
    17: "ext2",
    18: "NTFS",
    20: "concatenated disk",
    21: "JFS2",
    22: "HAMMER",
    23: "HAMMER2",
    24: "UDF",
    26: "EFS",
    27: "ZFS",
    30: "NANDFS",
}


@VOLUMES.register
class BsdLabel:
    """BSD disklabel."""

    name: ClassVar[str] = "bsd"
    title: ClassVar[str] = "BSD disklabel"
    rank: ClassVar[int] = 38
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        if shows_its_holders_table(source):
            return False
        return _find(source) is not None or read_or_none(source, 512, 4) == _MAGIC_64

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        found = _find(source)
        if found is None:
            raise UnsupportedError("a 64-bit disklabel of DragonFly BSD", "give the images of its partitions")
        place, label = found
        if not _checksum_holds(label):
            message = "its checksum does not match; the partitions may be wrong"
            yield Notice(code=NoticeCode.DAMAGED, message=message, offset=place, structure=_STRUCTURE)
        sector_size = _sector_size(label)
        base = _base_sector(source, label, sector_size) * sector_size
        partitions = []
        for partition in _partitions(label, place, sector_size):
            if partition.offset < base:
                message = f"partition {partition.address} lies outside this slice; the table of the disk leads to it"
                yield Notice(
                    code=NoticeCode.SKIPPED,
                    message=message,
                    address=partition.address,
                    offset=partition.entry_offset,
                    structure=_STRUCTURE,
                )
                continue
            partitions.append(_shifted(partition, base))
        facts = {"sector size": str(sector_size)}
        yield from lay_out(source, Table(structure=_STRUCTURE, partitions=partitions, reserved=(), facts=facts))


def _find(source: ByteSource) -> tuple[int, bytes] | None:
    """Return where the label lies and the label with its partitions, ``None`` where there is none."""
    for place in _PLACES:
        label = read_or_none(source, place, _LABEL_SIZE)
        if label is None or label[:4] != _MAGIC or label[132:136] != _MAGIC:
            continue
        count = struct.unpack_from("<H", label, 138)[0]
        if 0 < count <= _MAXIMUM_PARTITIONS:
            whole = read_or_none(source, place, _LABEL_SIZE + count * _PARTITION.size)
            if whole is not None:
                return place, whole
    return None


def _checksum_holds(label: bytes) -> bool:
    words: tuple[int, ...] = struct.unpack(f"<{len(label) // 2}H", label)
    return reduce(xor, words) == 0


def _sector_size(label: bytes) -> int:
    stored = struct.unpack_from("<I", label, 40)[0]
    return stored if stored in (512, 1024, 2048, 4096) else 512


def _fields(label: bytes, index: int) -> tuple[int, int, int]:
    """Return sector count, first sector and type of a partition."""
    wide = struct.unpack_from("<H", label, 114)[0] == 1
    count, first, first_high, count_high, kind, _, _ = _PARTITION.unpack_from(
        label, _LABEL_SIZE + index * _PARTITION.size
    )
    return (count | count_high << 32, first | first_high << 32, kind) if wide else (count, first, kind)


def _base_sector(source: ByteSource, label: bytes, sector_size: int) -> int:
    """Return the sector the label counts from, seen from the start of the source."""
    if len(label) < _LABEL_SIZE + (_WHOLE + 1) * _PARTITION.size:
        return 0
    count, first, _ = _fields(label, _WHOLE)
    if (first + count) * sector_size <= source.size:
        return 0
    if first > 0:
        return first
    return source.offset // sector_size if isinstance(source, VolumeSlice) else 0


def _partitions(label: bytes, place: int, sector_size: int) -> Iterator[Partition]:
    for index in range((len(label) - _LABEL_SIZE) // _PARTITION.size):
        count, first, kind = _fields(label, index)
        if index == _WHOLE or count == 0 or kind == 0:
            continue
        letter = chr(ord("a") + index) if index < 26 else chr(ord("A") + index - 26)
        title = TYPE_TITLES.get(kind, "unknown type")
        yield Partition(
            address=letter,
            title=f"Partition {letter}, {title}",
            offset=first * sector_size,
            size=count * sector_size,
            entry_offset=place + _LABEL_SIZE + index * _PARTITION.size,
            facts={"partition type": f"{kind} {title}"},
        )


def _shifted(partition: Partition, base: int) -> Partition:
    return Partition(
        address=partition.address,
        title=partition.title,
        offset=partition.offset - base,
        size=partition.size,
        entry_offset=partition.entry_offset,
        facts=partition.facts,
    )
