"""Members without a directory: found by walking from local header to local header.

Where a member's size is not in front of it (streamed archives) the stream is decoded to find its end, or, of a stored
one, its data descriptor is sought. What lies between members and is none is told and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kaval.containers.inflate import CheckpointedSource
from kaval.containers.window import Window
from kaval.containers.zip.layout import (
    ARCHIVE_EXTRA,
    CENTRAL,
    DESCRIPTOR,
    DESCRIPTOR_FLAG,
    ENCRYPTED_FLAG,
    END,
    END64,
    LOCAL,
    Local,
    Member,
    read_local,
)
from kaval.containers.zip.methods import STORED, codec_for
from kaval.core.progress import advance
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

_BLOCK: Final = 1 << 20
_SMALL_BLOCK: Final = 1 << 12
_CLOSING: Final = (CENTRAL, END, END64, ARCHIVE_EXTRA)


@dataclass(frozen=True, kw_only=True, slots=True)
class Walked:
    """One member found so; ``is_whole`` unless its bytes end before it does, then ``size`` is what is left."""

    local: Local
    compressed_size: int
    size: int
    crc: int | None
    is_whole: bool
    end: int


def walk(source: ByteSource, known: Mapping[int, int]) -> Iterator[Walked | Notice]:
    """Yield the members from the first byte on, up to the central directory or the end of the source.

    ``known`` holds place and packed size of members that were listed already: they are passed over.
    """
    window = Window(source)
    offset = 0
    while offset + 4 <= source.size:
        signature = window.read_at(offset, 4)
        if signature in _CLOSING:
            return
        local = read_local(window, offset) if signature == LOCAL else None
        if local is not None and not local.member.name:
            local = None
        if local is not None and offset in known:
            offset = local.data_offset + known[offset]
            offset += _descriptor_size(source, offset) if local.member.flags & DESCRIPTOR_FLAG else 0
            continue
        if local is not None:
            found = measure(source, local)
            yield found
            offset = found.end
            continue
        following = find(source, LOCAL, offset + 1)
        end = source.size if following is None else following
        if signature != DESCRIPTOR or offset:
            yield _gap(offset, end)
        offset = end


def _gap(start: int, end: int) -> Notice:
    message = f"{end - start} bytes belong to no member that could be told"
    return Notice(code=NoticeCode.DAMAGED, message=message, offset=start, structure="the ZIP archive")


def measure(source: ByteSource, local: Local) -> Walked:
    """Return how long a member is, from its header or from its stream."""
    member = local.member
    left = max(0, source.size - local.data_offset)
    if member.flags & DESCRIPTOR_FLAG and not member.compressed_size:
        return _streamed(source, local, left)
    if member.compressed_size <= left:
        end = local.data_offset + member.compressed_size
        crc = member.crc or None
        if member.flags & DESCRIPTOR_FLAG:
            end += _descriptor_size(source, end)
        size = member.compressed_size if member.method == STORED else member.size
        return Walked(local=local, compressed_size=member.compressed_size, size=size, crc=crc, is_whole=True, end=end)
    return _cut(source, local, left)


def _cut(source: ByteSource, local: Local, left: int) -> Walked:
    """Return what is left of a member that the end of the source cuts."""
    codec = codec_for(local.member.method)
    size = left
    if codec is not None and not local.member.flags & ENCRYPTED_FLAG:
        size = CheckpointedSource(source, codec, offset=local.data_offset).measure().size
    return Walked(local=local, compressed_size=left, size=size, crc=None, is_whole=False, end=source.size)


def _streamed(source: ByteSource, local: Local, left: int) -> Walked:
    member = local.member
    codec = codec_for(member.method)
    if codec is None or member.flags & ENCRYPTED_FLAG:
        return _until_descriptor(source, local, left)
    measured = CheckpointedSource(source, codec, offset=local.data_offset, title=_title(member)).measure()
    if measured.error is not None:
        following = find(source, LOCAL, local.data_offset)
        end = source.size if following is None else following
        size = end - local.data_offset
        return Walked(local=local, compressed_size=size, size=measured.size, crc=None, is_whole=False, end=end)
    end = local.data_offset + measured.compressed_size
    end += _descriptor_size(source, end)
    return Walked(
        local=local, compressed_size=measured.compressed_size, size=measured.size, crc=None, is_whole=True, end=end
    )


def _until_descriptor(source: ByteSource, local: Local, left: int) -> Walked:
    """Seek the descriptor that gives just the distance to it as the compressed size (APPNOTE 4.3.9)."""
    window = Window(source)
    for found in occurrences(source, DESCRIPTOR, local.data_offset):
        distance = found - local.data_offset
        head = window.read_at(found + 4, 20)
        for width in (4, 8):
            if int.from_bytes(head[4 : 4 + width], "little") == distance and len(head) >= 4 + 2 * width:
                size = int.from_bytes(head[4 + width : 4 + 2 * width], "little")
                crc = int.from_bytes(head[:4], "little")
                end = found + 8 + 2 * width
                return Walked(local=local, compressed_size=distance, size=size, crc=crc, is_whole=True, end=end)
    return Walked(local=local, compressed_size=left, size=left, crc=None, is_whole=False, end=source.size)


def _descriptor_size(source: ByteSource, offset: int) -> int:
    """Return how long the data descriptor at ``offset`` is: with or without signature, 32 or 64 bits wide."""
    head = source.read_at(offset, 28)
    for length in (16, 24, 12, 20):
        signed = length in (16, 24)
        if signed != (head[:4] == DESCRIPTOR):
            continue
        if len(head) <= length or head[length : length + 2] == b"PK":
            return length
    return 0


def find(source: ByteSource, pattern: bytes, start: int) -> int | None:
    """Return where a pattern next occurs."""
    return next(occurrences(source, pattern, start), None)


def occurrences(source: ByteSource, pattern: bytes, start: int) -> Iterator[int]:
    """Yield where a pattern occurs from a byte on; what lies near is looked at in small blocks."""
    offset, length = start, _SMALL_BLOCK
    while offset < source.size:
        block = source.read_at(offset, length)
        place = block.find(pattern)
        while place >= 0:
            yield offset + place
            place = block.find(pattern, place + 1)
        if len(block) < length:
            return
        offset += length - len(pattern) + 1
        length = min(4 * length, _BLOCK)
        advance()


def _title(member: Member) -> str:
    return f"the member {member.name[-80:].decode('utf-8', 'replace')}"
