"""What is left of a cell in a page: where it lies, what of its header was read, what was concluded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kaval.artefacts.sqlite.records import size_of, varint
from kaval.artefacts.sqlite.templates import Template
from kaval.artefacts.sqlite.trees import INDEX_LEAF, TABLE_LEAF, local_size


@dataclass(frozen=True, slots=True)
class Remains:
    """The remains of one cell.

    ``types`` has ``None`` where a serial type is lost and could not be concluded, ``concluded`` the places where it
    was, with how far that is sure. ``record`` is where the record's header begins or began, ``body`` where its values
    do, ``end`` where what is readable ends; ``size`` is that of the whole payload. ``whole`` cells have lost nothing at
    their beginning; ``anchored`` ones begin where a free block does, ``exact`` ones end where something else is known
    to begin. ``bits`` is the evidence that these are no random bytes.
    """

    start: int
    end: int
    template: Template
    types: tuple[int | None, ...]
    record: int
    body: int
    size: int
    bits: float
    concluded: tuple[tuple[int, float], ...] = ()
    whole: bool = False
    cut: bool = False
    anchored: bool = False
    exact: bool = False

    @property
    def weight(self) -> float:
        """How much speaks for these remains where others overlap them: what they explain, and how well."""
        size = self.end - self.start
        if self.whole:
            return 20.0 + size
        held = (15.0 + 0.9 * size if self.anchored else 0.5 * size) + (10.0 if self.exact else 0.0)
        return held - (8.0 if self.concluded else 0.0)

    def cut_at(self, end: int) -> Remains:
        """Return the same remains where something else begins before their end."""
        return replace(self, end=end, cut=True)


def record_types(block: bytes, record: int) -> tuple[list[int], int] | None:
    """Return the serial types in a record's header inside a page, and where its body begins, if it is one."""
    try:
        size = block[record]
        head = block[record + 1 : record + size]
        if size < 0x80 and head.isascii():
            return (list(head), record + size) if size and len(head) == size - 1 else None
        size, place = varint(block, record)
        end = record + size
        if end > len(block):
            return None
        types = []
        while place < end:
            serial_type, place = varint(block, place)
            types.append(serial_type)
    except IndexError:
        return None
    return (types, end) if place == end else None


def local_end(record: int, size: int, usable_size: int, *, keyed: bool) -> tuple[int, int]:
    """Return where a cell ends whose payload begins at ``record``, and where what it holds of that ends.

    They differ where the payload runs over into other pages: the number of the first of them stands between.
    """
    local = local_size(size, usable_size, INDEX_LEAF if keyed else TABLE_LEAF)
    return record + local + (4 if local < size else 0), record + local


def body_size(types: Iterable[int]) -> int:
    """Return how many bytes values of these types take."""
    return sum(map(size_of, types))


def choose(candidates: Sequence[Remains]) -> list[Remains]:
    """Return those remains that do not overlap and together explain the most, and the fronts of others between them.

    A front is cut where the next one begins: it is an older cell of which a newer took the end.
    """
    if not candidates:
        return []
    ordered = sorted(candidates, key=lambda one: (one.end, one.start))
    ends = [one.end for one in ordered]
    best: list[float] = [0.0]
    taken: list[int] = []
    for at, one in enumerate(ordered):
        before = bisect_right(ends, one.start, 0, at)
        weight = best[before] + one.weight
        taken.append(before if weight > best[at] else -1)
        best.append(max(weight, best[at]))
    chosen: list[Remains] = []
    at = len(ordered)
    while at > 0:
        if taken[at - 1] >= 0:
            chosen.append(ordered[at - 1])
            at = taken[at - 1]
        else:
            at -= 1
    chosen.reverse()
    return chosen + _fronts(ordered, chosen)


def _fronts(ordered: Sequence[Remains], chosen: Sequence[Remains]) -> list[Remains]:
    """Return what of the candidates not chosen lies in front of a chosen one, each byte given once."""
    found: list[Remains] = []
    starts = [one.start for one in chosen]
    ends = [one.end for one in chosen]
    kept = set(map(id, chosen))
    taken = 0
    for one in sorted(ordered, key=lambda one: (one.start, -one.weight)):
        if id(one) in kept or not (one.whole or one.anchored) or one.start < taken:
            continue
        at = bisect_right(starts, one.start)
        inside = at > 0 and one.start < ends[at - 1]
        follower = starts[at] if at < len(starts) else one.end
        if not inside and one.body < follower < one.end:
            found.append(one.cut_at(follower))
            taken = follower
    return found
