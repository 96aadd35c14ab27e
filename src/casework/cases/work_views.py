"""The pages of the daily work in a case: one clock, sittings, decisions, tasks, members."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from casework.accounts import api as accounts
from casework.cases import clocks, courts, deciding, persons
from casework.cases.access import check_leads, get_case
from casework.cases.answering import ask, me
from casework.cases.forms import (
    DecisionForm,
    ExcludeForm,
    ExtendForm,
    MeetForm,
    MemberForm,
    ReasonForm,
    ResultForm,
    SittingForm,
    TaskForm,
)
from casework.cases.models import Deadline, Decision, Task
from casework.cases.views import both
from casework.cases.vocabulary import Happened
from casework.lib import clock
from casework.lib.errors import AbsentError
from casework.lib.paging import Pager


@require_safe
def deadline(request: HttpRequest, case: UUID, deadline: UUID) -> HttpResponse:
    """Show one clock: its law, how it is counted, what was done with it."""
    found = get_case(case, person=me(request))
    shown = Deadline.objects.select_related("rule", "event").filter(pk=deadline, case=found).first()
    if shown is None:
        raise AbsentError("clock")
    context = {
        "case": found,
        "clock": shown,
        "titles": persons.titles(me(request), found, [shown.person_id]),
        "steps": shown.steps.select_related("entered_by").order_by("created_at"),
        "meet": MeetForm(initial={"at": clock.now()}),
        "excuse": ReasonForm(auto_id="excuse_%s"),
        "extend": ExtendForm(auto_id="extend_%s") if shown.rule.extension and shown.counted_at else None,
    }
    return render(request, "cases/clock.html", context)


@both
def meet(request: HttpRequest, case: UUID, deadline: UUID) -> HttpResponse:
    """End a clock by a document."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        clocks.meet(acting=me(request), case=case, deadline=deadline, **given)

    form = MeetForm(request.POST or None)
    return ask(request, form, verb, title=_("The duty was done"), button=_("Write it down"), back=_page(case))


@both
def excuse(request: HttpRequest, case: UUID, deadline: UUID) -> HttpResponse:
    """End a clock by a reason."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        clocks.excuse(acting=me(request), case=case, deadline=deadline, **given)

    form = ReasonForm(request.POST or None)
    title = _("The clock does not bind, or can be met no longer")
    return ask(request, form, verb, title=title, button=_("Write it down"), back=_page(case))


@both
def extend(request: HttpRequest, case: UUID, deadline: UUID) -> HttpResponse:
    """Move the end of a clock."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        clocks.extend(acting=me(request), case=case, deadline=deadline, **given)

    form = ExtendForm(request.POST or None)
    return ask(request, form, verb, title=_("The clock was extended"), button=_("Extend"), back=_page(case))


@both
def add_sitting(request: HttpRequest, case: UUID) -> HttpResponse:
    """Write down what a court did."""
    found = get_case(case, person=me(request))
    before = found.sittings.order_by("-created_at").first()

    def verb(given: dict[str, Any]) -> None:
        courts.record_sitting(acting=me(request), case=case, **{**given, "happened": Happened(given["happened"])})

    initial = {"court": before.court, "cnr": before.cnr} if before else {}
    form = SittingForm(request.POST or None, initial=initial)
    return ask(request, form, verb, title=_("What the court did"), button=_("Write it down"), back=_page(case))


@require_safe
def decisions(request: HttpRequest, case: UUID) -> HttpResponse:
    """List the decisions of a case, newest first."""
    found = get_case(case, person=me(request))
    rows = Decision.objects.select_related("decided_by", "revises").filter(case=found)
    page = Pager(f"decisions of {case}", "decided_at", size=20).of(request, rows)
    return render(request, "cases/decisions.html", {"case": found, "page": page})


@both
def decide(request: HttpRequest, case: UUID) -> HttpResponse:
    """Write a decision into the log."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        deciding.decide(acting=me(request), case=case, **given)

    told = _("Written once, with your rank of today. It is never changed; another decision may revise it.")
    form = DecisionForm(request.POST or None)
    back = reverse("cases:decisions", args=[case])
    return ask(request, form, verb, title=_("A decision"), button=_("Write it down"), back=back, told=told)


@both
def add_task(request: HttpRequest, case: UUID) -> HttpResponse:
    """Give a task."""
    members = accounts.members_of(me(request), case)
    able = [one.account for one in members if one.capacity != accounts.Capacity.READER]

    def verb(given: dict[str, Any]) -> None:
        given["to"] = next(one for one in able if str(one.pk) == given["to"])
        deciding.give_task(acting=me(request), case=case, **given)

    form = TaskForm(request.POST or None, members=[(one.pk, one.name) for one in able])
    return ask(request, form, verb, title=_("Give a task"), button=_("Give it"), back=_page(case))


@require_safe
def task(request: HttpRequest, case: UUID, task: UUID) -> HttpResponse:
    """Show one task."""
    found = get_case(case, person=me(request))
    shown = Task.objects.select_related("given_to", "instructed_by").filter(pk=task, case=found).first()
    if shown is None:
        raise AbsentError("task")
    context = {"case": found, "task": shown, "mine": shown.given_to_id == me(request).pk, "form": ResultForm()}
    return render(request, "cases/task.html", context)


@both
def end_task(request: HttpRequest, case: UUID, task: UUID, how: str) -> HttpResponse:
    """Finish, refuse or withdraw a task."""
    get_case(case, person=me(request))
    done = {
        "finish": lambda words: deciding.finish_task(acting=me(request), case=case, task=task, result=words),
        "refuse": lambda words: deciding.refuse_task(acting=me(request), case=case, task=task, reason=words),
        "withdraw": lambda words: deciding.withdraw_task(acting=me(request), case=case, task=task, reason=words),
    }.get(how)
    titles = {"finish": _("The task is done"), "refuse": _("Refuse the task"), "withdraw": _("Withdraw the task")}
    if done is None:
        raise AbsentError("page")
    form = ResultForm(request.POST or None)

    def verb(given: dict[str, Any]) -> None:
        done(given["result"])

    return ask(request, form, verb, title=titles[how], button=_("Write it down"), back=_page(case))


@require_safe
def members(request: HttpRequest, case: UUID) -> HttpResponse:
    """List who knows the case, and to who leads it who is excluded."""
    found = get_case(case, person=me(request))
    leads = accounts.check_may_read(me(request), case) is accounts.Capacity.LEAD
    context = {
        "case": found,
        "members": accounts.members_of(me(request), case),
        "leads": leads,
        "excluded": accounts.exclusions_of(me(request), case) if leads else [],
        "me": me(request),
    }
    return render(request, "cases/members.html", context)


@both
def add_member(request: HttpRequest, case: UUID) -> HttpResponse:
    """Name a member."""
    check_leads(me(request), case)

    def verb(given: dict[str, Any]) -> None:
        to = get_object_or_404(accounts.Account, pk=given["account"])
        capacity = accounts.Capacity(given["capacity"])
        accounts.assign(acting=me(request), to=to, case=case, capacity=capacity, purpose=given["purpose"])

    form = MemberForm(request.POST or None, colleagues=_colleagues(request))
    back = reverse("cases:members", args=[case])
    return ask(request, form, verb, title=_("Name a member"), button=_("Name"), back=back)


@both
def dismiss(request: HttpRequest, case: UUID, account: UUID) -> HttpResponse:
    """End a membership."""
    get_case(case, person=me(request))
    member = get_object_or_404(accounts.Account, pk=account)

    def verb(given: dict[str, Any]) -> str:
        accounts.dismiss(acting=me(request), member=member, case=case, reason=given["reason"])
        own = member.pk == me(request).pk
        return reverse("cases:cases") if own else reverse("cases:members", args=[case])

    form = ReasonForm(request.POST or None)
    back = reverse("cases:members", args=[case])
    title = _("End the membership of %(name)s") % {"name": member.name}
    return ask(request, form, verb, title=title, button=_("End it"), back=back)


@both
def exclude(request: HttpRequest, case: UUID) -> HttpResponse:
    """Exclude a colleague whose interest conflicts with the case; they are not told."""
    check_leads(me(request), case)

    def verb(given: dict[str, Any]) -> None:
        of = get_object_or_404(accounts.Account, pk=given["account"])
        accounts.declare_conflict(acting=me(request), of=of, case=case, reason=given["reason"])

    told = _(
        "The person loses the case at once, and cannot be named again. They are not told: they may be the suspect."
    )
    form = ExcludeForm(request.POST or None, colleagues=_colleagues(request))
    back = reverse("cases:members", args=[case])
    return ask(request, form, verb, title=_("Exclude a colleague"), button=_("Exclude"), back=back, told=told)


def _colleagues(request: HttpRequest) -> list[tuple[UUID, str]]:
    return [(one.pk, f"{one.name} · {one.unit}") for one in accounts.colleagues(me(request))]


def _page(case: UUID) -> str:
    return reverse("cases:case", args=[case])
