"""The structures of NTFS that are written here: attributes, runs, fixups, index entries and blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

from demonstration.space import Run, VolumeFullError

CLUSTER, SECTOR = 4096, 512
STANDARD, NAME, DATA, INDEX_ROOT, INDEX, BITMAP = 0x10, 0x30, 0x80, 0x90, 0xA0, 0xB0
END = b"\xff\xff\xff\xff\0\0\0\0"
"""What closes the attributes of a record."""

_SECURITY = 0x101
_UNIX_EPOCH = 116_444_736_000_000_000


def ticks(at: datetime) -> int:
    """Return a moment in units of 100 ns since 1601."""
    return int(at.astimezone(UTC).timestamp()) * 10_000_000 + _UNIX_EPOCH


def standard_information(at: datetime, attributes: int) -> bytes:
    """Return the attribute of times and flags; all four times are the same."""
    content = struct.pack("<4QIIIIIIQQ", *[ticks(at)] * 4, attributes, 0, 0, 0, 0, _SECURITY, 0, 0)
    return resident(STANDARD, "", content)


def padded(content: bytes) -> bytes:
    """Return content filled up to a multiple of eight bytes."""
    return content.ljust(-(-len(content) // 8) * 8, b"\0")


def resident(kind: int, name: str, content: bytes, *, indexed: bool = False) -> bytes:
    """Return an attribute whose content lies in the record."""
    letters = padded(name.encode("utf-16-le"))
    value_offset = 24 + len(letters)
    whole = letters + padded(content)
    head = struct.pack(
        "<IIBBHHHIHBB", kind, 24 + len(whole), 0, len(name), 24, 0, 0, len(content), value_offset, int(indexed), 0
    )
    return head + whole


def non_resident(kind: int, name: str, runs: list[Run], size: int) -> bytes:
    """Return an attribute whose content lies in clusters."""
    letters = padded(name.encode("utf-16-le"))
    clusters = sum(run.length for run in runs)
    whole = letters + padded(mapping_pairs(runs))
    head = struct.pack(
        "<IIBBHHHQQHB5xQQQ", kind, 64 + len(whole), 1, len(name), 64, 0, 0, 0, clusters - 1, 64 + len(letters), 0,
        clusters * CLUSTER, size, size,
    )  # fmt: skip
    return head + whole


def signed(value: int) -> bytes:
    """Return a signed number in as few bytes as hold it."""
    for length in range(1, 9):
        if -(1 << 8 * length - 1) <= value < 1 << 8 * length - 1:
            return value.to_bytes(length, "little", signed=True)
    raise ValueError(value)


def mapping_pairs(runs: list[Run]) -> bytes:
    """Return runs as they are stored: lengths, and how far each start is from the one before."""
    pairs, before = b"", 0
    for run in runs:
        length, offset = signed(run.length), signed(run.start - before)
        pairs += bytes([len(offset) << 4 | len(length)]) + length + offset
        before = run.start
    return pairs + b"\0"


def read_pairs(record: bytearray, offset: int) -> Iterator[Run]:
    """Yield the runs that are stored at an offset."""
    start = 0
    while record[offset]:
        length_size, offset_size = record[offset] & 15, record[offset] >> 4
        length = int.from_bytes(record[offset + 1 : offset + 1 + length_size], "little", signed=True)
        moved = record[offset + 1 + length_size : offset + 1 + length_size + offset_size]
        start += int.from_bytes(moved, "little", signed=True)
        yield Run(start, length)
        offset += 1 + length_size + offset_size


def attribute_offsets(record: bytearray) -> Iterator[tuple[int, int]]:
    """Yield kind and offset of every attribute of a record."""
    offset = struct.unpack_from("<H", record, 20)[0]
    while (kind := struct.unpack_from("<I", record, offset)[0]) != 0xFFFFFFFF:
        yield kind, offset
        offset += struct.unpack_from("<I", record, offset + 4)[0]


def do_fixups(structure: bytearray) -> None:
    """Put the update sequence number at the end of each sector and keep what stood there in the array."""
    offset, count = struct.unpack_from("<HH", structure, 4)
    structure[offset : offset + 2] = b"\1\0"
    for sector in range(1, count):
        end = sector * SECTOR - 2
        structure[offset + 2 * sector : offset + 2 * sector + 2] = structure[end : end + 2]
        structure[end : end + 2] = b"\1\0"


def undo_fixups(structure: bytearray) -> None:
    """Put back what stood at the end of each sector."""
    offset, count = struct.unpack_from("<HH", structure, 4)
    for sector in range(1, count):
        end = sector * SECTOR - 2
        structure[end : end + 2] = structure[offset + 2 * sector : offset + 2 * sector + 2]


def index_entry(reference: int, key: bytes) -> bytes:
    """Return an entry without a block of smaller names; ``reference`` is that of the record it names."""
    whole = padded(key)
    return struct.pack("<QHHHH", reference, 16 + len(whole), len(key), 0, 0) + whole


def with_child(entry: bytes, vcn: int) -> bytes:
    """Return an entry that leads to the block of the smaller names."""
    reference, length, key_length = struct.unpack_from("<QHH", entry)
    return struct.pack("<QHHHH", reference, length + 8, key_length, 1, 0) + entry[16:] + struct.pack("<Q", vcn)


def last_entry(child: int | None = None) -> bytes:
    """Return the entry that closes a node; ``child`` is the block of the greatest names."""
    if child is None:
        return struct.pack("<QHHHH", 0, 16, 0, 2, 0)
    return struct.pack("<QHHHHQ", 0, 24, 0, 3, 0, child)


def cut_into_leaves(entries: list[bytes]) -> tuple[list[list[bytes]], list[bytes]]:
    """Return the entries cut into blocks, and between two blocks the entry that parts them."""
    room = CLUSTER - 64 - 16 - 200
    leaves: list[list[bytes]] = [[]]
    separators: list[bytes] = []
    size = 0
    for entry in entries:
        if size + len(entry) > room:
            separators.append(entry)
            leaves.append([])
            size = 0
        else:
            leaves[-1].append(entry)
            size += len(entry)
    if not leaves[-1]:
        leaves.pop()
        leaves[-1].append(separators.pop())
    return leaves, separators


def index_root(entries: bytes, *, large: bool) -> bytes:
    """Return the content of an $INDEX_ROOT over file names."""
    head = struct.pack("<IIIB3x", NAME, 1, CLUSTER, 1)
    return head + struct.pack("<IIIB3x", 16, 16 + len(entries), 16 + len(entries), int(large)) + entries


def index_block(vcn: int, entries: list[bytes]) -> bytes:
    """Return one block of an index, fixups done."""
    body = b"".join(entries) + last_entry()
    if 64 + len(body) > CLUSTER:
        raise VolumeFullError("the names of a directory do not fit in one block of its index")
    head = struct.pack("<4sHHQQIIIB3x", b"INDX", 40, 9, 0, vcn, 40, 40 + len(body), CLUSTER - 24, 0)
    block = bytearray((head.ljust(64, b"\0") + body).ljust(CLUSTER, b"\0"))
    do_fixups(block)
    return bytes(block)
