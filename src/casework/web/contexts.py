"""Which contexts stand in the house, and what each offers through its door.

A context offers ``find``, ``waiting_for``, ``router`` (and `make_demo`) as members of its `api.py`; one that is not in
the settings, or offers nothing of the kind, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.apps import apps

# In the order in which people look for things; also the order in which a demonstration is built, from below.
CONTEXTS = ("cases", "people", "exhibits", "papers", "jobs", "law", "accounts")


def offers(member: str) -> Iterator[tuple[str, Any]]:
    """Yield the name of each context that offers ``member``, and the member."""
    for name in CONTEXTS:
        if apps.is_installed(f"casework.{name}"):
            door = import_module(f"casework.{name}.api")
            if hasattr(door, member):
                yield name, getattr(door, member)
