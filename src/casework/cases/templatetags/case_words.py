"""Filters of the pages of cases: ``{% load case_words %}``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import template
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.cases import rules, words
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
from casework.law import api as law
from casework.lib import clock

register = template.Library()

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
def counted(deadline: Deadline) -> str:
    """Return how a clock is counted, in one sentence."""
    span = deadline.rule.span
    if span == "now":
        return _("At once; late when the day is over in India.")
    if deadline.rule.counting:
        return _("Days of the Indian calendar; the day of the event is the first, the last one ends at midnight.")
    if span.endswith("h"):
        return _("Hours run on from the event, over nights and holidays.")
    if span.endswith("d"):
        return _("Days of the Indian calendar from the day after the event; the time of day is kept.")
    if span.endswith("m") or span == "by-offence":
        return _("Months of the Indian calendar; a month without that day ends on its last.")
    return _("The law gives no number.")


@register.filter
def last_day(deadline: Deadline) -> Any:
    """Return the last day on which the duty can be done."""
    assert deadline.due_at is not None
    return (deadline.due_at - timedelta(microseconds=1)).astimezone(law.INDIA).date()


@register.filter
def day_of(deadline: Deadline) -> str:
    """Return which day today is, the day of the event being the first, of how many."""
    first = deadline.event.at.astimezone(law.INDIA).date()
    return f"{(clock.today() - first).days + 1} / {(last_day(deadline) - first).days + 1}"


@register.filter
def capacity(member: Any) -> Any:
    """Return what a member does in the case."""
    return words.titled(accounts.Capacity, member.capacity)
