"""Time stamps of daily heads, and the triggers that refuse to change them."""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from casework.audit import triggers


def _install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    triggers.install(schema_editor.connection)


def _nothing(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Leave the triggers of the other tables; this table's go with it."""


class Migration(migrations.Migration):
    """Add the table, then its triggers."""

    dependencies = [("audit", "0002_triggers")]
    operations = [
        migrations.CreateModel(
            name="HeadStamp",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("answer", models.BinaryField()),
                ("stamped_at", models.DateTimeField()),
                ("authority", models.CharField(max_length=300)),
            ],
        ),
        migrations.RunPython(_install, _nothing),
    ]
