"""The one thing a case needs next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from casework.cases import rules, telling
from casework.cases.reading import Standing
from casework.cases.vocabulary import State

_RESTS = (State.CLOSED, State.TRANSFERRED, State.WITHDRAWN)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What to do, why, and where."""

    title: str
    why: str
    url: str
    late: bool = False


def next_step(stand: Standing, now: datetime) -> Step | None:
    """Return what is most pressing; nothing, where the case rests or the person only reads it."""
    if not stand.works or stand.case.state in _RESTS:
        return None
    return _late(stand, now) or _child(stand) or _missing(stand) or _coming(stand)


def _late(stand: Standing, now: datetime) -> Step | None:
    for one in stand.clocks:
        if rules.is_late(one.due_at, one.rule.span, now):
            url = reverse("cases:clock", args=[stand.case.pk, one.pk])
            return Step(title=one.rule.duty, why=_("Late: %(law)s.") % {"law": one.rule.law}, url=url, late=True)
    return None


def _child(stand: Standing) -> Step | None:
    for path in stand.paths:
        if path.erased_at is None and path.no_lockup_at is None:
            url = reverse("cases:child", args=[stand.case.pk, path.pk])
            why = _("Nobody has confirmed that %(child)s was in no lock-up.") % {"child": path.pseudonym}
            return Step(title=_("Confirm where the child is"), why=why, url=url)
    return None


def _missing(stand: Standing) -> Step | None:
    case = [stand.case.pk]
    if stand.case.state == State.ENQUIRY and not stand.firs:
        why = _("There is no report yet; most clocks start with it.")
        return Step(title=_("Enter the first information report"), why=why, url=reverse("cases:fir", args=case))
    if not stand.charges:
        why = _("Without a charge the law cannot say how long a clock runs.")
        return Step(title=_("Lay the first charge"), why=why, url=reverse("cases:pick", args=case))
    if stand.case.state == State.BEFORE_COURT and not stand.sittings:
        why = _("The case is before the court, and no sitting is on record.")
        return Step(title=_("Enter what the court did"), why=why, url=reverse("cases:add_sitting", args=case))
    return None


def _coming(stand: Standing) -> Step | None:
    for one in stand.clocks:
        if one.due_at is not None:
            why = _("Due %(until)s: %(law)s.") % {"until": telling.until(one), "law": one.rule.law}
            return Step(title=one.rule.duty, why=why, url=reverse("cases:clock", args=[stand.case.pk, one.pk]))
    return None
