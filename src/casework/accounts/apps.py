"""The Django application of the accounts."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts, roles, factors, memberships."""

    name = "casework.accounts"
    label = "accounts"
