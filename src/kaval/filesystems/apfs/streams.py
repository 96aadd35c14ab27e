"""Streams of APFS that are no plain runs of bytes: encrypted ones, and files kept compressed."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.sources import ByteSource, BytesSource, ExtentSource, SourceFile
from kaval.filesystems.apfs.inodes import COMPRESSION, Attribute, Inode, plain_extents
from kaval.filesystems.apfs.volume import Volume
from kaval.filesystems.dissected.translation import translated

_READ_SIZE = 1 << 20


class DecryptedStream:
    """A stream under the key of its volume, decrypted as it is read."""

    def __init__(self, volume: Volume, stored: Sequence[tuple[int, int, int, int]], size: int) -> None:
        self.size = size
        self._volume = volume
        self._stored = stored

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        end = min(offset + length, self.size)
        content = bytearray(end - offset)
        for start, run, block, unit in self._stored:
            low, high = max(start, offset), min(start + run, end)
            if low < high and block:
                content[low - offset : high - offset] = self._decrypt(start, block, unit, low, high)
        return bytes(content)

    def _decrypt(self, start: int, block: int, unit: int, low: int, high: int) -> bytes:
        """Return the bytes of a stream between two places of one extent."""
        blocks = self._volume.container.blocks
        first, last = (low - start) // blocks.block_size, -(-(high - start) // blocks.block_size)
        cipher = self._volume.cipher
        if cipher is None:
            raise UnreadableError(block * blocks.block_size, high - low, "the volume is locked")
        plain = cipher.decrypt(blocks.read(block + first, last - first), (unit + first) * blocks.sectors_per_block)
        skip = low - start - first * blocks.block_size
        return plain[skip : skip + high - low]


class _Opened:
    """An attribute as dissect.apfs wants it."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source

    def open(self) -> Any:
        return (
            SourceFile(self._source) if self._source.size > _READ_SIZE else BytesIO(self._source.read_at(0, _READ_SIZE))
        )


class UnpackedStream:
    """A file kept compressed (``com.apple.decmpfs``), unpacked by dissect.apfs as it is read."""

    def __init__(self, inode: Inode, attributes: dict[bytes, ByteSource], size: int) -> None:
        from dissect.apfs.exception import Error
        from dissect.apfs.stream import DecmpfsStream

        self.size = size
        self.xattr = {name.decode("utf-8", "replace"): _Opened(source) for name, source in attributes.items()}
        self._error = Error
        with translated(f"APFS compressed file {inode.number}", Error):
            self._stream = DecmpfsStream(self)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        length = min(length, self.size - offset)
        with translated("APFS compressed file", self._error):
            self._stream.seek(offset)
            content: bytes = self._stream.read(length)
        if len(content) < length:
            reason = "the compressed file ends before its size"
            raise UnreadableError(offset + len(content), length - len(content), reason)
        return content


def open_stored(volume: Volume, stream: int, size: int) -> ByteSource:
    """Return a stream by its number, read through its extents."""
    stored = list(volume.stored_extents(stream))
    if volume.facts.encrypted:
        return DecryptedStream(volume, stored, size)
    extents = plain_extents(stored, size, volume.container.blocks.block_size)
    return ExtentSource(volume.container.source, extents, size)


def open_attribute(volume: Volume, attribute: Attribute) -> ByteSource:
    """Return the bytes of an extended attribute."""
    if attribute.stream:
        return open_stored(volume, attribute.stream, attribute.size)
    return BytesSource(attribute.content)


def open_inode(volume: Volume, inode: Inode) -> ByteSource:
    """Return the bytes of a file as a user would see them.

    Raises:
        UnsupportedError: The file has a key of its own.
        CorruptStructureError: It is called compressed and is not.
    """
    if volume.facts.encrypted and not volume.facts.one_key:
        raise UnsupportedError("an APFS file with a key of its own", "examine the device with its keys in place")
    if not inode.compressed:
        return open_stored(volume, inode.stream, inode.size)
    if COMPRESSION not in inode.attributes:
        raise CorruptStructureError("APFS compressed file", f"inode {inode.number} has no compressed content")
    opened = {name: open_attribute(volume, attribute) for name, attribute in inode.attributes.items()}
    return UnpackedStream(inode, opened, unpacked_size(volume, inode))


def unpacked_size(volume: Volume, inode: Inode) -> int:
    """Return the size a compressed file has when unpacked."""
    if inode.size:
        return inode.size
    attribute = inode.attributes.get(COMPRESSION)
    if attribute is None:
        return 0
    return int.from_bytes(open_attribute(volume, attribute).read_at(8, 8), "little")
