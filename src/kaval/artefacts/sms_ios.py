"""SMS, MMS and iMessage of iOS and macOS: ``sms.db`` or ``chat.db``.

From public descriptions (iLEAPP, plaso). Times count from 2001, in seconds up to iOS 10 and in nanoseconds since. Where
``text`` is empty the text is taken from ``attributedBody``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, direction_of, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_mixed
from kaval.artefacts.typedstream import text_of_typedstream
from kaval.core.records import Notice

_GROUP_STYLE = 43
_TIMES = {
    "date_read": "read",
    "date_delivered": "delivered",
    "date_played": "played",
    "date_edited": "edited",
    "date_retracted": "taken back",
}
_EVENTS = {1: "member added or removed", 2: "group renamed", 3: "member left", 4: "place shared", 5: "audio kept"}
"""Values of ``item_type`` of rows that are events of the conversation, as observed."""


@ARTEFACTS.register
class IosSms:
    """Reads messages with their files, conversations and who takes part in them."""

    name: ClassVar[str] = "sms-ios"
    title: ClassVar[str] = "SMS and iMessage (iOS, macOS)"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"message.guid", "message.handle_id", "message.is_from_me", "handle.id"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables)
        yield from store.conversations()
        yield from store.members()
        for row in item.tables.rows("message"):
            yield store.message(row)
        for row in item.tables.rows("deleted_messages"):
            yield Artefact(
                kind=ArtefactKind.DISCARDED,
                application="imessage",
                identity=text_of(row.get("guid")),
                title="message deleted",
                **found(row),
            )


class _Store:
    """The messages with what their rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._handles = {number: text_of(row.get("id")) for number, row in tables.by("handle", "ROWID").items()}
        self._chats = tables.by("chat", "ROWID")
        self._chat_of = tables.pairs("chat_message_join", "message_id", "chat_id")
        self._files = tables.by("attachment", "ROWID")
        self._files_of = tables.grouped("message_attachment_join", "message_id")
        self._thrown_away = tables.by("chat_recoverable_message_join", "message_id")

    def conversations(self) -> Iterator[Artefact]:
        for row in self._tables.rows("chat"):
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=_service(row.get("service_name")),
                account=text_of(row.get("account_login")),
                conversation=_identifier(row),
                conversation_title=text_of(row.get("display_name")) or text_of(row.get("room_name")),
                identity=text_of(row.get("guid")),
                details=told({"style": "group" if row.get("style") == _GROUP_STYLE else None}),
                **found(row),
            )

    def members(self) -> Iterator[Artefact]:
        for row in self._tables.rows("chat_handle_join"):
            chat = self._chats.get(row.get("chat_id"))
            if chat is None or chat.get("style") != _GROUP_STYLE:
                continue
            yield Artefact(
                kind=ArtefactKind.MEMBER,
                application=_service(chat.get("service_name")),
                who=self._handles.get(row.get("handle_id")),
                conversation=_identifier(chat),
                conversation_title=text_of(chat.get("display_name")),
                role="member",
                **found(row),
            )

    def _chat(self, number: Any) -> Row | None:
        thrown = self._thrown_away.get(number)
        return self._chats.get(self._chat_of.get(number) or (thrown.get("chat_id") if thrown else None))

    def message(self, row: Row) -> Artefact:
        number = row.get("ROWID")
        direction = direction_of(row.get("is_from_me"))
        outgoing = direction is Direction.OUTGOING
        other = self._handles.get(row.get("handle_id"))
        chat = self._chat(number)
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=_service(row.get("service")),
            at=cocoa_mixed(row.get("date")),
            meaning="sent" if outgoing else "received",
            zone="utc",
            moments=tuple(self._moments(row)),
            account=_account(row.get("account")),
            direction=direction,
            who=None if outgoing else other,
            whom=self._recipients(chat, other) if outgoing else (),
            conversation=_identifier(chat) if chat else other,
            conversation_title=text_of(chat.get("display_name")) if chat else None,
            identity=text_of(row.get("guid")),
            reply_to=text_of(row.get("thread_originator_guid")) or text_of(row.get("associated_message_guid")),
            forwarded=True if row.get("is_forward") else None,
            title=text_of(row.get("subject")),
            text=_text(row),
            attachments=tuple(self._attachments(number)),
            details=_details(row),
            **found(row),
        )

    def _recipients(self, chat: Row | None, other: str | None) -> tuple[str, ...]:
        if other is None and chat is not None:
            other = text_of(chat.get("chat_identifier"))
        return (other,) if other else ()

    def _moments(self, row: Row) -> Iterator[Moment]:
        for column, meaning in _TIMES.items():
            at = cocoa_mixed(row.get(column))
            if at is not None:
                yield Moment(at=at, meaning=meaning)
        thrown = self._thrown_away.get(row.get("ROWID"))
        at = cocoa_mixed(thrown.get("delete_date")) if thrown else None
        if at is not None:
            yield Moment(at=at, meaning="put among the recently deleted")

    def _attachments(self, number: Any) -> Iterator[Attachment]:
        for joined in self._files_of.get(number, ()):
            row = self._files.get(joined.get("attachment_id"))
            if row is not None:
                yield Attachment(
                    name=text_of(row.get("transfer_name")),
                    path=text_of(row.get("filename")),
                    size=whole(row.get("total_bytes")),
                    media_type=text_of(row.get("mime_type")),
                )


def _service(value: Any) -> str:
    """Return the service of a message or conversation, lower case; the application's own where none is stored."""
    return (text_of(value) or "imessage").lower()


def _account(value: Any) -> str | None:
    """Return the owner's account without the letter that marks its kind (``E:`` an address, ``P:`` a number)."""
    account = text_of(value)
    if account and account[:2] in ("E:", "P:", "e:", "p:"):
        account = account[2:]
    return account or None


def _identifier(chat: Row) -> str | None:
    return text_of(chat.get("chat_identifier")) or text_of(chat.get("guid"))


def _text(row: Row) -> str | None:
    text = text_of(row.get("text"))
    body = row.get("attributedBody")
    if text is None and isinstance(body, bytes):
        return text_of_typedstream(body)
    return text


def _details(row: Row) -> dict[str, str]:
    event = whole(row.get("item_type")) or 0
    return told(
        {
            "event": f"{event} ({_EVENTS.get(event, 'unknown')})" if event else None,
            "group title": row.get("group_title"),
            "group action": row.get("group_action_type") or None,
            "reaction": row.get("associated_message_type") or None,
            "read": row.get("is_read"),
            "sent": row.get("is_sent"),
            "error": row.get("error") or None,
            "service centre": row.get("service_center"),
        }
    )
