"""One's own tokens for programs: the page asks for the second factor again, shows a fresh token once, ends old ones."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from casework.accounts import factors, rules
from casework.accounts import tokens as verbs
from casework.accounts.forms import CodeForm, TokenForm
from casework.accounts.models import Account, Token
from casework.accounts.views import check_passkey, factor_of, passkey_question
from casework.lib import clock
from casework.lib.errors import RefusedError

_PROVED = "proved-at"
_both = require_http_methods(["GET", "HEAD", "POST"])


@_both
def prove(request: HttpRequest) -> HttpResponse:
    """Ask for a second factor once more; it holds five minutes."""
    account = _me(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if factor_of(request, account, form.cleaned_data["code"]):
            request.session[_PROVED] = clock.now().isoformat()
            return redirect("accounts:tokens")
        form.add_error(
            "code", _("The code is not right or was used already, or the door is closed for a quarter of an hour.")
        )
    context = {"form": form, "has_passkey": factors.has_passkey(account)}
    return render(request, "accounts/prove.html", context, status=422 if form.errors else 200)


@_both
def prove_passkey(request: HttpRequest) -> HttpResponse:
    """GET: the question to the browser. POST: its answer."""
    account = _me(request)
    if request.method != "POST":
        return passkey_question(request, account)
    check_passkey(request, account)
    request.session[_PROVED] = clock.now().isoformat()
    return JsonResponse({"next": redirect("accounts:tokens").url})


@_both
def tokens(request: HttpRequest) -> HttpResponse:
    """Show the tokens that hold; make another, and show it once."""
    if not _is_proved(request):
        return redirect("accounts:prove")
    account, fresh = _me(request), ""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            fresh = verbs.make_token(
                acting=account, name=given["name"], may_write=given["may_write"], days=given["days"]
            )
        except RefusedError as refusal:
            form.add_error(None, refusal.reason)
        else:
            form = TokenForm()
    holding = Token.objects.filter(account=account, ended_at=None, expires_at__gt=clock.now()).order_by("-created_at")
    context = {"form": form, "fresh": fresh, "tokens": holding}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


@require_POST
def end(request: HttpRequest, token: UUID) -> HttpResponse:
    """End a token; to take a right away no proof is asked."""
    verbs.end_token(acting=_me(request), token=token)
    return redirect("accounts:tokens")


def _me(request: HttpRequest) -> Account:
    return cast(Account, request.user)


def _is_proved(request: HttpRequest) -> bool:
    moments = [request.session.get(name) for name in ("began", _PROVED)]
    return any(at and clock.now() - datetime.fromisoformat(at) < rules.PROOF_SPAN for at in moments)
