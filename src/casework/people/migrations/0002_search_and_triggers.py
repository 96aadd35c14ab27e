"""The indexes of the search, and the triggers that refuse to change a judgement."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from casework.people import search_indexes, triggers


def _install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    search_indexes.install(schema_editor.connection)
    triggers.install(schema_editor.connection)


def _remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    triggers.remove(schema_editor.connection)
    search_indexes.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """Install the indexes and triggers."""

    dependencies = (("people", "0001_initial"),)
    operations = (migrations.RunPython(_install, _remove),)
