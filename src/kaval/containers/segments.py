"""Segment files: the parts of an image that lie beside one another, opened only while they are read.

A large image has more segments than a process may have files open, so a bounded number is kept open.
"""

from __future__ import annotations

from collections import OrderedDict

from kaval.core.contracts import Siblings
from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource

MAXIMUM_OPEN = 32


class Shelf:
    """The files beside the one being opened: asked for by name, kept open while they are used."""

    def __init__(self, siblings: Siblings) -> None:
        self._siblings = siblings
        self._open: OrderedDict[str, ByteSource] = OrderedDict()

    def find(self, name: str) -> SegmentSource | None:
        """Return a segment by name, ``None`` if there is no such file."""
        source = self.get(name)
        return None if source is None else SegmentSource(self, name, source.size)

    def get(self, name: str) -> ByteSource | None:
        """Return the open source of a name."""
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        source = self._siblings(name)
        if source is not None:
            while len(self._open) >= MAXIMUM_OPEN:
                self._open.popitem(last=False)
            self._open[name] = source
        return source


class SegmentSource:
    """The bytes of one segment file."""

    def __init__(self, shelf: Shelf, name: str, size: int) -> None:
        self._shelf = shelf
        self.name = name
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        source = self._shelf.get(self.name)
        if source is None:
            raise UnreadableError(offset, length, f"the segment {self.name} was beside it before and is gone")
        return source.read_at(offset, length)


class MissingSource:
    """A range whose bytes are not there: reading any of it is an error that says why.

    ``start`` is where it lies in the image, for the error to tell.
    """

    def __init__(self, size: int, reason: str, start: int = 0) -> None:
        self._size = size
        self.reason = reason
        self._start = start

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        raise UnreadableError(self._start + offset, min(length, self._size - offset), self.reason)
