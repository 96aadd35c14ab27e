"""WhatsApp on Android before 2021: ``msgstore.db`` with everything of a message in one row of ``messages``.

From public descriptions (ALEAPP, whapa). A database that was carried over to the present schema keeps the old table,
empty as a rule; rows that are found in both are told twice, once by each parser.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import direction_of, found, real, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds
from kaval.artefacts.whatsapp import APPLICATION, contact_names, digest_of_base64, message_details
from kaval.artefacts.whatsapp_android import moments
from kaval.core.records import Notice

_SYSTEM = 6
"""The status of a row that is no message but an event of the conversation."""

_TIMES = {
    "received_timestamp": "received",
    "receipt_server_timestamp": "received by the server",
    "receipt_device_timestamp": "received by the other side",
    "read_device_timestamp": "read by the other side",
}


@ARTEFACTS.register
class WhatsAppAndroidOlder:
    """Reads the message store in the schema used until 2021."""

    name: ClassVar[str] = "whatsapp-android-older"
    title: ClassVar[str] = "WhatsApp (Android, before 2021), messages and groups"
    rank: ClassVar[int] = 11
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"messages.key_remote_jid", "messages.key_from_me", "messages.data"}),),
        beside=("wa.db", "wa.db-wal", "wa.db-journal"),
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        names = contact_names(item)
        subjects: dict[str, str] = {}
        for row in tables.rows("chat_list"):
            jid, subject = text_of(row.get("key_remote_jid")), text_of(row.get("subject"))
            if jid and subject:
                subjects.setdefault(jid, subject)
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=APPLICATION,
                at=unix_milliseconds(row.get("creation")),
                meaning="created",
                zone="utc",
                conversation=jid,
                conversation_title=subject or (names.get(jid) if jid else None),
                **found(row),
            )
        for row in tables.rows("group_participants"):
            jid, group = text_of(row.get("jid")), text_of(row.get("gjid"))
            yield Artefact(
                kind=ArtefactKind.MEMBER,
                application=APPLICATION,
                who=jid,
                who_name=names.get(jid) if jid else None,
                conversation=group,
                conversation_title=subjects.get(group) if group else None,
                role="admin" if row.get("admin") else "member",
                **found(row),
            )
        quoted = tables.by("messages_quotes", "_id")
        for row in tables.rows("messages"):
            if text_of(row.get("key_remote_jid")) not in (None, "-1"):
                yield _message(row, names, subjects, quoted.get(row.get("quoted_row_id")))


def _message(row: Row, names: dict[str, str], subjects: dict[str, str], quoted: Row | None) -> Artefact:
    jid = text_of(row.get("key_remote_jid"))
    outgoing = direction_of(row.get("key_from_me")) is Direction.OUTGOING
    sender = None if outgoing else text_of(row.get("remote_resource")) or jid
    at = unix_milliseconds(row.get("timestamp"))
    latitude, longitude = real(row.get("latitude")), real(row.get("longitude"))
    here = bool(latitude or longitude)
    event = {"system action": row.get("media_size")} if row.get("status") == _SYSTEM else {}
    return Artefact(
        kind=ArtefactKind.MESSAGE,
        application=APPLICATION,
        at=at,
        meaning="sent" if outgoing else "stamped by the sender",
        zone="utc",
        moments=moments(row, _TIMES, at),
        direction=direction_of(row.get("key_from_me")),
        who=sender,
        who_name=names.get(sender) if sender else None,
        whom=(jid,) if jid and outgoing else (),
        conversation=jid,
        conversation_title=(subjects.get(jid) or names.get(jid)) if jid else None,
        identity=text_of(row.get("key_id")),
        reply_to=text_of(quoted.get("key_id")) if quoted else None,
        forwarded=True if row.get("forwarded") else None,
        text=text_of(row.get("data")) or text_of(row.get("media_caption")),
        latitude=latitude if here else None,
        longitude=longitude if here else None,
        attachments=_attachments(row),
        details=message_details(row.get("media_wa_type")) | told({"starred": row.get("starred") or None, **event}),
        **found(row),
    )


def _attachments(row: Row) -> tuple[Attachment, ...]:
    digest = digest_of_base64(row.get("media_hash"))
    name, media_type = text_of(row.get("media_name")), text_of(row.get("media_mime_type"))
    if not (digest or name or media_type):
        return ()
    return (Attachment(name=name, size=whole(row.get("media_size")), media_type=media_type, sha256=digest),)
