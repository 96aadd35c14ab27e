"""Pages of a list by its sort key and id: the thousandth page costs what the first does, and nothing is counted.

A cursor says where a page begins. It is encrypted with the unit's key and bound to its list, since sort keys may be
names and addresses end up in histories: who changes a cursor, or takes it to another list, gets 404.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from casework.lib.errors import AbsentError, WrongKeyError
from casework.lib.sealed import seal, unseal

Row = TypeVar("Row", bound=Model)
OLDER, NEWER = "older", "newer"

# The exact class of a value, its name in the cursor, and how it is read again. bool is no sort key.
_KINDS: tuple[tuple[type, str, Callable[[str], Any]], ...] = (
    (str, "s", str),
    (int, "i", int),
    (UUID, "u", UUID),
    (datetime, "t", datetime.fromisoformat),
    (date, "d", date.fromisoformat),
)


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """A page of a list; ``older`` and ``newer`` are cursors, empty where the list ends.

    In a list that ascends, ``older`` is what follows and ``newer`` what went before.
    """

    rows: list[Row]
    older: str
    newer: str
    descending: bool
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def older_query(self) -> str:
        """The query of the address that shows what follows."""
        return urlencode([*self.kept, ("page", self.older)]) if self.older else ""

    @property
    def newer_query(self) -> str:
        """The query of the address that shows what went before."""
        return urlencode([*self.kept, ("page", self.newer)]) if self.newer else ""


class Pager:
    """The way one list is paged.

    Args:
        name: Names the list; a cursor of another list is refused. Put the id of the case in where the list is of one.
        key: A column that is never empty, or a path to one (``case__number``); give it an index together with the id.
        descending: Newest, or highest, first.
        size: Rows on a page.
    """

    def __init__(self, name: str, key: str, *, descending: bool = True, size: int = 50) -> None:
        self.place = f"page of {name}"
        self.key = key
        self.descending = descending
        self.size = size

    def of(self, request: HttpRequest, rows: QuerySet[Row]) -> Page[Row]:
        """Return the page that the address asks for with ``?page=``; other parts of the query are kept."""
        kept = tuple((name, str(value)) for name, value in request.GET.items() if name != "page")
        return self.page(rows, request.GET.get("page", ""), kept)

    def page(self, rows: QuerySet[Row], cursor: str = "", kept: tuple[tuple[str, str], ...] = ()) -> Page[Row]:
        """Return the page at ``cursor``, the first one without.

        Raises:
            AbsentError: The cursor was changed, or belongs to another list.
        """
        backwards, at = False, None
        if cursor:
            backwards, *at = self._read(cursor)
        falling = self.descending is not backwards
        sign = "-" if falling else ""
        found = rows.order_by(f"{sign}{self.key}", f"{sign}pk")
        if at:
            found = found.filter(self._beyond(at[0], at[1], falling))
        taken = list(found[: self.size + 1])
        more, taken = len(taken) > self.size, taken[: self.size]
        if backwards:
            taken.reverse()
        has_older = (bool(taken) and backwards) or (more and not backwards)
        has_newer = (more and backwards) or (bool(at) and not backwards and bool(taken))
        return Page(
            rows=taken,
            older=self._cursor(OLDER, taken[-1]) if has_older else "",
            newer=self._cursor(NEWER, taken[0]) if has_newer else "",
            descending=self.descending,
            kept=kept,
        )

    def _beyond(self, key: Any, pk: Any, falling: bool) -> Q:
        side = "lt" if falling else "gt"
        # The first condition is implied by the second; it is what lets both databases begin inside the index.
        return Q(**{f"{self.key}__{side}e": key}) & (Q(**{f"{self.key}__{side}": key}) | Q(**{f"pk__{side}": pk}))

    def _cursor(self, way: str, row: Model) -> str:
        key = attrgetter(self.key.replace("__", "."))(row)
        said = json.dumps([way, *_told(key), *_told(row.pk)])
        return base64.urlsafe_b64encode(seal(settings.KEY_RING, self.place, said)).decode().rstrip("=")

    def _read(self, cursor: str) -> tuple[bool, Any, Any]:
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            way, key_kind, key, pk_kind, pk = json.loads(unseal(settings.KEY_RING, self.place, sealed))
        except (binascii.Error, ValueError, WrongKeyError) as error:
            raise AbsentError("page") from error
        return way == NEWER, _read_again(key_kind, key), _read_again(pk_kind, pk)


def _told(value: Any) -> tuple[str, str]:
    for kind, name, _reader in _KINDS:
        if type(value) is kind or (kind in (str, int) and isinstance(value, kind)):
            return name, value.isoformat() if isinstance(value, date) else str(value)
    raise TypeError(f"A list cannot be paged by {type(value).__name__}.")


def _read_again(name: str, value: str) -> Any:
    return next(reader for _kind, known, reader in _KINDS if known == name)(value)
