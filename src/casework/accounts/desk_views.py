"""The pages on which administrators open accounts and supervisors give roles; neither shows a case."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import people
from casework.accounts.forms import OpenAccountForm, ReasonForm
from casework.accounts.models import Account
from casework.accounts.rules import Rank, Role
from casework.accounts.standing import standing_of
from casework.lib.errors import AbsentError, RefusedError

_both = require_http_methods(["GET", "HEAD", "POST"])


def _desk(request: HttpRequest) -> Account:
    account = cast(Account, request.user)
    if not standing_of(account).roles & {Role.ADMINISTRATOR, Role.SUPERVISOR}:
        raise AbsentError("page")
    return account


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """List the accounts."""
    acting = _desk(request)
    rows = Account.objects.select_related("unit").prefetch_related("role_grants").order_by("unit__name", "name")
    context = {"accounts": rows, "opens": Role.ADMINISTRATOR in standing_of(acting).roles}
    return render(request, "accounts/accounts.html", context)


@_both
def open_account(request: HttpRequest) -> HttpResponse:
    """Open an account."""
    acting = _desk(request)
    form = OpenAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            account = people.open_account(
                acting=acting,
                username=given["username"],
                name=given["name"],
                unit=given["unit"],
                rank=Rank(given["rank"]),
            )
        except RefusedError as refusal:
            form.add_error(None, refusal.reason)
        else:
            return redirect("accounts:account", account.pk)
    context = {"form": form, "title": _("Open an account"), "button": _("Open")}
    return render(request, "accounts/ask.html", context, status=422 if form.errors else 200)


@require_safe
def account(request: HttpRequest, account: UUID) -> HttpResponse:
    """Show one account."""
    _desk(request)
    return _page(request, get_object_or_404(Account, pk=account))


@require_POST
def invite(request: HttpRequest, account: UUID) -> HttpResponse:
    """Make an invitation and show its link, once."""
    acting, to = _desk(request), get_object_or_404(Account, pk=account)
    token = people.invite(acting=acting, to=to)
    link = request.build_absolute_uri(redirect("accounts:invitation", token).url)
    return _page(request, to, link=link)


@require_POST
def grant(request: HttpRequest, account: UUID) -> HttpResponse:
    """Grant a role."""
    acting, to = _desk(request), get_object_or_404(Account, pk=account)
    people.grant_role(acting=acting, to=to, role=_role(request))
    return redirect("accounts:account", account)


@require_POST
def end_role(request: HttpRequest, account: UUID) -> HttpResponse:
    """End a role."""
    acting, of = _desk(request), get_object_or_404(Account, pk=account)
    people.end_role(acting=acting, of=of, role=_role(request))
    return redirect("accounts:account", account)


@require_POST
def close(request: HttpRequest, account: UUID) -> HttpResponse:
    """Close an open account, or open a closed one again."""
    acting, of = _desk(request), get_object_or_404(Account, pk=account)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why."))
    elif of.is_active:
        people.close_account(acting=acting, account=of, reason=form.cleaned_data["reason"])
    else:
        people.reopen_account(acting=acting, account=of, reason=form.cleaned_data["reason"])
    return redirect("accounts:account", account)


def _page(request: HttpRequest, shown: Account, link: str = "") -> HttpResponse:
    held = standing_of(shown).roles
    context = {
        "shown": shown,
        "held": sorted(held),
        "grantable": [role for role in Role if role not in held],
        "link": link,
        "reason": ReasonForm(),
    }
    return render(request, "accounts/account.html", context)


def _role(request: HttpRequest) -> Role:
    try:
        return Role(request.POST.get("role", ""))
    except ValueError as error:
        raise RefusedError("role", _("There is no such role.")) from error
