"""Firefox up to version 20: ``downloads.sqlite``. Times are microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.firefox import download
from kaval.artefacts.found import text_of, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact
from kaval.artefacts.times import unix_microseconds
from kaval.core.records import Notice


@ARTEFACTS.register
class FirefoxDownloads:
    """Reads downloads with their source and target."""

    name: ClassVar[str] = "firefox-downloads"
    title: ClassVar[str] = "Downloads (Firefox up to version 20)"
    rank: ClassVar[int] = 41
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"moz_downloads.source", "moz_downloads.target"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("moz_downloads"):
            yield download(
                row,
                at=unix_microseconds(row.get("startTime")),
                url=text_of(row.get("source")),
                target=text_of(row.get("target")),
                size=whole(row.get("maxBytes")),
                media_type=text_of(row.get("mimeType")),
            )
