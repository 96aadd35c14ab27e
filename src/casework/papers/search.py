"""Papers by their number, by the digest at the foot, or by the digest of the file."""

from __future__ import annotations

import re

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.lib.errors import AbsentError
from casework.lib.hooks import FOUND_AT_MOST, Found
from casework.papers.models import Paper
from casework.papers.reading import check_may_see
from casework.papers.words import kind_name

_HEX = re.compile(r"[0-9a-f]{32,64}\Z")
_NUMBER = re.compile(r"[A-Z]{2}/\d{2,4}/\d{4}/\d{1,8}\Z")


def find(asking: accounts.Account, words: str, *, purpose: str) -> list[Found]:
    """Return the papers the words name, those this account may see only."""
    del purpose
    asked = "".join(words.split())
    condition = _condition(asked)
    if condition is None:
        return []
    rows = Paper.objects.filter(condition).defer("frozen")[:FOUND_AT_MOST]
    return [
        Found(
            kind=_("Papers"),
            title=paper.number,
            hint=kind_name(paper.kind),
            url=reverse("papers:paper", args=[paper.pk]),
            rank=1.0,
        )
        for paper in rows
        if _may_see(asking, paper)
    ]


def _condition(asked: str) -> Q | None:
    if _NUMBER.match(asked.upper()):
        head, _slash, serial = asked.upper().rpartition("/")
        return Q(number=f"{head}/{int(serial):04d}")
    if _HEX.match(asked.lower()):
        digest = asked.lower()
        # Every digest that begins with these digits lies between them and the same with a letter behind f.
        return Q(digest__gte=digest, digest__lt=digest + "g") | Q(file_digest=digest)
    return None


def _may_see(asking: accounts.Account, paper: Paper) -> bool:
    try:
        check_may_see(asking, paper)
    except AbsentError:
        return False
    return True
