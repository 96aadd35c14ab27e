"""The way in: password, then a second factor, then a session; too many failures close the door for a while."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from casework.accounts import rules
from casework.accounts.models import Account, Failure
from casework.accounts.standing import actor, subject
from casework.audit import api as audit
from casework.lib import clock

PENDING = "sign-in-pending"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def check_password(request: HttpRequest, username: str, password: str) -> Account | None:
    """Return the account, if the door is open and the password right; the two noes cannot be told apart."""
    if is_locked(request, username):
        return None
    # Every configured backend is asked, a directory service as well; the account has to exist here in any case.
    account = authenticate(request, username=username, password=password)
    if isinstance(account, Account):
        return account
    record_failure(request, username, "password")
    return None


def is_locked(request: HttpRequest, username: str) -> bool:
    """Tell whether too many failures lie behind this name or this address."""
    recent = Failure.objects.filter(at__gt=clock.now() - rules.LOCK_SPAN)
    of_name = recent.filter(username_mark=_mark(username)).count()
    return rules.is_locked(of_name, recent.filter(address_mark=_mark(_address(request))).count())


@transaction.atomic
def record_failure(request: HttpRequest, username: str, step: str) -> None:
    """Count a failure, drop what no longer counts, and tell the ledger where the name is one of ours."""
    Failure.objects.filter(at__lte=clock.now() - rules.LOCK_SPAN).delete()
    Failure.objects.create(username_mark=_mark(username), address_mark=_mark(_address(request)))
    known = Account.objects.filter(username=username).first()
    if known is not None:
        unknown = audit.Actor(id="unknown", name="somebody not signed in")
        audit.append(actor=unknown, act="accounts.sign_in_refused", subject=subject(known), fields={"step": step})


def hold(request: HttpRequest, account: Account) -> None:
    """Remember, in a fresh session, whose password was right."""
    request.session.flush()
    request.session[PENDING] = {"account": str(account.pk), "since": clock.now().isoformat()}


def held(request: HttpRequest) -> Account | None:
    """Return whose password was right in this session, for ten minutes."""
    pending = request.session.get(PENDING)
    if not pending or clock.now() - datetime.fromisoformat(pending["since"]) > rules.SIGN_IN_SPAN:
        return None
    return Account.objects.filter(pk=pending["account"], is_active=True).first()


@transaction.atomic
def sign_in(request: HttpRequest, account: Account, factor: str) -> None:
    """Begin the session; one that is open elsewhere ends."""
    request.session.pop(PENDING, None)
    earlier = Account.objects.select_for_update().get(pk=account.pk).session_key
    login(request, account, backend=_BACKEND)
    now = clock.now().isoformat()
    request.session["began"] = request.session["seen"] = now
    request.session.save()
    Session.objects.filter(pk=earlier).exclude(pk=request.session.session_key).delete()
    Account.objects.filter(pk=account.pk).update(session_key=request.session.session_key or "")
    Failure.objects.filter(username_mark=_mark(account.username)).delete()
    fields: audit.Fields = {"factor": factor, "ended_another_session": bool(earlier)}
    audit.append(actor=actor(account), act="accounts.signed_in", subject=subject(account), fields=fields)


@transaction.atomic
def sign_out(request: HttpRequest, account: Account, why: str) -> None:
    """End the session."""
    Account.objects.filter(pk=account.pk, session_key=request.session.session_key).update(session_key="")
    logout(request)
    audit.append(actor=actor(account), act="accounts.signed_out", subject=subject(account), fields={"why": why})


def session_fault(request: HttpRequest, account: Account) -> str:
    """Return why this session is over, or nothing; a look at a page counts as a sign of life."""
    began, seen = request.session.get("began"), request.session.get("seen")
    if not began or not seen or account.session_key != request.session.session_key:
        return "replaced"
    now, idle = clock.now(), timedelta(minutes=settings.IDLE_MINUTES)
    fault = rules.session_ended(
        now, datetime.fromisoformat(began), datetime.fromisoformat(seen), idle, timedelta(hours=settings.SESSION_HOURS)
    )
    if not fault and now - datetime.fromisoformat(seen) > timedelta(seconds=30):
        request.session["seen"] = now.isoformat()
    return fault


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _mark(text: str) -> str:
    key = settings.KEY_RING.current("sign-in failures").secret
    return hmac.new(key, text.strip().casefold().encode(), hashlib.sha256).hexdigest()
