"""The pages of the way in: password, second factor, invitation, enrolment."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import directory, factors, people, signing_in
from casework.accounts.forms import AppCodeForm, CodeForm, DirectoryPasswordForm, NewPasswordForm, SignInForm
from casework.accounts.models import Account, Invitation
from casework.lib.errors import AbsentError, RefusedError

_ENROLLING = "enrolling"
_STATE = "webauthn-state"
_both = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@_both
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password."""
    if request.user.is_authenticated:
        return redirect("/")
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = signing_in.check_password(request, form.cleaned_data["username"], form.cleaned_data["password"])
        if account is None:
            form.add_error(None, _("Name and password do not fit, or the door is closed for a quarter of an hour."))
        elif not factors.has_factor(account):
            form.add_error(
                None, _("You have no second factor yet: open the link of your invitation, or ask for a new one.")
            )
        else:
            signing_in.hold(request, account)
            return redirect("accounts:second_factor")
    return render(request, "accounts/sign_in.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
@_both
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for a code; the page offers the passkey where there is one."""
    account = signing_in.held(request)
    if account is None:
        return redirect("accounts:sign_in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        factor = factor_of(request, account, form.cleaned_data["code"])
        if factor:
            signing_in.sign_in(request, account, factor)
            return redirect("/")
        form.add_error(
            "code", _("The code is not right or was used already, or the door is closed for a quarter of an hour.")
        )
    context = {"form": form, "has_passkey": factors.has_passkey(account)}
    return render(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)


def factor_of(request: HttpRequest, account: Account, code: str) -> str:
    """Return which factor the code proves, or nothing; a failure counts."""
    if signing_in.is_locked(request, account.username):
        return ""
    if factors.check_totp(account, code):
        return "totp"
    if factors.check_recovery_code(account, code):
        return "recovery-code"
    signing_in.record_failure(request, account.username, "code")
    return ""


@login_not_required
@_both
def passkey_proof(request: HttpRequest) -> HttpResponse:
    """GET: the question to the browser. POST: its answer, which signs in."""
    account = signing_in.held(request)
    if account is None:
        raise AbsentError("page")
    if request.method != "POST":
        return passkey_question(request, account)
    check_passkey(request, account)
    signing_in.sign_in(request, account, "passkey")
    return JsonResponse({"next": "/"})


def passkey_question(request: HttpRequest, account: Account) -> JsonResponse:
    """Return what the browser is asked to prove a passkey."""
    options, state = factors.passkey_question(account, _host(request), settings.UNIT_NAME)
    request.session[_STATE] = state
    return JsonResponse(options)


def check_passkey(request: HttpRequest, account: Account) -> None:
    """Pass, where the browser proved a passkey of the account; a failure counts."""
    state = request.session.pop(_STATE, None)
    locked = signing_in.is_locked(request, account.username)
    if locked or not factors.check_passkey(account, _host(request), settings.UNIT_NAME, state, _answer(request)):
        signing_in.record_failure(request, account.username, "passkey")
        raise RefusedError("passkey", _("The passkey was not accepted."))


@login_not_required
@_both
@sensitive_post_parameters("password", "again")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let the invited person set a password; the link holds until a factor is enrolled."""
    found = people.invitation_of(token)
    if found is None:
        raise AbsentError("invitation")
    form = (DirectoryPasswordForm if directory.is_used() else NewPasswordForm)(found.account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = people.accept_invitation(invitation=found, password=form.cleaned_data.get("password"))
        signing_in.hold(request, account)
        request.session[_ENROLLING] = str(found.pk)
        return redirect("accounts:enrol")
    context = {"form": form, "account": found.account, "directory": directory.is_used()}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)


@login_not_required
@_both
def enrol(request: HttpRequest) -> HttpResponse:
    """Show the QR code of the authenticator app and take its first code; or let the browser make a passkey."""
    account, invited = _enrolling(request)
    form = AppCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = _finish(account, invited, form.cleaned_data["code"])
        if codes:
            signing_in.sign_in(request, account, "totp")
            return render(request, "accounts/recovery_codes.html", {"codes": codes})
        form.add_error("code", _("This is not the present code of the app; is its clock right?"))
    context = {"form": form, **totp_context(account)}
    return render(request, "accounts/enrol.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _finish(account: Account, invited: Invitation, code: str) -> list[str]:
    if not factors.confirm_totp(account, code):
        return []
    people.use_invitation(invited)
    return factors.renew_recovery_codes(account)


@login_not_required
@_both
def enrol_passkey(request: HttpRequest) -> HttpResponse:
    """GET: what the browser is asked. POST: the passkey it made, which finishes the invitation."""
    account, invited = _enrolling(request)
    if request.method != "POST":
        return passkey_options(request, account)
    with transaction.atomic():
        keep_passkey(request, account)
        people.use_invitation(invited)
        codes = factors.renew_recovery_codes(account)
    signing_in.sign_in(request, account, "passkey")
    request.session["codes"] = codes
    return JsonResponse({"next": redirect("accounts:codes").url})


@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """Show fresh recovery codes, once."""
    fresh = request.session.pop("codes", None)
    if not fresh:
        raise AbsentError("page")
    return render(request, "accounts/recovery_codes.html", {"codes": fresh})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseRedirect:
    """End the session."""
    if isinstance(request.user, Account):
        signing_in.sign_out(request, request.user, "asked")
    return redirect("accounts:sign_in")


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponseRedirect:
    """Show the pages in another language from now on, and go back to where the person was."""
    wanted, back = request.POST.get("language", ""), request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    answer = HttpResponseRedirect(back)
    if wanted in dict(settings.LANGUAGES):
        if isinstance(request.user, Account):
            people.choose_language(acting=request.user, language=wanted)
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return answer


def totp_context(account: Account) -> dict[str, Any]:
    """Return what the page needs to show an authenticator that is being enrolled."""
    totp = factors.begin_totp(account)
    picture = segno.make(factors.totp_address(totp, settings.UNIT_NAME), error="m")
    # The picture is made of digits and our own attributes only.
    drawn = mark_safe(picture.svg_inline(scale=5, dark="#000", light="#fff", omitsize=True))  # noqa: S308
    secret = " ".join(totp.secret[i : i + 4] for i in range(0, len(totp.secret), 4))
    return {"qr": drawn, "secret": secret}


def passkey_options(request: HttpRequest, account: Account) -> JsonResponse:
    """Return the browser's task for a new passkey."""
    options, state = factors.passkey_registration(account, _host(request), settings.UNIT_NAME)
    request.session[_STATE] = state
    return JsonResponse(options)


def keep_passkey(request: HttpRequest, account: Account) -> None:
    """Keep the passkey the browser made."""
    answer = _answer(request)
    name = str(answer.pop("name", ""))[:80].strip() or _("Passkey")
    factors.add_passkey(account, _host(request), settings.UNIT_NAME, request.session.pop(_STATE, None), answer, name)


def _enrolling(request: HttpRequest) -> tuple[Account, Invitation]:
    account = signing_in.held(request)
    found = Invitation.objects.filter(
        pk=str(request.session.get(_ENROLLING, UUID(int=0))), used_at=None, account=account
    ).first()
    if account is None or found is None:
        raise AbsentError("invitation")
    return account, found


def _host(request: HttpRequest) -> str:
    return request.get_host().partition(":")[0]


def _answer(request: HttpRequest) -> dict[str, Any]:
    try:
        answer = json.loads(request.body)
    except ValueError as error:
        raise RefusedError("passkey", _("The browser's answer cannot be read.")) from error
    if not isinstance(answer, dict):
        raise RefusedError("passkey", _("The browser's answer cannot be read."))
    return answer
