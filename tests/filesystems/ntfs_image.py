"""A small NTFS built in code: boot sector, file table with update sequences, bitmap; no index is written."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SECTOR = 512
CLUSTER = 4096
RECORD = 1024
ROOT, FIRST = 5, 24
FILETIME = 132_000_000_000_000_000
EPOCH = 116444736000000000
IN_USE, DIRECTORY = 1, 2


def resident(kind: int, value: bytes, name: str = "", ident: int = 0, flags: int = 0) -> bytes:
    """Return a resident attribute."""
    text = name.encode("utf-16-le")
    place = 24 + (len(text) + 7) // 8 * 8
    length = (place + len(value) + 7) // 8 * 8
    head = struct.pack(
        "<IIBBHHHIHBB", kind, length, 0, len(name), 24 if name else 0, flags, ident, len(value), place, 0, 0
    )
    return (head + text.ljust(place - 24, b"\0") + value).ljust(length, b"\0")


def pairs(runs: list[tuple[int, int]]) -> bytes:
    """Return mapping pairs; a run at -1 is a hole."""
    out, last = b"", 0
    for cluster, count in runs:
        size = (count.bit_length() + 8) // 8
        if cluster < 0:
            out += bytes((size,)) + count.to_bytes(size, "little")
            continue
        step, last = cluster - last, cluster
        offset = (abs(step).bit_length() + 8) // 8
        out += (
            bytes((offset << 4 | size,)) + count.to_bytes(size, "little") + step.to_bytes(offset, "little", signed=True)
        )
    return out + b"\0"


def mapped(
    kind: int,
    runs: list[tuple[int, int]],
    size: int,
    *,
    name: str = "",
    ident: int = 0,
    flags: int = 0,
    valid: int | None = None,
    unit: int = 0,
    first: int = 0,
) -> bytes:
    """Return an attribute kept outside the table."""
    text = name.encode("utf-16-le")
    place = 64 + (len(text) + 7) // 8 * 8
    encoded = pairs(runs)
    length = (place + len(encoded) + 7) // 8 * 8
    count = sum(number for _, number in runs)
    head = struct.pack("<IIBBHHH", kind, length, 1, len(name), 64 if name else 0, flags, ident)
    head += struct.pack(
        "<QQHHIQQQ", first, first + count - 1, place, unit, 0, count * CLUSTER, size, size if valid is None else valid
    )
    return (head + text.ljust(place - 64, b"\0") + encoded).ljust(length, b"\0")


def times(at: int = FILETIME, changed: int | None = None) -> bytes:
    """Return a $STANDARD_INFORMATION attribute."""
    return resident(0x10, struct.pack("<QQQQI", at, at + 10, changed or at + 20, at + 30, 0x20).ljust(48, b"\0"))


def named(name: str, parent: int = ROOT, sequence: int = 5, namespace: int = 1, ident: int = 1) -> bytes:
    """Return a $FILE_NAME attribute."""
    value = struct.pack("<QQQQQQQIIBB", parent | sequence << 48, *[FILETIME] * 4, 0, 0, 0, 0, len(name), namespace)
    return resident(0x30, value + name.encode("utf-16-le"), ident=ident)


def record(number: int, attributes: list[bytes], *, flags: int = IN_USE, sequence: int = 1, base: int = 0) -> bytes:
    """Return a file record with its update sequence in place."""
    body = b"".join(attributes) + b"\xff\xff\xff\xff\0\0\0\0"
    used = 56 + len(body)
    assert used <= RECORD, used
    head = struct.pack("<4sHHQHHHHIIQHHI", b"FILE", 48, 3, 0, sequence, 1, 56, flags, used, RECORD, base, 9, 0, number)
    block = bytearray((head + b"\x07\0" + b"\0\0\0\0\0\0" + body).ljust(RECORD, b"\0"))
    for sector in range(2):
        end = (sector + 1) * SECTOR
        block[50 + 2 * sector : 52 + 2 * sector] = block[end - 2 : end]
        block[end - 2 : end] = b"\x07\0"
    return bytes(block)


@dataclass
class NtfsImage:
    """Collects records and clusters; ``build`` returns the image. The table starts at cluster 4."""

    clusters: int = 256
    records: dict[int, bytes] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    table_runs: list[tuple[int, int]] = field(default_factory=lambda: [(4, 32)])

    def put(self, cluster: int, content: bytes, *, used: bool = True) -> list[tuple[int, int]]:
        """Lay content at a cluster; return its runs."""
        count = -(-len(content) // CLUSTER)
        self.contents[cluster] = content
        if used:
            self.used.update(range(cluster, cluster + count))
        return [(cluster, count)]

    def add(self, number: int, *attributes: bytes, flags: int = IN_USE, sequence: int = 1, base: int = 0) -> None:
        """Add a record."""
        self.records[number] = record(number, list(attributes), flags=flags, sequence=sequence, base=base)

    def build(self) -> bytes:
        """Return the image."""
        size = max([*self.records, FIRST]) + 1
        room = sum(count for _, count in self.table_runs) * CLUSTER
        assert size * RECORD <= room
        bitmap_cluster = 2
        self.used.update({0, 1, 2, 3}, *(range(first, first + count) for first, count in self.table_runs))
        bits = bytearray((self.clusters + 7) // 8)
        for cluster in self.used:
            bits[cluster >> 3] |= 1 << (cluster & 7)
        self.add(0, times(), named("$MFT"), mapped(0x80, self.table_runs, size * RECORD), sequence=1)
        self.add(3, times(), named("$Volume"), resident(0x60, "Vindra".encode("utf-16-le")), sequence=3)
        self.add(ROOT, times(), named("."), flags=IN_USE | DIRECTORY, sequence=5)
        self.add(6, times(), named("$Bitmap"), mapped(0x80, [(bitmap_cluster, 1)], len(bits)), sequence=6)
        image = bytearray(self.clusters * CLUSTER + SECTOR)
        sectors = self.clusters * CLUSTER // SECTOR
        boot = b"\xeb\x52\x90NTFS    " + struct.pack("<HB", SECTOR, CLUSTER // SECTOR)
        boot = boot.ljust(40, b"\0") + struct.pack("<QQQb3xb3xQ", sectors, self.table_runs[0][0], 3, -10, 1, 0x1234)
        boot = boot.ljust(510, b"\0") + b"\x55\xaa"
        image[:SECTOR] = boot
        image[-SECTOR:] = boot
        image[bitmap_cluster * CLUSTER : bitmap_cluster * CLUSTER + len(bits)] = bits
        for cluster, content in self.contents.items():
            image[cluster * CLUSTER : cluster * CLUSTER + len(content)] = content
        table = bytearray(room)
        for number, block in self.records.items():
            table[number * RECORD : (number + 1) * RECORD] = block
        place = 0
        for first, count in self.table_runs:
            image[first * CLUSTER : (first + count) * CLUSTER] = table[place : place + count * CLUSTER]
            place += count * CLUSTER
        image[3 * CLUSTER : 3 * CLUSTER + RECORD] = self.records[0]
        return bytes(image)
