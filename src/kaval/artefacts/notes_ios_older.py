"""Notes of iOS 8 and before: ``notes.sqlite``. Times are seconds since 2001."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.notes_ios import APPLICATION
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice


@ARTEFACTS.register
class IosNotesOlder:
    """Reads notes of iOS 8 and before."""

    name: ClassVar[str] = "notes-ios-older"
    title: ClassVar[str] = "Notes (up to iOS 8)"
    rank: ClassVar[int] = 21
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"znote.zbody", "znotebody.zcontent"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        bodies = item.tables.by("znotebody", "Z_PK")
        owners = item.tables.by("znotebody", "ZOWNER")
        for row in item.tables.rows("znote"):
            body = bodies.get(row.get("ZBODY")) or owners.get(row.get("Z_PK"))
            changed = cocoa_seconds(row.get("ZMODIFICATIONDATE"))
            yield Artefact(
                kind=ArtefactKind.NOTE,
                application=APPLICATION,
                at=cocoa_seconds(row.get("ZCREATIONDATE")),
                meaning="created",
                zone="utc",
                moments=(Moment(at=changed, meaning="changed"),) if changed is not None else (),
                title=text_of(row.get("ZTITLE")),
                text=text_of(body.get("ZCONTENT")) if body else text_of(row.get("ZSUMMARY")),
                identity=text_of(row.get("ZGUID")) or text_of(row.get("Z_PK")),
                details=told({"deleted": row.get("ZDELETEDFLAG") or None, "author": row.get("ZAUTHOR")}),
                **found(row),
            )
