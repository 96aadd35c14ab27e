"""Decoders: one interface over zlib, ISA-L, bz2, lzma and Zstandard, and the gzip format read here.

A decoder is fed blocks and gives at most so many bytes at once. Those of deflate and gzip can be copied when they are
asked to be; the faster ones cannot, nor those of the other formats once they have begun.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from kaval.core.errors import LimitExceededError, UnavailableError

MEMORY_LIMIT = 256 << 20
"""What an LZMA or XZ decoder may allocate for its dictionary."""

MAXIMUM_WINDOW_BITS = 27
"""Two to this many bytes is what a Zstandard decoder may allocate for its window."""

SKIPPABLE = range(0x184D2A50, 0x184D2A60)
"""First four bytes of frames that hold no content (RFC 8878, 3.1.2)."""

FOREIGN_ERRORS = (lzma.LZMAError, OSError, EOFError, ValueError)
"""What a decoder raises for bytes that it cannot decode."""

_ZSTANDARD_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_HEAD = 1 << 18


class Codec(StrEnum):
    """How a stream is compressed; grammar: the name of the format."""

    DEFLATE = "deflate"
    ZLIB = "zlib"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    LZMA_ALONE = "lzma"
    ZIP_LZMA = "zip-lzma"
    ZSTANDARD = "zstd"


MULTIPLE = frozenset({Codec.GZIP, Codec.BZIP2, Codec.XZ, Codec.ZSTANDARD})
"""Formats whose streams may follow one another and are then read as one."""


class Decoder(Protocol):
    """What all decoders are brought to: feed, at most so many bytes out, ``tail`` is what was not taken."""

    @property
    def eof(self) -> bool: ...

    @property
    def tail(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decode(self, block: bytes, maximum: int) -> bytes: ...

    def copy(self) -> Decoder | None: ...


class _Zlib:
    """zlib, and what has its interface; ISA-L is twice as fast and cannot be copied.

    Both may hold back decoded bytes when as many as were asked for were given.
    """

    def __init__(self, decoder: Any, error: type[Exception] = zlib.error) -> None:
        self._decoder = decoder
        self._error = error
        self.eof = False
        self.tail = b""
        self.needs_input = True

    def decode(self, block: bytes, maximum: int) -> bytes:
        try:
            decoded: bytes = self._decoder.decompress(block, maximum)
        except self._error as error:
            raise ValueError(str(error)) from error
        self.eof = self._decoder.eof
        self.tail = self._decoder.unused_data if self.eof else self._decoder.unconsumed_tail
        self.needs_input = len(decoded) < maximum
        return decoded

    def copy(self) -> _Zlib | None:
        if not hasattr(self._decoder, "copy"):
            return None
        twin = _Zlib(self._decoder.copy())
        twin.eof, twin.tail, twin.needs_input = self.eof, self.tail, self.needs_input
        return twin


class _Gzip:
    """One gzip member (RFC 1952): its head, a deflate stream, and what it should come to.

    All that was decoded is given before a wrong checksum is an error; zlib, reading the format itself, keeps it back.
    """

    def __init__(self, make: Callable[[], _Zlib]) -> None:
        self._make = make
        self._raw: _Zlib | None = None
        self._head = self._trailer = b""
        self._crc = self._length = 0
        self._problem = ""
        self.eof = False
        self.tail = b""
        self.needs_input = True

    def decode(self, block: bytes, maximum: int) -> bytes:
        if self._problem:
            raise ValueError(self._problem)
        if self._raw is None:
            self._head += block
            start = _gzip_head_size(self._head)
            if start is None:
                return b""
            self._raw, block, self._head = self._make(), self._head[start:], b""
        decoded = b""
        if not self._raw.eof:
            decoded = self._raw.decode(block, maximum)
            self._crc = crc32(decoded, self._crc)
            self._length += len(decoded)
            self.tail, self.needs_input = self._raw.tail, self._raw.needs_input
            if not self._raw.eof:
                return decoded
            block = self.tail
        self._finish(block)
        return decoded

    def _finish(self, block: bytes) -> None:
        self._trailer += block
        self.tail, self.needs_input = self._trailer[8:], len(self._trailer) < 8
        if self.needs_input:
            return
        crc, length = int.from_bytes(self._trailer[:4], "little"), int.from_bytes(self._trailer[4:8], "little")
        if crc != self._crc:
            self._problem = f"its CRC-32 is {self._crc:08x}, stored is {crc:08x}"
        elif length != self._length & 0xFFFFFFFF:
            self._problem = f"it holds {self._length} bytes, stored is {length}"
        self.eof = not self._problem

    def copy(self) -> Decoder | None:
        raw = self._raw.copy() if self._raw is not None else None
        if self._raw is not None and raw is None:
            return None
        twin = _Gzip(self._make)
        twin.__dict__.update(self.__dict__)
        twin._raw = raw
        return twin


def _gzip_head_size(head: bytes) -> int | None:
    """Return how long the head of a gzip member is, ``None`` while it is not all there (RFC 1952, 2.3)."""
    if not b"\x1f\x8b\x08".startswith(head[:3]) or len(head) > _LONGEST_HEAD or (len(head) > 3 and head[3] & 0xE0):
        raise ValueError("it has no gzip head")
    if len(head) < 12:
        return None
    place = 10
    if head[3] & 4:
        place += 2 + int.from_bytes(head[10:12], "little")
    for bit in (8, 16):
        if head[3] & bit:
            place = head.find(b"\0", place) + 1
            if not place:
                return None
    place += 2 if head[3] & 2 else 0
    return place if place <= len(head) else None


class Streaming:
    """bz2, lzma and zstd: they keep what they were given, and say when they need more.

    Only one that has not begun can be copied. ``errors`` are the library's own, which fit no builtin.
    """

    def __init__(self, make: Callable[[], Any], errors: type[Exception] = ValueError) -> None:
        self._make = make
        self._errors = errors
        self._decoder = make()
        self._begun = False
        self.eof = False
        self.tail = b""

    def decode(self, block: bytes, maximum: int) -> bytes:
        self._begun = True
        try:
            decoded: bytes = self._decoder.decompress(block, maximum)
        except self._errors as error:
            raise ValueError(str(error)) from error
        self.eof = self._decoder.eof
        self.tail = self._decoder.unused_data if self.eof else b""
        return decoded

    def copy(self) -> Decoder | None:
        return None if self._begun else Streaming(self._make, self._errors)

    @property
    def needs_input(self) -> bool:
        return self.eof or bool(self._decoder.needs_input)


class _ZipLzma:
    """LZMA as ZIP stores it: a short header with the properties stands first (APPNOTE 5.8.8)."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: Streaming | None = None
        self.eof = False
        self.tail = b""

    def decode(self, block: bytes, maximum: int) -> bytes:
        if self._inner is None:
            self._head += block
            if len(self._head) < 4:
                return b""
            length = int.from_bytes(self._head[2:4], "little")
            if length != 5:
                raise ValueError(f"LZMA properties of {length} bytes")
            if len(self._head) < 9:
                return b""
            properties = self._head[4:9]
            self._inner = Streaming(lambda: raw_lzma(properties))
            block = self._head[9:]
        decoded = self._inner.decode(block, maximum)
        self.eof, self.tail = self._inner.eof, self._inner.tail
        return decoded

    def copy(self) -> Decoder | None:
        return None

    @property
    def needs_input(self) -> bool:
        return self._inner is None or self._inner.needs_input


def raw_lzma(properties: bytes) -> lzma.LZMADecompressor:
    first, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
    if first >= 9 * 5 * 5:
        raise ValueError("impossible LZMA properties")
    if dictionary > MEMORY_LIMIT:
        raise LimitExceededError("memory", MEMORY_LIMIT, f"the stream asks for a dictionary of {dictionary} bytes")
    chosen = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(dictionary, 4096),
        "lc": first % 9,
        "lp": first // 9 % 5,
        "pb": first // 45,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chosen])


def _zstd() -> Decoder:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        options = {module.DecompressionParameter.window_log_max: MAXIMUM_WINDOW_BITS}
        return Streaming(partial(module.ZstdDecompressor, options=options), module.ZstdError)
    raise UnavailableError("zstd", "backports.zstd is not installed")


def _zlib(window_bits: int = -15) -> _Zlib:
    return _Zlib(zlib.decompressobj(window_bits))


# Where ISA-L is missing the capabilities that need it say so; this module can be loaded all the same.
try:
    _ISAL: Any = importlib.import_module("isal.isal_zlib")
except ImportError:
    _ISAL = None

crc32: Callable[[bytes, int], int] = zlib.crc32 if _ISAL is None else _ISAL.crc32
"""The CRC-32 of bytes, going on from that of those before them."""


def _fast(window_bits: int = -15) -> _Zlib:
    return _zlib(window_bits) if _ISAL is None else _Zlib(_ISAL.decompressobj(window_bits), _ISAL.error)


_FAST: dict[Codec, Callable[[], Decoder]] = {
    Codec.DEFLATE: _fast,
    Codec.ZLIB: partial(_fast, 15),
    Codec.GZIP: lambda: _Gzip(_fast),
}

_MAKERS: dict[Codec, Callable[[], Decoder]] = {
    Codec.DEFLATE: _zlib,
    Codec.ZLIB: partial(_zlib, 15),
    Codec.GZIP: lambda: _Gzip(_zlib),
    Codec.BZIP2: lambda: Streaming(bz2.BZ2Decompressor),
    Codec.XZ: lambda: Streaming(partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, memlimit=MEMORY_LIMIT)),
    Codec.LZMA_ALONE: lambda: Streaming(partial(lzma.LZMADecompressor, lzma.FORMAT_ALONE, memlimit=MEMORY_LIMIT)),
    Codec.ZIP_LZMA: _ZipLzma,
    Codec.ZSTANDARD: _zstd,
}


def new_decoder(codec: Codec, copied: bool) -> Decoder:
    """Return a decoder at the start of a stream; ``copied`` asks for one that can be copied, where there is one."""
    return (_MAKERS if copied else _FAST).get(codec, _MAKERS[codec])()


def codec_of(head: bytes) -> Codec | None:
    """Return how a stand-alone stream that starts like this is compressed, ``None`` if it is none known."""
    if head[:3] == b"\x1f\x8b\x08":
        return Codec.GZIP
    if head[:3] == b"BZh" and head[3:4] in b"123456789" and head[3:4]:
        return Codec.BZIP2
    if head[:6] == b"\xfd7zXZ\x00":
        return Codec.XZ
    if head[:4] == _ZSTANDARD_MAGIC:
        return Codec.ZSTANDARD
    if int.from_bytes(head[:4], "little") in SKIPPABLE and len(head) >= 8:
        after = 8 + int.from_bytes(head[4:8], "little")
        return Codec.ZSTANDARD if head[after : after + 4] == _ZSTANDARD_MAGIC else None
    return None
