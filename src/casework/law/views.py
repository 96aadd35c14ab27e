"""The law pages: offences by day and victim, one offence with its earlier rows, and the legal officer's forms."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import api as accounts
from casework.law import answers, superseding
from casework.law.forms import ConfirmRowForm, PickForm, SupersedeForm
from casework.law.models import ClockRule, Offence
from casework.law.rules import INDIA, Sex, Victim
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@require_safe
def offences(request: HttpRequest) -> HttpResponse:
    """List the offences that stand open on a day, for a victim."""
    today = clock.now().astimezone(INDIA).date()
    form = PickForm(request.GET if "day" in request.GET else {"day": today.isoformat()})
    found, day = None, today
    if form.is_valid():
        day, sex = form.cleaned_data["day"], form.cleaned_data["sex"]
        victim = Victim(sex=Sex(sex) if sex else None, age=form.cleaned_data["age"])
        found = answers.offences_open(day, victim)
    return render(request, "law/offences.html", {"form": form, "found": found, "day": day})


@require_safe
def clocks(request: HttpRequest) -> HttpResponse:
    """List the clock rules that are current."""
    rules = ClockRule.objects.filter(superseded_by=None).order_by("event", "key", "valid_from")
    return render(request, "law/clocks.html", {"rules": rules})


@require_safe
def offence(request: HttpRequest, offence: UUID) -> HttpResponse:
    """Show one row, and what it superseded."""
    shown = get_object_or_404(Offence, pk=offence)
    earlier, row = [], shown.supersedes
    while row is not None:
        earlier.append(row)
        row = row.supersedes
    context = {
        "shown": shown,
        "earlier": earlier,
        "successor": Offence.objects.filter(supersedes=shown).first(),
        "is_legal": _is_legal(request),
        "confirm": ConfirmRowForm(),
    }
    return render(request, "law/offence.html", context)


@require_POST
def confirm(request: HttpRequest, offence: UUID) -> HttpResponse:
    """Put one's name to a row."""
    row, form = get_object_or_404(Offence, pk=offence), ConfirmRowForm(request.POST)
    _check_legal(request)
    if not form.is_valid():
        raise RefusedError("reason", _("Say against what you have checked the row."))
    successor = superseding.confirm(acting=_me(request), row=row, reason=form.cleaned_data["reason"])
    return redirect("law:offence", successor.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def supersede(request: HttpRequest, offence: UUID) -> HttpResponse:
    """Put another row in the place of this one."""
    _check_legal(request)
    row = get_object_or_404(Offence, pk=offence)
    names = [name for name in SupersedeForm.base_fields if name != "reason"]
    initial = {**{name: getattr(row, name) for name in names}, "elements": "\n".join(row.elements)}
    form = SupersedeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        changes = {name: form.cleaned_data[name] for name in names}
        successor = superseding.supersede(
            acting=_me(request), row=row, changes=changes, reason=form.cleaned_data["reason"]
        )
        return redirect("law:offence", successor.pk)
    return render(request, "law/supersede.html", {"form": form, "shown": row}, status=422 if form.errors else 200)


def _me(request: HttpRequest) -> accounts.Account:
    return cast(accounts.Account, request.user)


def _is_legal(request: HttpRequest) -> bool:
    return accounts.Role.LEGAL in accounts.standing_of(_me(request)).roles


def _check_legal(request: HttpRequest) -> None:
    if not _is_legal(request):
        raise AbsentError("page")
