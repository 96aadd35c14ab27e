"""The Django application of cases."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Cases, charges, clocks."""

    name = "casework.cases"
    label = "cases"

    def ready(self) -> None:
        """Tell people what cases are called."""
        from casework.cases import naming
        from casework.people import api as people

        people.name_cases(naming.names_of)
