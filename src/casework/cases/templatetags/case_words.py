"""Filters of the pages of cases: ``{% load case_words %}``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template

from casework.accounts import api as accounts
from casework.cases import rules, telling, words
from casework.cases.models import Deadline
from casework.cases.vocabulary import (
    Classification,
    ClockState,
    ClockStep,
    Happened,
    LinkKind,
    Outcome,
    Stage,
    State,
    TaskState,
)
from casework.lib import clock

register = template.Library()
for _filter in (telling.until, telling.last_day, telling.day_of, telling.counted):
    register.filter(_filter.__name__, _filter)

_VOCABULARIES = {
    "state": State,
    "class": Classification,
    "happened": Happened,
    "stage": Stage,
    "outcome": Outcome,
    "clock": ClockState,
    "step": ClockStep,
    "task": TaskState,
    "link": LinkKind,
}


@register.filter
def titled(word: str, vocabulary: str) -> Any:
    """Return what a stored word is called: ``{{ case.state|titled:"state" }}``."""
    return words.titled(_VOCABULARIES[vocabulary], word) if word else ""


@register.filter
def of(titles: dict[UUID, str], person: UUID | None) -> str:
    """Return the title of a person: ``{{ titles|of:charge.person_id }}``."""
    return titles.get(person, "–") if person else "–"


@register.filter
def is_late(deadline: Deadline) -> bool:
    """Tell whether a running clock is late."""
    return deadline.state == ClockState.RUNNING and rules.is_late(deadline.due_at, deadline.rule.span, clock.now())


@register.filter
def capacity(member: Any) -> Any:
    """Return what a member does in the case."""
    return words.titled(accounts.Capacity, member.capacity)
