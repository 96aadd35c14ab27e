"""The rollback journal: pages as they were before the last transactions (SQLite Database File Format, 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from kaval.artefacts.sqlite.header import TREE_PAGES
from kaval.core.errors import UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_HEADER_SIZE = 28
_SECTORS = (512, 4096, 1024, 2048, 8192, 16_384, 32_768, 65_536)


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """One page as it was. ``number`` counts from 1, ``offset`` is the byte of the journal where the page begins."""

    number: int
    page: int
    offset: int
    checked: bool


@dataclass(kw_only=True)
class Journal:
    """The pages a journal holds; ``hot`` ones are still to be written back, to a database of ``pages`` pages."""

    records: list[Before] = field(default_factory=list)
    hot: list[Before] = field(default_factory=list)
    pages: int = 0
    notices: list[Notice] = field(default_factory=list)


def read_journal(source: ByteSource, page_size: int) -> Journal:
    """Read a journal: hot, or with a header zeroed at commit; and what earlier transactions left behind it."""
    journal = Journal()
    size = source.size
    if size < 512:
        return journal
    try:
        head = source.read_at(0, _HEADER_SIZE)
        place = (
            _read_hot(source, head, page_size, journal) if head.startswith(MAGIC) else _first_record(source, page_size)
        )
        _read_past(source, place, page_size, journal)
    except UnreadableError as error:
        message = f"The rollback journal cannot be read to its end: {error.reason}."
        journal.notices.append(
            Notice(code=NoticeCode.UNREADABLE, message=message, offset=error.offset, structure="journal")
        )
    return journal


def _number(block: bytes, place: int) -> int:
    return int.from_bytes(block[place : place + 4], "big")


def _sum(page: bytes, nonce: int) -> int:
    """Return the checksum of a page: every 200th byte counted from its end (3.1)."""
    return (nonce + sum(page[at] for at in range(len(page) - 200, 0, -200))) & 0xFFFFFFFF


def _read_hot(source: ByteSource, head: bytes, page_size: int, journal: Journal) -> int:
    """Read the records that SQLite would play back, and return where they end."""
    place, segment = 0, head
    while segment.startswith(MAGIC):
        count, nonce, pages, sector, stated = (_number(segment, at) for at in (8, 12, 16, 20, 24))
        if stated not in (page_size, 0) or sector not in _SECTORS:
            journal.notices.append(_damaged("its header contradicts the database", place))
            return place + 512
        if place == 0:
            journal.pages = pages
        start = place + sector
        step = page_size + 8
        held = max(0, source.size - start) // step
        for index in range(held if count == 0xFFFFFFFF else min(count, held)):
            record = _record(source, start + index * step, page_size, nonce, journal)
            if record is None:
                return start + index * step
            journal.records.append(record)
            journal.hot.append(record)
        end = start + min(count, held) * step
        place = -(-end // sector) * sector
        if count == 0xFFFFFFFF or place >= source.size:
            return end
        segment = source.read_at(place, _HEADER_SIZE)
    return place


def _record(source: ByteSource, offset: int, page_size: int, nonce: int | None, journal: Journal) -> Before | None:
    block = source.read_at(offset, page_size + 8)
    page = _number(block, 0)
    if len(block) < page_size + 8 or page == 0:
        return None
    checked = nonce is not None and _sum(block[4:-4], nonce) == _number(block, page_size + 4)
    if nonce is not None and not checked:
        return None
    return Before(number=len(journal.records) + 1, page=page, offset=offset + 4, checked=checked)


def _damaged(reason: str, offset: int) -> Notice:
    message = f"The rollback journal is damaged: {reason}."
    return Notice(code=NoticeCode.DAMAGED, message=message, offset=offset, structure="journal")


def _first_record(source: ByteSource, page_size: int) -> int:
    """Return where the records of a journal without header begin: behind one sector, whose size is tried."""
    for sector in _SECTORS:
        if sector + page_size + 8 <= source.size and _looks_like_record(
            source.read_at(sector, page_size + 8), page_size
        ):
            return sector
    return 512


def _looks_like_record(block: bytes, page_size: int) -> bool:
    """Whether a page number and a page of some use stand here; the nonce is unknown, so the checksum cannot tell."""
    if len(block) < page_size + 8 or not 0 < _number(block, 0) < 1 << 31:
        return False
    kind = block[104] if block[4:8] == b"SQLi" else block[4]
    return kind in TREE_PAGES or kind == 0


def _read_past(source: ByteSource, place: int, page_size: int, journal: Journal) -> None:
    """Take in the records that lie behind: their run is kept to by one nonce, and found again at the next header."""
    step = page_size + 8
    while place + step <= source.size:
        block = source.read_at(place, step)
        if block.startswith(MAGIC):
            place += 512 if _number(block, 20) not in _SECTORS else _number(block, 20)
            continue
        nonce = (_number(block, page_size + 4) - _sum(block[4:-4], 0)) & 0xFFFFFFFF
        run = _run_length(source, place, page_size, nonce) if _number(block, 0) else 0
        alone = run == 1 and _looks_like_record(block, page_size)
        if run > 1 or alone:
            for index in range(run):
                offset = place + index * step
                page = _number(source.read_at(offset, 4), 0)
                number = len(journal.records) + 1
                journal.records.append(Before(number=number, page=page, offset=offset + 4, checked=run > 1))
            place += run * step
        else:
            place = (place // 512 + 1) * 512


def _run_length(source: ByteSource, place: int, page_size: int, nonce: int) -> int:
    """Return how many records from here on have checksums made with the same nonce."""
    step, run = page_size + 8, 0
    while place + (run + 1) * step <= source.size:
        block = source.read_at(place + run * step, step)
        if not 0 < _number(block, 0) < 1 << 31 or _sum(block[4:-4], nonce) != _number(block, page_size + 4):
            break
        run += 1
    return run
