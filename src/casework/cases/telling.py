"""How a clock is told: when it ends, which day it is, how it is counted; in the time of India."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.cases.models import Deadline
from casework.law import api as law
from casework.lib import clock


def last_day(deadline: Deadline) -> date:
    """Return the last day on which the duty can be done."""
    assert deadline.due_at is not None
    return (deadline.due_at - timedelta(microseconds=1)).astimezone(law.INDIA).date()


def day_of(deadline: Deadline) -> str:
    """Return which day today is, the day of the event being the first, of how many."""
    first = deadline.event.at.astimezone(law.INDIA).date()
    return f"{(clock.today() - first).days + 1} / {(last_day(deadline) - first).days + 1}"


def until(deadline: Deadline) -> str:
    """Return when a clock ends as one says it: at once, the end of a day, or a day and a time; in India."""
    if deadline.due_at is None:
        return ""
    due = deadline.due_at.astimezone(law.INDIA)
    if deadline.rule.span == "now":
        return _("at once, %(day)s") % {"day": date_format(due, "j M Y")}
    if deadline.rule.counting:
        return _("end of %(day)s") % {"day": date_format(last_day(deadline), "j M Y")}
    return date_format(due, "j M Y H:i")


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
