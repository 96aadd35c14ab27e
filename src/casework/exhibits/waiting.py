"""What waits for a person: hand-overs to acknowledge, offers nobody takes, exhibits long at a laboratory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.exhibits.asking import offers_by, offers_to
from casework.exhibits.models import Forwarding
from casework.law.api import INDIA
from casework.lib import clock
from casework.lib.hooks import Waiting

_AT_MOST = 50
# Custody is not left between two hands over night; a laboratory is asked after a quarter of a year.
_TAKEN_WITHIN = timedelta(days=1)
_ASKED_AFTER = timedelta(days=90)


def waiting_for(account: accounts.Account) -> list[Waiting]:
    """Return what waits for the account, most pressing first."""
    cases = accounts.case_ids_open_to(account)
    if not cases:
        return []
    return [*_to_take(account, cases), *_not_taken(account, cases), *_at_laboratories(cases)]


def _to_take(account: accounts.Account, cases: list[UUID]) -> list[Waiting]:
    now = clock.now()
    return [
        Waiting(
            due=one.offered_at.astimezone(INDIA).date(),
            title=_("Acknowledge exhibit %(number)s") % {"number": one.exhibit.number},
            hint=_("offered by %(name)s") % {"name": one.offered_by.name},
            url=reverse("exhibits:acknowledge", args=[one.pk]),
            overdue=now - one.offered_at > _TAKEN_WITHIN,
            kind=_("Hand-overs"),
        )
        for one in offers_to(account, cases)[:_AT_MOST]
    ]


def _not_taken(account: accounts.Account, cases: list[UUID]) -> list[Waiting]:
    late = clock.now() - _TAKEN_WITHIN
    return [
        Waiting(
            due=(one.offered_at + _TAKEN_WITHIN).astimezone(INDIA).date(),
            title=_("Exhibit %(number)s is not acknowledged") % {"number": one.exhibit.number},
            hint=_("offered to %(name)s") % {"name": one.receiver.name},
            url=reverse("exhibits:exhibit", args=[one.exhibit_id]),
            overdue=True,
            kind=_("Hand-overs"),
        )
        for one in offers_by(account, cases).filter(offered_at__lt=late)[:_AT_MOST]
    ]


def _at_laboratories(cases: list[UUID]) -> list[Waiting]:
    now = clock.now()
    rows = Forwarding.objects.filter(sent_at__isnull=False, returned_at=None)
    rows = rows.filter(case_id__in=cases).select_related("laboratory")
    return [
        Waiting(
            due=(one.sent_at + _ASKED_AFTER).astimezone(INDIA).date(),
            title=_("%(forwarding)s is at the laboratory") % {"forwarding": one},
            hint=one.laboratory.name,
            url=reverse("exhibits:forwarding", args=[one.pk]),
            overdue=now - one.sent_at > _ASKED_AFTER,
            kind=_("Laboratory"),
        )
        for one in rows.order_by("sent_at")[:_AT_MOST]
        if one.sent_at is not None
    ]
