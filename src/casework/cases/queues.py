"""How the clocks board knows of the laboratory, which is the business of a context above.

A context that keeps exhibits gives its answer once, when it starts (`use_laboratory_queue`); the board asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What of a case waits at a laboratory: how many exhibits, since when the oldest, until when one is promised."""

    waiting: int
    oldest_on: date | None = None
    promised_on: date | None = None


LaboratoryQueue = Callable[[Collection[UUID]], Mapping[UUID, Queue]]


def _nobody(cases: Collection[UUID]) -> Mapping[UUID, Queue]:
    return {}


_asked: list[LaboratoryQueue] = [_nobody]


def use_laboratory_queue(answer: LaboratoryQueue) -> None:
    """Let the board ask ``answer`` from now on; it gets ids of cases and returns what waits of each."""
    _asked[0] = answer


def is_connected() -> bool:
    """Tell whether anybody answers for the laboratory."""
    return _asked[0] is not _nobody


def laboratory_queue(cases: Collection[UUID]) -> Mapping[UUID, Queue]:
    """Return what waits at a laboratory of each of the cases; a case that is absent has nothing there."""
    return _asked[0](cases) if cases else {}
