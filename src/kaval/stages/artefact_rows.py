"""The rows of artefacts: how records of parsers and recovered rows stand in the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kaval.artefacts.records import Artefact, Attachment
from kaval.artefacts.sqlite import RecoveredRow
from kaval.artefacts.texts import Text
from kaval.core.locators import Locator
from kaval.core.records import Notice
from kaval.folder.segments import RowBuffer, column_names
from kaval.stages.discovery import Remark
from kaval.stages.matching import Matcher, Subject
from kaval.stages.selection import Reading

STAGE = "artefacts"
MOST_BLOB = 4096
"""Bytes of a stored blob that a recovered row shows; its size is told."""

_SURROGATES = re.compile("[\ud800-\udfff]")


class ArtefactWriter:
    """Turns records into rows, numbered through the unit."""

    def __init__(self, rows: RowBuffer, matcher: Matcher | None, first_id: int) -> None:
        self._rows = rows
        self._matcher = matcher
        self._next_id = first_id

    def remark(self, reading: Reading, notice: Notice) -> None:
        self._rows.add("notices", Remark(locator=Locator.parse(reading.locator), notice=notice).row(STAGE))

    def add(self, reading: Reading, read_by: str, record: Artefact, within: str, *, earlier_form: bool) -> None:
        """Write one artefact, and the known files it mentions."""
        row = _artefact_row(self._next_id, reading, read_by, record, within)
        ending = (record.certainty, record.complete, earlier_form, record.source)
        self._rows.add("artefacts", (*row, *ending))
        for attachment in record.attachments:
            self._mention(reading, attachment)
        self._next_id += 1

    def _mention(self, reading: Reading, attachment: Attachment) -> None:
        digests = {name: bytes.fromhex(value) for name, value in attachment.digests().items()}
        if not digests or self._matcher is None:
            return
        subject = Subject(
            entry_id=reading.entry_id, locator=reading.locator, path=reading.path, state=reading.state,
            content=reading.content,
        )  # fmt: skip
        for hit in self._matcher.exact(subject, digests):
            known = dict(zip(column_names("hits"), hit, strict=True))
            told = (known["algorithm"], known["value"], known["set_name"], known["set_version"], known["role"])
            name = clean(attachment.name or attachment.path)
            self._rows.add(
                "mentions", (self._next_id, reading.entry_id, reading.locator, name, *told, known["category"])
            )

    def text(self, reading: Reading, read_by: str, text: Text) -> None:
        """Write the text of a document."""
        self._rows.add("texts", (reading.entry_id, reading.locator, read_by, clean(text.text), text.complete))

    def recovered(self, reading: Reading, row: RecoveredRow, within: str) -> None:
        """Write one recovered row of a database."""
        values = dict(zip(row.columns, row.values, strict=False))
        stored = json.dumps({clean(name): _plain(value) for name, value in values.items()}, ensure_ascii=False)
        self._rows.add(
            "recovered_rows",
            (
                reading.entry_id, reading.locator, _placed(within, row.place), clean(row.table), row.certain,
                row.complete, list(row.missing), row.rowid, stored, str(row.source), row.live_twin,
            ),
        )  # fmt: skip


def _placed(within: str, place: str) -> str | None:
    return clean(f"{within}: {place}" if within else place)


def _artefact_row(number: int, reading: Reading, read_by: str, record: Artefact, within: str) -> tuple[Any, ...]:
    moments = [{"happened_at": moment.at, "meaning": moment.meaning} for moment in record.moments]
    meaning = record.meaning if record.at is not None else None
    return (
        number, reading.entry_id, reading.locator, _placed(within, record.place), read_by, str(record.kind),
        record.application, record.at, meaning, record.zone if record.at is not None or moments else None, moments,
        clean(record.account),
        None if record.direction is None else str(record.direction), clean(record.who), clean(record.who_name),
        [clean(whom) for whom in record.whom], [clean(name) for name in record.identifiers],
        clean(record.conversation), clean(record.conversation_title),
        clean(record.role), clean(record.identity), clean(record.reply_to), record.forwarded, clean(record.title),
        clean(record.text), clean(record.url), record.latitude, record.longitude, record.duration_s,
        [_attachment(attachment) for attachment in record.attachments], _details(record.details), record.recovered,
    )  # fmt: skip


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "name": clean(attachment.name),
        "path": clean(attachment.path),
        "size": attachment.size,
        "media_type": clean(attachment.media_type),
        "md5": attachment.md5,
        "sha1": attachment.sha1,
        "sha256": attachment.sha256,
    }


def _details(details: Mapping[str, str]) -> str:
    return json.dumps({name: clean(value) for name, value in details.items()}, ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    """Return a stored value as JSON can hold it."""
    if isinstance(value, bytes):
        return {"hex": value[:MOST_BLOB].hex(), "size": len(value)}
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value


def clean(text: str | None) -> str | None:
    """Return text that every reader of the tables can hold: what is no character stands as U+FFFD."""
    return None if text is None else _SURROGATES.sub("\ufffd", text)
