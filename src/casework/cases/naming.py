"""What people, who know a case by its id only, show for it: the register number and the title."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.urls import reverse

from casework.cases.models import Case
from casework.people import api as people


def names_of(cases: Collection[UUID]) -> dict[UUID, people.CaseName]:
    """Return what cases are called that the reader may know."""
    rows = Case.objects.filter(pk__in=cases).values_list("pk", "register_no", "title")
    return {
        pk: people.CaseName(title=f"{register_no} {title}", url=reverse("cases:case", args=[pk]))
        for pk, register_no, title in rows
    }
