"""SQLite databases by their header and pages (SQLite file format, 1.3 and 1.6)."""

from __future__ import annotations

from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

MEDIA_TYPE, EXTENSION = "application/vnd.sqlite3", "sqlite"
_PAGE_SIZES = frozenset({1, *(1 << bits for bits in range(9, 16))})
_TREE_PAGES = frozenset({0x02, 0x05, 0x0A, 0x0D})
LOOKED_AT = 4096
"""Pages of one database whose kind is looked at."""


@CARVERS.register
class Sqlite:
    """SQLite databases."""

    name: ClassVar[str] = "carve-sqlite"
    title: ClassVar[str] = "SQLite databases by header and pages"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"SQLite format 3\0"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        head = steps.take(0, 108)
        stored = int.from_bytes(head[16:18], "big")
        if len(head) < 108 or stored not in _PAGE_SIZES or head[21:24] != b"\x40\x20\x20":
            return None
        page_size = 65_536 if stored == 1 else stored
        pages = int.from_bytes(head[28:32], "big")
        if head[24:28] != head[92:96] or not pages:
            return broken(page_size, "its header does not state how many pages it has", MEDIA_TYPE, EXTENSION)
        size = pages * page_size
        if size > steps.size:
            last = steps.size // page_size * page_size
            return broken(last, "the space ends before its last page", MEDIA_TYPE, EXTENSION, ended=True)
        wrong = _first_wrong(steps, page_size, pages)
        if wrong is not None:
            return broken(wrong * page_size, "no page of a database stands where one has to", MEDIA_TYPE, EXTENSION)
        return complete(size, MEDIA_TYPE, EXTENSION)


def _first_wrong(steps: Steps, page_size: int, pages: int) -> int | None:
    """Return the number of the first page, from 0, that can be no page of this database."""
    if steps.big(100, 1) not in _TREE_PAGES:
        return 0
    for number in range(1, min(pages, LOOKED_AT)):
        head = steps.take(number * page_size, 8)
        if head[0] in _TREE_PAGES and _is_tree_page(head, page_size):
            continue
        following = int.from_bytes(head[:4], "big")
        if following <= pages or head[0] <= 5:
            continue
        return number
    return None


def _is_tree_page(head: bytes, page_size: int) -> bool:
    """Whether the header of a b-tree page is one: free block and content area inside the page."""
    free, content = int.from_bytes(head[1:3], "big"), int.from_bytes(head[5:7], "big") or 65_536
    return free < page_size and content <= max(page_size, 65_536)
