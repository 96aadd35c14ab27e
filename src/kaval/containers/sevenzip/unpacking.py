"""How the folders of a 7z archive are packed (Methods.txt of the LZMA SDK), and which of it is unpacked here.

Read: Copy, LZMA, LZMA2, Deflate, bzip2, Zstandard, with Delta and branch filters (x86, ARM, ARM Thumb, PowerPC, IA-64,
SPARC) behind them. Not read, and told: PPMd, Deflate64, BCJ2, ARM64, Brotli, LZ4, and all that is encrypted.
"""

from __future__ import annotations

import importlib
import lzma
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from kaval.containers.decoders import FOREIGN_ERRORS, MEMORY_LIMIT, Codec, Decoder, Streaming, new_decoder, raw_lzma
from kaval.containers.inflate import CheckpointedSource
from kaval.containers.sevenzip.headers import STRUCTURE, Coder, Folder
from kaval.core.errors import (
    CorruptStructureError,
    LimitExceededError,
    LockedError,
    UnavailableError,
    UnsupportedError,
)
from kaval.core.sources import ByteSource, SliceSource

COPY: Final = b"\0"
DELTA: Final = b"\x03"
LZMA: Final = b"\x03\x01\x01"
LZMA2: Final = b"\x21"
AES: Final = b"\x06\xf1\x07\x01"
_CODECS: Final = {b"\x04\x01\x08": Codec.DEFLATE, b"\x04\x02\x02": Codec.BZIP2, b"\x04\xf7\x11\x01": Codec.ZSTANDARD}
_BRANCHES: Final = {
    b"\x04": (lzma.FILTER_X86, "BCJDecoder"),
    b"\x05": (lzma.FILTER_POWERPC, "PPCDecoder"),
    b"\x06": (lzma.FILTER_IA64, "IA64Decoder"),
    b"\x07": (lzma.FILTER_ARM, "ARMDecoder"),
    b"\x08": (lzma.FILTER_ARMTHUMB, "ARMTDecoder"),
    b"\x09": (lzma.FILTER_SPARC, "SparcDecoder"),
    b"\x03\x03\x01\x03": (lzma.FILTER_X86, "BCJDecoder"),
    b"\x03\x03\x02\x05": (lzma.FILTER_POWERPC, "PPCDecoder"),
    b"\x03\x03\x04\x01": (lzma.FILTER_IA64, "IA64Decoder"),
    b"\x03\x03\x05\x01": (lzma.FILTER_ARM, "ARMDecoder"),
    b"\x03\x03\x07\x01": (lzma.FILTER_ARMTHUMB, "ARMTDecoder"),
    b"\x03\x03\x08\x05": (lzma.FILTER_SPARC, "SparcDecoder"),
}
_NAMES: Final = {
    COPY: "Copy",
    DELTA: "Delta",
    LZMA: "LZMA",
    LZMA2: "LZMA2",
    AES: "AES-256",
    b"\x04\x01\x08": "Deflate",
    b"\x04\x01\x09": "Deflate64",
    b"\x04\x02\x02": "bzip2",
    b"\x04\xf7\x11\x01": "Zstandard",
    b"\x04\xf7\x11\x02": "Brotli",
    b"\x04\xf7\x11\x04": "LZ4",
    b"\x03\x04\x01": "PPMd",
    b"\x03\x03\x01\x1b": "BCJ2",
    b"\x0a": "ARM64",
    b"\x0b": "RISC-V",
}


def method_name(method: bytes) -> str:
    """Return what the format calls a method."""
    return "branch filter" if method in _BRANCHES else _NAMES.get(method, f"method {method.hex()}")


def is_encrypted(folder: Folder) -> bool:
    """Whether a passphrase is needed for a folder."""
    return any(coder.method == AES for coder in folder.coders)


def is_stored(folder: Folder) -> bool:
    """Whether the bytes of a folder lie in the archive as they are."""
    return [coder.method for coder in folder.coders] == [COPY] and folder.packed_size == folder.size


def open_folder_stream(source: ByteSource, folder: Folder) -> ByteSource:
    """Return the unpacked bytes of a folder.

    Raises:
        LockedError: It is encrypted.
        UnsupportedError: It is packed by a method that is not read here.
        LimitExceededError: Unpacking takes more memory than is allowed.
    """
    if is_encrypted(folder):
        raise LockedError("a part of the 7z archive", "it is encrypted; the passphrase it was made with is needed")
    if is_stored(folder):
        return SliceSource(source, folder.offset, folder.size)
    if folder.chain is None:
        methods = ", ".join(method_name(coder.method) for coder in folder.coders)
        raise UnsupportedError(f"a 7z archive packed by {methods}", "unpack it with 7-Zip")
    make = _maker([folder.coders[number] for number in folder.chain], folder.size)
    try:
        make(False)
    except FOREIGN_ERRORS as error:
        raise CorruptStructureError(STRUCTURE, f"no decoder can be made for a part of it: {error}") from error
    return CheckpointedSource(
        source,
        make,
        offset=folder.offset,
        compressed_size=folder.packed_size,
        size=folder.size,
        title=STRUCTURE,
        ends_at_size=True,
    )


def _maker(coders: list[Coder], size: int) -> Callable[[bool], Decoder]:
    """Return what makes the decoder of a chain: the first coder unpacks, those behind it only filter."""
    first, *filters = coders
    if first.method == LZMA2 and all(coder.method == DELTA or coder.method in _BRANCHES for coder in filters):
        return partial(_native, first, tuple(filters))
    make: Callable[[bool], Decoder] = _unpacker(first)
    for coder in filters:
        if coder.method not in _BRANCHES:
            raise UnsupportedError(f"a 7z archive packed by {method_name(coder.method)}", "unpack it with 7-Zip")
        make = partial(_Filtered, make, _BRANCHES[coder.method][1], size)
    return make


def _unpacker(coder: Coder) -> Callable[[bool], Decoder]:
    if coder.method == COPY:
        return lambda copied: _Copied()
    if coder.method == LZMA:
        if len(coder.properties) != 5:
            raise CorruptStructureError(STRUCTURE, "LZMA has no possible properties")
        return lambda copied: Streaming(lambda: raw_lzma(coder.properties))
    if coder.method in _CODECS:
        return partial(new_decoder, _CODECS[coder.method])
    raise UnsupportedError(f"a 7z archive packed by {method_name(coder.method)}", "unpack it with 7-Zip")


def _native(first: Coder, filters: tuple[Coder, ...], copied: bool) -> Decoder:
    """Return LZMA2 with its filters as one chain of liblzma, which names them in the order of packing."""
    if len(first.properties) != 1 or first.properties[0] > 40:
        raise CorruptStructureError(STRUCTURE, "LZMA2 has no possible properties")
    step = first.properties[0]
    dictionary = min((2 | step & 1) << (step // 2 + 11), (1 << 32) - 1)
    if dictionary > MEMORY_LIMIT:
        raise LimitExceededError("memory", MEMORY_LIMIT, f"the archive asks for a dictionary of {dictionary} bytes")
    chain: list[dict[str, int]] = [{"id": lzma.FILTER_LZMA2, "dict_size": dictionary}]
    for coder in filters:
        if coder.method == DELTA:
            chain.insert(0, {"id": lzma.FILTER_DELTA, "dist": (coder.properties or b"\0")[0] + 1})
        else:
            chain.insert(0, {"id": _BRANCHES[coder.method][0]})
    return Streaming(partial(lzma.LZMADecompressor, lzma.FORMAT_RAW, filters=chain))


class _Copied:
    """Bytes that are not packed, for the filters behind them."""

    eof = False
    needs_input = True

    def __init__(self) -> None:
        self.tail = b""

    def decode(self, block: bytes, maximum: int) -> bytes:
        self.tail = block[maximum:]
        return block[:maximum]

    def copy(self) -> Decoder | None:
        return _Copied()


class _Filtered:
    """A decoder with a branch filter behind it, which is told the size of the whole."""

    def __init__(self, make: Callable[[bool], Decoder], name: str, size: int, copied: bool) -> None:
        try:
            self._filter: Any = getattr(importlib.import_module("bcj"), name)(size)
        except ImportError as error:
            raise UnavailableError("a branch filter of 7z", "pybcj is not installed") from error
        self._inner = make(copied)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def tail(self) -> bytes:
        return self._inner.tail

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    def decode(self, block: bytes, maximum: int) -> bytes:
        decoded: bytes = self._filter.decode(self._inner.decode(block, maximum))
        return decoded

    def copy(self) -> Decoder | None:
        return None
