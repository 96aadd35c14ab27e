"""Skype up to version 7: ``main.db`` on computers and phones, by public descriptions (plaso, SkypeExtractor)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_minutes, unix_seconds
from kaval.core.records import Notice

APPLICATION = "skype"
_TYPES = {
    2: "topic changed", 4: "conference", 10: "members added", 12: "member removed", 13: "member left", 30: "call begun",
    39: "call ended", 50: "contact asked for", 51: "contact accepted", 53: "blocked", 60: "emote", 61: "text",
    63: "contacts sent", 64: "sms", 67: "voicemail", 68: "files sent", 70: "video message", 100: "birthday",
    110: "birthday", 201: "picture", 253: "video",
}  # fmt: skip
"""Values of ``Messages.type``, as observed by those who published them."""

_TRANSFERS = {1: Direction.INCOMING, 2: Direction.OUTGOING, 3: Direction.INCOMING}
_IDENTIFIERS = ("skypename", "pstnnumber", "phone_mobile", "phone_home", "phone_office")
_TAG = re.compile(r"<[^<>]{0,4000}>")


@ARTEFACTS.register
class Skype:
    """Reads messages, calls, files sent, SMS, contacts, the account and who took part."""

    name: ClassVar[str] = "skype"
    title: ClassVar[str] = "Skype (up to version 7)"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"messages.convo_id", "messages.body_xml", "messages.author"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables)
        yield from store.accounts()
        yield from store.contacts()
        yield from store.conversations()
        yield from store.members()
        for row in item.tables.rows("messages"):
            yield store.message(row)
        for row in item.tables.rows("smses"):
            if not store.is_among_messages(row):
                yield store.sms(row)
        for row in item.tables.rows("calls"):
            yield store.call(row)
        for row in item.tables.rows("transfers"):
            yield store.transfer(row)


class _Store:
    """The database with what its rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        accounts = [text_of(row.get("skypename")) for row in tables.rows("accounts")]
        self._account = next(filter(None, accounts), None)
        self._conversations = tables.by("conversations", "id")
        self._present = tables.grouped("callmembers", "call_db_id")
        self._sms_of = tables.by("smses", "chatmsg_id")
        self._messages = frozenset(tables.pairs("messages", "id", "id"))

    def _conversation(self, number: Any) -> dict[str, Any]:
        row = self._conversations.get(number)
        if row is None:
            return {"conversation": None if number is None else f"conversation {number}"}
        title = text_of(row.get("meta_topic")) or text_of(row.get("displayname"))
        return {"conversation": text_of(row.get("identity")), "conversation_title": title}

    def accounts(self) -> Iterator[Artefact]:
        for row in self._tables.rows("accounts"):
            yield _person(row, ArtefactKind.ACCOUNT, unix_minutes(row.get("registration_timestamp")), "registered")

    def contacts(self) -> Iterator[Artefact]:
        for row in self._tables.rows("contacts"):
            yield _person(row, ArtefactKind.CONTACT, unix_seconds(row.get("lastonline_timestamp")), "last online")

    def conversations(self) -> Iterator[Artefact]:
        for row in self._tables.rows("conversations"):
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=APPLICATION,
                at=unix_seconds(row.get("creation_timestamp")),
                meaning="created",
                zone="utc",
                account=self._account,
                details=told({"created by": row.get("creator")}),
                **self._conversation(row.get("id")),
                **found(row),
            )

    def members(self) -> Iterator[Artefact]:
        for row in self._tables.rows("participants"):
            yield Artefact(
                kind=ArtefactKind.MEMBER,
                application=APPLICATION,
                who=text_of(row.get("identity")),
                role={1: "creator", 2: "admin"}.get(whole(row.get("rank")) or 0, "member"),
                details=told({"added by": row.get("adder")}),
                **self._conversation(row.get("convo_id")),
                **found(row),
            )

    def is_among_messages(self, row: Row) -> bool:
        """Whether an SMS stands among the messages as well; it is told once, there."""
        return row.get("chatmsg_id") in self._messages

    def message(self, row: Row) -> Artefact:
        author = text_of(row.get("author"))
        outgoing = author is not None and author == self._account
        conversation = self._conversation(row.get("convo_id"))
        partner = conversation["conversation"] or text_of(row.get("dialog_partner"))
        guid = row.get("guid")
        sms = self._sms_of.get(row.get("id"))
        sent_to = (text_of(sms.get("target_numbers")) or "").split() if sms else []
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=APPLICATION,
            at=unix_seconds(row.get("timestamp")),
            meaning="sent",
            zone="utc",
            moments=_moments((row.get("edited_timestamp"), "edited"), (sms and sms.get("timestamp"), "sms sent")),
            account=self._account,
            direction=None if author is None else Direction.OUTGOING if outgoing else Direction.INCOMING,
            who=author,
            who_name=text_of(row.get("from_dispname")),
            whom=tuple(sent_to) or ((partner,) if partner and outgoing else ()),
            identity=guid.hex() if isinstance(guid, bytes) else text_of(row.get("id")),
            text=text_of(sms.get("body")) if sms else _plain(row.get("body_xml")),
            details=told(
                {
                    "type": _TYPES.get(whole(row.get("type")) or 0),
                    "type number": row.get("type"),
                    "concerns": row.get("identities"),
                    "edited by": row.get("edited_by"),
                }
            ),
            **conversation,
            **found(row),
        )

    def sms(self, row: Row) -> Artefact:
        targets = (text_of(row.get("target_numbers")) or "").split()
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application="skype-sms",
            at=unix_seconds(row.get("timestamp")),
            meaning="sent",
            zone="utc",
            account=self._account,
            direction=Direction.OUTGOING,
            whom=tuple(targets),
            conversation=next(iter(targets), None),
            identity=text_of(row.get("id")),
            text=text_of(row.get("body")),
            details=told({"status": row.get("status"), "reply to": row.get("reply_to_number")}),
            **found(row),
        )

    def call(self, row: Row) -> Artefact:
        present = [text_of(other.get("identity")) for other in self._present.get(row.get("id"), [])]
        incoming = row.get("is_incoming")
        host = text_of(row.get("host_identity"))
        return Artefact(
            kind=ArtefactKind.CALL,
            application=APPLICATION,
            at=unix_seconds(row.get("begin_timestamp")),
            meaning="begun",
            zone="utc",
            account=self._account,
            direction=None if incoming is None else Direction.INCOMING if incoming else Direction.OUTGOING,
            who=host,
            whom=tuple(filter(None, present)),
            identity=text_of(row.get("name")),
            duration_s=whole(row.get("duration")),
            **self._conversation(row.get("conv_dbid")),
            **found(row),
        )

    def transfer(self, row: Row) -> Artefact:
        direction = _TRANSFERS.get(whole(row.get("type")) or 0)
        partner = text_of(row.get("partner_handle"))
        incoming = direction is Direction.INCOMING
        return Artefact(
            kind=ArtefactKind.DOWNLOAD,
            application=APPLICATION,
            at=unix_seconds(row.get("starttime")),
            meaning="file sent",
            zone="utc",
            moments=_moments((row.get("accepttime"), "accepted"), (row.get("finishtime"), "finished")),
            account=self._account,
            direction=direction,
            who=partner if incoming else self._account,
            whom=(partner,) if partner and not incoming else (),
            title=text_of(row.get("filename")),
            identity=text_of(row.get("id")),
            attachments=(
                Attachment(
                    name=text_of(row.get("filename")),
                    path=text_of(row.get("filepath")),
                    size=whole(row.get("filesize")),
                ),
            ),
            details=told({"type number": row.get("type"), "status": row.get("status")}),
            **self._conversation(row.get("convo_id")),
            **found(row),
        )


def _person(row: Row, kind: ArtefactKind, at: int | None, meaning: str) -> Artefact:
    named = [text_of(row.get(name)) for name in _IDENTIFIERS]
    identifiers = [*named, *(text_of(row.get("emails")) or "").split()]
    return Artefact(
        kind=kind,
        application=APPLICATION,
        at=at,
        meaning=meaning,
        zone="utc",
        who=next(filter(None, identifiers), None),
        who_name=text_of(row.get("fullname")) or text_of(row.get("displayname")),
        identifiers=tuple(filter(None, identifiers)),
        text=text_of(row.get("mood_text")) or text_of(row.get("about")),
        url=text_of(row.get("homepage")),
        identity=text_of(row.get("id")),
        details=told(
            {
                "city": row.get("city"),
                "country": row.get("country"),
                "birthday": row.get("birthday"),
                "gender": row.get("gender"),
                "blocked": row.get("isblocked") or None,
            }
        ),
        **found(row),
    )


def _moments(*stored: tuple[Any, str]) -> tuple[Moment, ...]:
    times = ((unix_seconds(value), meaning) for value, meaning in stored)
    return tuple(Moment(at=at, meaning=meaning) for at, meaning in times if at is not None)


def _plain(value: Any) -> str | None:
    """Return the text of a body in Skype's XML: tags taken out, entities resolved."""
    body = text_of(value)
    return html.unescape(_TAG.sub("", body)) or body if body else None
