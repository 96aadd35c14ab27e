"""How the pages of cases ask and answer: one form, one verb; what a rule refuses stands above the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from casework.accounts import api as accounts
from casework.lib.errors import RefusedError

Verb = Callable[[dict[str, Any]], Any]


def me(request: HttpRequest) -> accounts.Account:
    """Return who asks."""
    return accounts.account_of(request)


def ask(
    request: HttpRequest, form: forms.Form, verb: Verb, *, title: Any, button: Any, back: str, told: Any = ""
) -> HttpResponse:
    """Show a form; when it comes back whole, call the verb with what it says and go back.

    ``back`` may be the address to go to; a verb that returns an address leads there instead.
    """
    if request.method == "POST" and form.is_valid():
        try:
            done = verb(form.cleaned_data)
        except RefusedError as refusal:
            form.add_error(None, refusal.reason)
        else:
            return redirect(done if isinstance(done, str) else back)
    context = {"form": form, "title": title, "button": button, "back": back, "told": told}
    return render(request, "lib/ask.html", context, status=422 if form.errors else 200)
