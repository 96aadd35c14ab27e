"""Pages of a database in one of its states: the file, with the pages of a log or a journal laid over it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kaval.core.errors import CorruptStructureError
from kaval.core.sources import ByteSource

CACHED_SIZE = 8 << 20
"""Bytes of pages that are kept at hand."""


class Origin(StrEnum):
    """The file that holds a page; grammar: the word for it in a place."""

    MAIN = ""
    WAL = "wal frame"
    JOURNAL = "journal record"
    UNALLOCATED = "unallocated page"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an image of a page lies: the file, its frame or record there, and the byte where it begins.

    ``name`` stands for the number where a place has to tell more than that.
    """

    origin: Origin
    number: int
    offset: int
    name: str = ""

    @property
    def within(self) -> str:
        """The frame, record or page as a place names it; empty for the database itself."""
        return f"{self.origin} {self.name or self.number}" if self.origin else ""


class Files:
    """The database and the files beside it, read by page image through one bounded cache."""

    def __init__(self, sources: Mapping[Origin, ByteSource], page_size: int, cached_size: int = CACHED_SIZE) -> None:
        self.sources = dict(sources)
        self.page_size = page_size
        self._cache: OrderedDict[tuple[Origin, int], bytes] = OrderedDict()
        self._cached = max(8, cached_size // page_size)

    def read(self, placed: Placed) -> bytes:
        """Return one page image; short where its file ends, which is never so but on the last page.

        Raises:
            UnreadableError: The bytes cannot be had.
        """
        key = (placed.origin, placed.offset)
        block = self._cache.get(key)
        if block is None:
            block = self.sources[placed.origin].read_at(placed.offset, self.page_size)
            if len(self._cache) >= self._cached:
                self._cache.popitem(last=False)
            self._cache[key] = block
        return block


@dataclass(frozen=True, slots=True)
class State:
    """One state of the database: how many pages it has, and which lie elsewhere than in the file."""

    files: Files
    usable_size: int
    pages: int
    laid_over: Mapping[int, Placed]

    def place(self, page: int) -> Placed:
        """Return where a page lies in this state.

        Raises:
            CorruptStructureError: The database has no page of that number.
        """
        laid_over = self.laid_over.get(page)
        if laid_over is not None:
            return laid_over
        offset = (page - 1) * self.files.page_size
        if not 1 <= page <= self.pages or offset >= self.files.sources[Origin.MAIN].size:
            raise CorruptStructureError("page number", f"the database has no page {page}")
        return Placed(Origin.MAIN, page, offset)

    def read(self, page: int) -> bytes:
        """Return the bytes of a page, fewer only where the file ends inside it.

        Raises:
            CorruptStructureError: There is no such page.
            UnreadableError: The bytes cannot be had.
        """
        return self.files.read(self.place(page))
