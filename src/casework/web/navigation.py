"""What stands in the head of every page, by role."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the unit's name and the entries a person may open."""
    context: dict[str, Any] = {"unit_name": settings.UNIT_NAME, "navigation": []}
    person = getattr(request, "user", None)
    if isinstance(person, accounts.Account):
        context["finder"] = reverse("search")
        entries = [(_("Papers"), reverse("papers:mine")), (_("Law"), reverse("law:offences"))]
        roles = accounts.standing_of(person).roles
        if roles - {accounts.Role.ADMINISTRATOR, accounts.Role.COUNSELLOR}:
            entries.insert(0, (_("Exhibits"), reverse("exhibits:exhibits")))
            entries.insert(0, (_("Persons"), reverse("people:people")))
            entries.insert(0, (_("Cases"), reverse("cases:cases")))
        if roles & {accounts.Role.ADMINISTRATOR, accounts.Role.SUPERVISOR}:
            entries.append((_("Accounts"), reverse("accounts:accounts")))
        entries.append((_("My account"), reverse("accounts:mine")))
        context["navigation"] = [
            {
                "title": title,
                "url": url,
                "current": request.path.startswith(url) and _longest(request.path, entries) == url,
            }
            for title, url in entries
        ]
    return context


def _longest(path: str, entries: list[tuple[str, str]]) -> str:
    return max((url for _title, url in entries if path.startswith(url)), key=len)
