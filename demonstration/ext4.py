"""A writer of ext4 volumes with a journal that tells their history.

``mke2fs`` makes the empty volume; this module stores and deletes files in it by "ext4 Data Structures and
Algorithms" (kernel documentation) and writes the journal as jbd2 does: each commit logs the whole metadata
blocks it changed. Deleting empties the extent tree in the inode and removes the name, as the kernel does, so that
only the journal still knows where the bytes lie. One block group, linear directories, no checksums.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from demonstration.programs import run_program
from demonstration.space import METADATA, Placement, Run, Space, VolumeFullError
from demonstration.volumes import Placed

_BLOCK = 4096
_ROOT, _JOURNAL, _FIRST_FREE = 2, 8, 12
_EXTENTS_FLAG = 0x80000
_MOST_EXTENTS = 4
_REGULAR, _DIRECTORY = 0o100644, 0o040755
_OWNER = 1000
_FEATURES = "none,has_journal,ext_attr,filetype,extent,sparse_super,large_file,huge_file,dir_nlink,extra_isize"
_CONFIGURATION = "[fs_types]\n ext4 = {\n  inode_size = 256\n }\n small = {\n  inode_size = 256\n }\n"
"""What ``mke2fs`` is told in place of the machine's own configuration, so that every machine makes the same."""

_JBD_MAGIC = 0xC03B3998
_OPERATIONS_A_COMMIT = 12


@dataclass(slots=True)
class _Directory:
    inode: int
    blocks: list[int]


@dataclass(slots=True)
class _File:
    directory: _Directory
    name: bytes
    inode: int
    runs: list[Run]


class Ext4Writer:
    """Writes into an empty ext4 volume of one block group."""

    cluster_size = _BLOCK

    def __init__(self, buffer: memoryview, *, at: datetime) -> None:
        self._buffer = buffer
        count, self._per_group = self._field(1024 + 4, "I"), self._field(1024 + 40, "I")
        if self._field(1024 + 24, "I") != 2 or self._field(1024 + 32, "I") < count:
            raise VolumeFullError("the writer knows volumes of one group with blocks of 4 KiB only")
        self._inode_size = self._field(1024 + 88, "H")
        self._block_bitmap, self._inode_bitmap = self._field(_BLOCK, "I"), self._field(_BLOCK + 4, "I")
        self._inode_table = self._field(_BLOCK + 8, "I")
        self.space = Space(0, count)
        bitmap = bytes(buffer[self._block_bitmap * _BLOCK :][: -(-count // 8)])
        for block in range(count):
            if bitmap[block // 8] >> block % 8 & 1:
                self.space.take(Run(block, 1), METADATA)
        inodes = bytes(buffer[self._inode_bitmap * _BLOCK :][: self._per_group // 8])
        self._inodes = [bool(inodes[number // 8] >> number % 8 & 1) for number in range(self._per_group)]
        self._directories = {"": _Directory(_ROOT, self._blocks_of(_ROOT))}
        self._files: dict[str, _File] = {}
        self._reused: set[int] = set()
        self._dirty: set[int] = set()
        self._operations = 0
        journal = self._blocks_of(_JOURNAL)
        self._journal, self._journal_at, self._sequence = journal, 1, 1
        self._at = at

    @classmethod
    def create(cls, buffer: memoryview, *, label: str, serial: int, at: datetime) -> Ext4Writer:
        """Make the empty volume with ``mke2fs`` and return its writer."""
        identity = str(uuid5(NAMESPACE_OID, f"kaval demonstration {serial}"))
        with tempfile.TemporaryDirectory() as folder:
            path, configuration = Path(folder) / "ext4.img", Path(folder) / "mke2fs.conf"
            configuration.write_text(_CONFIGURATION, encoding="ascii")
            run_program(
                "mke2fs", "-q", "-t", "ext4", "-b", _BLOCK, "-m", 0, "-N", 2048, "-I", 256, "-J", "size=4", "-L", label,
                "-U", identity, "-O", _FEATURES,
                "-E", f"hash_seed={identity},lazy_itable_init=0,lazy_journal_init=0,nodiscard",
                path, f"{len(buffer) // 1024}k", package="e2fsprogs",
                environment={"E2FSPROGS_FAKE_TIME": str(int(at.timestamp())), "MKE2FS_CONFIG": str(configuration)},
            )  # fmt: skip
            buffer[:] = path.read_bytes()
        return cls(buffer, at=at)

    # --- what the protocol asks for ---------------------------------------------------------------------

    def write(self, path: str, content: bytes, *, at: datetime, writer: int, placement: Placement) -> Placed:
        """Store a file; see ``VolumeWriter``."""
        self._at = at
        parent, _, name = path.rpartition("/")
        directory = self._directory(parent)
        runs = self.space.allocate(-(-len(content) // _BLOCK), writer, placement)
        position = 0
        for run in runs:
            size = run.length * _BLOCK
            self._put(run.start * _BLOCK, content[position : position + size].ljust(size, b"\0"), logged=False)
            position += size
        inode = self._new_inode(_REGULAR, runs, len(content), links=1)
        self._add_name(directory, name.encode(), inode, kind=1)
        self._files[path] = _File(directory, name.encode(), inode, runs)
        self._done_one()
        return Placed(runs=tuple(runs), number=inode)

    def delete(self, path: str, *, at: datetime) -> None:
        """Remove the name, empty the inode and free its blocks, as the kernel does at the last link."""
        self._at = at
        file = self._files.pop(path)
        self._remove_name(file.directory, file.name)
        offset = self._inode_offset(file.inode)
        now = int(at.timestamp())
        self._pack(offset + 4, "<I", 0)
        self._pack(offset + 12, "<III", now, now, now)
        self._pack(offset + 26, "<HI", 0, 0)
        self._pack(offset + 40 + 2, "<H", 0)
        for number in range(len(file.runs)):
            self._pack(offset + 52 + 12 * number + 4, "<HHI", 0, 0, 0)
        self._pack(offset + 108, "<I", 0)
        self._inodes[file.inode - 1] = False
        self.space.release(file.runs)
        self._done_one()

    def is_described(self, placed: Placed) -> bool:
        """The journal keeps old copies of inodes here, for it never starts over."""
        return placed.number > 0

    def finish(self) -> None:
        """Commit what is open and mark the journal as empty, as an unmount does; its blocks stay as they are."""
        self._commit()
        journal = self._journal[0] * _BLOCK
        self._put(journal + 24, struct.pack(">II", self._sequence, 0), logged=False)

    # --- directories ------------------------------------------------------------------------------------

    def _directory(self, path: str) -> _Directory:
        if path in self._directories:
            return self._directories[path]
        above, _, name = path.rpartition("/")
        parent = self._directory(above)
        run = self.space.allocate(1, METADATA)[0]
        inode = self._new_inode(_DIRECTORY, [run], _BLOCK, links=2)
        own = _name_entry(inode, b".", 2, 12) + _name_entry(parent.inode, b"..", 2, _BLOCK - 12)
        self._put(run.start * _BLOCK, own.ljust(_BLOCK, b"\0"))
        links = self._field(self._inode_offset(parent.inode) + 26, "H")
        self._pack(self._inode_offset(parent.inode) + 26, "<H", links + 1)
        self._add_name(parent, name.encode(), inode, kind=2)
        used = self._field(_BLOCK + 16, "H")
        self._pack(_BLOCK + 16, "<H", used + 1)
        made = _Directory(inode, [run.start])
        self._directories[path] = made
        return made

    def _add_name(self, directory: _Directory, name: bytes, inode: int, *, kind: int) -> None:
        needed = _entry_size(len(name))
        for block in directory.blocks:
            base = block * _BLOCK
            for offset, length in self._names(base):
                number, _, name_length = struct.unpack_from("<IHB", self._buffer, offset)
                own = _entry_size(name_length) if number else 0
                if length - own >= needed:
                    if own:
                        self._pack(offset + 4, "<H", own)
                    self._put(offset + own, _name_entry(inode, name, kind, length - own))
                    return
        self._grow(directory)
        self._put(directory.blocks[-1] * _BLOCK, _name_entry(inode, name, kind, _BLOCK))

    def _grow(self, directory: _Directory) -> None:
        """Give a directory one block more, as a further extent."""
        run = self.space.allocate(1, METADATA)[0]
        self._put(run.start * _BLOCK, _name_entry(0, b"", 0, _BLOCK).ljust(_BLOCK, b"\0"))
        directory.blocks.append(run.start)
        if len(directory.blocks) > _MOST_EXTENTS:
            raise VolumeFullError("the writer gives a directory four blocks at most")
        runs = [Run(block, 1) for block in directory.blocks]
        offset = self._inode_offset(directory.inode)
        size = len(directory.blocks) * _BLOCK
        self._pack(offset + 4, "<I", size)
        self._pack(offset + 28, "<I", size // 512)
        self._put(offset + 40, _extent_tree(runs))

    def _remove_name(self, directory: _Directory, name: bytes) -> None:
        """Join the entry to the one before it; the first of a block loses its inode number instead."""
        for block in directory.blocks:
            before = None
            for offset, length in self._names(block * _BLOCK):
                name_length = self._buffer[offset + 6]
                if self._field(offset, "I") and bytes(self._buffer[offset + 8 : offset + 8 + name_length]) == name:
                    if before is None:
                        self._pack(offset, "<I", 0)
                    else:
                        self._pack(before + 4, "<H", self._field(before + 4, "H") + length)
                    return
                before = offset

    def _names(self, base: int) -> list[tuple[int, int]]:
        found = []
        offset = base
        while offset < base + _BLOCK:
            length = self._field(offset + 4, "H")
            found.append((offset, length))
            offset += length
        return found

    # --- inodes -----------------------------------------------------------------------------------------

    def _new_inode(self, mode: int, runs: list[Run], size: int, *, links: int) -> int:
        number: int = self._inodes.index(False, _FIRST_FREE - 1) + 1
        self._inodes[number - 1] = True
        now = int(self._at.timestamp())
        blocks = sum(run.length for run in runs) * _BLOCK // 512
        head = struct.pack(
            "<HHIIIIIHHIII", mode, _OWNER, size, now, now, now, 0, _OWNER, links, blocks, _EXTENTS_FLAG, 0
        )
        tail = struct.pack("<IIIIHHHHI", number * 2654435761 & 0xFFFFFFFF, 0, 0, 0, 0, 0, 0, 0, 0)
        extra = struct.pack("<HHIIIIII", 32, 0, 0, 0, 0, now, 0, 0)
        inode = head + _extent_tree(runs) + tail + extra
        self._put(self._inode_offset(number), inode.ljust(self._inode_size, b"\0"))
        return number

    def _inode_offset(self, number: int) -> int:
        return self._inode_table * _BLOCK + (number - 1) * self._inode_size

    def _blocks_of(self, number: int) -> list[int]:
        """Return the blocks of an inode whose extents fit in it."""
        offset = self._inode_offset(number) + 40
        _, entries, _, depth = struct.unpack_from("<HHHH", self._buffer, offset)
        if depth:
            raise VolumeFullError(f"the extents of inode {number} do not fit in it")
        blocks: list[int] = []
        for entry in range(entries):
            _, length, high, low = struct.unpack_from("<IHHI", self._buffer, offset + 12 + 12 * entry)
            start = high << 32 | low
            blocks += range(start, start + length)
        return blocks

    # --- bytes and the journal --------------------------------------------------------------------------

    def _field(self, offset: int, form: str) -> int:
        value: int = struct.unpack_from("<" + form, self._buffer, offset)[0]
        return value

    def _pack(self, offset: int, form: str, *values: int) -> None:
        self._put(offset, struct.pack(form, *values))

    def _put(self, offset: int, content: bytes, *, logged: bool = True) -> None:
        self._buffer[offset : offset + len(content)] = content
        if logged:
            self._dirty.add(offset // _BLOCK)

    def _done_one(self) -> None:
        self._operations += 1
        if self._operations >= _OPERATIONS_A_COMMIT:
            self._commit()

    def _counts(self) -> None:
        """Bring bitmaps and counts of superblock and group up to date."""
        free_blocks, free_inodes = self.space.free_count, self._inodes.count(False)
        self._pack(1024 + 12, "<II", free_blocks, free_inodes)
        self._pack(1024 + 48, "<I", int(self._at.timestamp()))
        self._pack(_BLOCK + 12, "<HH", free_blocks, free_inodes)
        bitmap = bytearray(self.space.bitmap().ljust(_BLOCK, b"\xff"))
        if self.space.count % 8:
            bitmap[self.space.count // 8] |= 0xFF << self.space.count % 8 & 0xFF
        self._put(self._block_bitmap * _BLOCK, bytes(bitmap))
        bits = sum(1 << index for index, used in enumerate(self._inodes) if used)
        self._put(self._inode_bitmap * _BLOCK, bits.to_bytes(self._per_group // 8, "little").ljust(_BLOCK, b"\xff"))

    def _commit(self) -> None:
        """Write one transaction: a descriptor, the changed blocks, a commit block."""
        if not self._operations:
            return
        self._operations = 0
        self._counts()
        blocks = sorted(self._dirty)
        self._dirty.clear()
        tags = b""
        for number, block in enumerate(blocks):
            flags = (2 if number else 0) | (8 if number == len(blocks) - 1 else 0)
            if self._buffer[block * _BLOCK : block * _BLOCK + 4] == struct.pack(">I", _JBD_MAGIC):
                raise VolumeFullError("a logged block starts with the journal's own magic number")
            tags += struct.pack(">IHH", block, 0, flags) + (
                b"" if number else bytes(self._buffer[1024 + 104 : 1024 + 120])
            )
        self._log(struct.pack(">III", _JBD_MAGIC, 1, self._sequence) + tags)
        for block in blocks:
            self._log(bytes(self._buffer[block * _BLOCK : (block + 1) * _BLOCK]))
        seconds = int(self._at.astimezone(UTC).timestamp())
        commit = struct.pack(">III", _JBD_MAGIC, 2, self._sequence).ljust(48, b"\0") + struct.pack(">QI", seconds, 0)
        self._log(commit)
        self._sequence += 1

    def _log(self, block: bytes) -> None:
        if self._journal_at >= len(self._journal) or len(block) > _BLOCK:
            raise VolumeFullError("the history does not fit in the journal")
        self._put(self._journal[self._journal_at] * _BLOCK, block.ljust(_BLOCK, b"\0"), logged=False)
        self._journal_at += 1


def _entry_size(name_length: int) -> int:
    return 8 + -(-name_length // 4) * 4


def _name_entry(inode: int, name: bytes, kind: int, length: int) -> bytes:
    return struct.pack("<IHBB", inode, length, len(name), kind) + name.ljust(-(-len(name) // 4) * 4, b"\0")


def _extent_tree(runs: list[Run]) -> bytes:
    """Return the 60 bytes of an extent tree that fits in its inode."""
    if len(runs) > _MOST_EXTENTS:
        raise VolumeFullError("the writer gives a file four extents at most")
    tree = struct.pack("<HHHHI", 0xF30A, len(runs), _MOST_EXTENTS, 0, 0)
    logical = 0
    for run in runs:
        tree += struct.pack("<IHHI", logical, run.length, run.start >> 32, run.start & 0xFFFFFFFF)
        logical += run.length
    return tree.ljust(60, b"\0")
