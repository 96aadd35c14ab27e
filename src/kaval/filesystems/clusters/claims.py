"""Who claims a cluster: living files by their chains, deleted ones by what was concluded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from kaval.filesystems.clusters.grid import Run


class ClaimMap:
    """Which remnant had a cluster last, as ordered spans that never overlap."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int, int]] = []

    def _from(self, cluster: int) -> int:
        """Return the index of the first span that ends behind a cluster."""
        index = bisect_left(self._spans, (cluster, 0, 0))
        return index - 1 if index and self._spans[index - 1][1] > cluster else index

    def at(self, cluster: int, end: int) -> tuple[int | None, int]:
        """Return who had a cluster, and up to where (exclusive) that holds."""
        index = self._from(cluster)
        if index == len(self._spans):
            return None, end
        first, stop, owner = self._spans[index]
        return (owner, stop) if first <= cluster else (None, first)

    def within(self, first: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of spans that lie in a range."""
        index = self._from(first)
        while index < len(self._spans) and self._spans[index][0] < end:
            low, high, owner = self._spans[index]
            yield max(low, first), min(high, end), owner
            index += 1

    def owners(self, runs: Sequence[Run]) -> list[int]:
        """Return who had any of these clusters, each once."""
        return list(dict.fromkeys(owner for first, n in runs for _, _, owner in self.within(first, first + n)))

    def assign(self, first: int, end: int, owner: int, yields: Callable[[int], bool]) -> None:
        """Give a range to an owner, but for what those hold who do not yield."""
        low = self._from(first)
        high = low
        spans: list[tuple[int, int, int]] = []
        cursor = first
        while high < len(self._spans) and self._spans[high][0] < end:
            start, stop, other = self._spans[high]
            high += 1
            if other == owner or yields(other):
                if start < first:
                    spans.append((start, first, other))
                if stop > end:
                    spans.append((end, stop, other))
                continue
            if cursor < start:
                spans.append((cursor, start, owner))
            spans.append((start, stop, other))
            cursor = stop
        if cursor < end:
            spans.append((cursor, end, owner))
        self._spans[low:high] = sorted(spans)

    def release(self, owner: int, runs: Sequence[Run]) -> None:
        """Take from an owner what it holds of these runs."""
        for first, count in runs:
            low = self._from(first)
            high = low
            while high < len(self._spans) and self._spans[high][0] < first + count:
                high += 1
            self._spans[low:high] = [span for span in self._spans[low:high] if span[2] != owner]
