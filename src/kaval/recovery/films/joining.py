"""Which data an index belongs to, and where the film breaks between the piece it starts with and the one it ends with.

The second piece ends with the index; it lies before or behind the first. Where the data lie in one piece, the film
breaks at their end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from kaval.core.sources import ByteSource, JoinedSource, SliceSource
from kaval.recovery.films.boxes import Head, Track
from kaval.recovery.films.samples import Form, known_samples

MAXIMUM_SAMPLES = 1 << 18
MAXIMUM_BREAKS = 1 << 12
PROOF = 24.0
"""Bits of proof the samples together must give; an index that accounts for every byte of the data needs none."""

LEAST_SHARE = 0.5
"""How much of the data an index must account for: one of a shorter film would fit into the data of any longer one."""


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """An index: where it lies in the runs, its size, its tracks."""

    position: int
    size: int
    tracks: tuple[Track, ...]


def fits(head: Head, index: Index) -> bool:
    """Whether every chunk an index names lies inside the data, and they make up most of them."""
    named = 0
    for track in index.tracks:
        ends = track.chunk_offsets + track.chunk_sizes
        if int(track.chunk_offsets.min()) < head.data_offset or int(ends.max()) > head.data_end:
            return False
        named += int(track.chunk_sizes.sum())
    size = head.data_end - head.data_offset
    return size * LEAST_SHARE <= named <= size


def fills(head: Head, index: Index) -> bool:
    """Whether the chunks lie side by side from the first byte of the data to the last one."""
    import numpy as np

    offsets = np.concatenate([track.chunk_offsets for track in index.tracks])
    sizes = np.concatenate([track.chunk_sizes for track in index.tracks])
    order = np.argsort(offsets, kind="stable")
    starts, ends = offsets[order], (offsets + sizes)[order]
    return bool(starts[0] == head.data_offset and ends[-1] == head.data_end and (starts[1:] == ends[:-1]).all())


class Joining:
    """Tries one film, which starts at a position of the runs, with one index."""

    def __init__(self, runs: ByteSource, start: int, head: Head, index: Index, beat: Callable[[], None]) -> None:
        self._runs = runs
        self._start = start
        self._head = head
        self._index = index
        self._beat = beat
        self._shift = index.position - start - head.data_end
        self._samples: list[tuple[int, int, Form]] = []

    def breaks(self, cluster: int) -> list[int]:
        """Return the bytes of the film at which it may break, where everything known of its samples agrees.

        Several are told where no sample decides between clusters; none where the index does not belong to the data. An
        index that does not lie as the end of a file would is taken for one where the data in one piece prove it.
        """
        number = sum(len(track.sample_sizes) for track in self._index.tracks)
        if number > MAXIMUM_SAMPLES or not fits(self._head, self._index):
            return []
        self._samples = sorted(known_samples(self._index.tracks), key=lambda sample: sample[:2])
        if sum(form.bits for _, _, form in self._samples) < PROOF and not fills(self._head, self._index):
            return []
        here = self._agreeing(self._samples, self._start)
        if self._shift % cluster == 0:
            return self._between(cluster, here)
        whole = here == len(self._samples) and self.pieces(self._head.data_end) is not None
        return [self._head.data_end] if whole else []

    def _agreeing(self, samples: Sequence[tuple[int, int, Form]], start: int) -> int:
        """Return how many of the samples, from the first on, stand where a film that starts there has them."""
        for number, (offset, size, form) in enumerate(samples):
            if not number % 4096:
                self._beat()
            place = start + offset
            if place < 0 or place + size > self._runs.size or not form.stands(self._runs, place, size):
                return number
        return len(samples)

    def _between(self, cluster: int, here: int) -> list[int]:
        """Return the starts of clusters at which the film may break, with ``here`` samples in the first piece."""
        there = self._agreeing(self._samples[::-1], self._start + self._shift)
        first = len(self._samples) - there - 1
        low = self._samples[first][0] + 1 if first >= 0 else self._head.data_offset
        high = self._head.data_end
        if here < len(self._samples):
            high = min(high, self._samples[here][0] + self._samples[here][1] - 1)
        found: list[int] = []
        for place in range(-(-low // cluster) * cluster, high + 1, cluster):
            if len(found) >= MAXIMUM_BREAKS:
                return []
            if place > 0 and self._holds(place, first):
                found.append(place)
        return found

    def _holds(self, place: int, first: int) -> bool:
        """Whether the samples around a break stand in the film that is joined there."""
        joined = self.joined(place)
        if joined is None:
            return False
        for offset, size, form in self._samples[max(0, first) :]:
            if offset >= place:
                break
            if offset + size > place and not form.stands(joined, offset, size):
                return False
        return True

    def pieces(self, place: int) -> list[list[int]] | None:
        """Return position and length of the two pieces of a film that breaks there, ``None`` where they overlap."""
        again = self._start + self._shift + place
        length = self._head.data_end + self._index.size - place
        apart = again >= self._start + place or again + length <= self._start
        if again < 0 or not apart or self._start + place > self._runs.size or again + length > self._runs.size:
            return None
        return [[self._start, place], [again, length]]

    def joined(self, place: int) -> ByteSource | None:
        """Return the film that breaks there."""
        pieces = self.pieces(place)
        if pieces is None:
            return None
        return JoinedSource([SliceSource(self._runs, *piece) for piece in pieces])


def likeliest(breaks: Sequence[int], edges: Set[int]) -> int | None:
    """Return the one break to be believed: the only one, or the only one beside something whole."""
    if len(breaks) == 1:
        return breaks[0]
    beside = [place for place in breaks if place in edges]
    return beside[0] if len(beside) == 1 else None
