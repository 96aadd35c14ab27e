"""Builds a small APFS container in memory, block by block, after Apple's reference."""

from __future__ import annotations

import struct

import numpy as np

BLOCK = 4096
SUPERBLOCK, CHECKPOINT, OBJECT_MAP, OBJECT_TREE, VOLUME, VOLUME_MAP, VOLUME_MAP_TREE, RECORDS = range(8)
FIRST_DATA = 8
BLOCKS = 64
TRANSACTION = 7
VOLUME_NUMBER, RECORDS_NUMBER = 1026, 1028


def with_checksum(block: bytes) -> bytes:
    """Return a block with its Fletcher-64 checksum, summed word by word."""
    block = block.ljust(BLOCK, b"\0")
    first = second = 0
    for word in np.frombuffer(block[8:], "<u4").tolist():
        first = (first + word) % 0xFFFFFFFF
        second = (second + first) % 0xFFFFFFFF
    low = 0xFFFFFFFF - (first + second) % 0xFFFFFFFF
    high = 0xFFFFFFFF - (first + low) % 0xFFFFFFFF
    return struct.pack("<II", low, high) + block[8:]


def head(number: int, kind: int, subtype: int = 0) -> bytes:
    return bytes(8) + struct.pack("<QQII", number, TRANSACTION, kind, subtype)


def node(number: int, records: list[tuple[bytes, bytes]], *, level: int = 0, fixed: bool = False) -> bytes:
    """Return a root node; keys grow from the front, values from the back."""
    flags = 1 | (2 if level == 0 else 0) | (4 if fixed else 0)
    table, keys, values = b"", b"", b""
    for key, value in records:
        values = value + values
        if fixed:
            table += struct.pack("<HH", len(keys), len(values))
        else:
            table += struct.pack("<4H", len(keys), len(key), len(values), len(value))
        keys += key
    front = (
        head(number, 2)
        + struct.pack("<HHIHHHHHHHH", flags, level, len(records), 0, len(table), *[0] * 6)
        + table
        + keys
    )
    return with_checksum(front.ljust(BLOCK - 40 - len(values), b"\0") + values + bytes(40))


def key(number: int, kind: int, rest: bytes = b"") -> bytes:
    return struct.pack("<Q", number | kind << 60) + rest


def inode(
    number: int, parent: int, name: bytes, mode: int, size: int = 0, *, stream: int = 0, flags: int = 0
) -> tuple[bytes, bytes]:
    """Return the record of an inode with its name and the size of its stream."""
    value = struct.pack("<QQ4Q", parent, stream or number, 10**18, 10**18 + 1, 10**18 + 2, 10**18 + 3)
    value += struct.pack("<QiIIIIIHHQ", 0, 1, 0, 0, flags, 501, 20, mode, 0, 0)
    fields = [(4, name + b"\0"), (8, struct.pack("<5Q", size, size, 0, 0, 0))]
    value += struct.pack("<HH", len(fields), 0)
    value += b"".join(struct.pack("<BBH", kind, 0, len(content)) for kind, content in fields)
    for _, content in fields:
        value += content.ljust((len(content) + 7) & ~7, b"\0")
    return key(number, 3), value


def extent(stream: int, place: int, length: int, block: int) -> tuple[bytes, bytes]:
    return key(stream, 8, struct.pack("<Q", place)), struct.pack("<QQQ", length, block, 0)


def attribute(number: int, name: bytes, content: bytes) -> tuple[bytes, bytes]:
    return key(number, 4, struct.pack("<H", len(name) + 1) + name + b"\0"), struct.pack(
        "<HH", 2, len(content)
    ) + content


def container(records: list[tuple[bytes, bytes]], data: dict[int, bytes] | None = None) -> bytearray:
    """Return a container of one unencrypted volume called ``Velk`` with these records."""
    blocks = {number: bytes(BLOCK) for number in range(BLOCKS)}
    superblock = head(1, 0x80000001) + b"NXSB" + struct.pack("<IQ", BLOCK, BLOCKS)
    superblock = superblock.ljust(72, b"\0") + bytes(range(16))
    superblock = superblock.ljust(104, b"\0") + struct.pack("<IIQQ", 1, 0, CHECKPOINT, 0)
    superblock = superblock.ljust(152, b"\0") + struct.pack("<QQ", 1024, OBJECT_MAP)
    superblock = superblock.ljust(184, b"\0") + struct.pack("<Q", VOLUME_NUMBER)
    blocks[SUPERBLOCK] = blocks[CHECKPOINT] = with_checksum(superblock)
    for number, tree, target, wanted in (
        (OBJECT_MAP, OBJECT_TREE, VOLUME, VOLUME_NUMBER),
        (VOLUME_MAP, VOLUME_MAP_TREE, RECORDS, RECORDS_NUMBER),
    ):
        blocks[number] = with_checksum(
            (head(number, 0x4000000B) + bytes(16)).ljust(48, b"\0") + struct.pack("<Q", tree)
        )
        entry = struct.pack("<QQ", wanted, TRANSACTION), struct.pack("<IIQ", 0, BLOCK, target)
        blocks[tree] = node(tree, [entry], fixed=True)
    volume = bytearray((head(VOLUME_NUMBER, 13) + b"APSB").ljust(1040, b"\0"))
    struct.pack_into("<QQ", volume, 128, VOLUME_MAP, RECORDS_NUMBER)
    struct.pack_into("<QQ", volume, 184, len(records), 1)
    struct.pack_into("<Q", volume, 264, 1)
    volume[704:708] = b"Velk"
    blocks[VOLUME] = with_checksum(bytes(volume))
    blocks[RECORDS] = node(RECORDS_NUMBER, sorted(records, key=_order))
    blocks |= {number: content.ljust(BLOCK, b"\0") for number, content in (data or {}).items()}
    return bytearray(b"".join(blocks[number] for number in sorted(blocks)))


def _order(record: tuple[bytes, bytes]) -> tuple[int, int, bytes]:
    (header,) = struct.unpack_from("<Q", record[0])
    return header & (1 << 60) - 1, header >> 60, record[0][8:]
