"""What waits for a person: reviews of the watch register, and colleagues who asked about something in their cases."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.lib import clock
from casework.lib.hooks import Waiting
from casework.people import deconfliction, sight
from casework.people.models import WatchEntry
from casework.people.watching import KEEPERS

_AHEAD = timedelta(days=7)
_MOST = 20


def waiting_for(account: accounts.Account) -> list[Waiting]:
    """Return the reviews that are due within a week, and enquiries into the account's cases."""
    return [*_reviews(account), *_enquiries(account)]


def _reviews(account: accounts.Account) -> list[Waiting]:
    standing = accounts.standing_of(account)
    if not standing.active or not standing.roles & KEEPERS:
        return []
    today = clock.today()
    rows = WatchEntry.objects.select_related("person").filter(
        unit=account.unit_id, removed_at=None, review_on__lte=today + _AHEAD
    )
    due = list(rows.order_by("review_on", "id")[:_MOST])
    titles = sight.titles_of(row.person for row in due)
    return [
        Waiting(
            due=row.review_on,
            title=titles[row.person_id],
            hint=row.basis,
            url=reverse("people:watch_entry", args=[row.pk]),
            overdue=row.review_on < today,
            kind=_("Review of the watch register"),
        )
        for row in due
    ]


def _enquiries(account: accounts.Account) -> list[Waiting]:
    cases = accounts.case_ids_open_to(account)
    return [
        Waiting(
            due=None,
            title=str(row.identifier or row.person),
            hint=_("%(name)s of %(unit)s asked") % {"name": row.asked_by.name, "unit": row.asked_by.unit.name},
            url=reverse("people:enquiries"),
            overdue=False,
            kind=_("Somebody asked about something in your case"),
        )
        for row in deconfliction.enquiries_into(account, cases)[:_MOST]
    ]
