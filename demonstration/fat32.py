"""A writer of FAT32 volumes.

By the Microsoft FAT specification (FATGEN 1.03): boot sector, FSInfo and their copies, two tables, directories with
long names. Deleting marks the directory slots with E5 and frees the chain, as every driver does. Slots are not
used again here, so that the description of every deleted file is left.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime

from demonstration.space import METADATA, Placement, Run, Space, VolumeFullError
from demonstration.volumes import Placed

_SECTOR = 512
_RESERVED = 32
_END = 0x0FFFFFFF
_FEWEST_CLUSTERS = 65525
_SLOT = 32
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$~")
_LONG_LETTERS = ((1, 10), (14, 12), (28, 4))


@dataclass(slots=True)
class _Directory:
    """A directory: its clusters, the next free slot, the short names in it."""

    clusters: list[int]
    used: int = 0
    short_names: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class _File:
    directory: _Directory
    first_slot: int
    slots: int
    runs: list[Run]


class Fat32Writer:
    """Writes a FAT32 volume with clusters of 1 KiB."""

    cluster_size = 1024

    def __init__(self, buffer: memoryview, *, label: str, serial: int, at: datetime) -> None:
        self._buffer = buffer
        self._label = label.upper().encode("ascii").ljust(11)[:11]
        self._serial = serial
        sectors = len(buffer) // _SECTOR
        self._table_sectors = -(-(sectors // 2 + 2) * 4 // _SECTOR)
        self._start = (_RESERVED + 2 * self._table_sectors) * _SECTOR
        clusters = (len(buffer) - self._start) // self.cluster_size
        if clusters < _FEWEST_CLUSTERS:
            raise VolumeFullError(f"a FAT32 volume needs {_FEWEST_CLUSTERS} clusters; this one would have {clusters}")
        self.space = Space(2, clusters)
        self._table = [0] * (clusters + 2)
        self._table[0], self._table[1] = 0x0FFFFFF8, _END
        self._directories: dict[str, _Directory] = {"": _Directory([self._cluster()])}
        self._files: dict[str, _File] = {}
        root = self._directories[""]
        self._add_slots(root, [self._label + struct.pack("<B10xHHHI", 8, _time(at), _date(at), 0, 0)])

    # --- what the protocol asks for ---------------------------------------------------------------------

    def write(self, path: str, content: bytes, *, at: datetime, writer: int, placement: Placement) -> Placed:
        """Store a file; see ``VolumeWriter``."""
        parent, _, name = path.rpartition("/")
        directory = self._directory(parent, at)
        runs = self.space.allocate(-(-len(content) // self.cluster_size), writer, placement)
        clusters = [cluster for run in runs for cluster in range(run.start, run.start + run.length)]
        self._link(clusters)
        position = 0
        for run in runs:
            part = content[position : position + run.length * self.cluster_size]
            offset = self._offset(run.start)
            self._buffer[offset : offset + len(part)] = part
            rest = run.length * self.cluster_size - len(part)
            self._buffer[offset + len(part) : offset + len(part) + rest] = bytes(rest)
            position += len(part)
        slots = self._slots(directory, name, 0x20, clusters[0] if clusters else 0, len(content), at)
        first = self._add_slots(directory, slots)
        self._files[path] = _File(directory, first, len(slots), runs)
        return Placed(runs=tuple(runs), number=self._slot_offset(directory, first))

    def delete(self, path: str, *, at: datetime) -> None:
        """Mark the slots as deleted and free the chain; no time is stored."""
        del at
        file = self._files.pop(path)
        for slot in range(file.first_slot, file.first_slot + file.slots):
            self._buffer[self._slot_offset(file.directory, slot)] = 0xE5
        for run in file.runs:
            self._table[run.start : run.start + run.length] = [0] * run.length
        self.space.release(file.runs)

    def is_described(self, placed: Placed) -> bool:
        """Slots are never used again here."""
        return placed.number > 0

    def finish(self) -> None:
        """Write boot sector, FSInfo and tables."""
        for base in (0, 6):
            self._put(base * _SECTOR, self._boot_sector())
            self._put((base + 1) * _SECTOR, self._information())
            self._put((base + 2) * _SECTOR, bytes(510) + b"\x55\xaa")
        table = struct.pack(f"<{len(self._table)}I", *self._table)
        for copy in (0, 1):
            self._put((_RESERVED + copy * self._table_sectors) * _SECTOR, table)

    # --- directories ------------------------------------------------------------------------------------

    def _directory(self, path: str, at: datetime) -> _Directory:
        if path in self._directories:
            return self._directories[path]
        above, _, name = path.rpartition("/")
        parent = self._directory(above, at)
        made = _Directory([self._cluster()])
        self._directories[path] = made
        parent_cluster = parent.clusters[0] if above else 0
        self._add_slots(made, [_short_slot(b".".ljust(11), 0x10, made.clusters[0], 0, at)])
        self._add_slots(made, [_short_slot(b"..".ljust(11), 0x10, parent_cluster, 0, at)])
        self._add_slots(parent, self._slots(parent, name, 0x10, made.clusters[0], 0, at))
        return made

    def _cluster(self) -> int:
        """Take one empty cluster for a directory."""
        cluster = self.space.allocate(1, METADATA)[0].start
        self._table[cluster] = _END
        self._put(self._offset(cluster), bytes(self.cluster_size))
        return cluster

    def _add_slots(self, directory: _Directory, slots: list[bytes]) -> int:
        first = directory.used
        for number, slot in enumerate(slots, first):
            if number * _SLOT // self.cluster_size >= len(directory.clusters):
                cluster = self._cluster()
                self._table[directory.clusters[-1]] = cluster
                directory.clusters.append(cluster)
            self._put(self._slot_offset(directory, number), slot)
        directory.used += len(slots)
        return first

    def _slot_offset(self, directory: _Directory, slot: int) -> int:
        number, within = divmod(slot * _SLOT, self.cluster_size)
        return self._offset(directory.clusters[number]) + within

    def _slots(
        self, directory: _Directory, name: str, attributes: int, cluster: int, size: int, at: datetime
    ) -> list[bytes]:
        """Return the slots of a name: its long ones, last part first, then the short one."""
        short, needs_long = _short_name(name, directory.short_names)
        directory.short_names.add(short)
        slots = _long_slots(name, short) if needs_long else []
        return [*slots, _short_slot(short, attributes, cluster, size, at)]

    # --- the volume -------------------------------------------------------------------------------------

    def _link(self, clusters: list[int]) -> None:
        for cluster, following in zip(clusters, [*clusters[1:], _END], strict=False):
            self._table[cluster] = following

    def _offset(self, cluster: int) -> int:
        return self._start + (cluster - 2) * self.cluster_size

    def _put(self, offset: int, content: bytes) -> None:
        self._buffer[offset : offset + len(content)] = content

    def _boot_sector(self) -> bytes:
        sectors = len(self._buffer) // _SECTOR
        block = struct.pack(
            "<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"MSWIN4.1", _SECTOR, self.cluster_size // _SECTOR, _RESERVED, 2,
            0, 0, 0xF8, 0, 63, 255, 0, sectors,
        )  # fmt: skip
        more = struct.pack("<IHHIHH12x", self._table_sectors, 0, 0, self._directories[""].clusters[0], 1, 6)
        last = struct.pack("<BBBI11s8s", 0x80, 0, 0x29, self._serial, self._label, b"FAT32   ")
        return (block + more + last).ljust(510, b"\0") + b"\x55\xaa"

    def _information(self) -> bytes:
        head = b"RRaA".ljust(484, b"\0")
        return head + struct.pack("<4sII12x4s", b"rrAa", self.space.free_count, 2, b"\0\0\x55\xaa")


def _date(at: datetime) -> int:
    return (at.year - 1980) << 9 | at.month << 5 | at.day


def _time(at: datetime) -> int:
    return at.hour << 11 | at.minute << 5 | at.second // 2


def _short_slot(short: bytes, attributes: int, cluster: int, size: int, at: datetime) -> bytes:
    return short + struct.pack(
        "<BBBHHHHHHHI", attributes, 0, at.second % 2 * 100, _time(at), _date(at), _date(at), cluster >> 16, _time(at),
        _date(at), cluster & 0xFFFF, size,
    )  # fmt: skip


def _short_name(name: str, taken: set[bytes]) -> tuple[bytes, bool]:
    """Return a short name of 11 bytes that is free, and whether the name needs long slots as well."""
    base, dot, extension = name.rpartition(".")
    base, extension = (base, extension) if dot and base else (name, "")
    plain = len(base) <= 8 and len(extension) <= 3 and _PLAIN.issuperset(base + extension)
    if plain:
        short = base.encode().ljust(8) + extension.encode().ljust(3)
        if short not in taken:
            return short, False
    letters = "".join(c for c in base.upper() if c in _PLAIN - {"~"}) or "X"
    tail = "".join(c for c in extension.upper() if c in _PLAIN - {"~"})[:3]
    for number in range(1, 1_000_000):
        mark = f"~{number}"
        short = (letters[: 8 - len(mark)] + mark).encode().ljust(8) + tail.encode().ljust(3)
        if short not in taken:
            return short, True
    raise VolumeFullError(f"no short name is left for {name!r}")


def _long_slots(name: str, short: bytes) -> list[bytes]:
    checksum = 0
    for byte in short:
        checksum = ((checksum & 1) << 7) + (checksum >> 1) + byte & 0xFF
    letters = name.encode("utf-16-le")
    count = -(-len(letters) // 26)
    if len(letters) < count * 26:
        letters = (letters + b"\0\0").ljust(count * 26, b"\xff")
    slots = []
    for number in range(count, 0, -1):
        slot = bytearray(_SLOT)
        slot[0] = number | (0x40 if number == count else 0)
        slot[11], slot[13] = 0x0F, checksum
        position = (number - 1) * 26
        for offset, length in _LONG_LETTERS:
            slot[offset : offset + length] = letters[position : position + length]
            position += length
        slots.append(bytes(slot))
    return slots
