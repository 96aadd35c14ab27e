"""The write-ahead log: every frame of every generation (SQLite Database File Format, 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kaval.artefacts.sqlite.header import PAGE_SIZES
from kaval.core.errors import UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

HEADER_SIZE, FRAME_HEADER_SIZE = 32, 24
_MAGICS = {0x377F0682: "<u4", 0x377F0683: ">u4"}
_FRAMES_A_RUN = 256

Words = NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One page image of the log. ``number`` counts from 1, ``offset`` is the byte of the log where the page begins."""

    number: int
    page: int
    commit_pages: int
    salt: tuple[int, int]
    offset: int


@dataclass(kw_only=True)
class Log:
    """The frames of a log: those numbered up to ``committed`` are the last state, all others are the past."""

    page_size: int = 0
    frames: list[Frame] = field(default_factory=list)
    committed: int = 0
    pages: int = 0
    notices: list[Notice] = field(default_factory=list)


def stated_page_size(source: ByteSource | None) -> int | None:
    """Return the page size that the header of a log states, if it is a log."""
    if source is None:
        return None
    head = source.read_at(0, HEADER_SIZE)
    size = int.from_bytes(head[8:12], "big")
    if int.from_bytes(head[:4], "big") in _MAGICS and size in PAGE_SIZES:
        return size
    return None


def read_log(source: ByteSource, page_size: int) -> Log:
    """Read a log for a database with pages of ``page_size`` bytes."""
    head = source.read_at(0, HEADER_SIZE)
    order = _MAGICS.get(int.from_bytes(head[:4], "big"))
    stated = int.from_bytes(head[8:12], "big")
    if len(head) < HEADER_SIZE:
        return Log()
    if order is None or stated != page_size:
        reason = "it has no header" if order is None else f"it states pages of {stated} bytes, the database {page_size}"
        log = Log(page_size=page_size)
        log.notices.append(_notice(NoticeCode.DAMAGED, f"The write-ahead log cannot be applied: {reason}.", 0))
        log.frames.extend(frame for frame, _ in _frames_with_bytes(source, log) if frame.page > 0)
        return log
    log = Log(page_size=page_size)
    _follow(source, head, order, log)
    return log


def _follow(source: ByteSource, head: bytes, order: str, log: Log) -> None:
    """Find where the current generation ends: at the first frame whose salt or checksum is not its own."""
    salt = (int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big"))
    checksum = Checksum(order, log.page_size)
    running = checksum.over_header(head[:24])
    holds = running == (int.from_bytes(head[24:28], "big"), int.from_bytes(head[28:32], "big"))
    if not holds:
        log.notices.append(_notice(NoticeCode.DAMAGED, "The header of the write-ahead log has a wrong checksum.", 24))
    for frame, block in _frames_with_bytes(source, log):
        if holds:
            holds = frame.salt == salt and frame.page > 0
        if holds:
            running = checksum.over_frame(block, running)
            holds = running == (int.from_bytes(block[16:20], "big"), int.from_bytes(block[20:24], "big"))
        if holds and frame.commit_pages:
            log.committed, log.pages = frame.number, frame.commit_pages
        if frame.page > 0:
            log.frames.append(frame)
    later = [frame for frame in log.frames if frame.salt == salt and frame.number > log.committed]
    if later:
        message = (
            f"{len(later)} frames of the write-ahead log bear the salt of its current state and are no part of it."
        )
        log.notices.append(_notice(NoticeCode.SKIPPED, message, later[0].offset - FRAME_HEADER_SIZE))


def _frames_with_bytes(source: ByteSource, log: Log) -> Iterator[tuple[Frame, bytes]]:
    step = FRAME_HEADER_SIZE + log.page_size
    count = max(0, source.size - HEADER_SIZE) // step
    for first in range(0, count, _FRAMES_A_RUN):
        run = min(_FRAMES_A_RUN, count - first)
        start = HEADER_SIZE + first * step
        try:
            block = source.read_at(start, run * step)
        except UnreadableError as error:
            message = f"{run} frames of the write-ahead log cannot be read: {error.reason}."
            log.notices.append(_notice(NoticeCode.UNREADABLE, message, start))
            continue
        for index in range(run):
            part = block[index * step : (index + 1) * step]
            page, pages, one, two = (int.from_bytes(part[at : at + 4], "big") for at in (0, 4, 8, 12))
            offset = start + index * step + FRAME_HEADER_SIZE
            yield Frame(number=first + index + 1, page=page, commit_pages=pages, salt=(one, two), offset=offset), part


def _notice(code: NoticeCode, message: str, offset: int) -> Notice:
    return Notice(code=code, message=message, offset=offset, structure="write-ahead log")


class Checksum:
    """The running checksum of a log (4.2): two sums over words of 32 bits, each fed by the other.

    Both are linear in the words, so a whole page is two scalar products with factors computed once.
    """

    def __init__(self, order: str, page_size: int) -> None:
        self._order = order
        self._words = 2 + page_size // 4
        self._factors = {count: self._factors_for(count) for count in (6, self._words)}

    @staticmethod
    def _factors_for(count: int) -> tuple[Words, Words, tuple[int, int, int, int]]:
        """Return what each word adds to either sum, and what the two sums before become (a, b -> pa + qb, ra + sb)."""
        first, second = [0] * count, [0] * count
        p, q, r, s = 1, 0, 0, 1
        for at in range(count - 2, -1, -2):
            # A word reaches the end through all steps behind it: x0 goes into both sums, x1 into the second alone.
            first[at], second[at] = (p + q) & 0xFFFFFFFF, (r + s) & 0xFFFFFFFF
            first[at + 1], second[at + 1] = q, s
            # One step: a' = a + b + x0; b' = b + a' + x1 = a + 2b + x0 + x1.
            p, q, r, s = (p + q) & 0xFFFFFFFF, (p + 2 * q) & 0xFFFFFFFF, (r + s) & 0xFFFFFFFF, (r + 2 * s) & 0xFFFFFFFF
        return np.array(first, np.uint32), np.array(second, np.uint32), (p, q, r, s)

    def _over(self, words: Words, running: tuple[int, int]) -> tuple[int, int]:
        first, second, (p, q, r, s) = self._factors[len(words)]
        a = int(np.sum(words * first, dtype=np.uint32)) + p * running[0] + q * running[1]
        b = int(np.sum(words * second, dtype=np.uint32)) + r * running[0] + s * running[1]
        return a & 0xFFFFFFFF, b & 0xFFFFFFFF

    def over_header(self, head: bytes) -> tuple[int, int]:
        """Return the sums over the first 24 bytes of the log."""
        return self._over(np.frombuffer(head, self._order).astype(np.uint32), (0, 0))

    def over_frame(self, frame: bytes, running: tuple[int, int]) -> tuple[int, int]:
        """Return the sums over the first 8 bytes of a frame and its page, continued from the frame before."""
        return self._over(np.frombuffer(frame[:8] + frame[24:], self._order).astype(np.uint32), running)
