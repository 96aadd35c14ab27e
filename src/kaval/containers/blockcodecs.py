"""Block codecs: one compressed block to bytes, never more than asked for; ``None`` where it is damaged or cut off.

Deflate is decoded by ISA-L, which is faster than zlib; what it refuses is tried with zlib before it is called damaged.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from isal import isal_zlib

from kaval.core.errors import UnavailableError

Codec = Callable[[Any, int], bytes | None]
"""Takes the stored bytes and how many decoded ones are expected at most."""

ISAL_ERROR: type[Exception] = isal_zlib.IsalError  # type: ignore[assignment]  # its stub calls the class an instance
LZMA_MEMORY = 128 << 20


def unzlib(stored: Any, size: int) -> bytes | None:
    """Return a zlib stream decoded whose checksum matches; ``None`` also where it gives more than ``size`` bytes."""
    decoder = isal_zlib.decompressobj()
    with suppress(ISAL_ERROR):
        decoded: bytes = decoder.decompress(stored, size + 1)
        if decoder.eof:
            return decoded if len(decoded) <= size else None
    slow = zlib.decompressobj()
    with suppress(zlib.error):
        decoded = slow.decompress(stored, size + 1)
        return decoded if slow.eof and len(decoded) <= size else None
    return None


def undeflate(stored: Any, size: int) -> bytes | None:
    """Return exactly ``size`` bytes of a deflate stream without head and checksum."""
    with suppress(ISAL_ERROR):
        decoded: bytes = isal_zlib.decompressobj(-15).decompress(stored, size)
        if len(decoded) == size:
            return decoded
    with suppress(zlib.error):
        decoded = zlib.decompressobj(-15).decompress(stored, size)
        return decoded if len(decoded) == size else None
    return None


def unbzip2(stored: Any, size: int) -> bytes | None:
    """Return a bzip2 stream decoded."""
    decoder = bz2.BZ2Decompressor()
    with suppress(OSError, EOFError, ValueError):
        decoded = decoder.decompress(bytes(stored), size + 1)
        return decoded if decoder.eof and len(decoded) <= size else None
    return None


def unxz(stored: Any, size: int) -> bytes | None:
    """Return an XZ or LZMA stream decoded."""
    with suppress(lzma.LZMAError, EOFError, ValueError):
        decoder = lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
        decoded = decoder.decompress(bytes(stored), size + 1)
        return decoded if len(decoded) <= size else None
    return None


def unzstd(stored: Any, size: int) -> bytes | None:
    """Return exactly ``size`` bytes of a Zstandard frame.

    Raises:
        UnavailableError: There is no library that decodes it.
    """
    module: Any = None
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            module = importlib.import_module(name)
            break
    if module is None:
        raise UnavailableError("Zstandard", "backports.zstd is not installed")
    decoder = module.ZstdDecompressor(options={module.DecompressionParameter.window_log_max: 27})
    with suppress(module.ZstdError, EOFError):
        decoded: bytes = decoder.decompress(bytes(stored), size)
        return decoded if len(decoded) == size else None
    return None


def unsnappy(stored: Any, size: int) -> bytes | None:
    """Return a Snappy block decoded; its first bytes say how many bytes it gives."""
    import pyarrow

    wanted, shift = 0, 0
    for byte in bytes(stored[:5]):
        wanted |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if not 0 < wanted <= size:
        return None
    return _arrow(pyarrow.Codec("snappy"), stored, wanted)


def unlz4(stored: Any, size: int) -> bytes | None:
    """Return exactly ``size`` bytes of an LZ4 block."""
    import pyarrow

    return _arrow(pyarrow.Codec("lz4_raw"), stored, size)


def _arrow(codec: Any, stored: Any, size: int) -> bytes | None:
    """Return what a codec of Arrow makes of a block; it fails with OSError or a ValueError of its own."""
    with suppress(OSError, ValueError):
        decoded: bytes = codec.decompress(stored, decompressed_size=size, asbytes=True)
        return decoded if len(decoded) == size else None
    return None


def unadc(stored: Any, size: int) -> bytes | None:
    """Return a block of Apple Data Compression decoded: literals, and matches near and far."""
    block = bytes(stored)
    decoded = bytearray()
    place = 0
    with suppress(IndexError):
        while place < len(block) and len(decoded) < size:
            mark = block[place]
            if mark & 0x80:
                length = (mark & 0x7F) + 1
                decoded += block[place + 1 : place + 1 + length]
                place += 1 + length
                continue
            if mark & 0x40:
                length, distance = (mark & 0x3F) + 4, (block[place + 1] << 8 | block[place + 2]) + 1
                place += 3
            else:
                length, distance = (mark >> 2 & 0x0F) + 3, ((mark & 3) << 8 | block[place + 1]) + 1
                place += 2
            if distance > len(decoded):
                return None
            start = len(decoded) - distance
            repeated = decoded[start : start + length]
            decoded += (repeated * (length // len(repeated) + 1))[:length]
        return bytes(decoded) if len(decoded) == size else None
    return None


def unlzfse(stored: Any, size: int) -> bytes | None:
    """Return an LZFSE block decoded, whose head must not claim more than ``size`` bytes."""
    from dissect.util.compression import lzfse

    block = bytes(stored)
    if block[:3] != b"bvx" or int.from_bytes(block[4:8], "little") > size:
        return None
    with suppress(ValueError, EOFError, IndexError, TypeError, OverflowError, struct.error):
        decoded: bytes = lzfse.decompress(block)
        return decoded if len(decoded) == size else None
    return None
