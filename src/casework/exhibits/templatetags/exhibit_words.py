"""``{{ exhibit.kind|said }}``: the word of the register as it is called on the screen."""

from __future__ import annotations

from django import template

from casework.exhibits import words

register = template.Library()
register.filter("said", words.said)
