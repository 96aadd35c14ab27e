"""Voicemail of iOS: ``voicemail.db``, by public descriptions (iLEAPP).

``date`` is in seconds since 1970, ``trashed_date`` in seconds since 2001. The recording lies beside it as
``<row number>.amr``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Direction, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds, unix_seconds
from kaval.core.records import Notice

_TRASHED = 75
"""The value of ``flags`` of messages that were thrown away and not yet removed, as observed."""


@ARTEFACTS.register
class IosVoicemail:
    """Reads voicemail, also what was thrown away."""

    name: ClassVar[str] = "voicemail-ios"
    title: ClassVar[str] = "Voicemail (iOS)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"voicemail.sender", "voicemail.date", "voicemail.duration", "voicemail.trashed_date"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        labels = item.tables.by("map", "label")
        for row in item.tables.rows("voicemail"):
            yield _message(row, labels.get(row.get("label")))


def _message(row: Row, account: Row | None) -> Artefact:
    trashed = cocoa_seconds(row.get("trashed_date"))
    number = text_of(row.get("ROWID"))
    receiver = text_of(row.get("receiver"))
    flags = whole(row.get("flags"))
    return Artefact(
        kind=ArtefactKind.VOICEMAIL,
        application="voicemail",
        at=unix_seconds(row.get("date")),
        meaning="left",
        zone="utc",
        moments=(Moment(at=trashed, meaning="thrown away"),) if trashed is not None else (),
        account=text_of(account.get("account")) if account else None,
        direction=Direction.INCOMING,
        who=text_of(row.get("sender")) or text_of(row.get("callback_num")),
        whom=(receiver,) if receiver else (),
        conversation=text_of(row.get("sender")),
        identity=text_of(row.get("remote_uid")) or number,
        duration_s=whole(row.get("duration")),
        attachments=(Attachment(name=f"{number}.amr", media_type="audio/amr"),) if number else (),
        details=told(
            {
                "thrown away": "yes" if trashed is not None or flags == _TRASHED else None,
                "call back": row.get("callback_num"),
                "flags": flags,
            }
        ),
        **found(row),
    )
