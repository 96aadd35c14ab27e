"""Numbers without gaps: a counter is raised in the transaction of the paper, and falls back with it."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from casework.lib.errors import CaseworkError
from casework.papers import rules
from casework.papers.models import Office, Series

_OFFICES = "office"


class NumberTakenError(CaseworkError):
    """Somebody else took the number between printing and keeping; print again."""

    def __init__(self) -> None:
        super().__init__("The number was taken meanwhile; the paper is printed again with the next one.")


def next_number(unit: UUID, kind: rules.Kind, year: int) -> str:
    """Return the number the next paper would get, without taking it."""
    office = Office.objects.filter(unit_id=unit).values_list("code", flat=True).first() or _peek(_OFFICES) + 1
    return rules.number_of(kind, office, year, _peek(_series(unit, kind, year)) + 1)


def take_number(unit: UUID, kind: rules.Kind, year: int, expected: str = "") -> str:
    """Return the next number, taken; others wait here until the transaction ends.

    Raises:
        NumberTakenError: The number is not the one ``expected``.
    """
    assert connection.in_atomic_block
    office = Office.objects.filter(unit_id=unit).values_list("code", flat=True).first()
    if office is None:
        code = _raise(_OFFICES)
        office = Office.objects.get_or_create(unit_id=unit, defaults={"code": code})[0].code
        if office != code:
            raise NumberTakenError
    number = rules.number_of(kind, office, year, _raise(_series(unit, kind, year)))
    if expected and number != expected:
        raise NumberTakenError
    return number


def _series(unit: UUID, kind: rules.Kind, year: int) -> str:
    return f"{unit}|{rules.CODES[kind]}|{year}"


def _peek(name: str) -> int:
    return Series.objects.filter(name=name).values_list("last", flat=True).first() or 0


def _raise(name: str) -> int:
    Series.objects.get_or_create(name=name)
    series = Series.objects.select_for_update().get(name=name)
    Series.objects.filter(name=name).update(last=series.last + 1)
    return series.last + 1
