"""WhatsApp on Android: ``msgstore.db`` in its present schema (since 2021) and in the one before.

From public descriptions of the tables (ALEAPP, whapa, own databases made after them): there is no specification. Read
are messages with their files, places, replies, reactions and edits, chats, groups with members past and present, calls.
Not read: polls, payments, statuses as such; a message of a kind not known keeps its number in ``details``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, direction_of, found, real, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds
from kaval.artefacts.whatsapp import (
    APPLICATION,
    SYSTEM_ACTIONS,
    contact_names,
    digest_of_base64,
    message_details,
)
from kaval.core.records import Notice


def moments(row: Row, columns: dict[str, str], main: int | None) -> tuple[Moment, ...]:
    """Return the further times of a row, in milliseconds, that differ from the main one."""
    stored = ((unix_milliseconds(row.get(column)), meaning) for column, meaning in columns.items())
    return tuple(Moment(at=at, meaning=meaning) for at, meaning in stored if at is not None and at > 0 and at != main)


@ARTEFACTS.register
class WhatsAppAndroid:
    """Reads the message store in its present schema."""

    name: ClassVar[str] = "whatsapp-android"
    title: ClassVar[str] = "WhatsApp (Android), messages, groups and calls"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"message.key_id", "message.text_data", "message.chat_row_id", "jid.raw_string"}),
            frozenset({"call_log.jid_row_id", "call_log.call_id", "jid.raw_string"}),
        ),
        beside=("wa.db", "wa.db-wal", "wa.db-journal"),
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables, contact_names(item))
        yield from store.conversations()
        yield from store.members()
        yield from store.messages()
        yield from store.reactions()
        yield from store.calls()


class _Store:
    """The message store with what its rows refer to."""

    def __init__(self, tables: Tables, names: dict[str, str]) -> None:
        self._tables = tables
        self._names = names
        self._jids = {number: text_of(row.get("raw_string")) for number, row in tables.by("jid", "_id").items()}
        self._phones = {row.get("lid_row_id"): self._jids.get(row.get("jid_row_id")) for row in tables.rows("jid_map")}
        self._chats = tables.by("chat", "_id")
        self._groups = tables.by("chat", "jid_row_id")

    def _jid(self, number: Any) -> str | None:
        """Return the identifier behind a row number; of a hidden one (``@lid``) the phone number's where known."""
        return self._phones.get(number) or self._jids.get(number)

    def _name(self, jid: str | None) -> str | None:
        return self._names.get(jid) if jid else None

    def _conversation(self, chat_number: Any) -> dict[str, Any]:
        chat = self._chats.get(chat_number)
        jid = self._jid(chat.get("jid_row_id")) if chat else None
        title = text_of(chat.get("subject")) if chat else None
        named = jid or (None if chat_number is None else f"chat {chat_number}")
        return {"conversation": named, "conversation_title": title or self._name(jid)}

    def conversations(self) -> Iterator[Artefact]:
        for row in self._tables.rows("chat"):
            jid = self._jid(row.get("jid_row_id"))
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=APPLICATION,
                at=unix_milliseconds(row.get("created_timestamp")),
                meaning="created",
                zone="utc",
                conversation=jid or f"chat {whole(row.get('_id'))}",
                conversation_title=text_of(row.get("subject")) or self._name(jid),
                details=told({"hidden": row.get("hidden"), "archived": row.get("archived")}),
                **found(row),
            )

    def members(self) -> Iterator[Artefact]:
        for row in self._tables.rows("group_participant_user"):
            yield self._member(row, _ROLES.get(whole(row.get("rank")) or 0), row.get("add_timestamp"), "joined")
        for row in self._tables.rows("group_past_participant_user"):
            role = "left" if row.get("is_leave") else "removed"
            yield self._member(row, role, row.get("timestamp"), role)

    def _member(self, row: Row, role: str | None, at: Any, meaning: str) -> Artefact:
        jid = self._jid(row.get("user_jid_row_id"))
        group = self._jid(row.get("group_jid_row_id"))
        chat = self._groups.get(row.get("group_jid_row_id"))
        return Artefact(
            kind=ArtefactKind.MEMBER,
            application=APPLICATION,
            at=unix_milliseconds(at),
            meaning=meaning,
            zone="utc",
            who=jid,
            who_name=self._name(jid),
            conversation=group,
            conversation_title=text_of(chat.get("subject")) if chat else None,
            role=role,
            **found(row),
        )

    def messages(self) -> Iterator[Artefact]:
        about = _AboutMessages(self._tables)
        for row in self._tables.rows("message"):
            if row.get("key_id") is None and row.get("timestamp") is None and row.get("text_data") is None:
                continue
            yield self._message(row, about)

    def _message(self, row: Row, about: _AboutMessages) -> Artefact:
        number = row.get("_id")
        direction = direction_of(row.get("from_me"))
        conversation = self._conversation(row.get("chat_row_id"))
        sender = self._jid(row.get("sender_jid_row_id")) if row.get("sender_jid_row_id") else None
        partner = conversation["conversation"]
        if direction is Direction.INCOMING and sender is None:
            sender = partner
        at = unix_milliseconds(row.get("timestamp"))
        place = about.locations.get(number)
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=APPLICATION,
            at=at,
            meaning="sent" if direction is Direction.OUTGOING else "stamped by the sender",
            zone="utc",
            moments=(*moments(row, _MESSAGE_TIMES, at), *about.times(number)),
            direction=direction,
            who=None if direction is Direction.OUTGOING else sender,
            who_name=None if direction is Direction.OUTGOING else self._name(sender),
            whom=(partner,) if partner and direction is Direction.OUTGOING else (),
            **conversation,
            identity=text_of(row.get("key_id")),
            reply_to=about.reply(number),
            forwarded=about.forwarded(row),
            text=text_of(row.get("text_data")) or about.caption(number),
            latitude=real(place.get("latitude")) if place else None,
            longitude=real(place.get("longitude")) if place else None,
            title=text_of(place.get("place_name")) if place else None,
            attachments=about.attachments(number),
            details=message_details(row.get("message_type")) | self._about(row, about, number),
            **found(row),
        )

    def _about(self, row: Row, about: _AboutMessages, number: Any) -> dict[str, str]:
        details: dict[str, Any] = {"starred": row.get("starred") or None, "vcard": about.vcard(number)}
        action = about.system.get(number)
        if action is not None:
            code = whole(action.get("action_type"))
            details["system action"] = f"{code} ({SYSTEM_ACTIONS[code]})" if code in SYSTEM_ACTIONS else code
            persons = [self._jid(other.get("user_jid_row_id")) for other in about.concerned.get(number, [])]
            details["concerns"] = ", ".join(filter(None, persons)) or None
        return told(details)

    def reactions(self) -> Iterator[Artefact]:
        reactions = self._tables.by("message_add_on_reaction", "message_add_on_row_id")
        messages = self._reacted_to() if reactions else {}
        for row in self._tables.rows("message_add_on"):
            reaction = reactions.get(row.get("_id"))
            if reaction is None:
                continue
            message = messages.get(row.get("parent_message_row_id"))
            direction = direction_of(row.get("from_me"))
            sender = None if direction is Direction.OUTGOING else self._jid(row.get("sender_jid_row_id"))
            yield Artefact(
                kind=ArtefactKind.MESSAGE,
                application=APPLICATION,
                at=unix_milliseconds(row.get("timestamp")),
                meaning="reacted",
                zone="utc",
                direction=direction,
                who=sender,
                who_name=self._name(sender),
                **self._conversation(row.get("chat_row_id") or (message.get("chat_row_id") if message else None)),
                identity=text_of(row.get("key_id")),
                reply_to=text_of(message.get("key_id")) if message else None,
                text=text_of(reaction.get("reaction")),
                details={"type": "reaction"},
                **found(row),
            )

    def _reacted_to(self) -> dict[Any, Row]:
        """Return the messages somebody reacted to, by their row number."""
        wanted = {row.get("parent_message_row_id") for row in self._tables.rows("message_add_on")}
        messages: dict[Any, Row] = {}
        for row in self._tables.rows("message"):
            if row.get("_id") in wanted:
                messages.setdefault(row.get("_id"), row)
        return messages

    def calls(self) -> Iterator[Artefact]:
        for row in self._tables.rows("call_log"):
            direction = direction_of(row.get("from_me"))
            jid = self._jid(row.get("jid_row_id"))
            group = self._jid(row.get("group_jid_row_id"))
            result = whole(row.get("call_result"))
            yield Artefact(
                kind=ArtefactKind.CALL,
                application=APPLICATION,
                at=unix_milliseconds(row.get("timestamp")),
                meaning="begun",
                zone="utc",
                direction=direction,
                who=jid if direction is Direction.INCOMING else None,
                who_name=self._name(jid) if direction is Direction.INCOMING else None,
                whom=(jid,) if jid and direction is Direction.OUTGOING else (),
                conversation=group or jid,
                identity=text_of(row.get("call_id")),
                duration_s=whole(row.get("duration")),
                title="video call" if row.get("video_call") else "voice call",
                details=told({"result": _CALL_RESULTS.get(result, result) if result is not None else None}),
                **found(row),
            )


_ROLES = {0: "member", 1: "admin", 2: "superadmin"}
_CALL_RESULTS = {2: "2 (not answered)", 3: "3 (unavailable)", 4: "4 (missed)", 5: "5 (connected)"}
_MESSAGE_TIMES = {"received_timestamp": "received", "receipt_server_timestamp": "received by the server"}


class _AboutMessages:
    """What lies in other tables about messages, by the message's row number."""

    def __init__(self, tables: Tables) -> None:
        self.locations = tables.by("message_location", "message_row_id")
        self.system = tables.by("message_system", "message_row_id")
        self.concerned = tables.grouped("message_system_chat_participant", "message_row_id")
        self._quoted = tables.pairs("message_quoted", "message_row_id", "key_id")
        self._forwarded = tables.pairs("message_forwarded", "message_row_id", "message_row_id")
        self._files: dict[Any, list[Attachment]] = {}
        self._captions: dict[Any, str] = {}
        for row in tables.rows("message_media"):
            self._add_file(row)
        self._edits = tables.by("message_edit_info", "message_row_id")
        self._revoked = tables.by("message_revoked", "message_row_id")
        self._vcards = tables.grouped("message_vcard", "message_row_id")

    def times(self, number: Any) -> Iterator[Moment]:
        for rows, column, meaning in (
            (self._edits, "edited_timestamp", "edited"),
            (self._revoked, "revoke_timestamp", "revoked"),
        ):
            row = rows.get(number)
            at = unix_milliseconds(row.get(column)) if row else None
            if at is not None:
                yield Moment(at=at, meaning=meaning)

    def _add_file(self, row: Row) -> None:
        number, caption = row.get("message_row_id"), text_of(row.get("media_caption"))
        if _describes_file(row):
            self._files.setdefault(number, []).append(_attachment(row))
        if caption:
            self._captions.setdefault(number, caption)

    def reply(self, number: Any) -> str | None:
        return text_of(self._quoted.get(number))

    def forwarded(self, row: Row) -> bool | None:
        flags = whole(row.get("origination_flags")) or 0
        return True if row.get("_id") in self._forwarded or flags & 1 else None

    def caption(self, number: Any) -> str | None:
        return self._captions.get(number)

    def vcard(self, number: Any) -> str | None:
        cards = [text_of(row.get("vcard")) for row in self._vcards.get(number, ())]
        return "\n".join(filter(None, cards)) or None

    def attachments(self, number: Any) -> tuple[Attachment, ...]:
        return tuple(dict.fromkeys(self._files.get(number, ())))


def _describes_file(row: Row) -> bool:
    return any(row.get(column) is not None for column in ("file_path", "file_hash", "mime_type", "media_name"))


def _attachment(row: Row) -> Attachment:
    path = text_of(row.get("file_path"))
    return Attachment(
        name=text_of(row.get("media_name")) or (path.rpartition("/")[2] if path else None),
        path=path,
        size=whole(row.get("file_size") or row.get("file_length")),
        media_type=text_of(row.get("mime_type")),
        sha256=digest_of_base64(row.get("file_hash")),
    )
