"""Tokens with which a program asks in place of a person: made behind the second factor, kept as digests, revocable."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from casework.accounts import rules
from casework.accounts.models import Account, Pace, Token
from casework.accounts.standing import actor, standing_of, subject
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError

_PREFIX = "kaval_"
# A token's last use is written at most this often.
_USE_SPAN = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Whose token was shown, and whether it may change anything."""

    account: Account
    may_write: bool


@transaction.atomic
def make_token(*, acting: Account, name: str, may_write: bool, days: int) -> str:
    """Return a fresh token, which nobody can be shown again."""
    running = Token.objects.filter(account=acting, ended_at=None, expires_at__gt=clock.now()).count()
    rules.check_make_token(standing_of(acting), name, days, running)
    token = _PREFIX + secrets.token_urlsafe(32)
    expires_at = clock.now() + timedelta(days=days)
    kept = Token.objects.create(
        account=acting, name=name.strip(), digest=_digest(token), may_write=may_write, expires_at=expires_at
    )
    fields: audit.Fields = {"token": str(kept.pk), "may_write": may_write, "days": days}
    audit.append(actor=actor(acting), act="accounts.token_made", subject=subject(acting), fields=fields)
    return token


@transaction.atomic
def end_token(*, acting: Account, token: UUID) -> None:
    """End one's own token."""
    if not Token.objects.filter(pk=token, account=acting, ended_at=None).update(ended_at=clock.now()):
        raise AbsentError("token")
    fields: audit.Fields = {"token": str(token)}
    audit.append(actor=actor(acting), act="accounts.token_ended", subject=subject(acting), fields=fields)


def end_all_tokens(account: Account) -> None:
    """End every token of an account, inside the transaction that closes the account or gives it away."""
    Token.objects.filter(account=account, ended_at=None).update(ended_at=clock.now())


def bearer_of(token: str) -> Bearer | None:
    """Return whose token this is, if it holds and the account is open."""
    found = Token.objects.select_related("account").filter(digest=_digest(token), ended_at=None).first()
    if found is None or found.expires_at <= clock.now() or not found.account.is_active:
        return None
    if found.last_used_at is None or clock.now() - found.last_used_at > _USE_SPAN:
        Token.objects.filter(pk=found.pk).update(last_used_at=clock.now())
    return Bearer(account=found.account, may_write=found.may_write)


def within_pace(account: Account) -> bool:
    """Count one question of the account's programs, and tell whether the minute still allows it.

    The count stands in the database, so that all workers share it; both steps are conditional, so that none is lost.
    """
    minute = int(clock.now().timestamp()) // 60
    Pace.objects.get_or_create(account=account)
    mine = Pace.objects.filter(account=account)
    for _attempt in range(2):
        if mine.filter(minute=minute, used__lt=settings.API_PER_MINUTE).update(used=F("used") + 1):
            return True
        if mine.filter(minute__lt=minute).update(minute=minute, used=1):
            return True
    return False


def account_of(request: HttpRequest) -> Account:
    """Return who asks, by a token or in a session.

    Raises:
        AbsentError: Nobody does.
    """
    for known in (getattr(request, "auth", None), getattr(request, "user", None)):
        if isinstance(known, Account):
            return known
    raise AbsentError("account")


def _digest(token: str) -> str:
    # The token itself is 256 random bits, so a plain digest gives nothing away.
    return hashlib.sha256(token.encode()).hexdigest()
