"""The pages of pairs: who may be the same, side by side, one's word on it, and seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from casework.accounts import api as accounts
from casework.lib.errors import AbsentError
from casework.people import deconfliction, judging, naming, sight
from casework.people.asking import ask, case_choices, me
from casework.people.forms import JudgementForm, PurposeForm
from casework.people.matching.linking import LIKELY
from casework.people.models import Attribution, Birth, Candidate, Person, PersonName
from casework.people.rules import Verdict

_both = require_http_methods(["GET", "HEAD", "POST"])
_MOST = 50


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two persons as they are held against one another."""

    person: Person
    title: str
    names: list[PersonName]
    birth: Birth | None
    identifiers: list[str]


@require_safe
def candidates(request: HttpRequest, person: UUID) -> HttpResponse:
    """List who may be the same person, the likeliest first; of persons one may not know there is no word."""
    account = me(request)
    shown = sight.get_person(account, person)
    rows = Candidate.objects.select_related("one", "other").filter(Q(one=shown) | Q(other=shown), score__gte=LIKELY)
    found = list(rows.order_by("-score")[: 4 * _MOST])
    others = {row.pk: row.other if row.one_id == shown.pk else row.one for row in found}
    known = sight.visible(account, [other.pk for other in others.values()])
    titles = sight.titles_of(others.values())
    listed = [(row, others[row.pk], titles[others[row.pk].pk]) for row in found if others[row.pk].pk in known][:_MOST]
    judgements = judging.judgements_on(account, shown)
    said_titles = sight.titles_of(side for row in judgements for side in (row.one, row.other))
    context = {
        "shown": shown,
        "title": sight.subject_title(shown),
        "listed": listed,
        "judgements": [(row, said_titles[row.one_id], said_titles[row.other_id]) for row in judgements],
    }
    return render(request, "people/candidates.html", context)


@_both
def judge(request: HttpRequest, person: UUID, other: UUID) -> HttpResponse:
    """Hold two persons against one another, and say what they are."""
    account = me(request)
    one, another = sight.get_person(account, person), sight.get_person(account, other)
    if one.pk == another.pk:
        raise AbsentError("pair")
    judging.check_may_pair(account, one, another)
    first, second = judging.pair_of(one.pk, another.pk)
    candidate = Candidate.objects.filter(one=first, other=second).first()
    form = JudgementForm(request.POST or None)
    back = reverse("people:candidates", args=[person])

    def act() -> str:
        data = form.cleaned_data
        judging.judge(acting=account, one=one, other=another, verdict=Verdict(data["verdict"]), reason=data["reason"])
        return back

    context = {"sides": _sides(account, one, another), "candidate": candidate}
    return ask(
        request, form, act, title=_("Are they the same?"), button=_("Put my word to it"), back=back,
        template="people/judge.html", context=context,
    )  # fmt: skip


@_both
def seen(request: HttpRequest, person: UUID) -> HttpResponse:
    """Answer whether the person came up in other cases; asking is on record on both sides."""
    account = me(request)
    shown = sight.get_person(account, person)
    cases = sight.cases_of(account, person)
    form = PurposeForm(request.POST or None, cases=case_choices(request, cases))
    context: dict[str, Any] = {"shown": shown, "title": sight.subject_title(shown), "form": form}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        answer = deconfliction.person_seen_before(
            acting=account, person=shown, case=data["case"], purpose=data["purpose"]
        )
        context |= {"answer": answer, "known": list(naming.names_of(account, answer.cases).values())}
    return render(request, "people/seen.html", context, status=422 if form.errors else 200)


def _sides(account: accounts.Account, *members: Person) -> list[Side]:
    ids = [member.pk for member in members]
    titles = sight.titles_of(members)
    names = list(PersonName.objects.filter(person__in=ids, withdrawn_at=None).order_by("created_at"))
    births = {row.person_id: row for row in Birth.objects.filter(person__in=ids).order_by("created_at")}
    cases = accounts.case_ids_open_to(account)
    said = Attribution.objects.select_related("identifier").filter(person__in=ids, withdrawn_at=None, case__in=cases)
    identifiers = list(said.order_by("created_at")[:200])
    return [
        Side(
            person=member,
            title=titles[member.pk],
            names=[name for name in names if name.person_id == member.pk],
            birth=births.get(member.pk),
            identifiers=[str(row.identifier) for row in identifiers if row.person_id == member.pk],
        )
        for member in members
    ]
