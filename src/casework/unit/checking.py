"""What has to hold before the unit runs: configuration, key, database, migrations, the deployment check."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core import checks
from django.core.checks.registry import registry
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from casework.unit.models import Installation


def faults() -> Iterator[str]:
    """Yield what keeps this unit from running, one sentence each; nothing when all is well."""
    pending = _pending()
    if pending:
        yield f"The database lacks {pending} migrations: run `kaval-unit upgrade`."
        return
    installed = Installation.objects.filter(pk=1).first()
    if installed is None:
        yield "The database belongs to no unit: run `kaval-unit setup`."
    elif installed.instance != settings.INSTANCE:
        yield "The database belongs to another unit than unit.env says: is the data folder the right one?"
    for message in registry.run_checks(include_deployment_checks=settings.SECURE_SSL_REDIRECT):
        if not message.is_silenced() and message.level >= checks.WARNING:
            yield f"{message.id}: {message.msg}"


def _pending() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
