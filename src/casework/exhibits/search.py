"""Exhibits in the search of the house: by any number that is on them, in the cases the person may know."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.exhibits import rules
from casework.exhibits.models import HashRecord, Mark
from casework.exhibits.words import said
from casework.lib.hooks import FOUND_AT_MOST, Found

_SHORTEST = 3
_DIGEST = 32


def find(asking: accounts.Account, words: str, *, purpose: str) -> list[Found]:
    """Return the exhibits whose number, serial, IMEI, address, court number or seal begins with the words.

    Numbers of devices are no restricted matter, so ``purpose`` is not asked for. A digest finds the image it is of.
    """
    wanted = rules.folded(words)
    cases = accounts.case_ids_open_to(asking) if len(wanted) >= _SHORTEST else []
    if not cases:
        return []
    found: dict[str, Found] = {}
    for mark in _beginning(wanted).filter(exhibit__case_id__in=cases)[: 4 * FOUND_AT_MOST]:
        _add(found, mark, wanted)
    if len(wanted) >= _DIGEST:
        _add_digests(found, words, cases)
    return sorted(found.values(), key=lambda one: -one.rank)[:FOUND_AT_MOST]


def _beginning(wanted: str) -> QuerySet[Mark]:
    marks = Mark.objects.select_related("exhibit__case").defer("exhibit__passcode").order_by("value", "exhibit_id")
    if connection.vendor == "postgresql":
        return marks.filter(value__startswith=wanted)
    # SQLite uses its index for a range, not for a prefix; what is folded is letters and digits only.
    return marks.filter(Q(value__gte=wanted) & Q(value__lt=wanted + "\U0010ffff"))


def _add(found: dict[str, Found], mark: Mark, wanted: str) -> None:
    exhibit = mark.exhibit
    url = reverse("exhibits:exhibit", args=[exhibit.pk])
    rank = 1.0 if mark.value == wanted else 0.5
    if url not in found or found[url].rank < rank:
        hint = f"{said(exhibit.kind)} {exhibit.summary}, {exhibit.case}"
        found[url] = Found(kind=_("Exhibits"), title=exhibit.number, hint=hint, url=url, rank=rank)


def _add_digests(found: dict[str, Found], words: str, cases: list[UUID]) -> None:
    rows = HashRecord.objects.filter(value=words.strip().lower(), acquisition__exhibit__case_id__in=cases)
    for row in rows.select_related("acquisition__exhibit__case")[:FOUND_AT_MOST]:
        exhibit = row.acquisition.exhibit
        url = reverse("exhibits:exhibit", args=[exhibit.pk])
        hint = f"{row.algorithm}, {row.of}, {exhibit.case}"
        found[url] = Found(kind=_("Exhibits"), title=str(row.acquisition), hint=hint, url=url, rank=1.0)
