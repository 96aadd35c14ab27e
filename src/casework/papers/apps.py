"""The Django application of papers."""

from __future__ import annotations

from django.apps import AppConfig


class PapersConfig(AppConfig):
    """Forms of papers, and the papers issued from them."""

    name = "casework.papers"
    label = "papers"
