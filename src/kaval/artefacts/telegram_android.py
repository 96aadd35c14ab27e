"""Telegram on Android: ``cache4.db``, by the published client and public descriptions (ALEAPP).

Users, groups, dialogs and contacts are in columns; the text of a message is inside its serialised form. A message of
which no text could be read is told with the number of its constructor. Groups and channels have negative numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction
from kaval.artefacts.sqlite import Row
from kaval.artefacts.telegram_messages import TelegramMessage, read_message
from kaval.artefacts.times import unix_seconds
from kaval.core.records import Notice

APPLICATION = "telegram"


@ARTEFACTS.register
class TelegramAndroid:
    """Reads messages, dialogs, users, groups and the contacts Telegram took from the device."""

    name: ClassVar[str] = "telegram-android"
    title: ClassVar[str] = "Telegram (Android)"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"messages_v2.mid", "messages_v2.uid", "messages_v2.data", "messages_v2.date"}),
            frozenset({"messages.mid", "messages.uid", "messages.data", "dialogs.did", "messages.read_state"}),
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables)
        yield from store.users()
        yield from store.contacts()
        yield from store.conversations()
        yield from store.members()
        for table in ("messages_v2", "messages"):
            for row in item.tables.rows(table):
                yield store.message(row)


class _Store:
    """The cache with what its rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._users = tables.by("users", "uid")
        self._chats = tables.by("chats", "uid")
        self._phones = tables.grouped("user_phones_v7", "key")

    def _title(self, peer: int | None) -> str | None:
        if peer is None:
            return None
        if peer in self._users:
            return _names(self._users[peer])[0]
        row = self._chats.get(peer) or self._chats.get(-peer)
        return text_of(row.get("name")) if row else None

    def users(self) -> Iterator[Artefact]:
        for row in self._tables.rows("users"):
            name, account = _names(row)
            number = text_of(row.get("uid"))
            seen = whole(row.get("status")) or 0
            yield Artefact(
                kind=ArtefactKind.CONTACT,
                application=APPLICATION,
                at=unix_seconds(seen) if seen > 0 else None,
                meaning="last seen",
                zone="utc",
                who=number,
                who_name=name,
                identifiers=tuple(filter(None, (number, account))),
                title=account,
                **found(row),
            )

    def contacts(self) -> Iterator[Artefact]:
        for row in self._tables.rows("user_contacts_v7"):
            phones = self._phones.get(row.get("key"), [])
            number = text_of(row.get("uid"))
            numbers = [text_of(phone.get("phone")) for phone in phones]
            names = [text_of(row.get("fname")), text_of(row.get("sname"))]
            yield Artefact(
                kind=ArtefactKind.CONTACT,
                application=APPLICATION,
                who=number if number != "0" else next(filter(None, numbers), None),
                who_name=" ".join(filter(None, names)) or None,
                identifiers=tuple(filter(None, (number if number != "0" else None, *numbers))),
                identity=text_of(row.get("key")),
                details=told({"taken from": "the device's contacts", "imported": row.get("imported")}),
                **found(row),
            )

    def conversations(self) -> Iterator[Artefact]:
        for row in self._tables.rows("dialogs"):
            peer = whole(row.get("did"))
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=APPLICATION,
                at=unix_seconds(row.get("date")),
                meaning="last message",
                zone="utc",
                conversation=text_of(peer),
                conversation_title=self._title(peer),
                details=told({"folder": row.get("folder_id") or None, "pinned": row.get("pinned") or None}),
                **found(row),
            )

    def members(self) -> Iterator[Artefact]:
        for row in self._tables.rows("channel_users_v2"):
            user, group = whole(row.get("uid")), whole(row.get("did"))
            yield Artefact(
                kind=ArtefactKind.MEMBER,
                application=APPLICATION,
                at=unix_seconds(row.get("date")),
                meaning="joined",
                zone="utc",
                who=text_of(user),
                who_name=self._title(user),
                conversation=text_of(group),
                conversation_title=self._title(group),
                role="member",
                **found(row),
            )

    def message(self, row: Row) -> Artefact:
        blob = row.get("data")
        date = whole(row.get("date"))
        read = read_message(blob, date) if isinstance(blob, bytes) else TelegramMessage()
        peer = whole(row.get("uid"))
        out = row.get("out")
        outgoing = bool(out)
        sender = None if outgoing else read.sender if read.sender is not None else peer
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=APPLICATION,
            at=unix_seconds(date),
            meaning="sent",
            zone="utc",
            direction=None if out is None else Direction.OUTGOING if outgoing else Direction.INCOMING,
            who=text_of(sender),
            who_name=self._title(sender),
            whom=(str(peer),) if peer is not None and outgoing else (),
            conversation=text_of(peer),
            conversation_title=self._title(peer),
            identity=text_of(row.get("mid")),
            reply_to=text_of(read.reply_to),
            forwarded=True if read.forwarded else None,
            text=read.text or None,
            attachments=(_file(read.path),) if read.path else (),
            details=_details(row, read),
            **found(row),
        )


def _file(path: str) -> Attachment:
    return Attachment(name=path.rpartition("/")[2], path=path)


def _details(row: Row, read: TelegramMessage) -> dict[str, str]:
    unread = read.text is None and read.action is None and read.constructor
    return told(
        {
            "event": read.action,
            "read state": row.get("read_state"),
            "text found": "behind the date" if read.text_by_date else None,
            "no text read; constructor": f"{read.constructor:#010x}" if unread else None,
        }
    )


def _names(row: Row) -> tuple[str | None, str | None]:
    """Return display name and account of a user: they are stored as ``name;;;account``."""
    stored: Any = text_of(row.get("name")) or ""
    name, _, account = stored.partition(";;;")
    return name.strip() or None, account.strip(";") or None
