"""Viber on Android: messages in ``viber_messages``, by public descriptions (ALEAPP).

Places are stored as whole numbers of ten millionths of a degree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, direction_of, found, real, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds
from kaval.artefacts.viber_android import APPLICATION
from kaval.core.records import Notice

_STEP = 1e-7


@ARTEFACTS.register
class ViberAndroidMessages:
    """Reads messages with their files and places, and who takes part."""

    name: ClassVar[str] = "viber-android-messages"
    title: ClassVar[str] = "Viber (Android), messages"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"messages.conversation_id", "messages.msg_date", "participants_info.number"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Messages(item.tables)
        yield from store.members()
        for row in item.tables.rows("messages"):
            yield store.message(row)


class _Messages:
    """The messages with what their rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._persons = tables.by("participants_info", "_id")
        self._participants = tables.by("participants", "_id")
        self._conversations = tables.by("conversations", "_id")

    def _person(self, participant: Any) -> Row | None:
        joined = self._participants.get(participant)
        return self._persons.get(joined.get("participant_info_id")) if joined else None

    def _conversation(self, number: Any) -> dict[str, Any]:
        row = self._conversations.get(number)
        title = text_of(row.get("name")) if row else None
        return {"conversation": None if number is None else f"conversation {number}", "conversation_title": title}

    def members(self) -> Iterator[Artefact]:
        for row in self._tables.rows("participants"):
            person = self._persons.get(row.get("participant_info_id"))
            yield Artefact(
                kind=ArtefactKind.MEMBER,
                application=APPLICATION,
                who=_number(person),
                who_name=_name(person),
                role="member" if row.get("active") or row.get("active") is None else "no longer active",
                **self._conversation(row.get("conversation_id")),
                **found(row),
            )

    def message(self, row: Row) -> Artefact:
        person = self._person(row.get("participant_id"))
        direction = direction_of(row.get("send_type") if row.get("send_type") is not None else row.get("type"))
        outgoing = direction is Direction.OUTGOING
        number = text_of(row.get("address")) or text_of(row.get("user_id")) or _number(person)
        latitude, longitude = real(row.get("location_lat")), real(row.get("location_lng"))
        here = bool(latitude or longitude)
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=APPLICATION,
            at=unix_milliseconds(row.get("msg_date")),
            meaning="sent",
            zone="utc",
            direction=direction,
            who=None if outgoing else number,
            who_name=None if outgoing else _name(person),
            whom=(number,) if number and outgoing else (),
            identity=text_of(row.get("token")) or text_of(row.get("_id")),
            text=text_of(row.get("body")) or text_of(row.get("description")),
            latitude=latitude * _STEP if here and latitude is not None else None,
            longitude=longitude * _STEP if here and longitude is not None else None,
            attachments=_attachments(row),
            details=told({"kind": row.get("extra_mime"), "deleted": row.get("deleted") or None}),
            **self._conversation(row.get("conversation_id")),
            **found(row),
        )


def _number(person: Row | None) -> str | None:
    return (text_of(person.get("number")) or text_of(person.get("member_id"))) if person else None


def _name(person: Row | None) -> str | None:
    return (text_of(person.get("display_name")) or text_of(person.get("contact_name"))) if person else None


def _attachments(row: Row) -> tuple[Attachment, ...]:
    path = text_of(row.get("extra_uri"))
    if path is None:
        return ()
    return (Attachment(name=path.rpartition("/")[2], path=path),)
