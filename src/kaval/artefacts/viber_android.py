"""Viber on Android: calls and contacts in ``viber_data``, by public descriptions (ALEAPP, plaso)."""

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

APPLICATION = "viber"
_CALLS = {1: ("incoming", Direction.INCOMING), 2: ("outgoing", Direction.OUTGOING), 3: ("missed", Direction.INCOMING)}


@ARTEFACTS.register
class ViberAndroidCalls:
    """Reads calls, the address book as Viber copied it, and which numbers use Viber."""

    name: ClassVar[str] = "viber-android"
    title: ClassVar[str] = "Viber (Android), calls and contacts"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"calls.canonized_number", "calls.viber_call", "calls.date"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        numbers = tables.grouped("phonebookdata", "contact_id")
        for row in tables.rows("phonebookcontact"):
            yield _contact(row, numbers.get(row.get("_id"), []))
        for row in tables.rows("vibernumbers"):
            yield _user(row)
        for row in tables.rows("calls"):
            yield _call(row)


def _contact(row: Row, values: list[Row]) -> Artefact:
    numbers = (text_of(value.get("data2")) or text_of(value.get("data1")) for value in values)
    identifiers = dict.fromkeys(filter(None, numbers))
    return Artefact(
        kind=ArtefactKind.CONTACT,
        application=APPLICATION,
        at=unix_milliseconds(row.get("joined_date")),
        meaning="joined",
        zone="utc",
        who=next(iter(identifiers), None),
        who_name=text_of(row.get("display_name")),
        identifiers=tuple(identifiers),
        identity=text_of(row.get("_id")),
        details=told({"uses viber": row.get("viber"), "deleted": row.get("deleted") or None}),
        **found(row),
    )


def _user(row: Row) -> Artefact:
    number, member = text_of(row.get("canonized_number")), text_of(row.get("member_id"))
    return Artefact(
        kind=ArtefactKind.CONTACT,
        application=APPLICATION,
        who=number,
        who_name=text_of(row.get("viber_name")),
        identifiers=tuple(filter(None, (number, member))),
        identity=text_of(row.get("viber_id")),
        details=told({"birthday": row.get("date_of_birth")}),
        **found(row),
    )


def _call(row: Row) -> Artefact:
    meaning, direction = _CALLS.get(whole(row.get("type")) or 0, ("of unknown kind", None))
    number = text_of(row.get("canonized_number")) or text_of(row.get("number"))
    incoming = direction is Direction.INCOMING
    return Artefact(
        kind=ArtefactKind.CALL,
        application=APPLICATION,
        at=unix_milliseconds(row.get("date")),
        meaning="begun",
        zone="utc",
        direction=direction,
        who=number if incoming else None,
        whom=(number,) if number and not incoming else (),
        conversation=number,
        identity=text_of(row.get("token")) or text_of(row.get("_id")),
        duration_s=whole(row.get("duration")),
        title=meaning,
        details=told({"kind of call": row.get("viber_call_type"), "end reason": row.get("end_reason")}),
        **found(row),
    )
