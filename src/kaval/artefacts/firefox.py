"""Firefox and its kin: ``places.sqlite``, by Mozilla's documentation of the Places database.

Times are microseconds since 1970. Downloads since version 21 are annotations of a place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import unquote

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_microseconds
from kaval.core.records import Notice

APPLICATION = "firefox"
_VISITS = {
    1: "link", 2: "typed", 3: "bookmark", 4: "embedded", 5: "redirected for good", 6: "redirected for now",
    7: "download", 8: "link in a frame", 9: "reloaded",
}  # fmt: skip
_DOWNLOADED = "downloads/destinationFileURI"
_BOOKMARK = 1


@ARTEFACTS.register
class Firefox:
    """Reads visits, bookmarks, what was typed, and downloads."""

    name: ClassVar[str] = "firefox"
    title: ClassVar[str] = "Browser history (Firefox)"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"moz_places.url", "moz_historyvisits.visit_date", "moz_historyvisits.place_id"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        places = tables.by("moz_places", "id")
        for row in tables.rows("moz_historyvisits"):
            yield _visit(row, places.get(row.get("place_id")))
        for row in tables.rows("moz_bookmarks"):
            if row.get("type") == _BOOKMARK and row.get("fk") is not None:
                yield _bookmark(row, places.get(row.get("fk")))
        for row in tables.rows("moz_inputhistory"):
            yield _typed(row, places.get(row.get("place_id")))
        yield from _downloads(tables, places)


def _visit(row: Row, place: Row | None) -> Artefact:
    kind = whole(row.get("visit_type"))
    return Artefact(
        kind=ArtefactKind.VISIT,
        application=APPLICATION,
        at=unix_microseconds(row.get("visit_date")),
        meaning="visited",
        zone="utc",
        url=text_of(place.get("url")) if place else None,
        title=text_of(place.get("title")) if place else None,
        identity=text_of(row.get("id")),
        details=told(
            {
                "came by": _VISITS.get(kind or 0, kind),
                "from visit": row.get("from_visit") or None,
                "visits in all": place.get("visit_count") if place else None,
            }
        ),
        **found(row),
    )


def _bookmark(row: Row, place: Row | None) -> Artefact:
    return Artefact(
        kind=ArtefactKind.BOOKMARK,
        application=APPLICATION,
        at=unix_microseconds(row.get("dateAdded")),
        meaning="added",
        zone="utc",
        url=text_of(place.get("url")) if place else None,
        title=text_of(row.get("title")),
        identity=text_of(row.get("guid")) or text_of(row.get("id")),
        **found(row),
    )


def _typed(row: Row, place: Row | None) -> Artefact:
    return Artefact(
        kind=ArtefactKind.SEARCH,
        application=APPLICATION,
        text=text_of(row.get("input")),
        url=text_of(place.get("url")) if place else None,
        title=text_of(place.get("title")) if place else None,
        details=told({"typed": "in the address bar", "weight": row.get("use_count")}),
        **found(row),
    )


def _downloads(tables: Tables, places: dict[Any, Row]) -> Iterator[Artefact]:
    names = {number: text_of(row.get("name")) for number, row in tables.by("moz_anno_attributes", "id").items()}
    for row in tables.rows("moz_annos"):
        if names.get(row.get("anno_attribute_id")) != _DOWNLOADED:
            continue
        place = places.get(row.get("place_id"))
        yield download(
            row,
            at=unix_microseconds(row.get("dateAdded")),
            url=text_of(place.get("url")) if place else None,
            target=text_of(row.get("content")),
        )


def download(row: Row, *, at: int | None, url: str | None, target: str | None, **described: Any) -> Artefact:
    """Return a download whose target is given as a ``file:`` address; ``described`` are fields of the file."""
    path = unquote(target.removeprefix("file://")) if target else None
    return Artefact(
        kind=ArtefactKind.DOWNLOAD,
        application=APPLICATION,
        at=at,
        meaning="begun",
        zone="utc",
        url=url,
        attachments=(Attachment(name=path.rpartition("/")[2] if path else None, path=path, **described),),
        **found(row),
    )
