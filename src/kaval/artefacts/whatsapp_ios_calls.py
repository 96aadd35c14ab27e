"""WhatsApp on iOS: calls in ``CallHistory.sqlite``, by public descriptions (iLEAPP).

Those who took part, direction, picture and missed are stored for a group of calls; where it holds several they speak
of the group.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Direction
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.artefacts.whatsapp import APPLICATION
from kaval.core.records import Notice


@ARTEFACTS.register
class WhatsAppIosCalls:
    """Reads the calls of ``CallHistory.sqlite``, with those who took part."""

    name: ClassVar[str] = "whatsapp-ios-calls"
    title: ClassVar[str] = "WhatsApp (iOS), calls"
    rank: ClassVar[int] = 12
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"zwacdcallevent.zdate", "zwacdcallevent.zduration"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        groups = tables.by("zwaaggregatecallevent", "Z_PK")
        others = tables.grouped("zwacdcalleventparticipant", "Z1PARTICIPANTS")
        for row in tables.rows("zwacdcallevent"):
            group = groups.get(row.get("Z1CALLEVENTS"))
            number = row.get("Z1CALLEVENTS") if row.get("Z1CALLEVENTS") is not None else row.get("Z_PK")
            present = [text_of(other.get("ZJIDSTRING")) for other in others.get(number, [])]
            yield _call(row, group, tuple(filter(None, present)))


def _call(row: Row, group: Row | None, present: tuple[str, ...]) -> Artefact:
    creator = text_of(row.get("ZGROUPCALLCREATORUSERJIDSTRING"))
    incoming = group.get("ZINCOMING") if group else None
    if incoming is None and creator is not None:
        incoming = creator in present
    direction = None if incoming is None else Direction.INCOMING if incoming else Direction.OUTGOING
    received = direction is Direction.INCOMING
    outcome = whole(row.get("ZOUTCOME"))
    return Artefact(
        kind=ArtefactKind.CALL,
        application=APPLICATION,
        at=cocoa_seconds(row.get("ZDATE")),
        meaning="begun",
        zone="utc",
        direction=direction,
        who=(creator or next(iter(present), None)) if received else None,
        whom=() if received else present,
        conversation=text_of(row.get("ZGROUPJIDSTRING")) or next(iter(present), None),
        duration_s=whole(row.get("ZDURATION")),
        title="video call" if group and group.get("ZVIDEO") else "call",
        identity=text_of(row.get("ZCALLIDSTRING")) or text_of(row.get("Z_PK")),
        details=told(
            {
                "outcome": None if outcome is None else _OUTCOMES.get(outcome, str(outcome)),
                "missed": group.get("ZMISSED") if group else None,
            }
        ),
        **found(row),
    )


_OUTCOMES = {0: "0 (ended)", 1: "1 (missed)", 4: "4 (rejected)"}
