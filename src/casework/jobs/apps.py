"""The Django application of the jobs."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Durable work."""

    name = "casework.jobs"
    label = "jobs"
