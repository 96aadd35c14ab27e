"""The volume: anchor, descriptor sequence, partitions and how their blocks map to bytes (ECMA-167 part 3; UDF 2.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.records import Extent
from kaval.core.sources import ByteSource
from kaval.filesystems.udf.structures import LongAddress, cs0, file_entry, long_address, tag_of

STRUCTURE = "UDF volume descriptor"
ANCHOR_BLOCK = 256
MAXIMUM_DESCRIPTORS = 256
MAXIMUM_MAPS = 16
_ANCHOR, _POINTER, _PARTITION, _LOGICAL, _TERMINATOR, _FILE_SET = 2, 3, 5, 6, 8, 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One partition of the logical volume, in bytes of the source.

    ``table`` maps blocks in runs (first block, number, byte offset) where they do not simply follow ``offset``:
    a metadata partition lies in a file, a sparable one has packets replaced. ``free`` is the place of its space bitmap.
    """

    offset: int
    size: int
    table: tuple[tuple[int, int, int], ...] = ()
    spared: dict[int, int] = field(default_factory=dict)
    packet: int = 0
    free: tuple[int, int] = (0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """A logical volume: its block size, its partitions, where its file set descriptor is."""

    block_size: int
    label: str
    partitions: tuple[Partition, ...]
    file_set: LongAddress
    root: LongAddress

    def places(self, address: LongAddress, length: int) -> Iterator[tuple[int, int]]:
        """Yield where so many bytes from a block on lie, as offset and length in the source."""
        if address.partition >= len(self.partitions):
            raise CorruptStructureError(STRUCTURE, f"there is no partition {address.partition}")
        partition = self.partitions[address.partition]
        block, size = address.block, self.block_size
        while length > 0:
            offset, step = self._run(partition, block, length)
            yield offset, step
            length -= step
            block += -(-step // size)

    def _run(self, partition: Partition, block: int, length: int) -> tuple[int, int]:
        size = self.block_size
        if partition.table:
            for first, count, offset in partition.table:
                if first <= block < first + count:
                    return offset + (block - first) * size, min(length, (first + count - block) * size)
            raise CorruptStructureError(STRUCTURE, f"block {block} lies outside the metadata file")
        if partition.spared:
            packet, inside = divmod(block, partition.packet)
            step = min(length, (partition.packet - inside) * size)
            moved = partition.spared.get(packet * partition.packet)
            if moved is not None:
                return (moved + inside) * size, step
            return partition.offset + block * size, step
        if block * size >= partition.size:
            raise CorruptStructureError(STRUCTURE, f"block {block} lies outside its partition")
        return partition.offset + block * size, length

    def read(self, source: ByteSource, address: LongAddress, length: int) -> bytes:
        """Return so many bytes from a block on."""
        return b"".join(source.read_at(offset, step) for offset, step in self.places(address, length))

    def extents(self, address: LongAddress, length: int) -> tuple[Extent, ...]:
        """Return so many bytes from a block on as extents."""
        return tuple(Extent(offset=offset, length=step) for offset, step in self.places(address, length))


def has_sequence(source: ByteSource) -> bool:
    """Say whether one of the first structures behind byte 32768 is that of a UDF."""
    return any(source.read_at(sector * 2048 + 1, 5) in (b"NSR02", b"NSR03") for sector in range(16, 32))


def read_volume(source: ByteSource) -> Volume:
    """Return the logical volume.

    Raises:
        CorruptStructureError: No anchor leads to a sequence that describes one.
        UnsupportedError: It lies in a virtual partition.
    """
    for size, place in _anchors(source):
        anchor = source.read_at(place, 512)
        if tag_of(anchor) != _ANCHOR:
            continue
        for where in (16, 24):
            length, block = struct.unpack_from("<II", anchor, where)
            found = _sequence(source, block, length, size)
            if found is not None:
                return found
    raise CorruptStructureError(STRUCTURE, "no anchor leads to a description of the volume", ANCHOR_BLOCK * 2048)


def _anchors(source: ByteSource) -> Iterator[tuple[int, int]]:
    for size in (2048, 512, 4096, 1024):
        blocks = source.size // size
        for block in (ANCHOR_BLOCK, blocks - 1, blocks - 257, 512):
            if block > 0:
                yield size, block * size


def _sequence(source: ByteSource, block: int, length: int, size: int) -> Volume | None:
    """Return the volume that one descriptor sequence describes; the youngest of like descriptors prevails."""
    partitions: dict[int, tuple[int, bytes]] = {}
    logical: tuple[int, bytes] | None = None
    left = min(length // size, MAXIMUM_DESCRIPTORS)
    for _ in range(MAXIMUM_DESCRIPTORS):
        if left <= 0:
            break
        descriptor = source.read_at(block * size, size)
        kind = tag_of(descriptor)
        number = int.from_bytes(descriptor[16:20], "little")
        if kind == _TERMINATOR or kind is None:
            break
        if kind == _POINTER:
            pointed, block = struct.unpack_from("<II", descriptor, 20)
            left = min(pointed // size, MAXIMUM_DESCRIPTORS)
            continue
        if kind == _PARTITION:
            name = int.from_bytes(descriptor[22:24], "little")
            if name not in partitions or partitions[name][0] <= number:
                partitions[name] = (number, descriptor)
        elif kind == _LOGICAL and (logical is None or logical[0] <= number):
            logical = (number, descriptor)
        block, left = block + 1, left - 1
    if logical is None or not partitions:
        return None
    return _volume(source, logical[1], {name: descriptor for name, (_, descriptor) in partitions.items()}, size)


def _volume(source: ByteSource, logical: bytes, descriptors: dict[int, bytes], size: int) -> Volume:
    block_size = int.from_bytes(logical[212:216], "little")
    if block_size != size:
        raise CorruptStructureError(STRUCTURE, f"logical blocks of {block_size} bytes on sectors of {size}")
    count = min(int.from_bytes(logical[268:272], "little"), MAXIMUM_MAPS)
    partitions: list[Partition] = []
    place = 440
    for _ in range(count):
        kind, length = logical[place], logical[place + 1]
        entry = logical[place : place + length]
        if length < 6 or len(entry) < length:
            raise CorruptStructureError(STRUCTURE, f"a partition map of {length} bytes")
        partitions.append(_partition(source, kind, entry, descriptors, block_size, partitions))
        place += length
    file_set = long_address(logical, 248)
    volume = Volume(
        block_size=block_size,
        label=cs0(logical[84:212]),
        partitions=tuple(partitions),
        file_set=file_set,
        root=file_set,
    )
    descriptor = volume.read(source, file_set, block_size)
    if tag_of(descriptor) != _FILE_SET:
        raise CorruptStructureError(STRUCTURE, "the file set descriptor is not where it should be")
    return Volume(
        block_size=block_size,
        label=volume.label,
        partitions=volume.partitions,
        file_set=file_set,
        root=long_address(descriptor, 400),
    )


def _partition(
    source: ByteSource, kind: int, entry: bytes, descriptors: dict[int, bytes], size: int, before: list[Partition]
) -> Partition:
    """Return the partition of one map; UDF 2.2.8 to 2.2.10 for those of type 2."""
    number = int.from_bytes(entry[4:6] if kind == 1 else entry[38:40], "little")
    descriptor = descriptors.get(number)
    if descriptor is None:
        raise CorruptStructureError(STRUCTURE, f"there is no partition {number}")
    start, blocks = struct.unpack_from("<II", descriptor, 188)
    length, block = struct.unpack_from("<II", descriptor, 64)
    plain = Partition(
        offset=start * size,
        size=blocks * size,
        free=((start + block) * size, length & 0x3FFFFFFF) if length else (0, 0),
    )
    if kind == 1:
        return plain
    name = entry[5:28].rstrip(b"\0")
    if name == b"*UDF Sparable Partition":
        return _sparable(source, entry, plain, size)
    if name == b"*UDF Metadata Partition":
        return _metadata(source, entry, plain, size, len(before))
    raise UnsupportedError(f"a UDF partition of the kind {name.decode('ascii', 'replace')}", "copy the disc by files")


def _sparable(source: ByteSource, entry: bytes, plain: Partition, size: int) -> Partition:
    packet, tables = struct.unpack_from("<HB", entry, 40)
    spared: dict[int, int] = {}
    for number in range(min(tables, 4)):
        place = int.from_bytes(entry[48 + 4 * number : 52 + 4 * number], "little")
        block = source.read_at(place * size, size)
        if block[21:44].rstrip(b"\0") != b"*UDF Sparing Table":
            continue
        count = min(int.from_bytes(block[48:50], "little"), (len(block) - 56) // 8)
        for item in range(count):
            original, moved = struct.unpack_from("<II", block, 56 + 8 * item)
            if original < 0xFFFFFFF0:
                spared[original] = moved
        break
    return Partition(offset=plain.offset, size=plain.size, spared=spared, packet=max(1, packet), free=plain.free)


def _metadata(source: ByteSource, entry: bytes, plain: Partition, size: int, number: int) -> Partition:
    """Return the metadata partition: the blocks of the metadata file, or of its mirror where that is damaged."""
    for where in (40, 44):
        block = int.from_bytes(entry[where : where + 4], "little")
        found = file_entry(source.read_at(plain.offset + block * size, size))
        if found is None:
            continue
        table = []
        first = 0
        for address in found.addresses:
            count = address.length // size
            if address.recorded and count:
                table.append((first, count, plain.offset + address.block * size))
            first += count
        if table:
            return Partition(offset=plain.offset, size=plain.size, table=tuple(table), free=plain.free)
    raise CorruptStructureError(STRUCTURE, f"partition {number} has no metadata file")
