"""The Django application of the first page."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The first page and the navigation."""

    name = "casework.web"
    label = "web"
