"""How likely two rows are one person: the arithmetic of Fellegi and Sunter (1969) with a third hypothesis, kin.

Each piece of evidence has three likelihoods: were the two the same, were they of one family, were they strangers.
Brothers share the house name, the parent and often the phone; without a hypothesis of their own they would be taken for
one another. A word of a name weighs as much as it is rare (its share among all persons, by sound). The numbers below
are judgements of ours, held against invented lists, not learnt from anybody's records; `VERSION` stands beside every
score.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import permutations
from math import log2

from casework.people.matching.keys import fold_text, sound_text
from casework.people.sounds import folded, sound_of_word

VERSION = "kin-1"

# How many other rows of the same person, and of kin, a row has on average.
_SAME_EXPECTED = 0.5
_KIN_EXPECTED = 1.5
_YEARS = 50.0
_LEAST_SHARE = 1e-6
_MOST_WORDS = 5

Share = Callable[[str], float]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is compared of a person: words of each name and of each parent's, birth, sex, identifiers."""

    names: tuple[tuple[str, ...], ...]
    parents: tuple[tuple[str, ...], ...] = ()
    born: tuple[date, date] | None = None
    sex: str = ""
    identifiers: frozenset[object] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One criterion: what was found, and how many bits it speaks for (or against) the same person."""

    criterion: str
    finding: str
    same: float
    kin: float
    stranger: float

    @property
    def bits(self) -> float:
        """Return the weight against strangers."""
        return self.same - self.stranger


@dataclass(frozen=True, kw_only=True)
class Score:
    """The probability that two rows are one person, and by which criteria."""

    probability: float
    evidence: tuple[Evidence, ...]


def compare(one: Profile, other: Profile, share: Share, persons: int) -> Score:
    """Return how likely two of so many ``persons`` are one; ``share`` is how common a key of words alone is."""
    evidence = [_names(one.names, other.names, share)]
    evidence += [
        found
        for found in (
            _parents(one.parents, other.parents, share),
            _births(one.born, other.born),
            _sexes(one.sex, other.sex),
            _identifiers(one.identifiers, other.identifiers),
        )
        if found is not None
    ]
    total = float(max(persons, 2))
    same = log2(_SAME_EXPECTED / total) + sum(each.same for each in evidence)
    kin = log2(_KIN_EXPECTED / total) + sum(each.kin for each in evidence)
    stranger = sum(each.stranger for each in evidence)
    most = max(same, kin, stranger)
    weights = [2 ** (value - most) for value in (same, kin, stranger)]
    return Score(probability=weights[0] / sum(weights), evidence=tuple(evidence))


@dataclass(frozen=True, kw_only=True)
class _Word:
    """One pair of words: how alike, and the likelihoods of that."""

    finding: str
    same: float
    stranger: float


def _names(
    ones: Sequence[tuple[str, ...]], others: Sequence[tuple[str, ...]], share: Share, criterion: str = "name"
) -> Evidence:
    best: Evidence | None = None
    for one in ones:
        for other in others:
            found = _name(one, other, share, criterion)
            if best is None or found.bits > best.bits:
                best = found
    return best or Evidence(criterion=criterion, finding="missing", same=0, kin=0, stranger=0)


def _name(one: tuple[str, ...], other: tuple[str, ...], share: Share, criterion: str) -> Evidence:
    """Pair the words of two names as it speaks most for the same person, whatever their order."""
    few, many = sorted((one[:_MOST_WORDS], other[:_MOST_WORDS]), key=len)
    found = [[_word(a, b, share) for b in many] for a in few]
    pairs = max(
        ([row[at] for row, at in zip(found, order, strict=True)] for order in permutations(range(len(many)), len(few))),
        key=lambda words: sum(word.same - word.stranger for word in words),
    )
    left = len(many) - len(few)
    swapped = len(one) > 1 and [word[:1] for word in one] != [word[:1] for word in other]
    missing = -1.5 * left
    same = sum(pair.same for pair in pairs) + missing - (0.5 if swapped else 0)
    stranger = sum(pair.stranger for pair in pairs) + missing
    # Of kin, one word is shared: the one that says most.
    shared = max(
        (
            log2(0.7 if min(len(one), len(other)) > 1 else 0.3) - pair.stranger
            for pair in pairs
            if pair.finding != "different"
        ),
        default=0.0,
    )
    finding = ", ".join(pair.finding for pair in pairs) + (", missing" if left else "")
    return Evidence(criterion=criterion, finding=finding, same=same, kin=stranger + max(shared, 0.0), stranger=stranger)


def _word(one: str, other: str, share: Share) -> _Word:
    alike = likeness(one, other)
    if alike == "initial":
        return _Word(finding=alike, same=log2(0.15), stranger=log2(0.15 / 14))
    if alike == "other initial":
        return _Word(finding=alike, same=log2(0.002), stranger=log2(0.15))
    if alike == "equal":
        return _Word(finding=alike, same=log2(0.65), stranger=log2(max(share(fold_text(folded(one))), _LEAST_SHARE)))
    common = max(share(sound_text(sound_of_word(one))), share(sound_text(sound_of_word(other))), _LEAST_SHARE)
    if alike == "sounds equal":
        return _Word(finding=alike, same=log2(0.1), stranger=log2(common * 0.25))
    if alike == "near":
        return _Word(finding=alike, same=log2(0.08), stranger=log2(min(common * 0.7 + 0.0003, 0.5)))
    if alike == "far":
        return _Word(finding=alike, same=log2(0.015), stranger=log2(min(common + 0.002, 0.5)))
    return _Word(finding=alike, same=log2(0.012), stranger=log2(0.9))


@lru_cache(maxsize=1 << 18)
def likeness(one: str, other: str) -> str:
    """Return how alike two words are: equal, sounds equal, near, far, initial, other initial, different."""
    a, b = folded(one), folded(other)
    if not a or not b:
        return "different"
    sound_a, sound_b = sound_of_word(one), sound_of_word(other)
    if min(len(a), len(b)) <= 2 and (len(sound_a) <= 1 or len(sound_b) <= 1):
        return "initial" if sound_a[:1] == sound_b[:1] else "other initial"
    if a == b:
        return "equal"
    distance = steps(a, b) / max(len(a), len(b))
    if sound_a == sound_b and distance <= 0.45:
        return "sounds equal"
    if distance <= 0.2 or (distance <= 0.35 and steps(sound_a, sound_b) <= 1 and len(sound_a) >= 3):
        return "near"
    return "far" if distance <= 0.34 else "different"


def steps(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _parents(ones: Sequence[tuple[str, ...]], others: Sequence[tuple[str, ...]], share: Share) -> Evidence | None:
    if not ones or not others:
        return None
    found = _names(ones, others, share, "parent")
    if found.bits > 0:
        return Evidence(
            criterion="parent", finding=found.finding, same=found.same, kin=found.same - 0.2, stranger=found.stranger
        )
    return Evidence(criterion="parent", finding="different", same=log2(0.06), kin=log2(0.15), stranger=log2(0.97))


def _births(one: tuple[date, date] | None, other: tuple[date, date] | None) -> Evidence | None:
    if one is None or other is None:
        return None
    finding, same, kin, stranger = _birth(one, other)
    return Evidence(criterion="birth", finding=finding, same=log2(same), kin=log2(kin), stranger=log2(stranger))


def _birth(one: tuple[date, date], other: tuple[date, date]) -> tuple[str, float, float, float]:
    exact = one[0] == one[1] and other[0] == other[1]
    a, b = one[0], other[0]
    gap = max(other[0].year - one[1].year, one[0].year - other[1].year, 0)
    if exact and a == b:
        return "same day", 0.8, 0.004, 1 / (_YEARS * 365)
    if exact and a.year == b.year:
        if (a.month, a.day) == (b.day, b.month):
            return "day and month swapped", 0.04, 0.0004, 1 / (_YEARS * 365)
        if a.month == b.month or a.day == b.day:
            return "same year, and day or month", 0.04, 0.006, 0.12 / _YEARS
        return "same year only", 0.02, 0.04, 0.88 / _YEARS
    if gap == 0 and not exact:
        width = min((one[1] - one[0]).days, (other[1] - other[0]).days) // 366 + 1
        return "same year", 0.9, 0.06 * width, min(width / _YEARS, 0.8)
    if gap <= 1:
        return "a year apart", 0.12, 0.15, 2 / _YEARS
    if gap <= 4:
        return "some years apart", 0.03, 0.4, 6 / _YEARS
    return "different", 0.004, 0.35, 1 - 9 / _YEARS


def _sexes(one: str, other: str) -> Evidence | None:
    if not one or not other:
        return None
    alike = one == other
    same, unlike = (0.985, 0.52) if alike else (0.015, 0.48)
    finding = "same" if alike else "different"
    return Evidence(criterion="sex", finding=finding, same=log2(same), kin=log2(unlike), stranger=log2(unlike))


def _identifiers(one: Collection[object], other: Collection[object]) -> Evidence | None:
    if not one or not other:
        return None
    shared = len(frozenset(one) & frozenset(other))
    if shared:
        return Evidence(
            criterion="identifier", finding=f"{shared} shared", same=log2(0.7), kin=log2(0.12), stranger=log2(0.0002)
        )
    return Evidence(criterion="identifier", finding="none shared", same=log2(0.3), kin=log2(0.8), stranger=log2(0.99))
