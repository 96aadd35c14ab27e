"""Traces of deleted files laid into the small NTFS of ``tests/filesystems``: index blocks, slack, journals."""

from __future__ import annotations

import struct

from kaval.core.keys import Keyring
from kaval.core.records import Entry, Notice
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from tests.filesystems.ntfs_image import DIRECTORY, FILETIME, IN_USE, RECORD, NtfsImage, mapped, named, times

BLOCK = 4096
HEADER = 64
CAPABILITIES = ("ntfs-logfile", "ntfs-index", "ntfs-usn")


def key(name: str, parent: int, *, sequence: int = 1, at: int = FILETIME, size: int = 0, kind: int = 0x20) -> bytes:
    """Return the value of a $FILE_NAME: changed 20 ticks after ``at``, in the Win32 namespace."""
    stamps = (at, at + 10, at + 20, at + 30)
    value = struct.pack("<QQQQQQQIIBB", parent | sequence << 48, *stamps, size + 8, size, kind, 0, len(name), 1)
    return value + name.encode("utf-16-le")


def index_entry(number: int, sequence: int, value: bytes) -> bytes:
    """Return an index entry for a $FILE_NAME."""
    length = (16 + len(value) + 7) // 8 * 8
    return (struct.pack("<QHHI", number | sequence << 48, length, len(value), 0) + value).ljust(length, b"\0")


END = struct.pack("<QHHI", 0, 16, 0, 2)


def index_block(entries: list[bytes], slack: bytes = b"", vcn: int = 0) -> bytes:
    """Return an index block with its update sequence in place; ``slack`` follows its last entry."""
    body = b"".join(entries) + END
    head = struct.pack("<4sHHQQ", b"INDX", 40, 9, 0, vcn)
    head += struct.pack("<IIII", HEADER - 24, HEADER - 24 + len(body), BLOCK - 24, 0)
    block = bytearray((head.ljust(HEADER, b"\0") + body + slack).ljust(BLOCK, b"\0"))
    assert len(block) == BLOCK
    return protected(block, 40)


def protected(block: bytearray, array: int) -> bytes:
    """Return a block whose sectors end in the mark of its update sequence."""
    block[array : array + 2] = b"\x07\0"
    for sector in range(len(block) // 512):
        end = 512 * (sector + 1)
        block[array + 2 + 2 * sector : array + 4 + 2 * sector] = block[end - 2 : end]
        block[end - 2 : end] = b"\x07\0"
    return bytes(block)


def add_directory(
    image: NtfsImage,
    number: int,
    name: str,
    cluster: int,
    blocks: list[bytes],
    *,
    flags: int = IN_USE | DIRECTORY,
    sequence: int = 1,
) -> None:
    """Add a directory whose index lies at a cluster."""
    runs = image.put(cluster, b"".join(blocks))
    index = mapped(0xA0, runs, len(blocks) * BLOCK, name="$I30", ident=4)
    image.add(number, times(), named(name), index, flags=flags, sequence=sequence)


def add_record_slack(image: NtfsImage, number: int, content: bytes) -> None:
    """Lay bytes behind the end of a record, in its second sector."""
    block = bytearray(image.records[number])
    place = max(520, (int.from_bytes(block[24:28], "little") + 7) // 8 * 8)
    assert place + len(content) < RECORD - 2
    block[place : place + len(content)] = content
    image.records[number] = bytes(block)


def change(
    number: int,
    sequence: int,
    name: str,
    parent: int,
    *,
    reason: int,
    at: int = FILETIME,
    parent_sequence: int = 1,
    attributes: int = 0x20,
    version: int = 2,
) -> bytes:
    """Return a record of the change journal."""
    text = name.encode("utf-16-le")
    references = [number | sequence << 48, parent | parent_sequence << 48]
    wide = struct.pack("<QQ", *references) if version == 2 else struct.pack("<QQQQ", references[0], 0, references[1], 0)
    place = 8 + len(wide) + 36
    rest = struct.pack("<QQIIIIHH", 0, at, reason, 0, 0, attributes, len(text), place)
    length = (place + len(text) + 7) // 8 * 8
    return (struct.pack("<IHH", length, version, 0) + wide + rest + text).ljust(length, b"\0")


def pages(*records: bytes) -> bytes:
    """Return the pages of a change journal; no record crosses from one to the next."""
    done, page = b"", b""
    for record in records:
        if len(page) + len(record) > BLOCK:
            done, page = done + page.ljust(BLOCK, b"\0"), b""
        page += record
    return done + page.ljust(BLOCK, b"\0")


def add_change_journal(
    image: NtfsImage, content: bytes, *, cluster: int = 100, number: int = 26, hole: int = 16
) -> None:
    """Add $Extend and the change journal, which starts with a hole."""
    image.add(11, times(), named("$Extend"), flags=IN_USE | DIRECTORY, sequence=11)
    runs = [(-1, hole), *image.put(cluster, content)]
    stream = mapped(0x80, runs, hole * BLOCK + len(content), name="$J", ident=3, flags=0x8000)
    image.add(number, times(), named("$UsnJrnl", 11, 11), stream)


class LogWriter:
    """Writes log records into pages one after the other, each with the sequence number its place demands."""

    PAGES, FIRST, ROOM = 24, 4, BLOCK - 64

    def __init__(self) -> None:
        self._stream = bytearray()

    def add(
        self,
        redo_code: int,
        undo_code: int,
        *,
        redo: bytes = b"",
        undo: bytes = b"",
        number: int = 0,
        place: int = 0,
        inside: int = 0,
        gap: int = 0,
    ) -> None:
        """Add the record of one operation on a record of the table, behind a gap."""
        self._stream += bytes(gap)
        start = len(self._stream)
        page, rest = divmod(start, self.ROOM)
        offset = (self.FIRST + page) * BLOCK + 64 + rest
        bits = (self.PAGES * BLOCK).bit_length() - 3
        vcn, block = divmod(number * RECORD, BLOCK)
        undo_place = (40 + len(redo) + 7) // 8 * 8
        codes = (redo_code, undo_code, 40, len(redo), undo_place, len(undo))
        client = struct.pack("<12HQQ", *codes, 24, 1, place, inside, block // 512, 2, vcn, 0)
        body = (client + redo).ljust(undo_place, b"\0") + undo
        body = body.ljust((len(body) + 7) // 8 * 8, b"\0")
        head = struct.pack("<QQQIIIIHHI", 3 << bits | offset >> 3, 0, 0, len(body), 0, 1, 24, 0, 0, 0)
        self._stream += head + body

    def build(self, copies: tuple[int, ...] = ()) -> bytes:
        """Return the log; of the pages in ``copies``, counted from 0, there are but copies at its start."""
        log = bytearray(self.PAGES * BLOCK)
        bits = (self.PAGES * BLOCK).bit_length() - 3
        for number, start in enumerate(range(0, len(self._stream), self.ROOM), self.FIRST):
            end = 3 << bits | (number * BLOCK + 64) >> 3
            head = struct.pack("<4sHH24xQ", b"RCRD", 40, 9, end).ljust(64, b"\0")
            page = (head + self._stream[start : start + self.ROOM]).ljust(BLOCK, b"\0")
            place = 2 + copies.index(number - self.FIRST) if number - self.FIRST in copies else number
            log[place * BLOCK : (place + 1) * BLOCK] = protected(bytearray(page), 40)
        return bytes(log)


def add_log(image: NtfsImage, log: LogWriter, cluster: int = 140, *, copies: tuple[int, ...] = ()) -> None:
    """Add the log file."""
    content = log.build(copies)
    image.add(2, times(), named("$LogFile"), mapped(0x80, image.put(cluster, content), len(content)), sequence=2)


def found(content: bytes, *capabilities: str) -> tuple[dict[str, Entry], list[Notice]]:
    """Return what the capabilities find, by address; the notices are those of all of them."""
    source = BytesSource(content)
    tree = FILESYSTEMS.get("ntfs").open(source, Keyring())
    records = [record for name in capabilities or CAPABILITIES for record in RECOVERIES.get(name).recover(source, tree)]
    entries = [record for record in records if isinstance(record, Entry)]
    assert len({entry.address for entry in entries}) == len(entries), "an address occurs twice"
    return {entry.address: entry for entry in entries}, [record for record in records if isinstance(record, Notice)]
