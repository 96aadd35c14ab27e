"""WhatsApp on iOS: messages and groups in ``ChatStorage.sqlite``, a Core Data store.

From public descriptions (iLEAPP) and stores made after them. Times are seconds since 2001. Of a media item
``ZVCARDNAME`` holds the SHA-256 of the file in Base64 and ``ZVCARDSTRING`` its media type; both are taken only where
they have that form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, direction_of, found, real, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.artefacts.whatsapp import APPLICATION, digest_of_base64
from kaval.core.records import Notice

_TYPES = {
    0: "text", 1: "picture", 2: "video", 3: "audio", 4: "contact", 5: "place", 6: "event of the group", 7: "link",
    8: "document", 10: "event of the conversation", 11: "moving picture", 14: "deleted for all", 15: "sticker",
}  # fmt: skip
"""Values of ``ZMESSAGETYPE``, as observed by those who published them."""

_PLACE = 5


@ARTEFACTS.register
class WhatsAppIos:
    """Reads messages with their files, sessions, groups and their members."""

    name: ClassVar[str] = "whatsapp-ios"
    title: ClassVar[str] = "WhatsApp (iOS), messages and groups"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"zwamessage.zmessagedate", "zwamessage.ztext", "zwachatsession.zcontactjid"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables)
        yield from store.conversations()
        yield from store.members()
        for row in item.tables.rows("zwamessage"):
            yield store.message(row)


class _Store:
    """The store with what its rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._sessions = tables.by("zwachatsession", "Z_PK")
        self._groups = tables.by("zwagroupinfo", "Z_PK")
        self._members = tables.by("zwagroupmember", "Z_PK")
        self._media = tables.by("zwamediaitem", "Z_PK")
        self._media_of = tables.by("zwamediaitem", "ZMESSAGE")
        self._stanzas = tables.pairs("zwamessage", "Z_PK", "ZSTANZAID")
        self._names = {
            jid: name
            for row in tables.rows("zwaprofilepushname")
            if (jid := text_of(row.get("ZJID"))) and (name := text_of(row.get("ZPUSHNAME")))
        }
        self._names |= {
            jid: name
            for row in self._sessions.values()
            if (jid := text_of(row.get("ZCONTACTJID"))) and (name := text_of(row.get("ZPARTNERNAME")))
        }

    def _conversation(self, number: Any) -> dict[str, Any]:
        session = self._sessions.get(number)
        if session is None:
            return {"conversation": None if number is None else f"session {number}"}
        return {
            "conversation": text_of(session.get("ZCONTACTJID")),
            "conversation_title": text_of(session.get("ZPARTNERNAME")),
        }

    def conversations(self) -> Iterator[Artefact]:
        for row in self._tables.rows("zwachatsession"):
            group = self._groups.get(row.get("ZGROUPINFO"))
            creator = text_of(group.get("ZCREATORJID") or group.get("ZOWNERJID")) if group else None
            last = cocoa_seconds(row.get("ZLASTMESSAGEDATE"))
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=APPLICATION,
                at=cocoa_seconds(group.get("ZCREATIONDATE")) if group else None,
                meaning="created" if group else "",
                zone="utc",
                moments=(Moment(at=last, meaning="last message"),) if last is not None else (),
                conversation=text_of(row.get("ZCONTACTJID")),
                conversation_title=text_of(row.get("ZPARTNERNAME")),
                identity=text_of(row.get("Z_PK")),
                details=told({"created by": creator, "removed": row.get("ZREMOVED"), "hidden": row.get("ZHIDDEN")}),
                **found(row),
            )

    def members(self) -> Iterator[Artefact]:
        for row in self._tables.rows("zwagroupmember"):
            active = row.get("ZISACTIVE")
            role = "admin" if row.get("ZISADMIN") else "member"
            jid = text_of(row.get("ZMEMBERJID"))
            yield Artefact(
                kind=ArtefactKind.MEMBER,
                application=APPLICATION,
                who=jid,
                who_name=text_of(row.get("ZCONTACTNAME")) or text_of(row.get("ZFIRSTNAME")) or self._name(jid),
                role=role if active or active is None else f"{role}, no longer active",
                **self._conversation(row.get("ZCHATSESSION")),
                **found(row),
            )

    def _name(self, jid: str | None) -> str | None:
        return self._names.get(jid) if jid else None

    def message(self, row: Row) -> Artefact:
        direction = direction_of(row.get("ZISFROMME"))
        outgoing = direction is Direction.OUTGOING
        conversation = self._conversation(row.get("ZCHATSESSION"))
        member = self._members.get(row.get("ZGROUPMEMBER"))
        sender = None if outgoing else self._sender(row, member)
        partner = text_of(row.get("ZTOJID")) or conversation["conversation"]
        media = self._media.get(row.get("ZMEDIAITEM")) or self._media_of.get(row.get("Z_PK"))
        kind = whole(row.get("ZMESSAGETYPE"))
        sent = cocoa_seconds(row.get("ZSENTDATE"))
        here = media is not None and kind == _PLACE
        return Artefact(
            kind=ArtefactKind.MESSAGE,
            application=APPLICATION,
            at=cocoa_seconds(row.get("ZMESSAGEDATE")),
            meaning="sent" if outgoing else "received",
            zone="utc",
            moments=(Moment(at=sent, meaning="sent"),) if sent is not None else (),
            direction=direction,
            who=sender,
            who_name=None if outgoing else self._sender_name(row, member, sender),
            whom=(partner,) if partner and outgoing else (),
            identity=text_of(row.get("ZSTANZAID")) or text_of(row.get("Z_PK")),
            reply_to=text_of(self._stanzas.get(row.get("ZPARENTMESSAGE"))),
            text=text_of(row.get("ZTEXT")) or (text_of(media.get("ZTITLE")) if media else None),
            latitude=real(media.get("ZLATITUDE")) if media and here else None,
            longitude=real(media.get("ZLONGITUDE")) if media and here else None,
            attachments=(_attachment(media),) if media and _describes_file(media) else (),
            details=told(
                {
                    "type": None if kind is None else _TYPES.get(kind, "unknown"),
                    "type number": kind,
                    "starred": row.get("ZSTARRED") or None,
                    "event of the group": row.get("ZGROUPEVENTTYPE") or None,
                }
            ),
            **conversation,
            **found(row),
        )

    def _sender(self, row: Row, member: Row | None) -> str | None:
        """Return who sent a message: in a group the member, elsewhere the other side."""
        return (text_of(member.get("ZMEMBERJID")) if member else None) or text_of(row.get("ZFROMJID"))

    def _sender_name(self, row: Row, member: Row | None, sender: str | None) -> str | None:
        if member:
            name = text_of(member.get("ZCONTACTNAME")) or text_of(member.get("ZFIRSTNAME"))
            if name:
                return name
        pushed = text_of(row.get("ZPUSHNAME"))
        return self._name(sender) or (pushed if pushed and pushed.isprintable() else None)


def _describes_file(media: Row) -> bool:
    return any(text_of(media.get(column)) for column in ("ZMEDIALOCALPATH", "ZMEDIAURL", "ZVCARDNAME", "ZFILESIZE"))


def _attachment(media: Row) -> Attachment:
    path = text_of(media.get("ZMEDIALOCALPATH"))
    digest = digest_of_base64(media.get("ZVCARDNAME"))
    media_type = text_of(media.get("ZVCARDSTRING"))
    name = path.rpartition("/")[2] if path else None
    if name is None and digest is None:
        name = text_of(media.get("ZVCARDNAME"))
    return Attachment(
        name=name,
        path=path,
        size=whole(media.get("ZFILESIZE")) or None,
        media_type=media_type if media_type and len(media_type) < 128 and "/" in media_type else None,
        sha256=digest,
    )
