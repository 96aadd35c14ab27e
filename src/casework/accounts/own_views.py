"""The pages of one's own settings: password, factors, recovery codes."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import factors, people
from casework.accounts.forms import AppCodeForm, ChangePasswordForm, ConfirmForm
from casework.accounts.models import Account, RecoveryCode, Totp
from casework.accounts.standing import standing_of
from casework.accounts.views import keep_passkey, passkey_options, totp_context
from casework.lib import clock
from casework.lib.errors import RefusedError

_CONFIRMED = "confirmed-at"
_CONFIRMED_SECONDS = 300
_both = require_http_methods(["GET", "HEAD", "POST"])


def _me(request: HttpRequest) -> Account:
    return cast(Account, request.user)


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Show who one is here, and the ways to sign in."""
    account = _me(request)
    context = {
        "account": account,
        "roles": sorted(role.value.replace("-", " ") for role in standing_of(account).roles),
        "totp": Totp.objects.filter(account=account).exclude(confirmed_at=None).first(),
        "passkeys": account.passkeys.order_by("created_at"),
        "codes_left": RecoveryCode.objects.filter(account=account, used_at=None).count(),
    }
    return render(request, "accounts/mine.html", context)


@_both
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's password; the session goes on, a new one needs the new password."""
    account = _me(request)
    form = ChangePasswordForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        people.change_password(acting=account, password=form.cleaned_data["password"])
        _keep_session(request, account)
        messages.success(request, _("Your password is changed."))
        return redirect("accounts:mine")
    context = {"form": form, "title": _("Change password"), "button": _("Change password")}
    return render(request, "accounts/ask.html", context, status=422 if form.errors else 200)


@_both
@sensitive_post_parameters()
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the password before the factors are touched; it holds five minutes."""
    form = ConfirmForm(_me(request), request.POST or None)
    if request.method == "POST" and form.is_valid():
        request.session[_CONFIRMED] = clock.now().timestamp()
        return redirect("accounts:factors")
    context = {"form": form, "title": _("Is it you?"), "button": _("Go on")}
    return render(request, "accounts/ask.html", context, status=422 if form.errors else 200)


@require_safe
def own_factors(request: HttpRequest) -> HttpResponse:
    """Show the factors with what can be done to them."""
    if not _is_confirmed(request):
        return redirect("accounts:confirm")
    account = _me(request)
    totp = Totp.objects.filter(account=account).exclude(confirmed_at=None).first()
    context = {"totp": totp, "passkeys": account.passkeys.order_by("created_at")}
    return render(request, "accounts/factors.html", context)


@_both
def add_totp(request: HttpRequest) -> HttpResponse:
    """Enrol an authenticator app."""
    _check_confirmed(request)
    account = _me(request)
    form = AppCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if factors.confirm_totp(account, form.cleaned_data["code"]):
            messages.success(request, _("The app is enrolled."))
            return redirect("accounts:factors")
        form.add_error("code", _("This is not the present code of the app; is its clock right?"))
    context = {"form": form, **totp_context(account)}
    return render(request, "accounts/add_totp.html", context, status=422 if form.errors else 200)


@require_POST
def remove_totp(request: HttpRequest) -> HttpResponse:
    """Take the app out of use."""
    _check_confirmed(request)
    factors.remove_totp(acting=_me(request))
    return redirect("accounts:factors")


@_both
def add_passkey(request: HttpRequest) -> HttpResponse:
    """GET: what the browser is asked. POST: the passkey it made."""
    _check_confirmed(request)
    if request.method != "POST":
        return passkey_options(request, _me(request))
    keep_passkey(request, _me(request))
    return JsonResponse({"next": redirect("accounts:factors").url})


@require_POST
def remove_passkey(request: HttpRequest, passkey: str) -> HttpResponse:
    """Take a passkey out of use."""
    _check_confirmed(request)
    factors.remove_passkey(acting=_me(request), passkey=passkey)
    return redirect("accounts:factors")


@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes; the old ones end."""
    _check_confirmed(request)
    return render(request, "accounts/recovery_codes.html", {"codes": factors.renew_recovery_codes(_me(request))})


def _keep_session(request: HttpRequest, account: Account) -> None:
    update_session_auth_hash(request, account)
    Account.objects.filter(pk=account.pk).update(session_key=request.session.session_key or "")


def _is_confirmed(request: HttpRequest) -> bool:
    since = clock.now().timestamp() - float(request.session.get(_CONFIRMED, 0))
    return since < _CONFIRMED_SECONDS


def _check_confirmed(request: HttpRequest) -> None:
    if not _is_confirmed(request):
        raise RefusedError("confirm", _("Your password was asked too long ago; open the page of your factors again."))
