"""SMS and MMS of Android: ``mmssms.db`` of the telephony provider.

By Android's ``Telephony`` contract class: ``sms.date`` is in milliseconds, ``pdu.date`` in seconds; addresses of an
MMS are in ``addr`` with the type codes of the MMS PDU headers (OMA-TS-MMS_ENC 7.3). Not read: the search index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds, unix_seconds
from kaval.core.records import Notice

_BOXES = {1: "received", 2: "sent", 3: "draft", 4: "outbox", 5: "failed", 6: "queued"}
_FROM, _ONESELF = 0x89, "insert-address-token"
_TO = (0x97, 0x82, 0x81)
_NO_FILES = ("text/plain", "application/smil")


@ARTEFACTS.register
class AndroidSms:
    """Reads SMS and MMS with their parts; both lie in the conversation of their thread."""

    name: ClassVar[str] = "sms-android"
    title: ClassVar[str] = "SMS and MMS (Android)"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"sms.address", "sms.body", "sms.date", "sms.type"}),
            frozenset({"pdu.msg_box", "addr.msg_id", "part.mid"}),
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        titles = _titles(tables)
        for row in tables.rows("sms"):
            yield _sms(row, titles)
        addresses = tables.grouped("addr", "msg_id")
        parts = tables.grouped("part", "mid")
        for row in tables.rows("pdu"):
            number = row.get("_id")
            yield _mms(row, addresses.get(number, []), parts.get(number, []), titles)


def _titles(tables: Tables) -> dict[Any, str]:
    """Return the addresses of each thread, joined by commas."""
    addresses = tables.by("canonical_addresses", "_id")
    titles = {}
    for number, row in tables.by("threads", "_id").items():
        numbers = [whole(part) for part in (text_of(row.get("recipient_ids")) or "").split()]
        named = [text_of(addresses[part].get("address")) or "" for part in numbers if part in addresses]
        titles[number] = ", ".join(filter(None, named))
    return titles


def _conversation(row: Row, titles: dict[Any, str], address: str | None) -> dict[str, Any]:
    thread = text_of(row.get("thread_id"))
    return {
        "conversation": address if thread is None else f"thread {thread}",
        "conversation_title": titles.get(row.get("thread_id")) or address,
    }


def _direction(box: int | None) -> Direction | None:
    if box == 1:
        return Direction.INCOMING
    return Direction.OUTGOING if box in (2, 4, 5, 6) else None


def _sms(row: Row, titles: dict[Any, str]) -> Artefact:
    box = whole(row.get("type"))
    address = text_of(row.get("address"))
    direction = _direction(box)
    sent = unix_milliseconds(row.get("date_sent"))
    return Artefact(
        kind=ArtefactKind.MESSAGE,
        application="sms",
        at=unix_milliseconds(row.get("date")),
        meaning=_BOXES.get(box or 0, "noted"),
        zone="utc",
        moments=(Moment(at=sent, meaning="sent by the other side"),) if sent is not None else (),
        direction=direction,
        who=address if direction is Direction.INCOMING else None,
        whom=(address,) if address and direction is not Direction.INCOMING else (),
        title=text_of(row.get("subject")),
        text=text_of(row.get("body")),
        identity=text_of(row.get("_id")),
        details=told({"service centre": row.get("service_center"), "read": row.get("read"), "box": box}),
        **_conversation(row, titles, address),
        **found(row),
    )


def _mms(row: Row, addresses: list[Row], parts: list[Row], titles: dict[Any, str]) -> Artefact:
    box = whole(row.get("msg_box"))
    direction = _direction(box)
    senders = [_address(other) for other in addresses if other.get("type") == _FROM]
    others = tuple(filter(None, (_address(other) for other in addresses if other.get("type") in _TO)))
    sender = next(filter(None, senders), None)
    texts = [text_of(part.get("text")) for part in parts if part.get("ct") == "text/plain"]
    sent = unix_seconds(row.get("date_sent"))
    return Artefact(
        kind=ArtefactKind.MESSAGE,
        application="mms",
        at=unix_seconds(row.get("date")),
        meaning=_BOXES.get(box or 0, "noted"),
        zone="utc",
        moments=(Moment(at=sent, meaning="sent by the other side"),) if sent is not None else (),
        direction=direction,
        who=sender,
        whom=others,
        title=text_of(row.get("sub")),
        text="\n".join(filter(None, texts)) or None,
        identity=text_of(row.get("m_id")) or text_of(row.get("_id")),
        attachments=tuple(_attachment(part) for part in parts if part.get("ct") not in _NO_FILES),
        details=told({"read": row.get("read"), "box": box, "type": row.get("m_type"), "size": row.get("m_size")}),
        **_conversation(row, titles, sender or next(iter(others), None)),
        **found(row),
    )


def _address(row: Row) -> str | None:
    address = text_of(row.get("address"))
    return None if address == _ONESELF else address


def _attachment(part: Row) -> Attachment:
    name = text_of(part.get("cl")) or text_of(part.get("fn")) or text_of(part.get("name"))
    return Attachment(name=name, path=text_of(part.get("_data")), media_type=text_of(part.get("ct")))
