"""A writer of NTFS volumes.

``mkntfs`` makes the empty volume; this module stores and deletes files in it, by the structures of the
linux-ntfs documentation: MFT records with fixups, resident and non-resident streams, directories as B+ trees of
two levels, the bitmaps. Deleting clears the in-use flag of the record and its bits in the bitmaps and takes the
name out of the directory, as Windows does; the record is used again by the next file.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from demonstration.ntfs.structures import (
    BITMAP,
    CLUSTER,
    DATA,
    END,
    INDEX,
    INDEX_ROOT,
    NAME,
    SECTOR,
    attribute_offsets,
    cut_into_leaves,
    do_fixups,
    index_block,
    index_entry,
    index_root,
    last_entry,
    mapping_pairs,
    non_resident,
    read_pairs,
    resident,
    standard_information,
    ticks,
    undo_fixups,
    with_child,
)  # fmt: skip
from demonstration.programs import run_program
from demonstration.space import METADATA, Placement, Run, Space, VolumeFullError
from demonstration.volumes import Placed

_RECORD = 1024
_RECORDS = 1280
_FIRST_USER = 64
_ROOT = 5
_MOST_RESIDENT = 400
_ROOM_IN_ROOT = 480
_I30 = "$I30"
_IS_DIRECTORY, _ARCHIVE = 0x10000000, 0x20
_ZONE = b"[ZoneTransfer]\r\nZoneId=3\r\n"


@dataclass(slots=True)
class _Directory:
    """A directory: its record, and for each name its index entry and sort key."""

    record: int
    path: str
    at: datetime
    name: bytes = b""
    entries: dict[str, tuple[tuple[int, ...], bytes]] = field(default_factory=dict)


@dataclass(slots=True)
class _File:
    directory: _Directory
    name: str
    record: int
    runs: list[Run]


class NtfsWriter:
    """Writes into an empty NTFS volume with clusters of 4 KiB."""

    cluster_size = CLUSTER

    def __init__(self, buffer: memoryview, *, at: datetime) -> None:
        self._buffer = buffer
        self._table: int = struct.unpack_from("<Q", buffer, 48)[0]
        self._mirror: int = struct.unpack_from("<Q", buffer, 56)[0]
        self._sequences = [1] * _RECORDS
        self._records = [False] * _RECORDS
        self._records[:_FIRST_USER] = [True] * _FIRST_USER
        self._reserved = self._bits(bytes(self._stream(0, BITMAP)), _FIRST_USER)
        self._upper = struct.unpack("<65536H", self._stream(10, DATA))
        self._space_run = self._runs(6, DATA)[0]
        count = struct.unpack_from("<Q", buffer, 40)[0] * SECTOR // CLUSTER
        self.space = Space(0, count)
        for cluster, used in enumerate(self._bits(bytes(self._stream(6, DATA)), count)):
            if used:
                self.space.take(Run(cluster, 1), METADATA)
        self._grow_table()
        self._directories = {"": _Directory(_ROOT, "", at)}
        self._files: dict[str, _File] = {}
        self._last_writer: dict[int, int] = {}
        self._read_root()

    @classmethod
    def create(cls, buffer: memoryview, *, label: str, start_sector: int, at: datetime) -> NtfsWriter:
        """Make the empty volume with ``mkntfs`` and return its writer; the times of system files are those of 1970."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ntfs.img"
            with path.open("wb") as file:
                file.truncate(len(buffer))
            run_program(
                "mkntfs", "-F", "-Q", "-q", "-T", "-L", label, "-c", CLUSTER, "-s", SECTOR, "-p", start_sector,
                "-H", 255, "-S", 63, path, package="ntfs-3g",
            )  # fmt: skip
            buffer[:] = path.read_bytes()
        return cls(buffer, at=at)

    # --- what the protocol asks for ---------------------------------------------------------------------

    def write(self, path: str, content: bytes, *, at: datetime, writer: int, placement: Placement) -> Placed:
        """Store a file; see ``VolumeWriter``. What is small lies in the record; a download gets a second stream."""
        parent, _, name = path.rpartition("/")
        directory = self._directory(parent, at)
        runs: list[Run] = []
        number = self._new_record()
        if len(content) > _MOST_RESIDENT:
            runs = self.space.allocate(-(-len(content) // CLUSTER), writer, placement)
            position = 0
            for run in runs:
                size = run.length * CLUSTER
                self._put(run.start * CLUSTER, content[position : position + size].ljust(size, b"\0"))
                position += size
            stored = non_resident(DATA, "", runs, len(content))
        else:
            stored = resident(DATA, "", content)
        key = self._name_key(directory, name, len(content), _ARCHIVE, at)
        zone = [resident(DATA, "Zone.Identifier", _ZONE)] if "/Downloads/" in path else []
        self._put_record(
            number, [standard_information(at, _ARCHIVE), resident(NAME, "", key, indexed=True), stored, *zone]
        )
        self._enter(directory, name, number, key)
        self._files[path] = _File(directory, name, number, runs)
        self._last_writer[number] = writer
        return Placed(runs=tuple(runs), number=number)

    def delete(self, path: str, *, at: datetime) -> None:
        """Clear the in-use flag, raise the sequence number, free record and clusters, take the name out."""
        del at
        file = self._files.pop(path)
        offset = self._record_offset(file.record)
        self._sequences[file.record] += 1
        self._put(offset + 16, struct.pack("<H", self._sequences[file.record]))
        self._put(offset + 22, struct.pack("<H", self._buffer[offset + 22] & ~1))
        self._records[file.record] = False
        self._last_writer.pop(file.record)
        self.space.release(file.runs)
        del file.directory.entries[file.name]

    def is_described(self, placed: Placed) -> bool:
        """Whether the record holds no later file."""
        return placed.number not in self._last_writer

    def finish(self) -> None:
        """Write the directories, the bitmaps and the mirror of the MFT."""
        for directory in self._directories.values():
            if directory.record == _ROOT:
                self._finish_root(directory)
            else:
                self._finish_directory(directory)
        clusters = self.space.bitmap()
        stored = len(self._stream(6, DATA))
        bitmap = bytearray(clusters.ljust(stored, b"\xff"))
        if self.space.count % 8:
            bitmap[self.space.count // 8] |= 0xFF << self.space.count % 8 & 0xFF
        self._put(self._space_run.start * CLUSTER, bytes(bitmap))
        records = [*self._reserved, *self._records[_FIRST_USER:]]
        bits = sum(1 << number for number, used in enumerate(records) if used)
        self._put(self._runs(0, BITMAP)[0].start * CLUSTER, bits.to_bytes(_RECORDS // 8, "little"))
        first = self._table * CLUSTER
        self._put(self._mirror * CLUSTER, bytes(self._buffer[first : first + 4 * _RECORD]))

    # --- directories ------------------------------------------------------------------------------------

    def _directory(self, path: str, at: datetime) -> _Directory:
        if path in self._directories:
            return self._directories[path]
        above, _, name = path.rpartition("/")
        parent = self._directory(above, at)
        number = self._new_record()
        made = _Directory(number, path, at, name=self._name_key(parent, name, 0, _IS_DIRECTORY, at))
        self._directories[path] = made
        self._enter(parent, name, number, made.name)
        return made

    def _name_key(self, directory: _Directory, name: str, size: int, attributes: int, at: datetime) -> bytes:
        """Return the content of a $FILE_NAME attribute, which is the key in the index as well."""
        letters = name.encode("utf-16-le")
        times = [ticks(at)] * 4
        allocated = -(-size // CLUSTER) * CLUSTER if size > _MOST_RESIDENT else -(-size // 8) * 8
        reference = self._reference(directory.record)
        head = struct.pack("<Q4QQQIIBB", reference, *times, allocated, size, attributes, 0, len(letters) // 2, 1)
        return head + letters

    def _enter(self, directory: _Directory, name: str, number: int, key: bytes) -> None:
        directory.entries[name] = (self._sort_key(name), index_entry(self._reference(number), key))

    def _sort_key(self, name: str) -> tuple[int, ...]:
        letters = name.encode("utf-16-le")
        return tuple(self._upper[unit] for unit in struct.unpack(f"<{len(letters) // 2}H", letters))

    def _finish_directory(self, directory: _Directory) -> None:
        head = [standard_information(directory.at, 0), resident(NAME, "", directory.name, indexed=True)]
        entries = [entry for _, entry in sorted(directory.entries.values())]
        if sum(map(len, entries)) <= _ROOM_IN_ROOT:
            root = index_root(b"".join(entries) + last_entry(), large=False)
            self._put_record(directory.record, [*head, resident(INDEX_ROOT, _I30, root)], flags=3)
            return
        leaves, separators = cut_into_leaves(entries)
        run = self.space.allocate(len(leaves), METADATA)[0]
        for vcn, leaf in enumerate(leaves):
            self._put((run.start + vcn) * CLUSTER, index_block(vcn, leaf))
        nodes = [with_child(entry, vcn) for vcn, entry in enumerate(separators)]
        root = index_root(b"".join(nodes) + last_entry(len(leaves) - 1), large=True)
        bitmap = ((1 << len(leaves)) - 1).to_bytes(-(-len(leaves) // 64) * 8, "little")
        attributes = [
            *head, resident(INDEX_ROOT, _I30, root), non_resident(INDEX, _I30, [run], len(leaves) * CLUSTER),
            resident(BITMAP, _I30, bitmap),
        ]  # fmt: skip
        self._put_record(directory.record, attributes, flags=3)

    def _read_root(self) -> None:
        """Take the names ``mkntfs`` put into the root directory; they lie in one block of its index."""
        block = bytearray(self._stream(_ROOT, INDEX))
        undo_fixups(block)
        offset = 24 + struct.unpack_from("<I", block, 24)[0]
        while not block[offset + 12] & 2:
            length, key_length = struct.unpack_from("<HH", block, offset + 8)
            key = bytes(block[offset + 16 : offset + 16 + key_length])
            name = key[66 : 66 + 2 * key[64]].decode("utf-16-le")
            entry = bytes(block[offset : offset + length])
            self._directories[""].entries[name] = (self._sort_key(name), entry)
            offset += length

    def _finish_root(self, directory: _Directory) -> None:
        entries = [entry for _, entry in sorted(directory.entries.values())]
        self._put(self._runs(_ROOT, INDEX)[0].start * CLUSTER, index_block(0, entries))

    # --- records ----------------------------------------------------------------------------------------

    def _new_record(self) -> int:
        try:
            number = self._records.index(False)
        except ValueError as error:
            raise VolumeFullError(f"all {_RECORDS} MFT records are in use") from error
        self._records[number] = True
        return number

    def _reference(self, number: int) -> int:
        sequence = number if 0 < number < 16 else self._sequences[number]
        return sequence << 48 | number

    def _record_offset(self, number: int) -> int:
        return self._table * CLUSTER + number * _RECORD

    def _put_record(self, number: int, attributes: list[bytes], *, flags: int = 1, links: int = 1) -> None:
        body = b"".join(
            attribute[:14] + struct.pack("<H", instance) + attribute[16:]
            for instance, attribute in enumerate(attributes)
        )
        used = 56 + len(body) + 8
        if used > _RECORD:
            raise VolumeFullError(f"the attributes of MFT record {number} need {used} bytes")
        head = struct.pack(
            "<4sHHQHHHHIIQHHI", b"FILE", 48, 3, 0, self._sequences[number], links, 56, flags, used, _RECORD, 0,
            len(attributes), 0, number,
        )  # fmt: skip
        record = bytearray((head.ljust(56, b"\0") + body + END).ljust(_RECORD, b"\0"))
        do_fixups(record)
        self._put(self._record_offset(number), bytes(record))

    def _grow_table(self) -> None:
        """Give the MFT room for all records, right behind the first ones, and format them as free."""
        run = self._runs(0, DATA)[0]
        whole = Run(run.start, _RECORDS * _RECORD // CLUSTER)
        self.space.take(whole, METADATA)
        record = bytearray(self._buffer[self._record_offset(0) : self._record_offset(1)])
        undo_fixups(record)
        for kind, offset in attribute_offsets(record):
            if kind == DATA:
                struct.pack_into("<Q", record, offset + 24, whole.length - 1)
                struct.pack_into("<QQQ", record, offset + 40, *[_RECORDS * _RECORD] * 3)
                pairs = mapping_pairs([whole])
                record[offset + 64 : offset + 64 + len(pairs)] = pairs
            elif kind == BITMAP:
                struct.pack_into("<QQ", record, offset + 48, *[_RECORDS // 8] * 2)
        do_fixups(record)
        self._put(self._record_offset(0), bytes(record))
        for number in range(27, _RECORDS):
            self._put_record(number, [], flags=0, links=0)

    # --- reading what mkntfs wrote ----------------------------------------------------------------------

    def _runs(self, number: int, kind: int) -> list[Run]:
        """Return the runs of a non-resident attribute."""
        record = bytearray(self._buffer[self._record_offset(number) : self._record_offset(number + 1)])
        undo_fixups(record)
        for found, offset in attribute_offsets(record):
            if found == kind and record[offset + 8]:
                return list(read_pairs(record, offset + struct.unpack_from("<H", record, offset + 32)[0]))
        raise VolumeFullError(f"MFT record {number} has no non-resident attribute {kind:#x}")

    def _stream(self, number: int, kind: int) -> bytes:
        record = bytearray(self._buffer[self._record_offset(number) : self._record_offset(number + 1)])
        undo_fixups(record)
        sizes = [
            struct.unpack_from("<Q", record, offset + 48)[0]
            for found, offset in attribute_offsets(record)
            if found == kind and record[offset + 8]
        ]
        parts = [
            bytes(self._buffer[r.start * CLUSTER : (r.start + r.length) * CLUSTER]) for r in self._runs(number, kind)
        ]
        return b"".join(parts)[: sizes[0]]

    @staticmethod
    def _bits(content: bytes, count: int) -> list[bool]:
        return [index // 8 < len(content) and bool(content[index // 8] >> index % 8 & 1) for index in range(count)]

    def _put(self, offset: int, content: bytes) -> None:
        self._buffer[offset : offset + len(content)] = content
