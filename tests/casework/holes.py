"""What fills the holes of addresses: the ids of rows that are there, found by the name of the hole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from django.apps import apps
from django.db.models import Model
from django.urls import URLPattern, URLResolver

# Holes that are not called as their table is.
CALLED = {"place": "storageplace", "offer": "handover", "image": "acquisition", "other": "person"}
HOLE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>|\{(?:\w+:)?(?P<rest>\w+)\}")


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Yield every address of a resolver, with its holes."""
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        else:
            yield here


def names(address: str) -> list[str]:
    """Return the names of the holes of an address."""
    return [match["name"] or match["rest"] for match in HOLE.finditer(address)]


def rows(name: str, limit: int = 3) -> list[str]:
    """Return ids of rows of the table that a hole is named after; none where no table is, or it is empty."""
    wanted = CALLED.get(name, name.replace("_", "").removesuffix("id"))
    for model in _tables():
        if model.__name__.lower() == wanted:
            return [str(pk) for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)[:limit]]
    return []


def fill(address: str, given: dict[str, str] | None = None) -> str:
    """Return the address with every hole filled: by what is ``given``, by rows, or by an id nobody has."""

    def value(match: re.Match[str]) -> str:
        name = match["name"] or match["rest"]
        found = [given[name]] if given and name in given else rows(name, 1)
        return found[0] if found else str(UUID(int=1))

    return HOLE.sub(value, address)


def _tables() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("casework.")]
