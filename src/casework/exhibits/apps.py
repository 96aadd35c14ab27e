"""The Django application of exhibits."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class ExhibitsConfig(AppConfig):
    """Exhibits, custody, seals, images."""

    name = "casework.exhibits"
    label = "exhibits"

    def ready(self) -> None:
        """Put the triggers back after every migration, and answer for the laboratory.

        SQLite makes a table anew to change it, and forgets its triggers.
        """
        post_migrate.connect(_install, sender=self)
        from casework.cases import api as cases  # the tables are known only now
        from casework.exhibits import queue

        cases.use_laboratory_queue(queue.laboratory_queue)


def _install(using: str, **_rest: Any) -> None:
    from casework.exhibits import triggers  # the tables are known only now

    triggers.install(connections[using])
