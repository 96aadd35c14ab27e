"""What a case is called, said by the context above that knows cases; until it says so, a case is its id."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from casework.accounts import api as accounts


@dataclass(frozen=True, kw_only=True)
class CaseName:
    """A case on a page: what it is called, and where it is shown, if anywhere."""

    title: str
    url: str = ""


Namer = Callable[[Collection[UUID]], dict[UUID, CaseName]]
_namers: list[Namer] = []


def name_cases(namer: Namer) -> None:
    """Take the function that names cases; it is given only cases that the reader may know."""
    _namers[:] = [namer]


def names_of(reader: accounts.Account, cases: Collection[UUID]) -> dict[UUID, CaseName]:
    """Return what those of the cases are called that the reader may know."""
    wanted = set(cases)
    known = [case for case in accounts.case_ids_open_to(reader) if case in wanted] if wanted else []
    told = _namers[0](known) if _namers and known else {}
    return {case: told.get(case) or CaseName(title=_("Case %(id)s") % {"id": case.hex[:8]}) for case in known}
