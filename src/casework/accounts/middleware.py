"""Ends sessions that are idle, too long, or replaced; shows the pages in the language of the account."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _

from casework.accounts import signing_in
from casework.accounts.models import Account


class SessionLimits:
    """Tests the session of a signed-in account before any view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on, or send the person to the door."""
        if isinstance(request.user, Account):
            fault = signing_in.session_fault(request, request.user)
            if fault:
                signing_in.sign_out(request, request.user, fault)
                messages.info(request, _("Your session has ended. Please sign in again."))
                return redirect("accounts:sign_in")
        return self.get_response(request)


class OwnLanguage:
    """Shows the pages in the language the account has chosen; before that, in the one the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on, in that language."""
        if isinstance(request.user, Account) and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
