"""Filters of the pages of papers: ``{% load papers %}``."""

from __future__ import annotations

from django import template

from casework.papers import words

register = template.Library()

register.filter("kind_name", words.kind_name)
register.filter("language_name", words.language_name)
register.filter("state_name", words.state_name)


@register.filter
def in_groups(digest: str) -> str:
    """Return a digest in groups of eight, as it is printed."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))
