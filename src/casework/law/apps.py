"""The Django application of the law."""

from __future__ import annotations

from django.apps import AppConfig


class LawConfig(AppConfig):
    """Statutes, offences, clocks."""

    name = "casework.law"
    label = "law"
