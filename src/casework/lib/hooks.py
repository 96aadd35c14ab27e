"""What a context offers to the first page and to the search of the house: records without behaviour.

A context's `api.py` may have ``find(asking, words, *, purpose) -> list[Found]`` and ``waiting_for(account) ->
list[Waiting]``. Both apply the rights of the person who asks; neither counts or skips rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FOUND_AT_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Found:
    """One record that answers to the words of a search.

    ``kind`` is a translated noun under which results are grouped, ``hint`` one line that tells likenesses apart;
    ``rank`` orders within the kind, highest first.
    """

    kind: str
    title: str
    hint: str
    url: str
    rank: float


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One thing that waits for a person; ``due`` is the day in the zone of the unit, None where no day is set."""

    due: date | None
    title: str
    hint: str
    url: str
    overdue: bool
    kind: str
