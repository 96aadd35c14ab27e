"""B-trees: their pages in order, their cells, and the chains of pages that long records run over (1.6, 1.7)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kaval.artefacts.sqlite.pages import Placed, State
from kaval.artefacts.sqlite.records import decode_cut, signed, varint
from kaval.artefacts.sqlite.rows import Value
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Notice, NoticeCode

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
LONGEST_PAYLOAD = 64 << 20
"""Bytes of one record that are read; a longer one is cut, with a notice."""

Tell = Callable[[Notice], None]


@dataclass(frozen=True, slots=True)
class TreePage:
    """A page of a tree: its bytes, where its header begins (behind the file header on page 1), and its cells."""

    number: int
    placed: Placed
    block: bytes
    start: int
    kind: int
    pointers: tuple[int, ...]


def tree_page(number: int, placed: Placed, block: bytes) -> TreePage:
    """Return a page read as one of a tree.

    Raises:
        CorruptStructureError: It is none.
    """
    start = 100 if number == 1 else 0
    if len(block) < start + 12 or block[start] not in (2, 5, 10, 13):
        raise CorruptStructureError("page", f"page {number} is no page of a tree", placed.offset)
    kind = block[start]
    head = start + (8 if kind > 5 else 12)
    count = min(int.from_bytes(block[start + 3 : start + 5], "big"), (len(block) - head) // 2)
    return TreePage(number, placed, block, start, kind, struct.unpack_from(f">{count}H", block, head))


def local_size(size: int, usable_size: int, kind: int) -> int:
    """Return how many bytes of a payload stay in its cell (1.6: X, M and K)."""
    most = usable_size - 35 if kind == TABLE_LEAF else (usable_size - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (usable_size - 12) * 32 // 255 - 23
    kept = least + (size - least) % (usable_size - 4)
    return kept if kept <= most else least


def walk(
    state: State, root: int, kinds: tuple[int, int], tell: Tell, visited: set[int] | None = None
) -> Iterator[tuple[TreePage, tuple[int, ...]]]:
    """Yield the pages of a tree, left to right, each with the pointers of the cells that hold records there.

    ``kinds`` are the kinds of its interior pages and leaves. A page that is damaged, visited already or
    of another kind ends in a notice, and the walk goes on beside it. ``visited`` takes up the numbers of all pages.
    """
    seen: set[int] = set() if visited is None else visited
    waiting: list[int | tuple[TreePage, int]] = [root]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, int):
            yield item[0], (item[1],)
            continue
        if item in seen:
            tell(_notice(NoticeCode.LOOP, f"Page {item} is named more than once in the tree of page {root}."))
            continue
        seen.add(item)
        try:
            page = tree_page(item, state.place(item), state.read(item))
        except CorruptStructureError as error:
            tell(_notice(NoticeCode.DAMAGED, f"In the tree of page {root}: {error}", error.offset))
            continue
        except UnreadableError as error:
            tell(_notice(NoticeCode.UNREADABLE, f"Page {item} cannot be read: {error.reason}.", error.offset))
            continue
        if page.kind not in kinds:
            message = f"Page {item} of the tree of page {root} is of another kind of tree."
            tell(_notice(NoticeCode.DAMAGED, message, page.placed.offset))
        elif page.kind == kinds[1]:
            yield page, page.pointers
        else:
            waiting.extend(reversed(_below(page)))


def _below(page: TreePage) -> list[int | tuple[TreePage, int]]:
    """Return the children of an interior page in order; between them, in an index, its own cells."""
    below: list[int | tuple[TreePage, int]] = []
    for pointer in page.pointers:
        below.append(int.from_bytes(page.block[pointer : pointer + 4], "big"))
        if page.kind == INDEX_INTERIOR:
            below.append((page, pointer))
    below.append(int.from_bytes(page.block[page.start + 8 : page.start + 12], "big"))
    return below


def _notice(code: NoticeCode, message: str, offset: int | None = None) -> Notice:
    return Notice(code=code, message=message, offset=offset, structure="b-tree")


@dataclass(frozen=True, slots=True)
class Cell:
    """A record as its cell holds it; ``cut`` says why the payload is not whole, ``end`` is where the cell ends."""

    offset: int
    rowid: int | None
    payload: bytes
    end: int
    chain: tuple[int, ...] = ()
    cut: str = ""


def read_cell(state: State, page: TreePage, pointer: int) -> Cell:
    """Return the cell at a pointer of a leaf or of an interior page of an index.

    Raises:
        CorruptStructureError: There is none, or it states more than the database can hold.
    """
    block, place, rowid = page.block, pointer, None
    if not page.start + 8 <= pointer < len(block) - 1:
        raise CorruptStructureError("cell", f"it points to byte {pointer}, outside its page", page.placed.offset)
    try:
        if page.kind == INDEX_INTERIOR:
            place += 4
        size, place = varint(block, place)
        if page.kind == TABLE_LEAF:
            stored, place = varint(block, place)
            rowid = signed(stored)
    except IndexError:
        raise CorruptStructureError("cell", "the page ends inside it", page.placed.offset + pointer) from None
    local = local_size(size, state.usable_size, page.kind)
    payload = block[place : place + local]
    if local == size:
        cut = "" if len(payload) == size else "the page ends inside it"
        return Cell(pointer, rowid, payload, place + local, (), cut)
    if size > state.pages * state.usable_size:
        raise CorruptStructureError(
            "cell", f"it states {size} bytes, more than the database", page.placed.offset + pointer
        )
    end = place + local + 4
    first = int.from_bytes(block[place + local : end], "big")
    rest, chain, cut = read_chain(state, first, size - local)
    return Cell(pointer, rowid, payload + rest, end, chain, cut)


def read_chain(state: State, first: int, size: int) -> tuple[bytes, tuple[int, ...], str]:
    """Return what a chain of overflow pages holds, its pages, and why it ends early if it does (1.7)."""
    parts: list[bytes] = []
    chain: dict[int, None] = {}
    wanted = min(size, LONGEST_PAYLOAD)
    cut = "" if wanted == size else f"it is longer than {LONGEST_PAYLOAD >> 20} MiB"
    page = first
    while wanted > 0:
        if page in chain:
            return b"".join(parts), tuple(chain), "its chain of overflow pages returns to itself"
        try:
            block = state.read(page)
        except CorruptStructureError as error:
            return b"".join(parts), tuple(chain), f"its chain of overflow pages breaks: {error.reason}"
        except UnreadableError as error:
            return b"".join(parts), tuple(chain), f"an overflow page cannot be read: {error.reason}"
        chain[page] = None
        part = block[4 : min(state.usable_size, 4 + wanted)]
        parts.append(part)
        wanted -= len(part)
        if len(part) == 0:
            return b"".join(parts), tuple(chain), "the file ends inside its chain of overflow pages"
        page = int.from_bytes(block[:4], "big")
    return b"".join(parts), tuple(chain), cut


def find_row(state: State, root: int, rowid: int, codec: str) -> list[Value] | None:
    """Return the values of the live row of a rowid, ``None`` where the tree leads to none."""
    number, seen = root, set[int]()
    try:
        while number not in seen:
            seen.add(number)
            page = tree_page(number, state.place(number), state.read(number))
            if page.kind == TABLE_LEAF:
                return _row_in_leaf(state, page, rowid, codec)
            if page.kind != TABLE_INTERIOR:
                return None
            number = _child_for(page, rowid)
    except (CorruptStructureError, UnreadableError, IndexError):
        return None
    return None


def _child_for(page: TreePage, rowid: int) -> int:
    low, high = 0, len(page.pointers)
    while low < high:
        middle = (low + high) // 2
        if signed(varint(page.block, page.pointers[middle] + 4)[0]) < rowid:
            low = middle + 1
        else:
            high = middle
    at = page.pointers[low] if low < len(page.pointers) else page.start + 8
    return int.from_bytes(page.block[at : at + 4], "big")


def _row_in_leaf(state: State, page: TreePage, rowid: int, codec: str) -> list[Value] | None:
    for pointer in page.pointers:
        stored = signed(varint(page.block, varint(page.block, pointer)[1])[0])
        if stored == rowid:
            return decode_cut(read_cell(state, page, pointer).payload, codec)[0]
    return None
