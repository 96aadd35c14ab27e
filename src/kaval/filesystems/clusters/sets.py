"""A packed set of cluster numbers: one bit each, so that a volume of 2 TB stays in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kaval.filesystems.clusters.grid import Run

_PIECE = 1 << 17


class ClusterSet:
    """A set of numbers from 0 to ``count - 1``; ranges are added, counted and listed at once."""

    def __init__(self, count: int, bits: bytes | bytearray | None = None) -> None:
        self.count = count
        size = (count + 7) // 8
        self._bits = bytearray(bits[:size] if bits is not None else b"")
        self._bits.extend(bytes(size - len(self._bits)))
        if count % 8 and size:
            self._bits[-1] &= (1 << count % 8) - 1

    def __contains__(self, number: int) -> bool:
        return 0 <= number < self.count and bool(self._bits[number >> 3] >> (number & 7) & 1)

    def __len__(self) -> int:
        return sum(
            int.from_bytes(self._bits[start : start + _PIECE], "little").bit_count()
            for start in range(0, len(self._bits), _PIECE)
        )

    def _word(self, first: int, length: int) -> int:
        low = first >> 3
        block = self._bits[low : (first + length + 7) >> 3]
        return (int.from_bytes(block, "little") >> (first & 7)) & ((1 << length) - 1)

    def members(self, first: int, length: int) -> int:
        """Return how many numbers of a range are in the set."""
        length = min(length, self.count - first)
        total = 0
        while length > 0:
            step = min(length, _PIECE * 8)
            total += self._word(first, step).bit_count()
            first, length = first + step, length - step
        return total

    def add(self, first: int, length: int) -> int:
        """Add a range; return how many of its numbers were in the set already."""
        length = min(length, self.count - first)
        if length <= 0:
            return 0
        low, high = first >> 3, (first + length + 7) >> 3
        if high - low > 64:
            return self._add_long(first, length)
        mask = ((1 << length) - 1) << (first & 7)
        word = int.from_bytes(self._bits[low:high], "little")
        self._bits[low:high] = (word | mask).to_bytes(high - low, "little")
        return (word & mask).bit_count()

    def _add_long(self, first: int, length: int) -> int:
        there = self.members(first, length)
        head = -first % 8
        tail = (first + length) % 8
        if head:
            self.add(first, head)
        if tail:
            self.add(first + length - tail, tail)
        low, high = (first + head) >> 3, (first + length - tail) >> 3
        self._bits[low:high] = b"\xff" * (high - low)
        return there

    def discard(self, first: int, length: int) -> None:
        """Take a range out of the set."""
        length = min(length, self.count - first)
        if length <= 0:
            return
        low, high = first >> 3, (first + length + 7) >> 3
        mask = ((1 << length) - 1) << (first & 7)
        word = int.from_bytes(self._bits[low:high], "little")
        self._bits[low:high] = (word & ~mask).to_bytes(high - low, "little")

    def without(self, other: ClusterSet) -> ClusterSet:
        """Return the numbers that are in this set and not in the other."""
        import numpy as np

        mine = np.frombuffer(self._bits, np.uint8)
        theirs = np.frombuffer(other._bits, np.uint8)
        return ClusterSet(self.count, (mine & ~theirs).tobytes())

    def inverted(self) -> ClusterSet:
        """Return the numbers that are not in this set."""
        import numpy as np

        return ClusterSet(self.count, (~np.frombuffer(self._bits, np.uint8)).tobytes())

    def runs(self) -> Iterator[Run]:
        """Yield the runs of consecutive members as first number and length, in order."""
        start, length = 0, 0
        for low in range(0, len(self._bits), _PIECE):
            for first, count in self._piece_runs(low):
                if length and start + length == first:
                    length += count
                    continue
                if length:
                    yield start, length
                start, length = first, count
        if length:
            yield start, length

    def _piece_runs(self, low: int) -> list[Run]:
        import numpy as np

        piece = np.frombuffer(bytes(self._bits[low : low + _PIECE]), np.uint8)
        if not piece.any():
            return []
        bits: Any = np.zeros(len(piece) * 8 + 2, np.int8)
        bits[1:-1] = np.unpackbits(piece, bitorder="little")
        steps = np.diff(bits)
        firsts = np.flatnonzero(steps == 1)
        ends = np.flatnonzero(steps == -1)
        base = low * 8
        return [(base + first, end - first) for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)]
