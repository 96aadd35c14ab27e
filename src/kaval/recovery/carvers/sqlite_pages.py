"""Leaf pages of SQLite databases that stand alone, as those that auto-vacuum cuts off (SQLite file format, 1.6).

They have no header that names them. What gives them away is that everything in a page is accounted for: its cells, its
free blocks and its fragments fill it from where its content begins to its end, and each record is as long as the values
it declares. Pages that hold no cell, and pages of which a part is lost, are not found. Write-ahead logs and rollback
journals that were deleted (3.2, 4.1) hold their pages between headers; they are walked from their own header on.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SECTOR_SIZE = 512
INDEX_LEAF, TABLE_LEAF = 0x0A, 0x0D
WAL_MAGIC, JOURNAL_MAGIC = b"\x37\x7f\x06", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
LARGEST = 1 << 16
_SIZES = tuple(1 << bits for bits in range(9, 17))
_HEAD = 8
_MOST_FRAGMENTS = 60
_LEAST_USABLE = 480
_LONGEST_HEAD = 512
_GENERATIONS = 1 << 16
"""How often a log may have been begun anew; each time the first of its two salts grows by one."""
_LOOKED_INTO = 12
"""Cells of a page whose record is looked into; the lengths of all are added up."""

Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class LeafPage:
    """A leaf page: where it begins in the block, and how large it is."""

    offset: int
    size: int


class PageRuns:
    """Pages found so far, those side by side and of one size counted together."""

    def __init__(self) -> None:
        self._runs: list[list[int]] = []
        self.end = 0
        """Where the last page ends."""

    def note(self, position: int, size: int) -> None:
        """Take in a page; positions rise."""
        self.end = position + size
        last = self._runs[-1] if self._runs else None
        if last is not None and last[1] == size and last[0] + size * last[2] == position:
            last[2] += 1
        else:
            self._runs.append([position, size, 1])

    def told(self) -> list[list[int]]:
        """Return the runs: position, size of a page, number of pages."""
        return self._runs


def leaf_pages(block: bytes, read: Read, behind: int = 0) -> Iterator[LeafPage]:
    """Yield the leaf pages of a block, in order, none inside another: those at a sector, and those of logs there.

    ``read`` gives the bytes of a range that reaches beyond the block's end, counted from its start, as far as there are
    any. What lies before ``behind`` was found already.
    """
    for offset in _likely(block):
        if offset < behind:
            continue
        if block[offset] not in (INDEX_LEAF, TABLE_LEAF):
            for page in log_pages(offset, read):
                behind = page.offset + page.size
                yield page
            continue
        part = block[offset : offset + LARGEST]
        if len(part) < LARGEST:
            need = _least_size(part)
            if need > len(part):
                part = read(offset, LARGEST)
        size = page_size(part)
        if size:
            behind = offset + size
            yield LeafPage(offset, size)


def _likely(block: bytes) -> list[int]:
    """Return the sectors that begin as a leaf page does, all at once."""
    import numpy as np

    count = len(block) // SECTOR_SIZE
    if not count:
        return []
    heads = np.frombuffer(block, dtype=np.uint8, count=count * SECTOR_SIZE).reshape(count, SECTOR_SIZE)
    kinds = heads[:, 0]
    at = np.flatnonzero((kinds == TABLE_LEAF) | (kinds == INDEX_LEAF))
    logs = np.flatnonzero((kinds == WAL_MAGIC[0]) | (kinds == JOURNAL_MAGIC[0]))
    head = heads[at, :10].astype(np.int32)
    free, cells, content, first = (head[:, place] << 8 | head[:, place + 1] for place in (1, 3, 5, 8))
    content[content == 0] = LARGEST
    possible = (
        (cells > 0)
        & (head[:, 7] <= _MOST_FRAGMENTS)
        & (_HEAD + 2 * cells <= content)
        & ((free == 0) | (free >= content))
        & (first >= content)
    )
    begun = [int(sector) * SECTOR_SIZE for sector in logs]
    begun = [offset for offset in begun if block.startswith((WAL_MAGIC, JOURNAL_MAGIC), offset)]
    return sorted([*begun, *(int(sector) * SECTOR_SIZE for sector in at[possible])])


def log_pages(offset: int, read: Read) -> Iterator[LeafPage]:
    """Yield the leaf pages of a write-ahead log or a rollback journal that begins at a place, as far as it goes."""
    head = read(offset, _LONGEST_HEAD)
    shape = _wal_shape(head) if head.startswith(WAL_MAGIC) else _journal_shape(head)
    if shape is None:
        return
    place = offset + shape.start
    while True:
        image = read(place, shape.before + shape.size + shape.behind)
        if len(image) < shape.before + shape.size or not shape.holds(image):
            return
        page = image[shape.before : shape.before + shape.size]
        if page_size(page) == shape.size:
            yield LeafPage(place + shape.before, shape.size)
        place += len(image)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a log keeps pages: where the first one is, what stands before and behind each, and whether one is there."""

    start: int
    before: int
    size: int
    behind: int
    holds: Callable[[bytes], bool]


def _wal_shape(head: bytes) -> _Shape | None:
    """Return the shape of a write-ahead log (4.1); frames of its earlier generations follow those of the last one."""
    if len(head) < 32 or head[3] not in (0x82, 0x83):
        return None
    size = int.from_bytes(head[8:12], "big")
    salt = int.from_bytes(head[16:20], "big")

    def holds(frame: bytes) -> bool:
        page, earlier = int.from_bytes(frame[:4], "big"), salt - int.from_bytes(frame[8:12], "big")
        return 0 < page < 1 << 31 and 0 <= earlier <= _GENERATIONS

    return _Shape(32, 24, size, 0, holds) if size in _SIZES else None


def _journal_shape(head: bytes) -> _Shape | None:
    """Return the shape of a rollback journal (3.2); the checksum of each record tells where it ends."""
    if len(head) < 28:
        return None
    nonce, _, sector, size = struct.unpack_from(">4I", head, 12)
    if size not in _SIZES or sector not in _SIZES:
        return None

    def holds(record: bytes) -> bool:
        if len(record) < size + 8 or not 0 < int.from_bytes(record[:4], "big") < 1 << 31:
            return False
        total = nonce + sum(record[4 + at] for at in range(size - 200, 0, -200))
        return bool(total & 0xFFFFFFFF == int.from_bytes(record[-4:], "big"))

    return _Shape(sector, 4, size, 4, holds)


def _least_size(part: bytes) -> int:
    """Return how large the page has to be at least, from its last cell."""
    count = int.from_bytes(part[3:5], "big")
    pointers = part[_HEAD : _HEAD + 2 * count]
    if len(pointers) < 2 * count:
        return LARGEST
    last = max(struct.unpack(f">{count}H", pointers))
    return next((size for size in _SIZES if size > last + 2), LARGEST)


def page_size(part: bytes) -> int:
    """Return the size of the leaf page at the start of some bytes, 0 where there is none."""
    count = int.from_bytes(part[3:5], "big")
    if len(part) < SECTOR_SIZE or part[0] not in (INDEX_LEAF, TABLE_LEAF) or not count:
        return 0
    content = int.from_bytes(part[5:7], "big") or LARGEST
    if _HEAD + 2 * count > min(content, len(part)):
        return 0
    pointers = sorted(struct.unpack_from(f">{count}H", part, _HEAD))
    if pointers[0] < content:
        return 0
    for size in _SIZES:
        if pointers[-1] + 2 < size <= len(part):
            held = _held(part, pointers, content, size)
            # Some databases keep a few bytes of every page for themselves; then lengths have to be counted anew.
            if held == size or (
                _LEAST_USABLE <= held < size < held + 256 and _held(part, pointers, content, held) == held
            ):
                return size if _sound(part, pointers, held) else 0
    return 0


def _held(part: bytes, pointers: list[int], content: int, usable: int) -> int:
    """Return where the page ends by its own account: content begins there, and these bytes of it are accounted for."""
    total = content + part[7]
    free = int.from_bytes(part[1:3], "big")
    while free:
        if free + 4 > usable:
            return 0
        following, size = int.from_bytes(part[free : free + 2], "big"), int.from_bytes(part[free + 2 : free + 4], "big")
        if size < 4 or (following and following < free + size):
            return 0
        total += size
        free = following
    last = 0
    for pointer in pointers:
        end = _cell_end(part, pointer, usable)
        if pointer < last or end > usable:
            return 0
        total += end - pointer
        last = end
    return total


def _varint(part: bytes, place: int) -> tuple[int, int]:
    value = 0
    for step in range(9):
        byte = part[place + step]
        if step == 8:
            return value << 8 | byte, place + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + step + 1
    raise AssertionError("a number has nine bytes at most")


def _record_at(part: bytes, pointer: int) -> tuple[int, int]:
    """Return the size of the payload of a cell, and where it begins."""
    size, place = _varint(part, pointer)
    if part[0] == TABLE_LEAF:
        place = _varint(part, place)[1]
    return size, place


def _local(size: int, usable: int, kind: int) -> int:
    """Return how many bytes of a payload stay in the page (1.6: X, M and K)."""
    most = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    kept = least + (size - least) % (usable - 4)
    return kept if kept <= most else least


def _cell_end(part: bytes, pointer: int, usable: int) -> int:
    """Return where a cell ends, beyond the page where it cannot be one."""
    try:
        size, place = _record_at(part, pointer)
    except IndexError:
        return LARGEST + 1
    local = _local(size, usable, part[0])
    return max(place + local + (4 if local < size else 0), pointer + 4)


def _sound(part: bytes, pointers: list[int], usable: int) -> bool:
    """Whether the records of some cells are as long as the values they declare."""
    step = -(-len(pointers) // _LOOKED_INTO)
    try:
        return all(_is_record(part, *_record_at(part, pointer), usable) for pointer in pointers[::step])
    except IndexError:
        return False


def _is_record(part: bytes, size: int, place: int, usable: int) -> bool:
    header, at = _varint(part, place)
    end = place + header
    if header < 2 or header > size or header > _local(size, usable, part[0]):
        return False
    total = header
    while at < end:
        kind, at = _varint(part, at)
        if kind in (10, 11):
            return False
        total += (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 10 else (kind - 12) >> 1
    return at == end and total == size
