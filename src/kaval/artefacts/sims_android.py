"""SIM cards an Android device has seen: ``siminfo`` of ``telephony.db``, by the ``Telephony`` contract class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.core.records import Notice

_COLUMNS = (("icc_id", "SIM serial (ICCID)"), ("number", "telephone number"), ("imsi", "subscriber (IMSI)"))


@ARTEFACTS.register
class AndroidSims:
    """Reads the serial number of each card and the numbers stored with it."""

    name: ClassVar[str] = "sims-android"
    title: ClassVar[str] = "SIM cards (Android)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"siminfo.icc_id", "siminfo.display_name"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("siminfo"):
            for column, title in _COLUMNS:
                text = text_of(row.get(column))
                if text:
                    yield Artefact(
                        kind=ArtefactKind.IDENTIFIER,
                        application="android",
                        title=title,
                        text=text,
                        details=told(
                            {
                                "name": row.get("display_name"),
                                "operator": row.get("carrier_name"),
                                "country": row.get("iso_country_code"),
                                "slot": row.get("sim_id"),
                            }
                        ),
                        **found(row),
                    )
