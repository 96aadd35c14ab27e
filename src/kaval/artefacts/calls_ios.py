"""The call history of iOS and macOS: ``CallHistory.storedata``, and ``call_history.db`` up to iOS 7.

From public descriptions (iLEAPP, plaso). Times are seconds since 2001, in the older one since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, direction_of, found, real, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Direction
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds, unix_seconds
from kaval.core.records import Notice

_TYPES = {0: "another application", 1: "telephone", 8: "FaceTime video", 16: "FaceTime audio"}
_OUTGOING_FLAG = 1
"""Of the older ``flags``: the lowest bit marks calls that were made."""


@ARTEFACTS.register
class IosCalls:
    """Reads telephone and FaceTime calls, and those of other applications that tell the system."""

    name: ClassVar[str] = "calls-ios"
    title: ClassVar[str] = "Call history (iOS)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"zcallrecord.zdate", "zcallrecord.zoriginated", "zcallrecord.zaddress"}),
            frozenset({"call.address", "call.date", "call.duration", "call.flags"}),
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        handles = _handles(item.tables)
        for row in item.tables.rows("zcallrecord"):
            yield _call(row, handles.get(row.get("Z_PK"), []))
        if "zcallrecord" not in item.tables:
            for row in item.tables.rows("call"):
                yield _older_call(row)


def _handles(tables: Tables) -> dict[Any, list[str]]:
    """Return the numbers and addresses that took part in each call, where several are kept."""
    values = tables.by("zhandle", "Z_PK")
    handles: dict[Any, list[str]] = {}
    for name in tables.names():
        if name.startswith("z_") and name.endswith("remoteparticipanthandles"):
            for row in tables.rows(name):
                call, number = _end(row, "CALLS"), _end(row, "HANDLES")
                value = text_of(values[number].get("ZVALUE")) if number in values else None
                if value:
                    handles.setdefault(call, []).append(value)
    return handles


def _end(row: Row, word: str) -> Any:
    """Return the value of the column whose name holds a word; Core Data numbers the names."""
    return next((row.get(column) for column in row.columns if word in column.upper()), None)


def _call(row: Row, others: list[str]) -> Artefact:
    direction = direction_of(row.get("ZORIGINATED"))
    outgoing = direction is Direction.OUTGOING
    address = text_of(row.get("ZADDRESS")) or next(iter(others), None)
    kind = whole(row.get("ZCALLTYPE"))
    answered = row.get("ZANSWERED")
    duration = real(row.get("ZDURATION"))
    everybody = tuple(dict.fromkeys(filter(None, (address, *others))))
    return Artefact(
        kind=ArtefactKind.CALL,
        application=_application(text_of(row.get("ZSERVICE_PROVIDER"))),
        at=cocoa_seconds(row.get("ZDATE")),
        meaning="begun",
        zone="utc",
        direction=direction,
        who=None if outgoing else address,
        who_name=None if outgoing else text_of(row.get("ZNAME")),
        whom=everybody if outgoing else (),
        conversation=address,
        conversation_title=text_of(row.get("ZNAME")),
        identity=text_of(row.get("ZUNIQUE_ID")) or text_of(row.get("Z_PK")),
        duration_s=None if duration is None else round(duration),
        title="dialled" if outgoing else "answered" if answered else "missed",
        details=told(
            {
                "kind": _TYPES.get(kind, kind) if kind is not None else None,
                "answered": answered,
                "country": row.get("ZISO_COUNTRY_CODE"),
                "place of the number": row.get("ZLOCATION"),
                "service": row.get("ZSERVICE_PROVIDER"),
                "disconnected because": row.get("ZDISCONNECTED_CAUSE"),
            }
        ),
        **found(row),
    )


def _application(provider: str | None) -> str:
    """Return the application of a call: the telephone's own, or the one whose bundle is named as provider."""
    if provider is None or provider.startswith("com.apple."):
        return "calls"
    return "whatsapp" if "whatsapp" in provider.lower() else provider


def _older_call(row: Row) -> Artefact:
    flags = whole(row.get("flags"))
    direction = direction_of(None if flags is None else flags & _OUTGOING_FLAG)
    outgoing = direction is Direction.OUTGOING
    number = text_of(row.get("address"))
    return Artefact(
        kind=ArtefactKind.CALL,
        application="calls",
        at=unix_seconds(row.get("date")),
        meaning="begun",
        zone="utc",
        direction=direction,
        who=None if outgoing else number,
        whom=(number,) if number and outgoing else (),
        conversation=number,
        identity=text_of(row.get("ROWID")),
        duration_s=whole(row.get("duration")),
        details=told({"flags": row.get("flags"), "country": row.get("country_code")}),
        **found(row),
    )
