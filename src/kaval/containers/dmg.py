"""Apple disk images (UDIF): the trailer ``koly``, its property list, and the block lists (``mish``) in that.

Apple publishes no specification; read by what is documented of it (libmodi, "Mac OS disk image format"). Encrypted
images are told as locked; images in several segments, sparse images and sparse bundles are not read here.
"""

from __future__ import annotations

import plistlib
import struct
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple
from xml.parsers.expat import ExpatError

from kaval.containers import CONTAINERS
from kaval.containers.blockcodecs import Codec, unadc, unbzip2, unlzfse, unxz, unzlib
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LockedError, UnreadableError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

SECTOR = 512
CACHE_SIZE = 8 << 20
MAXIMUM_CHUNK = 64 << 20
MAXIMUM_LIST = 64 << 20
MAXIMUM_CHUNKS = 1 << 24

_TRAILER = struct.Struct(">4sIIIQQQQQII")
_LIST = struct.Struct(">4sIQQQ")
_CHUNK = struct.Struct(">IIQQQQ")
_ZERO, _RAW, _IGNORED, _REMARK, _END = 0, 1, 2, 0x7FFFFFFE, 0xFFFFFFFF
_CODECS: dict[int, tuple[str, Codec]] = {
    0x80000004: ("ADC", unadc),
    0x80000005: ("zlib", unzlib),
    0x80000006: ("bzip2", unbzip2),
    0x80000007: ("LZFSE", unlzfse),
    0x80000008: ("LZMA", unxz),
}
_FOREIGN_ERRORS = (ValueError, ExpatError, AttributeError, IndexError, TypeError, OverflowError, RecursionError)


class Chunk(NamedTuple):
    """One chunk: which bytes of the disk it gives, and where it is stored."""

    start: int
    size: int
    kind: int
    offset: int
    stored_size: int


class UdifSource:
    """The decoded bytes of a disk image, chunk by chunk."""

    def __init__(self, source: ByteSource, chunks: list[Chunk], size: int, title: str) -> None:
        self._source = source
        self._chunks = chunks
        self._starts = [chunk.start for chunk in chunks]
        self._size = size
        self._title = title
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._held = 0

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        parts = []
        while offset < end:
            number = bisect_right(self._starts, offset) - 1
            chunk = self._chunks[number] if number >= 0 else None
            if chunk is None or offset >= chunk.start + chunk.size:
                raise UnreadableError(offset, end - offset, f"no block list of {self._title} says where it is stored")
            following = self._starts[number + 1] if number + 1 < len(self._starts) else self._size
            stop = min(end, chunk.start + chunk.size, following)
            parts.append(self._part(number, chunk, offset, stop))
            offset = stop
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, number: int, chunk: Chunk, offset: int, stop: int) -> bytes:
        if chunk.kind in (_ZERO, _IGNORED):
            return bytes(stop - offset)
        if chunk.kind == _RAW:
            return self._stored(chunk, offset - chunk.start, stop - offset)
        return self._decoded(number, chunk)[offset - chunk.start : stop - chunk.start]

    def _stored(self, chunk: Chunk, skipped: int, length: int) -> bytes:
        stored = self._source.read_at(chunk.offset + skipped, length)
        if len(stored) < length:
            reason = f"{self._title} ends before the chunk that should stand at its byte {chunk.offset}"
            raise UnreadableError(chunk.start + skipped, length, reason)
        return stored

    def _decoded(self, number: int, chunk: Chunk) -> bytes:
        kept = self._cache.get(number)
        if kept is not None:
            self._cache.move_to_end(number)
            return kept
        name, decode = _CODECS[chunk.kind]
        decoded = decode(self._stored(chunk, 0, chunk.stored_size), chunk.size)
        if decoded is None or len(decoded) < chunk.size:
            reason = f"the {name} chunk at byte {chunk.offset} of {self._title} cannot be decoded"
            raise UnreadableError(chunk.start, chunk.size, reason)
        self._held += len(decoded)
        while self._cache and self._held > CACHE_SIZE:
            self._held -= len(self._cache.popitem(last=False)[1])
        self._cache[number] = decoded
        return decoded


@CONTAINERS.register
class Dmg:
    """An Apple disk image."""

    name: ClassVar[str] = "dmg"
    title: ClassVar[str] = "Apple disk image (UDIF)"
    rank: ClassVar[int] = 160
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        tail = source.read_at(source.size - SECTOR, SECTOR) if source.size >= SECTOR else b""
        return tail[:4] == b"koly" or tail[-8:] == b"cdsaencr" or source.read_at(0, 8) == b"encrcdsa"

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        title = f"the disk image {name}"
        trailer = source.read_at(source.size - SECTOR, SECTOR)
        if trailer[:4] != b"koly":
            raise LockedError(title, "it is encrypted; decrypt it with hdiutil and its passphrase, and examine that")
        fields = _TRAILER.unpack_from(trailer)
        base, segments = fields[5], fields[10]
        if segments > 1:
            raise UnsupportedError(f"{title} in {segments} segments", "join them with hdiutil convert -format UDTO")
        sectors = int.from_bytes(trailer[492:500], "big")
        chunks = _chunks(source, trailer, base, title)
        size = sectors * SECTOR or max((chunk.start + chunk.size for chunk in chunks), default=0)
        if not 0 < size <= 1 << 60:
            raise CorruptStructureError(title, f"it claims {sectors} sectors", source.size - 20)
        notices = []
        ignored = sum(chunk.size for chunk in chunks if chunk.kind == _IGNORED)
        if ignored:
            message = f"{ignored} bytes of free space were left out when {title} was made; they read as zeros"
            notices.append(Notice(code=NoticeCode.SKIPPED, message=message, structure="UDIF block list"))
        methods = {_CODECS[chunk.kind][0] for chunk in chunks if chunk.kind in _CODECS}
        facts = {"compression": ", ".join(sorted(methods)) or "none"}
        return Opened(source=UdifSource(source, chunks, size, title), facts=facts, notices=tuple(notices))


def _chunks(source: ByteSource, trailer: bytes, base: int, title: str) -> list[Chunk]:
    """Return all chunks of all block lists, in the order of the disk."""
    offset, length = struct.unpack_from(">QQ", trailer, 216)
    if not 0 < length <= MAXIMUM_LIST or offset + length > source.size:
        raise CorruptStructureError(title, f"its property list of {length} bytes cannot be there", offset)
    try:
        listed = plistlib.loads(source.read_at(offset, length), fmt=plistlib.FMT_XML)
        blocks = [entry["Data"] for entry in listed["resource-fork"]["blkx"]]
    except KeyError as error:
        raise CorruptStructureError(title, f"its property list has no {error}", offset) from error
    except _FOREIGN_ERRORS as error:
        raise CorruptStructureError(title, f"its property list cannot be read ({error})", offset) from error
    chunks: list[Chunk] = []
    for block in blocks:
        chunks.extend(_of_list(block, base, title, offset))
        if len(chunks) > MAXIMUM_CHUNKS:
            raise CorruptStructureError(title, f"its block lists have more than {MAXIMUM_CHUNKS} chunks", offset)
    return sorted(chunks, key=lambda chunk: chunk.start)


def _of_list(block: Any, base: int, title: str, offset: int) -> Iterator[Chunk]:
    if not isinstance(block, bytes) or len(block) < 204 or block[:4] != b"mish":
        raise CorruptStructureError(title, "a block list of it is none", offset)
    first, added = _LIST.unpack_from(block)[2], _LIST.unpack_from(block)[4]
    count = int.from_bytes(block[200:204], "big")
    if 204 + count * _CHUNK.size > len(block):
        raise CorruptStructureError(title, f"a block list of it claims {count} chunks, which it cannot hold", offset)
    for number in range(count):
        kind, _, sector, sectors, at, stored = _CHUNK.unpack_from(block, 204 + number * _CHUNK.size)
        if kind in (_REMARK, _END) or not sectors:
            continue
        if kind not in _CODECS and kind not in (_ZERO, _RAW, _IGNORED):
            raise UnsupportedError(f"{title} with chunks of kind {kind:#x}", "convert it with hdiutil to UDTO")
        size = sectors * SECTOR
        if kind in _CODECS and not (size <= MAXIMUM_CHUNK and stored <= 2 * size + 65536):
            raise CorruptStructureError(title, f"a chunk of it claims {stored} bytes for {size}", offset)
        yield Chunk((first + sector) * SECTOR, size, kind, base + added + at, stored)
