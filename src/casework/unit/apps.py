"""The Django application that knows which unit a database belongs to."""

from __future__ import annotations

from django.apps import AppConfig


class UnitConfig(AppConfig):
    """The installation."""

    name = "casework.unit"
    label = "unit"
