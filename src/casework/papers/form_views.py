"""The pages of forms: the current ones, the words of one with its earlier versions, and the legal officer's verbs."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import api as accounts
from casework.lib.errors import AbsentError, RefusedError
from casework.papers import wording
from casework.papers.forms import ConfirmFormForm, RewordForm
from casework.papers.models import Form


@require_safe
def forms(request: HttpRequest) -> HttpResponse:
    """List the current forms."""
    rows = Form.objects.filter(superseded_by=None).defer("words").order_by("kind", "-valid_from", "language")
    return render(request, "papers/forms.html", {"rows": rows})


@require_safe
def form(request: HttpRequest, form: UUID) -> HttpResponse:
    """Show the words of a form, where they stand, and what they superseded."""
    shown = get_object_or_404(Form, pk=form)
    earlier, row = [], shown.supersedes
    while row is not None:
        earlier.append(row)
        row = row.supersedes
    context = {
        "shown": shown,
        "words": [(name.replace("_", " "), text) for name, text in shown.words.items()],
        "earlier": earlier,
        "successor": Form.objects.filter(supersedes=shown).first(),
        "is_legal": _is_legal(request),
        "confirm": ConfirmFormForm(),
    }
    return render(request, "papers/form.html", context)


@require_POST
def confirm(request: HttpRequest, form: UUID) -> HttpResponse:
    """Put one's name to a form."""
    _check_legal(request)
    row, given = get_object_or_404(Form, pk=form), ConfirmFormForm(request.POST)
    if not given.is_valid():
        raise RefusedError("reason", _("Say against what you have checked the words."))
    successor = wording.confirm_form(acting=_me(request), form=row, reason=given.cleaned_data["reason"])
    return redirect("papers:form", successor.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def reword(request: HttpRequest, form: UUID) -> HttpResponse:
    """Put other words in the place of the present ones."""
    _check_legal(request)
    row = get_object_or_404(Form, pk=form)
    given = RewordForm(row, request.POST or None)
    if request.method == "POST" and given.is_valid():
        try:
            successor = wording.supersede_form(
                acting=_me(request),
                form=row,
                words=given.words(),
                source=given.cleaned_data["source"],
                reason=given.cleaned_data["reason"],
            )
        except RefusedError as refusal:
            given.add_error(None, refusal.reason)
        else:
            return redirect("papers:form", successor.pk)
    return render(request, "papers/reword.html", {"form": given, "shown": row}, status=422 if given.errors else 200)


def _me(request: HttpRequest) -> accounts.Account:
    return cast(accounts.Account, request.user)


def _is_legal(request: HttpRequest) -> bool:
    return accounts.Role.LEGAL in accounts.standing_of(_me(request)).roles


def _check_legal(request: HttpRequest) -> None:
    if not _is_legal(request):
        raise AbsentError("page")
