"""Serial types that are lost, concluded from how many bytes their values took together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2

from kaval.artefacts.sqlite.checking import body_bits
from kaval.artefacts.sqlite.records import size_of
from kaval.artefacts.sqlite.templates import BLOB, INTEGER, NULL, REAL, TEXT, Template

_FIXED = ((0, NULL), (1, INTEGER), (2, INTEGER), (3, INTEGER), (4, INTEGER), (5, INTEGER), (6, INTEGER), (7, REAL),
          (8, INTEGER), (9, INTEGER))  # fmt: skip
_SURE = 0.9
UNSURE = 0.5
"""How sure a value is of which the extent is a guess."""
Answer = tuple[tuple[int | None, ...], tuple[tuple[int, float], ...], float]


def types_of_size(template: Template, place: int, size: int) -> Iterator[int]:
    """Yield the serial types that a place of the record can hold and whose values take ``size`` bytes."""
    expected = template.expected(place)
    for serial_type, kind in _FIXED:
        if kind in expected and size_of(serial_type) == size:
            yield serial_type
    if TEXT in expected and (size or template.learnt == 0 or place not in template.table.not_null):
        yield 13 + 2 * size
    if BLOB in expected:
        yield 12 + 2 * size


def _combinations(template: Template, count: int, size: int) -> Iterator[tuple[int, ...]]:
    """Yield every way in which the first one or two places can hold ``size`` bytes together."""
    if count == 0:
        if size == 0:
            yield ()
        return
    if count == 1:
        for serial_type in types_of_size(template, 0, size):
            yield (serial_type,)
        return
    for part in range(size + 1):
        for first in types_of_size(template, 0, part):
            for second in types_of_size(template, 1, size - part):
                yield first, second


def _usual(template: Template, types: Sequence[int]) -> float:
    """Return how usual these types are at the first places, for a choice between some of the same size."""
    share = 1.0
    for place, serial_type in enumerate(types):
        counts = template.type_counts[place]
        seen = counts.get(serial_type, 0) if serial_type < 12 else template.seen_strings(place, serial_type)
        share *= (seen + 0.1) / (template.learnt + 1)
    return share


def usual_first_type(template: Template) -> int | None:
    """Return the serial type that the first value nearly always has, if it has one of the fixed sizes."""
    counts = template.type_counts[0]
    if not counts:
        return None
    best = max(counts, key=lambda serial_type: counts[serial_type])
    return best if counts[best] >= _SURE * template.learnt else None


def conclude(
    template: Template,
    count: int,
    size: int,
    byte: int | None,
    block: bytes,
    body: int,
    known: Sequence[int],
    codec: str,
) -> Answer | None:
    """Return all types of a record whose first ``count`` are lost, how sure each of those is, and the evidence.

    ``byte`` is the last byte of the last lost type where it is longer than one byte. ``None``: no types fit the values.
    """
    end = body + size + sum(map(size_of, known))
    tried = 0
    fitting: list[tuple[float, tuple[int, ...], float]] = []
    for types in _combinations(template, count, size):
        if byte is not None and (types[-1] < 128 or types[-1] & 0x7F != byte):
            continue
        if byte is None and types and types[-1] >= 128:
            continue
        tried += 1
        bits = body_bits(block, body, (*types, *known), codec, legacy=template.legacy, end=end)
        if bits is not None:
            fitting.append((_usual(template, types), types, bits))
    if not fitting:
        return None
    fitting.sort(reverse=True)
    total = sum(share for share, _, _ in fitting)
    best, types, bits = fitting[0]
    sure = best / total
    if sure < _SURE and len(fitting) > 1:
        return _undecided(fitting, count, known)
    # What was tried more often fits more often; and what is unusual has to be shown better.
    bits += log2(min(1.0, best * 4)) - log2(tried)
    if any(one >= 12 for one in types) and not _bounded(types, known):
        return (*types, *known), tuple((place, UNSURE) for place in range(count)), bits
    confidence = round(0.98 * sure, 3)
    return (*types, *known), tuple((place, confidence) for place in range(count)), bits


def _bounded(types: Sequence[int], known: Sequence[int]) -> bool:
    """Whether it shows where a text of lost type ends: a number follows, which is no text. A blob's end never shows."""
    following = next((one for one in known if size_of(one)), None)
    return all(one < 12 or one & 1 for one in types) and following is not None and following < 12


def _undecided(
    fitting: Sequence[tuple[float, tuple[int, ...], float]], count: int, known: Sequence[int]
) -> Answer | None:
    """Return the types with ``None`` where those that fit do not agree; all take the same bytes."""
    agreed: list[int | None] = []
    for place in range(count):
        options = {types[place] for _, types, _ in fitting}
        agreed.append(options.pop() if len(options) == 1 else None)
    sureness = tuple((place, 0.9 if agreed[place] is not None else 0.0) for place in range(count))
    return (*agreed, *known), sureness, min(bits for _, _, bits in fitting)
