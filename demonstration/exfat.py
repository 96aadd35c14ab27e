"""A writer of exFAT volumes.

By the Microsoft exFAT file system specification: boot region and its copy, one FAT, allocation bitmap, up-case
table, directory entry sets. Deleting clears the in-use bit of each entry and the bitmap; the FAT is left as it
was, as Linux and Windows leave it. Entries are not used again here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from demonstration.space import METADATA, Placement, Run, Space, VolumeFullError
from demonstration.volumes import Placed, fragments

_SECTOR = 512
_TABLE_SECTOR = 128
_END = 0xFFFFFFFF
_SLOT = 32
_IN_USE = 0x80
_DIRECTORY, _ARCHIVE = 0x10, 0x20
_INDIA = 0x80 | 22
"""Half past five ahead of UTC, in quarters of an hour, marked as valid."""


@dataclass(slots=True)
class _Directory:
    """A directory: its clusters, the next free slot, and the entry set it has in the directory above."""

    clusters: list[int]
    used: int = 0
    above: _Directory | None = None
    first_slot: int = 0
    entry_set: bytearray | None = None


@dataclass(slots=True)
class _File:
    directory: _Directory
    first_slot: int
    slots: int
    runs: list[Run]


class ExfatWriter:
    """Writes an exFAT volume with clusters of 4 KiB."""

    cluster_size = 4096

    def __init__(self, buffer: memoryview, *, label: str, serial: int, at: datetime) -> None:
        self._buffer = buffer
        self._serial = serial
        sectors = len(buffer) // _SECTOR
        self._table_sectors = -(-(sectors // 8 + 2) * 4 // _SECTOR)
        self._heap_sector = -(-(_TABLE_SECTOR + self._table_sectors) // 8) * 8
        clusters = (sectors - self._heap_sector) // (self.cluster_size // _SECTOR)
        self.space = Space(2, clusters)
        self._table = [0] * (clusters + 2)
        self._table[0], self._table[1] = 0xFFFFFFF8, _END
        self._bitmap = self._chain(-(-clusters // 8))
        upcase, checksum = _upcase_table()
        table_clusters = self._chain(len(upcase))
        self._put(self._offset(table_clusters[0]), upcase)
        self._root = _Directory([self._cluster()])
        self._directories: dict[str, _Directory] = {"": self._root}
        self._files: dict[str, _File] = {}
        letters = label.encode("utf-16-le")
        head = [
            struct.pack("<BB22s8x", 0x83, len(label), letters.ljust(22, b"\0")),
            struct.pack("<BB18xIQ", 0x81, 0, self._bitmap[0], -(-clusters // 8)),
            struct.pack("<B3xI12xIQ", 0x82, checksum, table_clusters[0], len(upcase)),
        ]
        self._add_slots(self._root, head)
        del at

    # --- what the protocol asks for ---------------------------------------------------------------------

    def write(self, path: str, content: bytes, *, at: datetime, writer: int, placement: Placement) -> Placed:
        """Store a file; see ``VolumeWriter``. One that lies in one piece gets no chain, as drivers do."""
        parent, _, name = path.rpartition("/")
        directory = self._directory(parent, at)
        runs = self.space.allocate(-(-len(content) // self.cluster_size), writer, placement)
        chained = fragments(runs) > 1
        if chained:
            self._link([cluster for run in runs for cluster in range(run.start, run.start + run.length)])
        position = 0
        for run in runs:
            size = run.length * self.cluster_size
            self._put(self._offset(run.start), content[position : position + size].ljust(size, b"\0"))
            position += size
        flags = 0 if not runs else (1 if chained else 3)
        start = runs[0].start if runs else 0
        entry_set = _entry_set(name, _ARCHIVE, flags, start, len(content), at)
        first = self._add_slots(directory, _split(entry_set))
        self._files[path] = _File(directory, first, len(entry_set) // _SLOT, runs)
        return Placed(runs=tuple(runs), number=self._slot_offset(directory, first))

    def delete(self, path: str, *, at: datetime) -> None:
        """Clear the in-use bits and the bitmap; no time is stored."""
        del at
        file = self._files.pop(path)
        for slot in range(file.first_slot, file.first_slot + file.slots):
            self._buffer[self._slot_offset(file.directory, slot)] &= ~_IN_USE & 0xFF
        self.space.release(file.runs)

    def is_described(self, placed: Placed) -> bool:
        """Entries are never used again here."""
        return placed.number > 0

    def finish(self) -> None:
        """Write boot region, FAT and bitmap."""
        region = self._boot_region()
        self._put(0, region)
        self._put(len(region), region)
        self._put(_TABLE_SECTOR * _SECTOR, struct.pack(f"<{len(self._table)}I", *self._table))
        self._put(self._offset(self._bitmap[0]), self.space.bitmap())

    # --- directories ------------------------------------------------------------------------------------

    def _directory(self, path: str, at: datetime) -> _Directory:
        if path in self._directories:
            return self._directories[path]
        above, _, name = path.rpartition("/")
        parent = self._directory(above, at)
        made = _Directory([self._cluster()], above=parent)
        made.entry_set = bytearray(_entry_set(name, _DIRECTORY, 1, made.clusters[0], self.cluster_size, at))
        made.first_slot = self._add_slots(parent, _split(bytes(made.entry_set)))
        self._directories[path] = made
        return made

    def _add_slots(self, directory: _Directory, slots: list[bytes]) -> int:
        first = directory.used
        for number, slot in enumerate(slots, first):
            if number * _SLOT // self.cluster_size >= len(directory.clusters):
                self._grow(directory)
            self._put(self._slot_offset(directory, number), slot)
        directory.used += len(slots)
        return first

    def _grow(self, directory: _Directory) -> None:
        cluster = self._cluster()
        self._table[directory.clusters[-1]] = cluster
        directory.clusters.append(cluster)
        if directory.above is None or directory.entry_set is None:
            return
        size = len(directory.clusters) * self.cluster_size
        struct.pack_into("<Q", directory.entry_set, _SLOT + 8, size)
        struct.pack_into("<Q", directory.entry_set, _SLOT + 24, size)
        struct.pack_into("<H", directory.entry_set, 2, _set_checksum(directory.entry_set))
        for number, slot in enumerate(_split(bytes(directory.entry_set)), directory.first_slot):
            self._put(self._slot_offset(directory.above, number), slot)

    def _slot_offset(self, directory: _Directory, slot: int) -> int:
        number, within = divmod(slot * _SLOT, self.cluster_size)
        return self._offset(directory.clusters[number]) + within

    # --- the volume -------------------------------------------------------------------------------------

    def _cluster(self) -> int:
        """Take one empty cluster for a directory."""
        cluster = self._chain(self.cluster_size)[0]
        self._put(self._offset(cluster), bytes(self.cluster_size))
        return cluster

    def _chain(self, size: int) -> list[int]:
        run = self.space.allocate(-(-size // self.cluster_size), METADATA)[0]
        clusters = list(range(run.start, run.start + run.length))
        self._link(clusters)
        return clusters

    def _link(self, clusters: list[int]) -> None:
        for cluster, following in zip(clusters, [*clusters[1:], _END], strict=False):
            self._table[cluster] = following

    def _offset(self, cluster: int) -> int:
        return self._heap_sector * _SECTOR + (cluster - 2) * self.cluster_size

    def _put(self, offset: int, content: bytes) -> None:
        self._buffer[offset : offset + len(content)] = content

    def _boot_region(self) -> bytes:
        used = 100 - self.space.free_count * 100 // self.space.count
        boot = struct.pack(
            "<3s8s53xQQIIIIIIHHBBBBB", b"\xeb\x76\x90", b"EXFAT   ", 0, len(self._buffer) // _SECTOR, _TABLE_SECTOR,
            self._table_sectors, self._heap_sector, self.space.count, self._root.clusters[0], self._serial, 0x0100, 0,
            9, 3, 1, 0x80, used,
        )  # fmt: skip
        extended = (bytes(508) + b"\x00\x00\x55\xaa") * 8
        region = boot.ljust(510, b"\0") + b"\x55\xaa" + extended + bytes(2 * _SECTOR)
        checksum = 0
        for index, byte in enumerate(region):
            if index not in (106, 107, 112):
                checksum = ((checksum & 1) << 31) + (checksum >> 1) + byte & 0xFFFFFFFF
        return region + struct.pack("<I", checksum) * (_SECTOR // 4)


def _split(entry_set: bytes) -> list[bytes]:
    return [entry_set[start : start + _SLOT] for start in range(0, len(entry_set), _SLOT)]


def _entry_set(name: str, attributes: int, flags: int, cluster: int, size: int, at: datetime) -> bytes:
    """Return file, stream and name entries of one file or directory."""
    letters = name.encode("utf-16-le")
    count = -(-len(letters) // 30)
    if len(letters) > 2 * 255:
        raise VolumeFullError(f"the name {name!r} is too long for exFAT")
    moment = (at.year - 1980) << 25 | at.month << 21 | at.day << 16 | at.hour << 11 | at.minute << 5 | at.second // 2
    tens = at.second % 2 * 100
    file = struct.pack(
        "<BBHHHIIIBBBBB7x",
        0x85,
        1 + count,
        0,
        attributes,
        0,
        moment,
        moment,
        moment,
        tens,
        tens,
        _INDIA,
        _INDIA,
        _INDIA,
    )
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, flags, 0, len(letters) // 2, _name_hash(name), 0, size, 0, cluster, size)
    names = b"".join(b"\xc1\0" + letters[start : start + 30].ljust(30, b"\0") for start in range(0, len(letters), 30))
    whole = bytearray(file + stream + names)
    struct.pack_into("<H", whole, 2, _set_checksum(whole))
    return bytes(whole)


def _set_checksum(entry_set: bytes | bytearray) -> int:
    checksum = 0
    for index, byte in enumerate(entry_set):
        if index not in (2, 3):
            checksum = ((checksum & 1) << 15) + (checksum >> 1) + byte & 0xFFFF
    return checksum


def _upper(character: str) -> str:
    upper = character.upper()
    return upper if len(upper) == 1 and ord(upper) < 0x10000 else character


def _name_hash(name: str) -> int:
    value = 0
    for byte in "".join(map(_upper, name)).encode("utf-16-le"):
        value = ((value & 1) << 15) + (value >> 1) + byte & 0xFFFF
    return value


@cache
def _upcase_table() -> tuple[bytes, int]:
    """Return the up-case table, runs that stay as they are compressed, and its checksum."""
    upper = [code if 0xD800 <= code < 0xE000 else ord(_upper(chr(code))) for code in range(65536)]
    units: list[int] = upper[:128]
    code = 128
    while code < 65536:
        end = code
        while end < 65536 and upper[end] == end:
            end += 1
        if end - code > 2:
            units += [0xFFFF, end - code]
            code = end
        else:
            units.append(upper[code])
            code += 1
    table = struct.pack(f"<{len(units)}H", *units)
    checksum = 0
    for byte in table:
        checksum = ((checksum & 1) << 31) + (checksum >> 1) + byte & 0xFFFFFFFF
    return table, checksum
