"""Columns of hexadecimal text read straight from the pages of an SQLite table, many rows at a time.

Python's ``sqlite3`` makes an object of every value; a release of the NSRL has some hundred million rows of three
digests. The file format is documented (SQLite Database File Format, sections 1.2 to 2.1) and stable. Only what is
plain is read here: UTF-8, a table with rowids, the wanted columns as text among the first bytes of a row. All else
is refused with ``NotPlainError``, and the caller asks SQLite.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError, KavalError
from kaval.knownsets.batches import Rows
from kaval.knownsets.hexadecimal import decode_at

_TABLE_INTERIOR, _TABLE_LEAF = 5, 13
_LEAF_HEADER, _INTERIOR_HEADER = 8, 12
_PAGES_A_RUN = 1024
_DEEPEST = 32
_LAYOUT_COLUMNS = 6
_PADDING = 1 << 17

Places = NDArray[np.int64]


class NotPlainError(KavalError):
    """The table is laid out in a way that is left to SQLite itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What the first 100 bytes of a database say."""

    page_size: int
    usable_size: int
    pages: int

    @classmethod
    def read(cls, path: Path) -> Header:
        """Return the header of a file.

        Raises:
            NotPlainError: It is not UTF-8, or there is a journal beside it.
        """
        with path.open("rb") as file:
            raw = file.read(100)
        page_size = int.from_bytes(raw[16:18], "big")
        page_size = 65536 if page_size == 1 else page_size
        if page_size < 512 or page_size & (page_size - 1) or int.from_bytes(raw[56:60], "big") != 1:
            raise NotPlainError("its header is not of the plain kind")
        if any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal")):
            raise NotPlainError("a journal lies beside it")
        return cls(page_size=page_size, usable_size=page_size - raw[20], pages=path.stat().st_size // page_size)


def hex_columns(
    path: Path, root: int, columns: Sequence[int], widths: Sequence[int]
) -> Iterator[tuple[list[Rows], int, int, int]]:
    """Yield runs of rows: for each column its values, how many rows were left out, and pages done of all.

    A row is left out where a wanted column is not so many bytes in hexadecimal.

    Raises:
        NotPlainError: The table is laid out in a way that is left to SQLite.
        CorruptStructureError: A page contradicts the format; ``offset`` says where.
    """
    header = Header.read(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        leaves = _leaves(descriptor, header, root, path.name)
        for start in range(0, len(leaves), _PAGES_A_RUN):
            run = leaves[start : start + _PAGES_A_RUN]
            pages = _read_pages(descriptor, header, run, path.name)
            leaf = _Leaf(pages=pages, header=header, name=path.name, numbers=run)
            values, left_out = leaf.values(columns, widths)
            yield values, left_out, start + len(run), len(leaves)
    finally:
        os.close(descriptor)


def _read_pages(descriptor: int, header: Header, numbers: Places, name: str) -> Rows:
    """Return pages by number, a row each; neighbours are read together."""
    size = header.page_size
    buffer = bytearray(len(numbers) * size)
    view = memoryview(buffer)
    borders = [0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
    for first, last in pairwise(borders):
        offset = (int(numbers[first]) - 1) * size
        got = os.preadv(descriptor, [view[first * size : last * size]], offset)
        if got != (last - first) * size:
            raise CorruptStructureError(
                f"SQLite database {name}", "it ends inside a page; it was cut off", offset + got
            )
    return np.frombuffer(buffer, dtype=np.uint8).reshape(-1, size)


def _leaves(descriptor: int, header: Header, root: int, name: str) -> Places:
    """Return the numbers of the leaf pages of a table, in order of row."""
    level: Places = np.array([root], dtype=np.int64)
    for _ in range(_DEEPEST):
        children = []
        kinds: set[int] = set()
        for start in range(0, len(level), _PAGES_A_RUN):
            run = level[start : start + _PAGES_A_RUN]
            if run.min() < 2 or run.max() > header.pages or len(level) > header.pages:
                raise CorruptStructureError(f"SQLite database {name}", "its pages lead outside of it")
            pages = _read_pages(descriptor, header, run, name)
            kinds |= set(np.unique(pages[:, 0]).tolist())
            if kinds == {_TABLE_LEAF}:
                return level
            if kinds != {_TABLE_INTERIOR}:
                raise NotPlainError("it is no table with rowids")
            children.append(_children(pages, header, name, run))
        level = np.concatenate(children)
    raise CorruptStructureError(f"SQLite database {name}", "its pages lead into each other")


def _children(pages: Rows, header: Header, name: str, numbers: Places) -> Places:
    """Return the pages below interior pages, in order."""
    flat = pages.reshape(-1)
    page, at = _cells(pages, header, _INTERIOR_HEADER, name, numbers)
    below = _number(flat, at, 4)
    last = _number(flat, np.arange(len(pages), dtype=np.int64) * header.page_size + 8, 4)
    order = np.lexsort(
        (np.concatenate([np.zeros(len(page)), np.ones(len(last))]), np.concatenate([page, np.arange(len(pages))]))
    )
    return np.concatenate([below, last])[order]


def _cells(pages: Rows, header: Header, head_size: int, name: str, numbers: Places) -> tuple[Places, Places]:
    """Return page and place of every cell of some pages."""
    counts = (pages[:, 3].astype(np.int64) << 8) | pages[:, 4]
    most = int(counts.max(initial=0))
    if head_size + 2 * most > header.page_size:
        raise _wrong_page(header, name, int(numbers[np.argmax(counts)]), "counts too many cells")
    within = np.ascontiguousarray(pages[:, head_size : head_size + 2 * most]).view(">u2").astype(np.int64)
    real = np.arange(most) < counts[:, None]
    if (within[real] >= header.usable_size - 4).any():
        wrong = int(numbers[np.argmax((within * real).max(axis=1))])
        raise _wrong_page(header, name, wrong, "has a cell that lies outside of it")
    within += (np.arange(len(pages)) * header.page_size)[:, None]
    return np.repeat(np.arange(len(pages)), counts), within[real]


def _wrong_page(header: Header, name: str, number: int, reason: str) -> CorruptStructureError:
    return CorruptStructureError(f"SQLite database {name}", f"page {number} {reason}", (number - 1) * header.page_size)


def _number(flat: NDArray[np.uint8], at: Places, size: int) -> Places:
    """Return big-endian numbers of so many bytes."""
    found = flat[at].astype(np.int64)
    for place in range(1, size):
        found = (found << 8) | flat[at + place]
    return found


def _behind(flat: NDArray[np.uint8], at: Places) -> Places:
    """Return the places behind numbers of one to nine bytes (SQLite varint)."""
    going_on = flat[at] >= 128
    at = at + 1
    for _ in range(8):
        if not going_on.any():
            break
        following = going_on & (flat[at] >= 128)
        at += going_on
        going_on = following
    return at


def _varints(flat: NDArray[np.uint8], at: Places) -> tuple[Places, Places]:
    """Return numbers of one or two bytes (SQLite varint), and the places behind them; a longer one is -1."""
    first = flat[at].astype(np.int64)
    second = flat[at + 1].astype(np.int64)
    long = first >= 128
    value = np.where(long, ((first & 127) << 7) | second, first)
    return np.where(long & (second >= 128), -1, value), at + 1 + long


@dataclass(frozen=True, kw_only=True, slots=True)
class _Leaf:
    """Some leaf pages of a table."""

    pages: Rows
    header: Header
    name: str
    numbers: Places

    def values(self, columns: Sequence[int], widths: Sequence[int]) -> tuple[list[Rows], int]:
        """Return the wanted columns of the rows that have them all, and how many rows do not."""
        flat = np.concatenate([self.pages.reshape(-1), np.zeros(_PADDING, dtype=np.uint8)])
        page, cell = _cells(self.pages, self.header, _LEAF_HEADER, self.name, self.numbers)
        record = _behind(flat, _behind(flat, cell))
        starts, whole = self._alike(flat, record, columns, widths) or self._each(flat, record, columns, widths)
        last = starts[-1] + 2 * widths[-1]
        if (np.where(whole, last, 0) > (page + 1) * self.header.page_size).any():
            raise NotPlainError("a row goes on in another page")
        found = []
        for start, width in zip(starts, widths, strict=True):
            values, right = decode_at(flat, np.where(whole, start, 0), 2 * width)
            whole &= right
            found.append(values)
        if whole.all():
            return found, 0
        return [values[whole] for values in found], int(len(whole) - whole.sum())

    def _alike(
        self, flat: NDArray[np.uint8], record: Places, columns: Sequence[int], widths: Sequence[int]
    ) -> tuple[list[Places], NDArray[np.bool_]] | None:
        """Return where the columns begin, if the rows are all laid out as the first one; nothing otherwise."""
        if not len(record) or columns[-1] > _LAYOUT_COLUMNS:
            return None
        layouts = np.ndarray((len(flat) - 8,), "<u8", flat, 0, (1,))[record]
        starts, whole = self._each(flat, record[:1], columns, widths)
        kinds = record[:1] + 1
        for _ in range(columns[-1] + 1):
            kinds = _behind(flat, kinds)
        size = int(kinds[0] - record[0])
        mask = np.uint64((1 << (8 * size)) - 256) if size <= 8 else np.uint64(0)
        if not mask or not whole[0] or flat[record].max() >= 128 or ((layouts ^ layouts[0]) & mask).any():
            return None
        content = record + flat[record]
        shift = int(record[0]) + int(flat[record[0]])
        return [content + (int(start[0]) - shift) for start in starts], np.ones(len(record), dtype=bool)

    def _each(
        self, flat: NDArray[np.uint8], record: Places, columns: Sequence[int], widths: Sequence[int]
    ) -> tuple[list[Places], NDArray[np.bool_]]:
        """Return where the columns begin in each row, and which rows have them as texts of the right length."""
        head_size, at = _varints(flat, record)
        content = record + head_size
        whole = head_size > 0
        starts = []
        for column in range(columns[-1] + 1):
            kind, at = _varints(flat, at)
            whole &= kind >= 0
            if column in columns:
                starts.append(content)
                whole &= kind == 13 + 4 * widths[columns.index(column)]
            content = content + _content_size(np.maximum(kind, 0))
        return starts, whole


_SIZES = np.array([0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0], dtype=np.int64)


def _content_size(kind: Places) -> Places:
    """Return how many bytes a value of a serial type has."""
    return np.where(kind < 12, _SIZES[np.minimum(kind, 11)], (kind - 12) >> 1)
