"""dissect.squashfs with its blocks bounded: none unpacks to more than its size, none is empty or cut."""

from __future__ import annotations

import lzma
import struct
import zlib
from typing import Any

from dissect.squashfs import SquashFS
from dissect.squashfs.exceptions import Error

from kaval.core.errors import CorruptStructureError, LimitExceededError, UnreadableError, UnsupportedError
from kaval.core.sources import ByteSource, SourceFile
from kaval.filesystems.dissected.translation import translated

MAXIMUM_BLOCKS = 1 << 22
_METADATA_SIZE = 8192
_STORED, _STORED_DATA = 0x8000, 1 << 24
_ZLIB, _LZMA, _XZ, _ZSTD = 1, 2, 4, 6
FOREIGN: tuple[type[Exception], ...] = (Error,)


class _WholeFile(SourceFile):
    """A file over a source that never gives fewer bytes than it was asked for."""

    def read(self, length: int | None = -1) -> bytes:
        place = self.tell()
        content = super().read(length)
        if length is not None and len(content) < length:
            missing = length - len(content)
            raise UnreadableError(place + len(content), missing, "the image ends before the file system")
        return content


class BoundedSquashFS(SquashFS):  # type: ignore[misc]
    """The library's reader, given blocks that were checked."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        super().__init__(_WholeFile(source))

    def _read_block(self, block: int, length: int | None = None) -> tuple[int, bytes]:
        """Return the place behind a block and its unpacked bytes; metadata blocks tell their length themselves."""
        limit, stored_flag = self.block_size, _STORED_DATA
        if length is None:
            limit, stored_flag = _METADATA_SIZE, _STORED
            length = struct.unpack("<H", self._exactly(block, 2))[0]
            block += 2
        stored = bool(length & stored_flag)
        length &= stored_flag - 1
        if not 0 < length <= max(limit, _METADATA_SIZE):
            raise CorruptStructureError("SquashFS block", f"it claims {length} bytes", block)
        packed = self._exactly(block, length)
        return block + length, packed if stored else self._unpack(packed, limit)

    def _exactly(self, offset: int, length: int) -> bytes:
        content = self._source.read_at(offset, length)
        if len(content) < length:
            raise UnreadableError(offset + len(content), length - len(content), "the image ends before the file system")
        return content

    def _unpack(self, packed: bytes, limit: int) -> bytes:
        kind = int(self.sb.compression)
        if kind == _ZLIB:
            return zlib.decompressobj().decompress(packed, limit)
        if kind in (_LZMA, _XZ):
            return lzma.LZMADecompressor().decompress(packed, limit)
        if kind == _ZSTD:
            return self._unpack_zstd(packed, limit)
        unpacked: bytes = self._compression.decompress(packed, limit)
        return unpacked

    def _unpack_zstd(self, packed: bytes, limit: int) -> bytes:
        module = self._compression._module
        try:
            content: bytes = module.ZstdDecompressor().decompress(packed, limit)
        except module.ZstdError as error:
            raise CorruptStructureError("SquashFS block", f"it does not unpack ({error})") from error
        return content


def open_bounded(source: ByteSource) -> BoundedSquashFS:
    """Return the opened file system.

    Raises:
        CorruptStructureError: Its superblock or tables make no sense.
        UnsupportedError: It is of a version before 4.
    """
    head = source.read_at(0, 96)
    if head[:4] == b"sqsh" or (len(head) == 96 and struct.unpack_from("<H", head, 28)[0] != 4):
        raise UnsupportedError(
            "SquashFS before version 4", "unpack it with unsquashfs of its time and examine the folder"
        )
    if len(head) < 96:
        raise CorruptStructureError("SquashFS superblock", "it is cut", 0)
    block_size, block_bits = struct.unpack_from("<I", head, 12)[0], struct.unpack_from("<H", head, 22)[0]
    if not 12 <= block_bits <= 20 or block_size != 1 << block_bits:
        raise CorruptStructureError("SquashFS superblock", f"blocks of {block_size} bytes make no sense", 0)
    with translated("SquashFS", Error):
        return BoundedSquashFS(source)


class SquashedStream:
    """A file of a SquashFS, unpacked as it is read."""

    def __init__(self, system: BoundedSquashFS, inode: Any) -> None:
        with translated("SquashFS inode", Error):
            self.size = int(inode.size)
            if self.size // system.block_size > MAXIMUM_BLOCKS:
                raise LimitExceededError("memory for the blocks of a file", MAXIMUM_BLOCKS, f"it has {self.size} bytes")
            self._stream = inode.open()

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        length = min(length, self.size - offset)
        with translated("SquashFS file", Error):
            self._stream.seek(offset)
            content: bytes = self._stream.read(length)
        if len(content) < length:
            raise UnreadableError(offset + len(content), length - len(content), "its blocks unpack to too little")
        return content
