"""What a clock needs to be counted in a case, and the elements of an offence; rows that are there get them too."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_DETAILS = ("procedure", "counting", "per", "met_by", "extension", "needs", "about")


def _fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the new, empty columns of rows seeded before; what a person has written is left alone."""
    edition = json.loads((files("casework.law") / "data" / "india-2026-11-24.json").read_bytes())
    for given in edition["clocks"]:
        rows = apps.get_model("law", "ClockRule").objects.filter(
            key=given["key"], valid_from=date.fromisoformat(given["valid_from"]), about=""
        )
        rows.update(**{name: given[name] for name in _DETAILS})
    for given in edition["offences"]:
        rows = apps.get_model("law", "Offence").objects.filter(
            act=given["act"], section=given["section"], valid_from=date.fromisoformat(given["valid_from"]), elements=[]
        )
        if given.get("elements"):
            rows.update(elements=given["elements"], elements_status=given["elements_status"])


class Migration(migrations.Migration):
    """Add the columns and fill them."""

    dependencies = (("law", "0001_initial"),)
    operations = (
        migrations.AddField("clockrule", "about", models.CharField(blank=True, max_length=2)),
        migrations.AddField("clockrule", "counting", models.CharField(blank=True, max_length=20)),
        migrations.AddField("clockrule", "extension", models.CharField(blank=True, max_length=20)),
        migrations.AddField("clockrule", "met_by", models.JSONField(blank=True, default=list)),
        migrations.AddField("clockrule", "needs", models.JSONField(blank=True, default=dict)),
        migrations.AddField("clockrule", "per", models.CharField(default="case", max_length=20)),
        migrations.AddField("clockrule", "procedure", models.CharField(blank=True, max_length=40)),
        migrations.AddField(
            "offence",
            "elements_status",
            models.CharField(blank=True, choices=[("V", "V"), ("V2", "V2"), ("M", "M"), ("D", "D")], max_length=2),
        ),
        migrations.RunPython(_fill, migrations.RunPython.noop),
    )
