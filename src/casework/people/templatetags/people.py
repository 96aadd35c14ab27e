"""Filters of the pages of people: ``{% load people %}``."""

from __future__ import annotations

from django import template

from casework.people.labels import said as say

register = template.Library()


@register.filter
def said(word: str) -> str:
    """Return a word of a vocabulary in the language of the reader."""
    return say(str(word))
