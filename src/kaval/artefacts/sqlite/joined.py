"""Where pages that stand alone belong, each by itself and then as neighbours."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Home:
    """A table of one of the databases, by its number."""

    database: int
    table: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Where a page belongs: ``certain`` says that rows of it are still there, ``also`` what fits about as well."""

    home: Home
    certain: bool
    also: tuple[Home, ...] = ()


def settled(joined: Sequence[Joined | None]) -> list[Joined | None]:
    """Return where pages that stand in a row belong: those that fit several tables go with their neighbours.

    Pages were cut off together. The nearest page that is certain decides for those between; where none is, the
    database does that most of the pages fit. They stay inferred, and what fits as well stays told.
    """
    sure = [at for at, one in enumerate(joined) if one is not None and one.certain]
    votes = Counter(database for one in joined for database in {home.database for home in _homes_of(one)})
    first = Counter(one.home.database for one in joined if one is not None)
    most = sorted(votes, key=lambda database: (-votes[database], -first[database]))[:1]
    return [_moved(one, [*_nearest(joined, sure, at), *most]) for at, one in enumerate(joined)]


def _nearest(joined: Sequence[Joined | None], sure: Sequence[int], at: int) -> list[int]:
    """Return the databases of the certain pages before and behind a place, that of the nearer one first."""
    behind = bisect_left(sure, at)
    places = sorted(sure[max(0, behind - 1) : behind + 1], key=lambda place: abs(place - at))
    return [one.home.database for place in places if (one := joined[place]) is not None]


def _homes_of(joined: Joined | None) -> tuple[Home, ...]:
    return () if joined is None else (joined.home, *joined.also)


def _moved(joined: Joined | None, databases: Sequence[int]) -> Joined | None:
    """Return a page with its home in the first of some databases that it fits."""
    if joined is None or joined.certain:
        return joined
    homes = _homes_of(joined)
    for database in databases:
        for home in homes:
            if home.database == database:
                return replace(joined, home=home, also=tuple(other for other in homes if other != home))
    return joined
