"""The Django application of cases."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Cases, charges, clocks."""

    name = "casework.cases"
    label = "cases"
