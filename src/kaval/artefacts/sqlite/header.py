"""The header of a database, and what can still be known without it (SQLite Database File Format, 1.3)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from kaval.core.errors import LockedError, NotRecognisedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

MAGIC = b"SQLite format 3\0"
HEADER_SIZE = 100
PAGE_SIZES = tuple(1 << bits for bits in range(9, 17))
TREE_PAGES = frozenset({2, 5, 10, 13})
_LOOKED_AT = 1 << 16
_SCRAMBLED_BITS = 7.2
"""Bits of information a byte of an encrypted kibibyte holds at least; text and records hold five or six."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What the first hundred bytes say, each figure replaced by a plausible one where it cannot be meant."""

    page_size: int
    usable_size: int
    encoding: int
    schema_format: int
    pages: int
    first_trunk: int
    free_pages: int
    auto_vacuum: int
    incremental: bool
    user_version: int
    application_id: int
    written_by: int
    wal_mode: bool


def _page_size(head: bytes) -> int | None:
    stored = int.from_bytes(head[16:18], "big")
    size = 65_536 if stored == 1 else stored
    return size if size in PAGE_SIZES else None


def read_header(head: bytes, size: int, page_size: int) -> Header:
    """Return the header read with a page size already settled; ``size`` is that of the file in bytes."""

    def number(offset: int) -> int:
        return int.from_bytes(head[offset : offset + 4], "big")

    reserved = head[20] if page_size - head[20] >= 480 else 0
    encoding = number(56) if number(56) in (1, 2, 3) else 1
    counted = number(28) if number(24) == number(92) and number(28) else -(-size // page_size)
    return Header(
        page_size=page_size,
        usable_size=page_size - reserved,
        encoding=encoding,
        schema_format=number(44) if number(44) in (1, 2, 3, 4) else 4,
        pages=counted,
        first_trunk=number(32),
        free_pages=number(36),
        auto_vacuum=number(52),
        incremental=bool(number(64)),
        user_version=number(60),
        application_id=number(68),
        written_by=number(96),
        wal_mode=head[19] == 2,
    )


def settle_page_size(main: ByteSource, stated_beside: int | None) -> tuple[int, list[Notice]]:
    """Return the page size: as stored, as the file beside the database states it, or as the pages show it.

    Raises:
        LockedError: The bytes are those of an encrypted database.
        NotRecognisedError: They are those of no database.
    """
    block = main.read_at(0, _LOOKED_AT)
    if len(block) < 512 and stated_beside is None:
        raise NotRecognisedError("The file is shorter than the smallest page of an SQLite database.")
    if block.startswith(MAGIC):
        if len(block) > HEADER_SIZE and block[HEADER_SIZE] not in TREE_PAGES and _scrambled(block[HEADER_SIZE:]):
            raise LockedError("The SQLite database", "its pages are encrypted below a plain header; the key is needed")
        size = _page_size(block)
        if size is not None:
            return size, []
        return _guess(block, stated_beside), [_damaged("it states no possible size of pages", 16)]
    if stated_beside is not None and not block:
        return stated_beside, []
    size = _page_size(block)
    if size is not None and block[21:24] == b"\x40\x20\x20":
        return size, [_damaged("it does not begin with the mark of a database", 0)]
    guessed = _page_counts(block)
    if guessed or stated_beside is not None:
        return _guess(block, stated_beside), [_damaged("it does not begin with the mark of a database", 0)]
    if main.size % 512 == 0 and _scrambled(block):
        raise LockedError("A file of whole pages", "it looks like an encrypted SQLite database; the key is needed")
    raise NotRecognisedError("The bytes are those of no SQLite database.")


def _damaged(reason: str, offset: int) -> Notice:
    message = f"The header of the database is damaged: {reason}."
    return Notice(code=NoticeCode.DAMAGED, message=message, offset=offset, structure="database header")


def _scrambled(block: bytes) -> bool:
    """Whether bytes look random; measured on the first four kibibytes."""
    part = np.frombuffer(block[:4096], dtype=np.uint8)
    if len(part) < 400:
        return False
    counts = np.bincount(part, minlength=256)
    shares = counts[counts > 0] / len(part)
    bits = float(-(shares * np.log2(shares)).sum())
    return bits > _SCRAMBLED_BITS + (0.6 if len(part) >= 3500 else 0.0)


def _page_counts(block: bytes) -> dict[int, int]:
    """Return for each size of pages how many pages of the block begin as pages of a tree do."""
    found: Counter[int] = Counter()
    for size in PAGE_SIZES:
        for start in range(size, len(block) - 8, size):
            if looks_like_tree_page(block[start : start + size], size):
                found[size] += 1
    return dict(found)


def looks_like_tree_page(page: bytes, size: int, start: int = 0) -> bool:
    """Whether the first bytes can be those of a page of a b-tree (1.6)."""
    if len(page) < start + 8 or page[start] not in TREE_PAGES:
        return False
    free = int.from_bytes(page[start + 1 : start + 3], "big")
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    content = int.from_bytes(page[start + 5 : start + 7], "big") or 65_536
    head = start + (8 if page[start] > 5 else 12)
    return cells > 0 and free < size and head + 2 * cells <= content <= size and page[start + 7] <= 60


def _guess(block: bytes, stated_beside: int | None) -> int:
    if stated_beside is not None:
        return stated_beside
    counts = _page_counts(block)
    if not counts:
        return 4096
    return max(counts, key=lambda size: (counts[size] * size, size))
