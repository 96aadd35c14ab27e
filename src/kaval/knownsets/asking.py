"""Asking several sets at once: what matches, what the unit has said of it, and what it has silenced.

A negative set holds values this unit does not want to be accused by again. An entry whose value, or any other value
the set gives for the same entry, is in a negative set still matches; the match names the negative set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kaval.knownsets import Judgement, Match, Role
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.hexadecimal import decode_value

Said = Mapping[str, Mapping[tuple[str, str], tuple[Judgement, ...]]]
"""By set: what this unit says of (algorithm, value)."""


class Silencer:
    """The negative sets of a unit."""

    def __init__(self, negatives: Sequence[CompiledSet]) -> None:
        self._negatives = [known for known in negatives if known.info.role is Role.NEGATIVE]

    def silenced(self, match: Match) -> Match:
        """Return a match with the negative sets that hold its value, or another value of the same entry."""
        if not self._negatives or match.role is Role.NEGATIVE:
            return match
        values = _values(match)
        names = [known.info.name for known in self._negatives if any(_holds(known, *value) for value in values)]
        return replace(match, silenced_by=tuple(names)) if names else match


def _values(match: Match) -> list[tuple[str, str]]:
    """Return the value that matched, and every other one the set gives for the same entries."""
    found = {(match.algorithm, match.value): None}
    for statement in match.statements:
        found |= {(name, value): None for name, value in statement.values.items() if name in WIDTHS}
    return list(found)


def _holds(known: CompiledSet, algorithm: str, value: str) -> bool:
    decoded = decode_value(value, WIDTHS[algorithm])
    return decoded is not None and known.holds(algorithm, decoded)


class Desk:
    """Several open sets that are asked together; ``not_asked`` names those whose day has passed."""

    def __init__(self, sets: Sequence[CompiledSet], said: Said | None = None, not_asked: Sequence[str] = ()) -> None:
        self.sets = tuple(sets)
        self.not_asked = tuple(not_asked)
        self._said = said or {}
        self._silencer = Silencer(sets)

    def exact(self, algorithm: str, digests: Sequence[bytes]) -> list[list[Match]]:
        """Return for each digest what matches, in the order of the sets."""
        found: list[list[Match]] = [[] for _ in digests]
        for known in self.sets:
            for matches, more in zip(found, known.exact(algorithm, digests), strict=True):
                matches.extend(map(self._completed, more))
        return found

    def near(self, hashes: Sequence[Sequence[bytes]], threshold: int) -> list[list[Match]]:
        """Return for each picture, given in its orientations, what is near, in the order of the sets."""
        found: list[list[Match]] = [[] for _ in hashes]
        for known in self.sets:
            for matches, more in zip(found, known.near(hashes, threshold), strict=True):
                matches.extend(map(self._completed, more))
        return found

    def _completed(self, match: Match) -> Match:
        of_set = self._said.get(match.set_name)
        judgements = tuple(said for value in _values(match) for said in of_set.get(value, ())) if of_set else ()
        silenced = self._silencer.silenced(match)
        return replace(silenced, judgements=judgements) if judgements else silenced
