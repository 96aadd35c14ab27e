"""The file allocation table: which cluster follows which.

fatgen103, "FAT Data Structure"; *exFAT File System Specification* section 4. The table is read in pages, so that one
of 2 TB stays within memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kaval.core.errors import UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, pieces
from kaval.filesystems.clusters.grid import FIRST_CLUSTER, Run
from kaval.filesystems.clusters.sets import ClusterSet

STRUCTURE = "file allocation table"
PAGE_ENTRIES = 1 << 18
MAXIMUM_PAGES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class TablePlace:
    """Where the copies of a table lie: the active one first; ``bits`` an entry are stored, ``mask`` of them count.

    ``end`` is the first cluster number behind the volume.
    """

    copies: tuple[int, ...]
    size: int
    bits: int
    mask: int
    end: int


class ChainTable:
    """One table, the active one; where it cannot be read, its copy is used.

    ``unread`` are the clusters of the parts read so far of which no copy tells anything.
    """

    def __init__(self, source: ByteSource, place: TablePlace) -> None:
        self._source = source
        self._place = place
        self._pages: OrderedDict[int, Any] = OrderedDict()
        self._page_breaks: OrderedDict[int, Any] = OrderedDict()
        self._end = place.end
        self._last = place.mask - 7
        self.unread = ClusterSet(place.end)
        self.bad_mark = place.mask - 8
        self.notices: list[Notice] = []

    def read_used(self) -> ClusterSet:
        """Return every cluster whose entry is not zero: what is in use, where the table alone says so (FAT)."""
        import numpy as np

        parts = []
        for page in range(-(-self._end // PAGE_ENTRIES)):
            parts.append(np.packbits(self._page(page) != 0, bitorder="little").tobytes())
        used = ClusterSet(self._end, b"".join(parts))
        used.discard(0, FIRST_CLUSTER)
        return used

    def _page(self, number: int) -> Any:
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= MAXIMUM_PAGES:
                self._pages.popitem(last=False)
            page = self._pages[number] = self._decode(number)
        else:
            self._pages.move_to_end(number)
        return page

    def _decode(self, number: int) -> Any:
        import numpy as np

        first = number * PAGE_ENTRIES
        count = min(PAGE_ENTRIES, self._end - first)
        bits = self._place.bits
        block = self._read(first * bits // 8, -(-count * bits // 8))
        if bits == 32:
            return np.frombuffer(block, "<u4", count) & np.uint32(self._place.mask)
        if bits == 16:
            return np.frombuffer(block, "<u2", count)
        octets = np.frombuffer(block + b"\0\0\0", np.uint8).astype(np.uint16)
        places = np.arange(count) * 3 // 2
        pairs = octets[places] | octets[places + 1] << 8
        return np.where(np.arange(count) % 2, pairs >> 4, pairs & 0xFFF)

    def _read(self, start: int, size: int) -> bytes:
        """Return a part of the table; what no copy gives counts as in use, so that nothing is invented."""
        part = bytearray(b"\xff" * size)
        missing = [(start, size)]
        for copy in self._place.copies:
            missing = [rest for place, length in missing for rest in self._fill(part, start, copy, place, length)]
            if not missing:
                break
        for place, length in missing:
            first = place * 8 // self._place.bits
            self.unread.add(first, -(-(place + length) * 8 // self._place.bits) - first)
        return bytes(part)

    def _fill(self, part: bytearray, start: int, copy: int, place: int, length: int) -> Iterator[tuple[int, int]]:
        """Put what a copy gives of a range into a part that begins at ``start``; yield the ranges it does not give."""
        end = place + length
        for found in pieces(self._source, copy + place, length):
            if isinstance(found, UnreadableError):
                message = f"{found.length} bytes of the table at {copy} cannot be read: {found.reason}"
                self._note(NoticeCode.UNREADABLE, message, found.offset)
                yield found.offset - copy, found.length
                place = found.offset + found.length - copy
            else:
                place = found[0] - copy
                part[place - start : place - start + len(found[1])] = found[1]
                place += len(found[1])
        if place < end:
            self._note(NoticeCode.TRUNCATED, f"the table at {copy} ends early", copy + place)
            yield place, end - place

    def _note(self, code: NoticeCode, message: str, offset: int) -> None:
        if len(self.notices) < 64:
            self.notices.append(Notice(code=code, message=message, offset=offset, structure=STRUCTURE))

    def compare_copies(self) -> Iterator[Notice]:
        """Yield a notice for the first byte at which a copy of the table differs from the active one."""
        active, *others = self._place.copies
        for copy in others:
            place = self._first_difference(active, copy)
            if place is not None:
                message = f"the table at {copy} differs from the one at {active}, which is followed"
                yield Notice(code=NoticeCode.DAMAGED, message=message, offset=copy + place, structure=STRUCTURE)

    def _first_difference(self, active: int, copy: int) -> int | None:
        for start in range(0, self._place.size, 1 << 20):
            size = min(1 << 20, self._place.size - start)
            try:
                one, two = (self._source.read_at(base + start, size) for base in (active, copy))
            except UnreadableError:
                continue
            if one != two:
                return start + next((k for k, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(two))
        return None

    def next_of(self, cluster: int) -> int:
        """Return the stored successor of a cluster."""
        return int(self._page(cluster // PAGE_ENTRIES)[cluster % PAGE_ENTRIES])

    def followers(self, clusters: ClusterSet) -> ClusterSet:
        """Return the clusters that some cluster of a set names as its successor."""
        import numpy as np

        found = ClusterSet(self._end)
        for first, count in clusters.runs():
            cluster, end = first, first + count
            while cluster < end:
                number, place = divmod(cluster, PAGE_ENTRIES)
                values = self._page(number)[place : place + end - cluster]
                chained = np.unique(values[(values >= FIRST_CLUSTER) & (values < self._end)])
                for piece in np.split(chained, np.flatnonzero(np.diff(chained) != 1) + 1) if len(chained) else ():
                    found.add(int(piece[0]), len(piece))
                cluster += len(values)
        return found

    def chain(self, first: int) -> tuple[list[Run], str]:
        """Return the runs of a chain and what is wrong with it: nothing, or why it ends where it does."""
        if not FIRST_CLUSTER <= first < self._end:
            return [], f"the first cluster {first} lies outside the volume"
        runs: list[Run] = []
        lasts: set[int] = set()
        cluster = first
        while True:
            last = self._run_end(cluster)
            if last in lasts:
                return runs, f"the chain returns to cluster {cluster}"
            lasts.add(last)
            follower = self.next_of(last)
            runs.append((cluster, last - cluster + 1))
            if last in self.unread:
                return runs, f"what follows cluster {last} cannot be read in the table"
            if follower >= self._last:
                return runs, ""
            if not FIRST_CLUSTER <= follower < self._end:
                return self._broken(runs, last, follower)
            cluster = follower

    def _broken(self, runs: list[Run], last: int, follower: int) -> tuple[list[Run], str]:
        if follower == 0:
            first, count = runs.pop()
            if count > 1:
                runs.append((first, count - 1))
            return runs, f"the chain leads into cluster {last}, which is free"
        what = "is marked defective" if follower == self.bad_mark else f"points to {follower}"
        return runs, f"the chain ends at cluster {last}, which {what}"

    def _run_end(self, cluster: int) -> int:
        """Return the last cluster of the contiguous run that goes on from here."""
        import numpy as np

        while True:
            number, place = divmod(cluster, PAGE_ENTRIES)
            breaks = self._breaks(number)
            index = int(breaks.searchsorted(np.int32(place)))
            if index < len(breaks):
                return number * PAGE_ENTRIES + int(breaks[index])
            cluster = (number + 1) * PAGE_ENTRIES
            if cluster >= self._end:
                return self._end - 1

    def _breaks(self, number: int) -> Any:
        """Return the places of a page whose successor is not the next cluster."""
        import numpy as np

        kept = self._page_breaks.get(number)
        if kept is None:
            if len(self._page_breaks) >= MAXIMUM_PAGES:
                self._page_breaks.popitem(last=False)
            page = self._page(number)
            follow = np.arange(1, len(page) + 1, dtype=np.int64) + number * PAGE_ENTRIES
            kept = self._page_breaks[number] = np.flatnonzero(page != follow).astype(np.int32)
        return kept
