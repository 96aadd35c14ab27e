"""The objects of a PDF, found by going through the file and not by its cross-reference table.

The table leads to the objects in force; those that a later revision replaced are still in the file, and are found too.
A table that is damaged, or leads in circles, does not matter. Every byte is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kaval.core.sources import ByteSource

MAXIMUM_OBJECTS = 2_000_000
"""More objects than this are not looked at."""

_WHITE = rb"[\0\t\n\f\r ]"
_OBJECT: Final = re.compile(
    rb"(?<![0-9])([0-9]{1,10})" + _WHITE + rb"{1,8}([0-9]{1,5})" + _WHITE + rb"{1,8}obj(?=[^A-Za-z0-9])"
)
_END: Final = re.compile(rb">>" + _WHITE + rb"{0,32}stream(?:\r\n|\n|\r|(?=.))|endobj", re.DOTALL)
_END_OF_STREAM: Final = re.compile(rb"endstream|endobj")
_LENGTH: Final = re.compile(
    rb"/Length" + _WHITE + rb"*([0-9]{1,12})(?!" + _WHITE + rb"+[0-9]+" + _WHITE + rb"+R|[0-9.])"
)
_LONGEST_BODY: Final = 1 << 20
_BLOCK: Final = 1 << 20
_MARGIN: Final = 128


class Found(NamedTuple):
    """One object: where it stands, its text up to the stream or the end, and where the stream lies if it has one."""

    offset: int
    number: int
    generation: int
    body: bytes
    data_offset: int
    data_size: int

    @property
    def has_stream(self) -> bool:
        return self.data_offset > 0


class _Text:
    """Searches a source for patterns, one block after the other; no match is longer than the margin."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self._start = 0
        self._block = b""

    def search(self, pattern: re.Pattern[bytes], offset: int) -> tuple[re.Match[bytes], int, int] | None:
        """Return the next match, and where it starts and ends in the source."""
        while offset < self.source.size:
            if not self._start <= offset < self._start + len(self._block) - _MARGIN:
                self._start = max(0, offset - _MARGIN)
                self._block = self.source.read_at(self._start, _BLOCK)
            is_last = self._start + len(self._block) >= self.source.size
            safe = len(self._block) if is_last else len(self._block) - _MARGIN
            found = pattern.search(self._block, offset - self._start)
            if found is not None and found.start() < safe:
                return found, self._start + found.start(), self._start + found.end()
            if is_last:
                return None
            offset = self._start + safe
        return None


def objects(source: ByteSource, start: int = 0) -> Iterator[Found]:
    """Yield the objects from a byte on, in the order in which they stand in the file."""
    text = _Text(source)
    offset = start
    following: tuple[re.Match[bytes], int, int] | None = None
    while (head := text.search(_OBJECT, offset)) is not None:
        match, at, body_offset = head
        if following is None or following[1] < body_offset:
            following = text.search(_END, body_offset)
            if following is None:
                return
        end, end_at, after = following
        if end_at - body_offset > _LONGEST_BODY:
            offset = body_offset
            continue
        body = source.read_at(body_offset, end_at - body_offset)
        number, generation = int(match[1]), int(match[2])
        if end[0] == b"endobj":
            yield Found(at, number, generation, body, 0, 0)
            offset = after
            continue
        body += b">>"
        size = _stream_size(text, body, after)
        yield Found(at, number, generation, body, after, size)
        offset = after + size


def object_at(source: ByteSource, offset: int) -> Found | None:
    """Return the object that starts at a byte, ``None`` if none does."""
    found = next(objects(source, offset), None)
    return found if found is not None and found.offset == offset else None


def _stream_size(text: _Text, body: bytes, offset: int) -> int:
    """Return how long a stream is: as its dictionary says where that is true, else up to the mark of its end."""
    source = text.source
    stored = _LENGTH.search(body)
    if stored is not None:
        length = int(stored[1])
        if offset + length <= source.size and source.read_at(offset + length, 16).lstrip().startswith(b"endstream"):
            return length
    found = text.search(_END_OF_STREAM, offset)
    if found is None:
        return source.size - offset
    end = found[1]
    tail = source.read_at(max(offset, end - 2), min(2, end - offset))
    return end - offset - (2 if tail == b"\r\n" else 1 if tail[-1:] in (b"\n", b"\r") else 0)
