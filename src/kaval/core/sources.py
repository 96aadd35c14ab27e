"""Read-only byte ranges: what every stage below the entry hands to the next.

A source has a size and ``read_at``. It has no write method: evidence is read-only by type.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from kaval.core.errors import UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Extent

BLOCK_SIZE = 1 << 20
SECTOR_SIZE = 4096

SMALLEST_SIZE = 512
COARSE_SIZE = 32 << 10
MAXIMUM_SMALLEST = 128
"""How finely a range that cannot be read whole is gone through, see ``pieces``."""


class ByteSource(Protocol):
    """A size and a way to read; safe to use from one thread at a time."""

    @property
    def size(self) -> int:
        """Number of bytes that can be addressed."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes of a range, fewer only where the source ends.

        Raises:
            UnreadableError: Bytes inside the source cannot be had. Zeros never stand in for them.
        """
        ...


def open_quietly(path: Path, flags: int = 0) -> int:
    """Return a descriptor that leaves the time of access alone, or an ordinary one where that is not permitted."""
    flags |= os.O_RDONLY | os.O_CLOEXEC
    try:
        return os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        return os.open(path, flags)


class FileSource:
    """The bytes of one file on the examiner's machine, opened read-only."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._descriptor = open_quietly(self.path)
        self._size = os.lseek(self._descriptor, 0, os.SEEK_END)

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        try:
            block = os.pread(self._descriptor, length, offset)
            if len(block) == length:
                return block
            return self._read_rest(block, offset, length)
        except UnreadableError:
            raise
        except OSError as error:
            bad = self._first_unreadable(offset, length)
            raise UnreadableError(bad, offset + length - bad, error.strerror or str(error)) from error

    def _first_unreadable(self, offset: int, length: int) -> int:
        """Return where in a range that failed the first sector is that cannot be read."""
        for place in range(offset, offset + length, SECTOR_SIZE):
            try:
                os.pread(self._descriptor, min(SECTOR_SIZE, offset + length - place), place)
            except OSError:
                return place
        return offset

    def _read_rest(self, block: bytes, offset: int, length: int) -> bytes:
        parts = [block]
        done = len(block)
        while done < length:
            part = os.pread(self._descriptor, length - done, offset + done)
            if not part:
                raise UnreadableError(offset + done, length - done, "the file became shorter while it was read")
            parts.append(part)
            done += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Give the descriptor back; reading afterwards is an error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


class BytesSource:
    """Bytes that are in memory already: resident streams, small archive members, test images."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0:
            return b""
        return self._content[offset : offset + length]


class SliceSource:
    """One range of another source: a partition, a stored archive member."""

    def __init__(self, inner: ByteSource, offset: int, size: int) -> None:
        self.inner = inner
        self.offset = offset
        self._size = max(0, size)

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        try:
            block = self.inner.read_at(self.offset + offset, length)
        except UnreadableError as error:
            raise _here(error, error.offset - self.offset, offset, length) from error
        if len(block) < length:
            missing = length - len(block)
            reason = f"the range runs past the end of what holds it, byte {self.inner.size} there"
            raise UnreadableError(offset + len(block), missing, reason)
        return block


class JoinedSource:
    """Several sources laid end to end: the segments of a split image."""

    def __init__(self, parts: Sequence[ByteSource]) -> None:
        self._parts = list(parts)
        self._starts = [0]
        for part in self._parts:
            self._starts.append(self._starts[-1] + part.size)

    @property
    def size(self) -> int:
        return self._starts[-1]

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        end = min(offset + length, self.size)
        index = bisect_right(self._starts, offset) - 1
        blocks = []
        while offset < end:
            start, stop = self._starts[index], self._starts[index + 1]
            take = min(end, stop) - offset
            if take > 0:
                try:
                    blocks.append(self._parts[index].read_at(offset - start, take))
                except UnreadableError as error:
                    raise _here(error, error.offset + start, offset, take) from error
                offset += take
            index += 1
        return b"".join(blocks)


class ExtentSource:
    """A stream laid out over another source by its extents, cut at ``size``."""

    def __init__(self, inner: ByteSource, extents: Sequence[Extent], size: int) -> None:
        self._inner = inner
        self._extents = [extent for extent in extents if extent.length > 0]
        self._starts = [0]
        for extent in self._extents:
            self._starts.append(self._starts[-1] + extent.length)
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        index = bisect_right(self._starts, offset) - 1
        if index >= len(self._extents):
            raise UnreadableError(offset, end - offset, "the extents end before the stream does")
        if end <= self._starts[index + 1] and not self._extents[index].sparse:
            return self._read(index, offset, end - offset)
        return self._read_across(index, offset, end)

    def _read_across(self, index: int, offset: int, end: int) -> bytes:
        blocks = []
        while offset < end:
            if index >= len(self._extents):
                raise UnreadableError(offset, end - offset, "the extents end before the stream does")
            extent = self._extents[index]
            take = min(end, self._starts[index + 1]) - offset
            if extent.sparse:
                blocks.append(bytes(take))
            else:
                blocks.append(self._read(index, offset, take))
            offset += take
            index += 1
        return b"".join(blocks)

    def _read(self, index: int, offset: int, length: int) -> bytes:
        shift = self._extents[index].offset - self._starts[index]
        try:
            block = self._inner.read_at(offset + shift, length)
        except UnreadableError as error:
            raise _here(error, error.offset - shift, offset, length) from error
        if len(block) < length:
            reason = f"the extent lies outside the image, which ends at byte {self._inner.size}"
            raise UnreadableError(offset + len(block), length - len(block), reason)
        return block


def _here(error: UnreadableError, place: int, offset: int, length: int) -> UnreadableError:
    """Return an error of what holds a source as one of the source itself: ``place`` is where it happened, here.

    The reason keeps where that is in what holds it; ``offset`` and ``length`` are the range that was asked for.
    """
    place = min(max(place, offset), offset + length)
    reason = error.reason if error.offset == place else f"{error.reason} (byte {error.offset} of what holds it)"
    return UnreadableError(place, offset + length - place, reason)


class SourceFile:
    """A seekable binary file over a source, for libraries that want one; it cannot be written."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.size = source.size
        self._position = 0
        self.closed = False

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to byte {base + offset}")
        self._position = base + offset
        return self._position

    def read(self, length: int | None = -1) -> bytes:
        if length is None or length < 0:
            length = max(0, self.size - self._position)
        block = self.source.read_at(self._position, length)
        self._position += len(block)
        return block

    def readinto(self, target: bytearray | memoryview) -> int:
        block = self.read(len(target))
        target[: len(block)] = block
        return len(block)

    def flush(self) -> None:
        """Nothing is ever written, so nothing is ever flushed."""

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> SourceFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pieces(source: ByteSource, offset: int, length: int) -> Iterator[tuple[int, bytes] | UnreadableError]:
    """Yield what of a range can be had, each piece with its offset, and an error for each part that cannot.

    One bad sector costs a sector, not the whole range; after ``MAXIMUM_SMALLEST`` of them parts of ``COARSE_SIZE`` are
    given up at once. In order, without gaps; less only where the source ends.
    """
    bad: UnreadableError | None = None
    for found in _halved(source, offset, length, [MAXIMUM_SMALLEST]):
        if isinstance(found, UnreadableError):
            joined = found.length + (bad.length if bad else 0)
            bad = UnreadableError(bad.offset if bad else found.offset, joined, found.reason)
            continue
        if bad is not None:
            yield bad
            bad = None
        yield found
    if bad is not None:
        yield bad


def _halved(
    source: ByteSource, offset: int, length: int, smallest_left: list[int]
) -> Iterator[tuple[int, bytes] | UnreadableError]:
    try:
        block = source.read_at(offset, length)
    except UnreadableError as error:
        advance()
        in_one_sector = offset % SMALLEST_SIZE + length <= SMALLEST_SIZE
        if in_one_sector or (smallest_left[0] <= 0 and length <= COARSE_SIZE):
            smallest_left[0] -= 1
            yield UnreadableError(offset, length, error.reason)
            return
    else:
        if block:
            yield offset, block
        return
    middle = (offset + length // 2) // SMALLEST_SIZE * SMALLEST_SIZE
    middle = middle if middle > offset else middle + SMALLEST_SIZE
    yield from _halved(source, offset, middle - offset, smallest_left)
    yield from _halved(source, middle, offset + length - middle, smallest_left)


def iterate_blocks(source: ByteSource, block_size: int = BLOCK_SIZE) -> Iterator[bytes]:
    """Yield a source from its first byte to its last, one block at a time."""
    offset = 0
    while offset < source.size:
        block = source.read_at(offset, block_size)
        if not block:
            raise UnreadableError(offset, source.size - offset, "the source ended early")
        yield block
        offset += len(block)
