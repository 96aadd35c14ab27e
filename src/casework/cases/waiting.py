"""What waits for a person here: clocks of their cases, own tasks, sittings, erasures."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.cases import reading, rules, telling
from casework.cases.models import ChildPath, Sitting, Task
from casework.cases.vocabulary import TaskState
from casework.law import api as law
from casework.lib import clock
from casework.lib.hooks import Waiting

_AHEAD = timedelta(days=7)
_AT_MOST = 20


def waiting_for(account: accounts.Account) -> list[Waiting]:
    """Return the clocks and sittings of the coming week, what is late, and every open task; at most twenty of each."""
    ids = accounts.case_ids_open_to(account)
    return [*_clocks(account), *_tasks(account, ids), *_sittings(ids), *_erasures(ids)] if ids else []


def _clocks(account: accounts.Account) -> list[Waiting]:
    now = clock.now()
    until = datetime.combine(clock.today() + _AHEAD, time.max, law.INDIA)
    rows = reading.clocks_open_to(account, before=until).order_by("due_at", "id")[:_AT_MOST]
    found = []
    for row in rows:
        late = rules.is_late(row.due_at, row.rule.span, now)
        found.append(
            Waiting(
                due=telling.last_day(row),
                title=row.rule.duty,
                hint=_case(row.case.register_no),
                url=reverse("cases:clock", args=[row.case_id, row.pk]),
                overdue=late,
                kind=_("Clock"),
            )
        )
    return found


def _tasks(account: accounts.Account, ids: list[UUID]) -> list[Waiting]:
    rows = Task.objects.select_related("case", "instructed_by").filter(
        given_to=account, state=TaskState.OPEN, case__in=ids
    )
    today = clock.today()
    return [
        Waiting(
            due=row.due_on, title=row.what[:120], hint=_case(row.case.register_no),
            url=reverse("cases:task", args=[row.case_id, row.pk]),
            overdue=row.due_on is not None and row.due_on < today, kind=_("Task"),
        )
        for row in rows.order_by("due_on", "created_at")[:_AT_MOST]
    ]  # fmt: skip


def _sittings(ids: list[UUID]) -> list[Waiting]:
    today = clock.today()
    rows = Sitting.objects.select_related("case").filter(
        case__in=ids, next_on__gte=today, next_on__lte=today + _AHEAD, event__struck_by=None
    )
    return [
        Waiting(
            due=row.next_on, title=_("Sitting: %(court)s") % {"court": row.court}, hint=_case(row.case.register_no),
            url=reverse("cases:case", args=[row.case_id]), overdue=False, kind=_("Court"),
        )
        for row in rows.order_by("next_on")[:_AT_MOST]
    ]  # fmt: skip


def _erasures(ids: list[UUID]) -> list[Waiting]:
    today = clock.today()
    rows = ChildPath.objects.select_related("case").filter(case__in=ids, erased_at=None, erase_from__lte=today + _AHEAD)
    return [
        Waiting(
            due=row.erase_from, title=_("Erase the records of %(child)s") % {"child": row.pseudonym},
            hint=_case(row.case.register_no), url=reverse("cases:child", args=[row.case_id, row.pk]),
            overdue=row.erase_from is not None and row.erase_from < today, kind=_("Erasure"),
        )
        for row in rows.order_by("erase_from")[:_AT_MOST]
    ]  # fmt: skip


def _case(register_no: str) -> str:
    return _("Case %(number)s") % {"number": register_no}
