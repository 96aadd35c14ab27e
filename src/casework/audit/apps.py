"""The Django application of the ledger."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The ledger."""

    name = "casework.audit"
    label = "audit"
