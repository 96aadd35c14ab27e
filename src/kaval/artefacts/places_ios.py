"""Where an iOS device was: ``Cache.sqlite`` of routined, and cells and Wi-Fi networks of ``consolidated.db``.

By public descriptions (iLEAPP). Times are seconds since 2001.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, real, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice

_OLDER = (("celllocation", "cell"), ("wifilocation", "Wi-Fi network"), ("lteceLllocation".lower(), "cell"))


@ARTEFACTS.register
class IosPlaces:
    """Reads fixes of the device's own place, and places of cells and networks it asked for."""

    name: ClassVar[str] = "places-ios"
    title: ClassVar[str] = "Places (iOS)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"zrtcllocationmo.zlatitude", "zrtcllocationmo.ztimestamp"}),
            frozenset({"celllocation.latitude", "celllocation.timestamp"}),
            frozenset({"wifilocation.latitude", "wifilocation.timestamp"}),
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("zrtcllocationmo"):
            yield Artefact(
                kind=ArtefactKind.PLACE,
                application="ios",
                at=cocoa_seconds(row.get("ZTIMESTAMP")),
                meaning="was here",
                zone="utc",
                latitude=real(row.get("ZLATITUDE")),
                longitude=real(row.get("ZLONGITUDE")),
                title="the device",
                details=told(
                    {
                        "accuracy in metres": row.get("ZHORIZONTALACCURACY"),
                        "altitude": row.get("ZALTITUDE"),
                        "speed in metres a second": row.get("ZSPEED"),
                    }
                ),
                **found(row),
            )
        for table, title in _OLDER:
            for row in item.tables.rows(table):
                yield _asked_for(row, title)


def _asked_for(row: Row, title: str) -> Artefact:
    cell = [text_of(row.get(column)) for column in ("MCC", "MNC", "LAC", "TAC", "CI")]
    return Artefact(
        kind=ArtefactKind.PLACE,
        application="ios",
        at=cocoa_seconds(row.get("Timestamp")),
        meaning="place of it learnt",
        zone="utc",
        latitude=real(row.get("Latitude")),
        longitude=real(row.get("Longitude")),
        title=title,
        identity=text_of(row.get("MAC")) or "-".join(filter(None, cell)) or None,
        details=told({"accuracy in metres": row.get("HorizontalAccuracy"), "confidence": row.get("Confidence")}),
        **found(row),
    )
