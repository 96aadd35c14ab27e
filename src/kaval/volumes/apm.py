"""Apple partition maps.

Known: *Inside Macintosh: Devices*, chapter 3 (driver descriptor map, partition map entries, all big-endian). Blocks may
be 512, 1024, 2048 or 4096 bytes; the size the driver descriptor gives is believed where the map lies there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.mbr.entries import ENTRIES_OFFSET, MBR_SIZE, describes_partitions, parse_entries
from kaval.volumes.ranges import Partition, Table, lay_out, read_or_none, shows_its_holders_table

_BLOCK_SIZES = (512, 1024, 2048, 4096)
_ENTRY = struct.Struct(">2sHIII32s32sIII")
_MAP_TYPE = "Apple_partition_map"
_NO_VOLUME = ("Apple_Free", "Apple_Void", "Apple_Scratch", "Apple_Extra")
_MAXIMUM_ENTRIES = 1024
_STRUCTURE = "Apple partition map"


@VOLUMES.register
class ApplePartitionMap:
    """Apple partition map."""

    name: ClassVar[str] = "apm"
    title: ClassVar[str] = "Apple partition map"
    rank: ClassVar[int] = 35
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        return not shows_its_holders_table(source) and block_size_of(source) is not None

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        block_size = block_size_of(source)
        assert block_size is not None
        count = struct.unpack(">I", source.read_at(block_size + 4, 4))[0]
        if count > _MAXIMUM_ENTRIES:
            message = f"{count} entries are claimed; the first {_MAXIMUM_ENTRIES} were read"
            yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, offset=block_size, structure=_STRUCTURE)
            count = _MAXIMUM_ENTRIES
        yield from _mbr_beside(source)
        partitions = []
        reserved = [(0, block_size), (block_size, count * block_size)]
        for number in range(1, count + 1):
            place = number * block_size
            entry = read_or_none(source, place, _ENTRY.size)
            if entry is None or entry[:2] != b"PM":
                yield _damaged(number, place, "cannot be read" if entry is None else "lacks its signature")
                if place + block_size > source.size:
                    break
                continue
            partition = _partition(entry, number, block_size)
            if partition.facts["partition type"] == _MAP_TYPE:
                reserved.append((partition.offset, partition.size))
            elif partition.facts["partition type"] not in _NO_VOLUME:
                partitions.append(partition)
        facts = {"sector size": str(block_size)}
        yield from lay_out(source, Table(structure=_STRUCTURE, partitions=partitions, reserved=reserved, facts=facts))


def _mbr_beside(source: ByteSource) -> Iterator[Notice]:
    """Yield a notice where a hybrid disc carries a DOS partition table as well."""
    entries = parse_entries(read_or_none(source, 0, MBR_SIZE) or b"")
    if entries is not None and describes_partitions(entries):
        message = "a DOS partition table lies beside the map; it was not followed"
        yield Notice(code=NoticeCode.SKIPPED, message=message, offset=ENTRIES_OFFSET, structure="hybrid MBR")


def block_size_of(source: ByteSource) -> int | None:
    """Return the size of the blocks the map counts in, ``None`` where there is no map."""
    start = read_or_none(source, 0, 4) or b""
    described = struct.unpack(">H", start[2:4])[0] if start[:2] == b"ER" else 0
    known = [described] if described in _BLOCK_SIZES else []
    for size in dict.fromkeys((*known, *_BLOCK_SIZES)):
        if _first_type(source, size) == _MAP_TYPE:
            return size
    return next((size for size in known if _first_type(source, size) is not None), None)


def _first_type(source: ByteSource, size: int) -> str | None:
    """Return the type of the first entry of a map in blocks of that size, ``None`` where there is none."""
    entry = read_or_none(source, size, _ENTRY.size)
    if entry is None or entry[:2] != b"PM":
        return None
    count, first = struct.unpack_from(">II", entry, 4)
    return _text(entry[48:80]) if count > 0 and first > 0 else None


def _partition(entry: bytes, number: int, block_size: int) -> Partition:
    _, _, _, first, count, name, kind, *_ = _ENTRY.unpack(entry)
    facts = {"partition type": _text(kind)}
    if _text(name):
        facts["label"] = _text(name)
    return Partition(
        address=str(number),
        title=f"Partition {number}, {_text(name) or _text(kind)}",
        offset=first * block_size,
        size=count * block_size,
        entry_offset=number * block_size,
        facts=facts,
    )


def _text(stored: bytes) -> str:
    return stored.partition(b"\0")[0].decode("mac-roman").strip()


def _damaged(number: int, place: int, reason: str) -> Notice:
    message = f"entry {number} {reason}"
    return Notice(
        code=NoticeCode.DAMAGED, message=message, address=str(number), offset=place, structure="partition map entry"
    )
