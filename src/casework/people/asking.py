"""How the pages of people ask: one form, one verb; a rule's no stands in the form, beside what was entered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from casework.accounts import api as accounts
from casework.lib.errors import RefusedError
from casework.people import naming

_MOST_CASES = 300


def me(request: HttpRequest) -> accounts.Account:
    """Return who asks."""
    return cast(accounts.Account, request.user)


def ask(
    request: HttpRequest,
    form: Form,
    act: Callable[[], str],
    *,
    title: str,
    button: str,
    back: str,
    told: str = "",
    done: str = "",
    template: str = "lib/ask.html",
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show a form; when it is sent and holds, do ``act`` and go where it says."""
    if request.method == "POST" and form.is_valid():
        try:
            where = act()
        except RefusedError as refusal:
            form.add_error(None, refusal.reason)
        else:
            if done:
                messages.success(request, done)
            return redirect(where)
    shown = {"form": form, "title": title, "button": button, "back": back, "told": told, **(context or {})}
    return render(request, template, shown, status=422 if form.errors else 200)


def case_choices(request: HttpRequest, cases: list[UUID] | None = None) -> list[tuple[str, str]]:
    """Return the cases to choose from, the one the address names first."""
    account = me(request)
    names = naming.names_of(account, accounts.case_ids_open_to(account) if cases is None else cases)
    wanted = request.GET.get("case", "")
    choices = sorted(((str(case), name.title) for case, name in names.items()), key=lambda choice: choice[1])
    choices.sort(key=lambda choice: choice[0] != wanted)
    return choices[:_MOST_CASES]
