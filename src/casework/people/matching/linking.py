"""Pairs among many, in memory: the keys and the scores that the job has, all at once; and the second look.

A row may be too poor to be told from its namesakes, and still be plain once it is read together with rows that surely
are the same person: they lend it their birth, their phones, their other writings. `merged` is that reading.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from casework.people.matching.keys import TOO_COMMON, TOO_MANY, number_of
from casework.people.matching.profiles import keys_of
from casework.people.matching.scoring import Profile, compare

# A pair is a candidate from here on; chosen on invented lists so that 98 of 100 candidates are true.
LIKELY = 0.4
# From here on a row lends to another what it knows.
STRONG = 0.9
# Between these a pair is looked at a second time.
DOUBTFUL = (0.001, 0.97)
MOST_LENDERS = 6


def candidates_among(profiles: Mapping[int, Profile]) -> dict[tuple[int, int], float]:
    """Return the likely pairs among the profiles with their probability."""
    blocks: dict[object, list[int]] = defaultdict(list)
    alone: Counter[int] = Counter()
    for pk, profile in profiles.items():
        keys = keys_of(profile)
        alone.update(keys.alone)
        for key in (*keys.combined, *(("alone", key) for key in keys.alone), *profile.identifiers):
            blocks[key].append(pk)
    total = len(profiles)

    def share(text: str) -> float:
        return alone[number_of(text)] / total

    scores = {
        pair: compare(profiles[pair[0]], profiles[pair[1]], share, total).probability for pair in _blocked(blocks)
    }
    near: dict[int, set[int]] = defaultdict(set)
    for (one, other), score in scores.items():
        if score >= STRONG:
            near[one].add(other)
            near[other].add(one)
    for (one, other), score in list(scores.items()):
        if is_doubtful(score) and (near[one] - {other} or near[other] - {one}):
            sides = [
                merged(profiles[side], [profiles[pk] for pk in sorted(near[side] - {against})])
                for side, against in ((one, other), (other, one))
            ]
            scores[one, other] = compare(sides[0], sides[1], share, total).probability
    return {pair: score for pair, score in scores.items() if score >= LIKELY}


def is_doubtful(score: float) -> bool:
    """Tell whether a second look may change what is said of a pair."""
    return DOUBTFUL[0] < score < DOUBTFUL[1]


def merged(profile: Profile, lenders: Sequence[Profile]) -> Profile:
    """Return a profile with what the surest others know: all names, all identifiers, the most exact birth."""
    every = [profile, *lenders[:MOST_LENDERS]]
    births = [each.born for each in every if each.born is not None]
    return Profile(
        names=tuple(dict.fromkeys(name for each in every for name in each.names)),
        parents=tuple(dict.fromkeys(name for each in every for name in each.parents)),
        born=min(births, key=lambda born: born[1] - born[0], default=None),
        sex=next((each.sex for each in every if each.sex), ""),
        identifiers=frozenset[object]().union(*(each.identifiers for each in every)),
    )


def _blocked(blocks: Mapping[object, list[int]]) -> Iterable[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    for key, members in blocks.items():
        if len(members) <= (TOO_COMMON if isinstance(key, tuple) else TOO_MANY):
            for place, one in enumerate(members):
                pairs.update((min(one, other), max(one, other)) for other in members[place + 1 :])
    return pairs
