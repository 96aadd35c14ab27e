"""The first page, and the search of the house."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from casework.accounts import api as accounts
from casework.lib import clock
from casework.lib.errors import RefusedError
from casework.lib.forms import UnitForm
from casework.web import finding

# More than this is not read on a first page; the lists of the contexts have the rest.
_SHOWN = 50


class SearchForm(UnitForm):
    """Words, and what for."""

    words = forms.CharField(
        label=_("Name, number, account or digest"),
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    purpose = forms.CharField(
        label=_("What for"),
        max_length=300,
        required=False,
        help_text=_("Needed where restricted matter is searched; it is recorded with the search."),
    )


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what is due today and what waits for the person."""
    today = clock.today()
    waiting = finding.waiting_for(accounts.account_of(request))
    context = {
        "today": today,
        "late": [one for one in waiting if one.overdue][:_SHOWN],
        "due": [one for one in waiting if not one.overdue and one.due == today][:_SHOWN],
        "coming": [one for one in waiting if not one.overdue and one.due != today][:_SHOWN],
    }
    return render(request, "web/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Search the house; the words come as a form, because addresses are kept by browsers and machines on the way."""
    form = SearchForm(request.POST or None)
    findings = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            findings = finding.find(acting=accounts.account_of(request), words=given["words"], purpose=given["purpose"])
        except RefusedError as refusal:
            form.add_error("words", refusal.reason)
    status = 422 if form.errors else 200
    return render(request, "web/search.html", {"form": form, "findings": findings}, status=status)
