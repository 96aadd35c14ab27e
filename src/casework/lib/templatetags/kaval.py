"""Filters every context may use: ``{% load kaval %}``."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(amount: int) -> str:
    """Return an amount as it is written here, 12,34,567; years, register numbers and ids are no amounts."""
    return number_format(amount, force_grouping=True)
