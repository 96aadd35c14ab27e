"""Tango on Android: conversations and messages in ``tc.db``, by the schema plaso describes.

``payload`` is Base64 of a Protocol Buffers message without a public schema; observed is that field 4 holds the text, 5
the address of a file and 16.1 the sender's name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted, protobuf
from kaval.artefacts.found import found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice

APPLICATION = "tango"
_TEXT, _URL = 4, 5
_DIRECTIONS = {1: Direction.INCOMING, 2: Direction.OUTGOING}


@ARTEFACTS.register
class TangoAndroid:
    """Reads conversations and messages."""

    name: ClassVar[str] = "tango-android"
    title: ClassVar[str] = "Tango (Android), messages"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"messages.conv_id", "messages.payload", "messages.create_time", "conversations.conv_id"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        for row in tables.rows("conversations"):
            conversation = text_of(row.get("conv_id"))
            yield Artefact(
                kind=ArtefactKind.CONVERSATION,
                application=APPLICATION,
                conversation=conversation,
                details=told({"type number": row.get("conv_type"), "deleted": row.get("conv_del_status") or None}),
                **found(row),
            )
        likes = tables.grouped("likes", "msg_id")
        for row in tables.rows("messages"):
            yield _message(row, likes.get(row.get("msg_id"), []))


def decoded(value: Any) -> bytes:
    """Return what Base64 stands for, nothing where it is none."""
    try:
        return base64.b64decode(text_of(value) or "", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _message(row: Row, likes: list[Row]) -> Artefact:
    payload = decoded(row.get("payload"))
    direction = _DIRECTIONS.get(whole(row.get("direction")) or 0)
    conversation = text_of(row.get("conv_id"))
    incoming = direction is Direction.INCOMING
    liked = (unix_milliseconds(like.get("act_ts")) for like in likes)
    sent = unix_milliseconds(row.get("send_time"))
    moments = [Moment(at=at, meaning="liked") for at in liked if at is not None]
    if sent is not None:
        moments.insert(0, Moment(at=sent, meaning="sent"))
    return Artefact(
        kind=ArtefactKind.MESSAGE,
        application=APPLICATION,
        at=unix_milliseconds(row.get("create_time")),
        meaning="created",
        zone="utc",
        moments=tuple(moments),
        direction=direction,
        who=conversation if incoming else None,
        whom=(conversation,) if conversation and direction is Direction.OUTGOING else (),
        conversation=conversation,
        identity=text_of(row.get("msg_id")),
        text=protobuf.text(payload, _TEXT),
        url=protobuf.text(payload, _URL),
        details=told({"type number": row.get("type"), "status": row.get("status"), "deleted": row.get("del_status")}),
        **found(row),
    )
