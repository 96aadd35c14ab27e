"""What a search of the house finds here: cases by register number, by FIR, by CNR, by words of their title."""

from __future__ import annotations

import re

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.cases import rules
from casework.cases.models import Case
from casework.cases.vocabulary import State
from casework.cases.words import title_of
from casework.lib.hooks import FOUND_AT_MOST, Found

_NUMBER = re.compile(r"(?:cr(?:ime)?\.?|fir|case)?\s*(?:no\.?)?\s*([0-9A-Za-z-]{1,20}(?:/[0-9]+)?)\s*/\s*(\d{4})", re.I)


def find(asking: accounts.Account, words: str, *, purpose: str) -> list[Found]:
    """Return the cases the account may know that answer to the words; at most twenty."""
    ids = accounts.case_ids_open_to(asking)
    words = words.strip()
    if not ids or len(words) < 2:
        return []
    exact = Q(register_no=words)
    number = _NUMBER.fullmatch(words)
    if number:
        exact |= Q(register_no=f"{number[1]}/{number[2]}") | Q(firs__number=number[1], firs__year=int(number[2]))
    cnr = rules.cnr_of(words)
    if rules.cnr_is_usual(cnr):
        exact |= Q(sittings__cnr=cnr)
    open_ones = Case.objects.filter(pk__in=ids)
    found = {case.pk: (case, 1.0) for case in open_ones.filter(exact).distinct()[:FOUND_AT_MOST]}
    for case in open_ones.filter(title__icontains=words).order_by("-created_at")[:FOUND_AT_MOST]:
        found.setdefault(case.pk, (case, 0.5))
    return [_found(case, rank) for case, rank in list(found.values())[:FOUND_AT_MOST]]


def _found(case: Case, rank: float) -> Found:
    return Found(
        kind=_("Case"),
        title=f"{case.register_no} · {case.title}",
        hint=str(title_of(State(case.state))),
        url=reverse("cases:case", args=[case.pk]),
        rank=rank,
    )
