"""Safari: ``History.db`` of macOS and iOS, by public descriptions (iLEAPP, mac_apt). Times are seconds since 2001.

A tombstone is what Safari keeps, to tell other devices, of history that its owner deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice

APPLICATION = "safari"
_ORIGINS = {0: "this device", 1: "another device of the owner"}


@ARTEFACTS.register
class Safari:
    """Reads visits, and tombstones of visits that were deleted."""

    name: ClassVar[str] = "safari"
    title: ClassVar[str] = "Browser history (Safari)"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"history_items.url", "history_visits.history_item", "history_visits.visit_time"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        pages = item.tables.by("history_items", "id")
        for row in item.tables.rows("history_visits"):
            yield _visit(row, pages.get(row.get("history_item")))
        for row in item.tables.rows("history_tombstones"):
            yield _tombstone(row)


def _visit(row: Row, page: Row | None) -> Artefact:
    origin = row.get("origin")
    return Artefact(
        kind=ArtefactKind.VISIT,
        application=APPLICATION,
        at=cocoa_seconds(row.get("visit_time")),
        meaning="visited",
        zone="utc",
        url=text_of(page.get("url")) if page else None,
        title=text_of(row.get("title")),
        identity=text_of(row.get("id")),
        details=told(
            {
                "visits in all": page.get("visit_count") if page else None,
                "redirected from": row.get("redirect_source"),
                "redirected to": row.get("redirect_destination"),
                "origin": _ORIGINS.get(origin, origin) if isinstance(origin, int) else None,
                "loaded": row.get("load_successful"),
            }
        ),
        **found(row),
    )


def _tombstone(row: Row) -> Artefact:
    end = cocoa_seconds(row.get("end_time"))
    return Artefact(
        kind=ArtefactKind.DISCARDED,
        application=APPLICATION,
        at=cocoa_seconds(row.get("start_time")),
        meaning="history deleted from here on",
        zone="utc",
        moments=(Moment(at=end, meaning="history deleted up to here"),) if end is not None else (),
        url=text_of(row.get("url")),
        title="history deleted",
        identity=text_of(row.get("id")),
        **found(row),
    )
