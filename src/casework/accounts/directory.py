"""Passwords of a directory service (LDAP): the directory says whether a password is right, and nothing else.

The account has to exist here; its name, roles and second factor stay here and are never read from there.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's own name
from django.http import HttpRequest
from django_python3_ldap import ldap

from casework.accounts.models import Account
from casework.lib.directory import BACKEND, is_open_to_listeners


class DirectoryBackend(ModelBackend):
    """Asks the directory, for accounts that exist here and have no password of their own here."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Account | None:
        """Return the account whose password the directory accepts."""
        account = Account.objects.filter(username=username, is_active=True).first()
        if account is None or account.has_usable_password() or not accepts(account, password or ""):
            return None
        return account


def accepts(account: Account, typed: str) -> bool:
    """Tell whether the directory takes this password for the account's log-in name."""
    # An empty password would be an anonymous bind, which directories accept.
    if not typed:
        return False
    with ldap.connection(username=account.username, password=typed) as bound:
        return bound is not None


def is_used() -> bool:
    """Tell whether this unit asks a directory for passwords."""
    return BACKEND in settings.AUTHENTICATION_BACKENDS


def is_right(account: Account, typed: str) -> bool:
    """Tell whether this is the account's password, here or in the directory."""
    return authenticate(None, username=account.username, password=typed) == account


@register(Tags.security, deploy=True)
def check_directory(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn where passwords go to the directory without TLS."""
    url, start_tls = getattr(settings, "LDAP_AUTH_URL", ""), getattr(settings, "LDAP_AUTH_USE_TLS", False)
    if is_used() and is_open_to_listeners(url, start_tls=start_tls):
        told = "Passwords would go to the directory readable: use ldaps:// or KAVAL_LDAP_START_TLS=true."
        return [Warning(told, id="kaval.W001")]
    return []
