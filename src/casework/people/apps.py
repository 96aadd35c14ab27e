"""The Django application of people."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Persons, identifiers, judgements, the watch register."""

    name = "casework.people"
    label = "people"
