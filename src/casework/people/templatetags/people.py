"""Filters of the pages of people: ``{% load people %}``."""

from __future__ import annotations

from django import template

from casework.people import labels

register = template.Library()


@register.filter
def said(word: str) -> str:
    """Return a word of a vocabulary in the language of the reader."""
    return labels.said(str(word))


@register.filter
def found(finding: str) -> str:
    """Return what a criterion found in the language of the reader."""
    return labels.found(str(finding))
