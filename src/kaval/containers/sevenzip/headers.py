"""The header of a 7z archive (7zFormat.txt of the LZMA SDK): folders, their coders, files; read, not interpreted.

Every count is checked against the bytes that are there before anything is made of it. Files are kept in columns, about
a hundred bytes each.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.sources import ByteSource

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
START_SIZE = 32
MAXIMUM_HEADER = 256 << 20
"""Bytes a header may have, packed or unpacked."""

STRUCTURE = "the 7z archive"
HEADER, ENCODED = 0x01, 0x17
_END, _ARCHIVE_PROPERTIES, _ADDITIONAL, _MAIN, _FILES = 0x00, 0x02, 0x03, 0x04, 0x05
_PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC, _FOLDER, _UNPACK_SIZE, _COUNT = 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D
_EMPTY_STREAM, _EMPTY_FILE, _ANTI, _NAMES, _CREATED, _ACCESSED, _MODIFIED, _ATTRIBUTES = range(0x0E, 0x16)
_MOST_CODERS = 32


class Coder(NamedTuple):
    """One step of a folder's packing: its method, its properties, its number of input streams."""

    method: bytes
    properties: bytes
    inputs: int


@dataclass(kw_only=True, slots=True)
class Folder:
    """One packed stream: its coders in the order in which bytes flow when it is unpacked, ``None`` if they branch."""

    coders: tuple[Coder, ...]
    chain: tuple[int, ...] | None
    main: int
    packed_count: int
    sizes: tuple[int, ...] = ()
    crc: int | None = None
    offset: int = 0
    packed_size: int = 0

    @property
    def size(self) -> int:
        """Number of bytes that come out in the end."""
        return self.sizes[self.main]


@dataclass(kw_only=True, slots=True)
class Listed:
    """The files of an archive in columns; ``streams`` are folder, place in it, size and CRC of those with content."""

    folders: list[Folder] = field(default_factory=list)
    streams: list[tuple[int, int, int, int | None]] = field(default_factory=list)
    count: int = 0
    names: list[str] = field(default_factory=list)
    is_empty: bytes = b""
    is_file: bytes = b""
    is_anti: bytes = b""
    times: dict[str, array[int]] = field(default_factory=dict)
    attributes: array[int] = field(default_factory=lambda: array("q"))


class Reader:
    """Takes numbers off the front of a header; at its end that is an error and never a zero."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    @property
    def left(self) -> int:
        return len(self.content) - self.place

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise CorruptStructureError(STRUCTURE, "its header ends early", self.place)
        self.place += length
        return self.content[self.place - length : self.place]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Return a number of one to nine bytes: as many leading ones as bytes follow."""
        first = self.byte()
        extra = next((count for count in range(8) if not first & 0x80 >> count), 8)
        low = int.from_bytes(self.take(extra), "little")
        return low if extra >= 7 else low | (first & (0x7F >> extra)) << 8 * extra

    def count(self, what: str, most: int) -> int:
        number = self.number()
        if number > most:
            raise CorruptStructureError(STRUCTURE, f"it counts {number} {what}", self.place)
        return number

    def expect(self, wanted: int) -> None:
        found = self.byte()
        if found != wanted:
            raise CorruptStructureError(STRUCTURE, f"the property {found:#04x} stands where {wanted:#04x} is due")

    def bits(self, count: int) -> bytes:
        """Return a vector of bits as bytes of 0 and 1."""
        packed = self.take((count + 7) // 8)
        return bytes(packed[number >> 3] >> (7 - (number & 7)) & 1 for number in range(count))

    def optional_bits(self, count: int) -> bytes:
        """Return a vector of bits that may be abbreviated to *all*."""
        return b"\x01" * count if self.byte() else self.bits(count)


def read_start(source: ByteSource) -> bytes:
    """Return the header as it lies in the archive, packed or not.

    Raises:
        CorruptStructureError: A checksum of the start or of the header is wrong.
        UnreadableError: The header lies behind the end of the source.
    """
    start = source.read_at(0, START_SIZE)
    if len(start) < START_SIZE or start[:6] != SIGNATURE:
        raise CorruptStructureError(STRUCTURE, "it does not start like one", 0)
    if zlib.crc32(start[12:32]) != int.from_bytes(start[8:12], "little"):
        raise CorruptStructureError(STRUCTURE, "the checksum of its start is wrong", 8)
    offset = START_SIZE + int.from_bytes(start[12:20], "little")
    size = int.from_bytes(start[20:28], "little")
    if not size:
        return b""
    if offset + size > source.size:
        reason = "the header stands at the end of the archive, which is cut short; no name can be told without it"
        raise UnreadableError(offset, size, reason)
    if size > MAXIMUM_HEADER:
        raise CorruptStructureError(STRUCTURE, f"its header has {size} bytes", 20)
    header = source.read_at(offset, size)
    if zlib.crc32(header) != int.from_bytes(start[28:32], "little"):
        raise CorruptStructureError(STRUCTURE, "the checksum of its header is wrong", offset)
    return header


def read_streams(reader: Reader) -> tuple[list[Folder], list[tuple[int, int, int, int | None]]]:
    """Return the folders, and of each stream in them folder, place, size and CRC (StreamsInfo)."""
    folders: list[Folder] = []
    packed: list[int] = []
    streams = None
    position = 0
    while (property_ := reader.byte()) != _END:
        if property_ == _PACK:
            position, packed = _read_pack_info(reader)
        elif property_ == _UNPACK:
            folders = _read_folders(reader)
        elif property_ == _SUBSTREAMS:
            streams = list(_read_substreams(reader, folders))
        else:
            raise CorruptStructureError(STRUCTURE, f"unknown property {property_:#04x} in its header", reader.place)
    _place_folders(folders, START_SIZE + position, packed)
    if streams is None:
        streams = [(number, 0, folder.size, folder.crc) for number, folder in enumerate(folders)]
    return folders, streams


def _place_folders(folders: list[Folder], offset: int, packed: list[int]) -> None:
    sizes = iter(packed)
    for folder in folders:
        own = [next(sizes, -1) for _ in range(folder.packed_count)]
        if -1 in own:
            raise CorruptStructureError(STRUCTURE, "it has fewer packed streams than its folders need")
        folder.offset, folder.packed_size = offset, own[0]
        offset += sum(own)


def _read_pack_info(reader: Reader) -> tuple[int, list[int]]:
    position = reader.number()
    count = reader.count("packed streams", reader.left)
    sizes: list[int] = [0] * count
    while (property_ := reader.byte()) != _END:
        if property_ == _SIZE:
            sizes = [reader.number() for _ in range(count)]
        elif property_ == _CRC:
            list(_read_crcs(reader, count))
        else:
            raise CorruptStructureError(STRUCTURE, f"unknown property {property_:#04x} of packed streams")
    return position, sizes


def _read_crcs(reader: Reader, count: int) -> Iterator[int | None]:
    for is_defined in reader.optional_bits(count):
        yield int.from_bytes(reader.take(4), "little") if is_defined else None


def _read_folders(reader: Reader) -> list[Folder]:
    reader.expect(_FOLDER)
    count = reader.count("folders", reader.left)
    _refuse_external(reader)
    folders = [_read_folder(reader) for _ in range(count)]
    reader.expect(_UNPACK_SIZE)
    for folder in folders:
        folder.sizes = tuple(reader.number() for _ in folder.coders)
    while (property_ := reader.byte()) != _END:
        if property_ != _CRC:
            raise CorruptStructureError(STRUCTURE, f"unknown property {property_:#04x} of folders")
        for folder, crc in zip(folders, _read_crcs(reader, count), strict=True):
            folder.crc = crc
    return folders


def _refuse_external(reader: Reader) -> None:
    if reader.byte():
        raise UnsupportedError("a 7z archive whose header lies in several pieces", "unpack it with 7-Zip")


def _read_folder(reader: Reader) -> Folder:
    coders = tuple(_read_coder(reader) for _ in range(reader.count("coders", _MOST_CODERS)))
    if not coders:
        raise CorruptStructureError(STRUCTURE, "a folder has no coder", reader.place)
    inputs = sum(coder.inputs for coder in coders)
    bonds = [(reader.number(), reader.number()) for _ in range(len(coders) - 1)]
    packed_count = inputs - len(bonds)
    if packed_count < 1:
        raise CorruptStructureError(STRUCTURE, "a folder has no packed stream", reader.place)
    for _ in range(packed_count if packed_count > 1 else 0):
        reader.number()
    bound = {output for _, output in bonds}
    mains = [number for number in range(len(coders)) if number not in bound]
    if len(mains) != 1 or len(bound) != len(bonds):
        raise CorruptStructureError(STRUCTURE, "the coders of a folder are bound in no possible way", reader.place)
    chain = _chain(mains[0], bonds, len(coders)) if inputs == len(coders) else None
    return Folder(coders=coders, chain=chain, main=mains[0], packed_count=packed_count)


def _chain(main: int, bonds: list[tuple[int, int]], count: int) -> tuple[int, ...]:
    """Return the coders, which have one input each, in the order in which bytes flow."""
    feeding = dict(bonds)
    chain = [main]
    while chain[-1] in feeding and len(chain) <= count:
        chain.append(feeding[chain[-1]])
    if len(chain) != count or len(set(chain)) != count or max(chain) >= count:
        raise CorruptStructureError(STRUCTURE, "the coders of a folder are bound in no possible way")
    return tuple(reversed(chain))


def _read_coder(reader: Reader) -> Coder:
    flags = reader.byte()
    method = reader.take(flags & 15) or b"\0"
    inputs = 1
    if flags & 0x10:
        inputs, outputs = reader.count("streams", _MOST_CODERS), reader.count("streams", _MOST_CODERS)
        if outputs != 1:
            raise UnsupportedError("a 7z archive with a coder of several outputs", "unpack it with 7-Zip")
    if flags & 0x80:
        raise UnsupportedError("a 7z archive with alternative coders", "unpack it with 7-Zip")
    properties = reader.take(reader.number()) if flags & 0x20 else b""
    return Coder(method, properties, inputs)


def _read_substreams(reader: Reader, folders: list[Folder]) -> Iterator[tuple[int, int, int, int | None]]:
    counts = [1] * len(folders)
    property_ = reader.byte()
    if property_ == _COUNT:
        counts = [reader.count("streams in a folder", len(reader.content)) for _ in folders]
        property_ = reader.byte()
    if sum(counts) > len(reader.content):
        raise CorruptStructureError(STRUCTURE, f"it counts {sum(counts)} streams")
    sizes: list[list[int]] = []
    for folder, count in zip(folders, counts, strict=True):
        own = [reader.number() for _ in range(count - 1)] if property_ == _SIZE else [0] * (count - 1)
        if sum(own) > folder.size:
            raise CorruptStructureError(STRUCTURE, "the streams of a folder are longer than it is", reader.place)
        sizes.append([*own, folder.size - sum(own)] if count else [])
    property_ = reader.byte() if property_ == _SIZE else property_
    unknown = sum(count for folder, count in zip(folders, counts, strict=True) if count != 1 or folder.crc is None)
    crcs: Iterator[int | None] = iter(())
    while property_ != _END:
        if property_ != _CRC:
            raise CorruptStructureError(STRUCTURE, f"unknown property {property_:#04x} of streams", reader.place)
        crcs = iter(list(_read_crcs(reader, unknown)))
        property_ = reader.byte()
    for number, (folder, own) in enumerate(zip(folders, sizes, strict=True)):
        place = 0
        for size in own:
            known = folder.crc if len(own) == 1 else None
            yield number, place, size, known if known is not None else next(crcs, None)
            place += size


def read_listed(content: bytes) -> Listed:
    """Return what an unpacked header lists."""
    reader = Reader(content)
    listed = Listed()
    reader.expect(HEADER)
    while (property_ := reader.byte()) != _END:
        if property_ == _ARCHIVE_PROPERTIES:
            while reader.byte() != _END:
                reader.take(reader.number())
        elif property_ == _ADDITIONAL:
            raise UnsupportedError("a 7z archive whose header lies in several pieces", "unpack it with 7-Zip")
        elif property_ == _MAIN:
            listed.folders, listed.streams = read_streams(reader)
        elif property_ == _FILES:
            _read_files(reader, listed)
        else:
            raise CorruptStructureError(STRUCTURE, f"unknown property {property_:#04x} in its header", reader.place)
    return listed


def _read_files(reader: Reader, listed: Listed) -> None:
    listed.count = count = reader.count("files", reader.left)
    listed.is_empty = listed.is_file = listed.is_anti = bytes(count)
    while (property_ := reader.byte()) != _END:
        part = Reader(reader.take(reader.number()))
        if property_ == _EMPTY_STREAM:
            listed.is_empty = part.bits(count)
        elif property_ in (_EMPTY_FILE, _ANTI):
            spread = _spread(part.bits(sum(listed.is_empty)), listed.is_empty)
            if property_ == _EMPTY_FILE:
                listed.is_file = spread
            else:
                listed.is_anti = spread
        elif property_ == _NAMES:
            _refuse_external(part)
            listed.names = _read_names(part, count)
        elif property_ in (_CREATED, _ACCESSED, _MODIFIED):
            kind = {_CREATED: "created", _ACCESSED: "accessed", _MODIFIED: "modified"}[property_]
            listed.times[kind] = _read_column(part, count, 8)
        elif property_ == _ATTRIBUTES:
            listed.attributes = _read_column(part, count, 4)


def _spread(values: bytes, places: bytes) -> bytes:
    """Return the bits of the files without a stream as bits of all files."""
    following = iter(values)
    return bytes(next(following) if is_empty else 0 for is_empty in places)


def _read_names(reader: Reader, count: int) -> list[str]:
    text = reader.take(reader.left)
    names = text[: len(text) // 2 * 2].decode("utf-16-le", "surrogatepass").split("\0")
    if len(names) - 1 != count:
        raise CorruptStructureError(STRUCTURE, f"it counts {count} files and gives {len(names) - 1} names")
    return names[:count]


def _read_column(reader: Reader, count: int, width: int) -> array[int]:
    """Return a number for each file, -1 where none is stored."""
    defined = reader.optional_bits(count)
    _refuse_external(reader)
    content = reader.take(width * sum(defined))
    numbers = (int.from_bytes(content[place : place + width], "little") for place in range(0, len(content), width))
    return array("q", (min(next(numbers), (1 << 63) - 1) if is_defined else -1 for is_defined in defined))
