"""What of the papers waits for a person: forms for the legal officer, today's head for who keeps the ledger."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.lib import clock
from casework.lib.hooks import Waiting
from casework.papers.issuing import keeps_the_ledger
from casework.papers.models import Form, Paper
from casework.papers.rules import INDIA, Kind


def waiting_for(account: accounts.Account) -> list[Waiting]:
    """Return what waits for the account."""
    standing = accounts.standing_of(account)
    found = []
    if standing.active and accounts.Role.LEGAL in standing.roles and _unverified():
        found.append(
            Waiting(
                due=None,
                title=_("Forms of papers to be verified"),
                hint=_("Until then every paper made with them says that they are not verified."),
                url=reverse("papers:forms"),
                overdue=False,
                kind=_("Papers"),
            )
        )
    today = clock.now().astimezone(INDIA).date()
    if keeps_the_ledger(account) and not _has_head(today.isoformat()):
        found.append(
            Waiting(
                due=today,
                title=_("Print the head of the ledger of today"),
                hint=_("Keep the page apart from the machine."),
                url=reverse("papers:heads"),
                overdue=False,
                kind=_("Papers"),
            )
        )
    return found


def _unverified() -> bool:
    return Form.objects.filter(superseded_by=None, verified_by="").exists()


def _has_head(day: str) -> bool:
    return Paper.objects.filter(kind=Kind.AUDIT_HEAD, subject_kind="audit.head", subject_id=day).exists()
