"""The call log of Android: ``calllog.db``, or ``contacts2.db`` of older versions, by the ``CallLog`` contract class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Direction
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice

_TYPES = {
    1: ("answered", Direction.INCOMING),
    2: ("dialled", Direction.OUTGOING),
    3: ("missed", Direction.INCOMING),
    4: ("voicemail", Direction.INCOMING),
    5: ("rejected", Direction.INCOMING),
    6: ("blocked", Direction.INCOMING),
    7: ("answered elsewhere", Direction.INCOMING),
}


@ARTEFACTS.register
class AndroidCalls:
    """Reads calls made, received, missed and refused."""

    name: ClassVar[str] = "calls-android"
    title: ClassVar[str] = "Call log (Android)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"calls.number", "calls.date", "calls.duration", "calls.type", "calls.new"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("calls"):
            yield _call(row)


def _call(row: Row) -> Artefact:
    kind = whole(row.get("type")) or 0
    meaning, direction = _TYPES.get(kind, ("of unknown kind", None))
    number = text_of(row.get("number"))
    incoming = direction is Direction.INCOMING
    return Artefact(
        kind=ArtefactKind.CALL,
        application="calls",
        at=unix_milliseconds(row.get("date")),
        meaning="begun",
        zone="utc",
        account=text_of(row.get("phone_account_address")),
        direction=direction,
        who=number if incoming else None,
        who_name=text_of(row.get("name")) if incoming else None,
        whom=(number,) if number and not incoming else (),
        conversation=number,
        conversation_title=text_of(row.get("name")),
        identity=text_of(row.get("_id")),
        duration_s=whole(row.get("duration")),
        title=meaning,
        details=told(
            {
                "type number": kind,
                "country": row.get("countryiso"),
                "place of the number": row.get("geocoded_location"),
                "transcription": row.get("transcription"),
                "deleted": row.get("deleted") or None,
                "via": row.get("subscription_component_name"),
                "sim": row.get("subscription_id"),
            }
        ),
        **found(row),
    )
