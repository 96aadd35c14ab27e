"""Firefox: what was typed into forms and the search bar: ``formhistory.sqlite``; microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.firefox import APPLICATION
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.times import unix_microseconds
from kaval.core.records import Notice


@ARTEFACTS.register
class FirefoxForms:
    """Reads the values of form fields; those of the search bar are searches like the others."""

    name: ClassVar[str] = "firefox-forms"
    title: ClassVar[str] = "Words typed into forms (Firefox)"
    rank: ClassVar[int] = 41
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"moz_formhistory.fieldname", "moz_formhistory.value"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("moz_formhistory"):
            first = unix_microseconds(row.get("firstUsed"))
            yield Artefact(
                kind=ArtefactKind.SEARCH,
                application=APPLICATION,
                at=unix_microseconds(row.get("lastUsed")),
                meaning="last typed",
                zone="utc",
                moments=(Moment(at=first, meaning="first typed"),) if first is not None else (),
                text=text_of(row.get("value")),
                title=text_of(row.get("fieldname")),
                identity=text_of(row.get("guid")) or text_of(row.get("id")),
                details=told({"times": row.get("timesUsed")}),
                **found(row),
            )
