"""Kik on iOS: ``kik.sqlite``, a Core Data store; by public descriptions (iLEAPP, plaso). Times are seconds since 2001.

Tables that join two entities are named after the numbers Core Data gave them, so they are found by their form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice

APPLICATION = "kik"
_RECEIVED, _SENT, _EVENT, _GROUP = 1, 2, 3, 4
_TYPES = {_RECEIVED: "received", _SENT: "sent", _EVENT: "event of the group", _GROUP: "received in a group"}


@ARTEFACTS.register
class KikIos:
    """Reads messages, users and groups with their members."""

    name: ClassVar[str] = "kik-ios"
    title: ClassVar[str] = "Kik (iOS), messages, users and groups"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"zkikmessage.zbody", "zkikuser.zjid"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables)
        for row in item.tables.rows("zkikuser"):
            yield store.user(row)
        yield from store.members()
        for row in item.tables.rows("zkikmessage"):
            yield store.message(row)


class _Store:
    """The store with what its rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._users = tables.by("zkikuser", "Z_PK")
        self._chats = tables.by("zkikchat", "Z_PK")
        self._files = tables.grouped("zkikattachment", "ZMESSAGE")
        self._chat_of = dict(self._joined(r"z_\d+messages", r"MESSAGES$", r"CHAT$"))

    def _joined(self, table: str, left: str, right: str) -> Iterator[tuple[Any, Any]]:
        """Yield the pairs of a table that joins two entities, by the form of its name and of its columns."""
        for row in self._joining(table):
            names = {column: row.get(column) for column in row.columns}
            lefts = [value for column, value in names.items() if re.search(left, column)]
            rights = [value for column, value in names.items() if re.search(right, column)]
            if lefts and rights:
                yield lefts[0], rights[0]

    def _joining(self, table: str) -> Iterator[Row]:
        for name in self._tables.names():
            if re.fullmatch(table, name):
                yield from self._tables.rows(name)

    def _jid(self, number: Any) -> str | None:
        user = self._users.get(number)
        return text_of(user.get("ZJID")) if user else None

    def _name(self, number: Any) -> str | None:
        user = self._users.get(number)
        return (text_of(user.get("ZDISPLAYNAME")) or text_of(user.get("ZUSERNAME"))) if user else None

    def user(self, row: Row) -> Artefact:
        jid, name = text_of(row.get("ZJID")), text_of(row.get("ZUSERNAME"))
        group = bool(jid and "@groups." in jid)
        email = text_of(row.get("ZEMAIL"))
        return Artefact(
            kind=ArtefactKind.CONVERSATION if group else ArtefactKind.CONTACT,
            application=APPLICATION,
            who=None if group else jid,
            who_name=None if group else text_of(row.get("ZDISPLAYNAME")),
            identifiers=tuple(filter(None, (jid, name, email))),
            conversation=jid if group else None,
            conversation_title=text_of(row.get("ZDISPLAYNAME")) if group else None,
            title=name or text_of(row.get("ZGROUPTAG")),
            url=text_of(row.get("ZPPURL")),
            text=text_of(row.get("ZSTATUS")),
            **found(row),
        )

    def members(self) -> Iterator[Artefact]:
        for role, suffix in (("member", "members"), ("admin", "adminsinverse"), ("banned", "bansinverse")):
            for row in self._joining(rf"z_\d+{suffix}"):
                group, user = self._ends(row)
                yield Artefact(
                    kind=ArtefactKind.MEMBER,
                    application=APPLICATION,
                    who=self._jid(user),
                    who_name=self._name(user),
                    conversation=self._jid(group),
                    conversation_title=self._name(group),
                    role=role,
                    **found(row),
                )

    def _ends(self, row: Row) -> tuple[Any, Any]:
        """Return group and user of a joining row: the group is the one whose identifier says so."""
        ends = row.values[:2] if len(row.values) >= 2 else (None, None)
        left, right = ends[0], ends[1]
        if "@groups." in (self._jid(right) or ""):
            return right, left
        return left, right

    def message(self, row: Row) -> Artefact:
        kind = whole(row.get("ZTYPE")) or 0
        outgoing = kind == _SENT
        chat = self._chats.get(self._chat_of.get(row.get("Z_PK")))
        partner = chat.get("ZUSER") if chat else row.get("ZUSER")
        received = cocoa_seconds(row.get("ZRECEIVEDTIMESTAMP"))
        jid = self._jid(partner)
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=APPLICATION,
            at=cocoa_seconds(row.get("ZTIMESTAMP")) or received,
            meaning="sent",
            zone="utc",
            moments=(Moment(at=received, meaning="received"),) if received is not None else (),
            direction=Direction.OUTGOING if outgoing else Direction.INCOMING if kind in (_RECEIVED, _GROUP) else None,
            who=None if outgoing else self._jid(row.get("ZUSER")),
            who_name=None if outgoing else self._name(row.get("ZUSER")),
            whom=(jid,) if jid and outgoing else (),
            conversation=jid,
            conversation_title=self._name(partner),
            identity=text_of(row.get("ZSTANZAID")) or text_of(row.get("Z_PK")),
            text=text_of(row.get("ZBODY")),
            attachments=tuple(
                Attachment(name=text_of(file.get("ZCONTENT"))) for file in self._files.get(row.get("Z_PK"), ())
            ),
            details=told({"type": _TYPES.get(kind), "type number": kind, "state": row.get("ZSTATE")}),
            **found(row),
        )
