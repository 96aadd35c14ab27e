"""The pages of the watch register: for the investigators and supervisors of the unit that keeps it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from casework.lib import clock
from casework.lib.paging import Pager
from casework.people import sight, watching
from casework.people.asking import ask, case_choices, me
from casework.people.forms import ReasonForm, ReviewForm, WatchForm
from casework.people.models import WatchEntry, WatchReview

_both = require_http_methods(["GET", "HEAD", "POST"])
_pager = Pager("watch register", "review_on", descending=False)


@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """List who is under watch by the account's unit, the review that is due first first."""
    account = me(request)
    watching.check_keeps(account, account.unit_id)
    page = _pager.of(request, WatchEntry.objects.select_related("person").filter(unit=account.unit_id, removed_at=None))
    titles = sight.titles_of(row.person for row in page.rows)
    today = clock.today()
    rows = [(row, titles[row.person_id], row.review_on < today) for row in page.rows]
    return render(request, "people/watch.html", {"rows": rows, "page": page})


@require_safe
def entry(request: HttpRequest, watch_entry: UUID) -> HttpResponse:
    """Show an entry, with its reviews."""
    row = watching.get_entry(me(request), watch_entry)
    context = {
        "row": row,
        "title": sight.subject_title(row.person),
        "reviews": WatchReview.objects.select_related("reviewed_by").filter(entry=row).order_by("-created_at")[:50],
        "overdue": row.removed_at is None and row.review_on < clock.today(),
        "is_known": bool(sight.visible(me(request), [row.person_id])),
    }
    return render(request, "people/watch_entry.html", context)


@_both
def put(request: HttpRequest, person: UUID) -> HttpResponse:
    """Put a person under watch."""
    account = me(request)
    shown = sight.get_person(account, person)
    watching.check_keeps(account, account.unit_id)
    form = WatchForm(request.POST or None, cases=case_choices(request, sight.cases_of(account, person)))

    def act() -> str:
        made = watching.put_under_watch(acting=account, person=shown, **form.cleaned_data)
        return reverse("people:watch_entry", args=[made.pk])

    back = reverse("people:person", args=[person])
    told = sight.subject_title(shown)
    return ask(request, form, act, title=_("Put under watch"), button=_("Put under watch"), back=back, told=told)


@_both
def review(request: HttpRequest, watch_entry: UUID) -> HttpResponse:
    """Say why an entry stays."""
    row, form = watching.get_entry(me(request), watch_entry), ReviewForm(request.POST or None)
    back = reverse("people:watch_entry", args=[watch_entry])

    def act() -> str:
        watching.review(acting=me(request), entry=watch_entry, **form.cleaned_data)
        return back

    told = sight.subject_title(row.person)
    return ask(request, form, act, title=_("Review the entry"), button=_("It stays"), back=back, told=told)


@_both
def remove(request: HttpRequest, watch_entry: UUID) -> HttpResponse:
    """End an entry."""
    row, form = watching.get_entry(me(request), watch_entry), ReasonForm(request.POST or None)
    back = reverse("people:watch_entry", args=[watch_entry])

    def act() -> str:
        watching.remove(acting=me(request), entry=watch_entry, reason=form.cleaned_data["reason"])
        return reverse("people:watch")

    told = sight.subject_title(row.person)
    return ask(request, form, act, title=_("End the watch"), button=_("End it"), back=back, told=told)
