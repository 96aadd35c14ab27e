"""Verbs on accounts: open, invite, close, grant and end roles."""

from __future__ import annotations

import hashlib
import secrets

from django.contrib.sessions.models import Session
from django.db import transaction

from casework.accounts import rules
from casework.accounts.models import Account, Invitation, Passkey, RecoveryCode, RoleGrant, Totp, Unit
from casework.accounts.rules import Rank, Role
from casework.accounts.standing import actor, standing_of, subject
from casework.accounts.tokens import end_all_tokens
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import RefusedError

COMMAND_LINE = audit.Actor(id="kaval-unit", name="the command line of the machine")


@transaction.atomic
def open_account(*, acting: Account, username: str, name: str, unit: Unit, rank: Rank = Rank.NONE) -> Account:
    """Return a new account without roles and without a password."""
    rules.check_open_account(standing_of(acting))
    return _open(actor(acting), username=username, name=name, unit=unit, rank=rank)


@transaction.atomic
def open_first_account(*, username: str, name: str, unit: str, role: Role) -> Account:
    """Return an account with its role, made from the command line; once somebody holds the role this is refused."""
    if RoleGrant.objects.filter(role=role, ended_at=None, account__is_active=True).exists():
        raise RefusedError(
            "not-first", f"There is somebody with the role {role.value}; accounts are opened in the browser."
        )
    place, _made = Unit.objects.get_or_create(name=unit)
    account = _open(COMMAND_LINE, username=username, name=name, unit=place, rank=Rank.NONE)
    _grant(COMMAND_LINE, account, role)
    return account


@transaction.atomic
def invite_first(*, account: Account) -> str:
    """Return the token of an invitation made from the command line, for an account nobody has used yet."""
    if account.has_usable_password() or account.password_set_at is not None:
        raise RefusedError("in-use", "The account is in use; a colleague invites in the browser.")
    return _invite(COMMAND_LINE, account)


@transaction.atomic
def invite(*, acting: Account, to: Account) -> str:
    """Return the token of a fresh invitation; older ones end here, a forgotten factor is dropped when it is used."""
    rules.check_invite(standing_of(acting), standing_of(to))
    return _invite(actor(acting), to)


@transaction.atomic
def close_account(*, acting: Account, account: Account, reason: str) -> None:
    """Close the account and end its session; nothing it did is touched."""
    rules.check_close(standing_of(acting), standing_of(account))
    Account.objects.filter(pk=account.pk).update(is_active=False, session_key="")
    Session.objects.filter(pk=account.session_key).delete()
    end_all_tokens(account)
    audit.append(actor=actor(acting), act="accounts.account_closed", subject=subject(account), purpose=reason)


@transaction.atomic
def reopen_account(*, acting: Account, account: Account, reason: str) -> None:
    """Open a closed account again."""
    rules.check_close(standing_of(acting), standing_of(account))
    Account.objects.filter(pk=account.pk).update(is_active=True)
    audit.append(actor=actor(acting), act="accounts.account_reopened", subject=subject(account), purpose=reason)


@transaction.atomic
def grant_role(*, acting: Account, to: Account, role: Role) -> None:
    """Grant a role."""
    Account.objects.select_for_update().get(pk=to.pk)
    rules.check_grant(standing_of(acting), standing_of(to), role)
    _grant(actor(acting), to, role)


@transaction.atomic
def end_role(*, acting: Account, of: Account, role: Role) -> None:
    """End a role."""
    rules.check_end_role(standing_of(acting), standing_of(of), role)
    RoleGrant.objects.filter(account=of, role=role, ended_at=None).update(ended_at=clock.now())
    audit.append(actor=actor(acting), act="accounts.role_ended", subject=subject(of), fields={"role": role.value})


def invitation_of(token: str) -> Invitation | None:
    """Return the invitation a link names, if it still holds."""
    found = Invitation.objects.select_related("account").filter(token_digest=_digest(token), used_at=None).first()
    return found if found and found.expires_at > clock.now() and found.account.is_active else None


@transaction.atomic
def accept_invitation(*, invitation: Invitation, password: str | None) -> Account:
    """Set the password and drop the old factors; the invitation stays open until a factor is enrolled.

    Without a password the account's is the directory's from now on.
    """
    account = invitation.account
    account.set_password(password)
    account.password_set_at = clock.now()
    account.save(update_fields=["password", "password_set_at"])
    Totp.objects.filter(account=account).delete()
    Passkey.objects.filter(account=account).delete()
    RecoveryCode.objects.filter(account=account).delete()
    end_all_tokens(account)
    audit.append(
        actor=actor(account),
        act="accounts.password_set",
        subject=subject(account),
        fields={"by": "invitation" if password else "directory"},
    )
    return account


def use_invitation(invitation: Invitation) -> None:
    """End the invitation, inside the transaction that enrols the factor."""
    used = Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=clock.now())
    if not used:
        raise RefusedError("invitation-used", "This invitation was used meanwhile; ask for another one.")
    account = invitation.account
    audit.append(actor=actor(account), act="accounts.invitation_used", subject=subject(account))


@transaction.atomic
def change_password(*, acting: Account, password: str) -> None:
    """Set a new password for oneself."""
    if not acting.has_usable_password():
        raise RefusedError("directory", "Your password is the one of the directory; change it there.")
    acting.set_password(password)
    acting.password_set_at = clock.now()
    acting.save(update_fields=["password", "password_set_at"])
    audit.append(actor=actor(acting), act="accounts.password_set", subject=subject(acting), fields={"by": "the person"})


def _open(by: audit.Actor, *, username: str, name: str, unit: Unit, rank: Rank) -> Account:
    if Account.objects.filter(username=username).exists():
        raise RefusedError("name-taken", "This log-in name is taken.")
    account = Account(username=username, name=name, unit=unit, rank=rank)
    account.set_unusable_password()
    account.full_clean()
    account.save()
    fields: audit.Fields = {"username": username, "name": name, "rank": rank.value, "unit": unit.name}
    audit.append(actor=by, act="accounts.account_opened", subject=subject(account), fields=fields)
    return account


def _grant(by: audit.Actor, to: Account, role: Role) -> None:
    RoleGrant.objects.create(account=to, role=role)
    if to.has_usable_password() or to.password_set_at is not None:
        # A link made while the account had no role would hand over the role as well.
        Invitation.objects.filter(account=to, used_at=None).update(expires_at=clock.now())
    audit.append(actor=by, act="accounts.role_granted", subject=subject(to), fields={"role": role.value})


def _invite(by: audit.Actor, to: Account) -> str:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    Invitation.objects.filter(account=to, used_at=None).update(expires_at=now)
    Invitation.objects.create(account=to, token_digest=_digest(token), expires_at=now + rules.INVITATION_SPAN)
    audit.append(actor=by, act="accounts.invited", subject=subject(to))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def choose_language(*, acting: Account, language: str) -> None:
    """Keep the language in which one reads the pages; a matter of taste, so the ledger does not tell of it."""
    Account.objects.filter(pk=acting.pk).update(language=language)
