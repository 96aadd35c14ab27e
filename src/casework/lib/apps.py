"""The Django application of the ground floor: templates, static files, no tables."""

from __future__ import annotations

from django.apps import AppConfig


class LibConfig(AppConfig):
    """Templates and static files shared by all contexts."""

    name = "casework.lib"
    label = "lib"
