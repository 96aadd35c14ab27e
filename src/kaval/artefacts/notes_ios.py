"""Notes of iOS 9 and later, and of macOS: ``NoteStore.sqlite``, by public descriptions (iLEAPP, mac_apt).

The body is gzip of Protocol Buffers; its text is field 2.3.2. Notes locked with a password keep title and times, and
are told as locked. Times are seconds since 2001.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted, protobuf
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice, NoticeCode

APPLICATION = "notes"
_TEXT = (2, 3, 2)
_MOST_TEXT = 32 << 20
_CREATED = ("ZCREATIONDATE3", "ZCREATIONDATE1", "ZCREATIONDATE2", "ZCREATIONDATE")
_CHANGED = ("ZMODIFICATIONDATE1", "ZMODIFICATIONDATE2", "ZMODIFICATIONDATE")
_ACCOUNTS = ("ZACCOUNT7", "ZACCOUNT4", "ZACCOUNT3", "ZACCOUNT2", "ZACCOUNT1", "ZACCOUNT")


@ARTEFACTS.register
class IosNotes:
    """Reads notes with their text and files."""

    name: ClassVar[str] = "notes-ios"
    title: ClassVar[str] = "Notes (iOS, macOS)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"zicnotedata.znote", "zicnotedata.zdata", "ziccloudsyncingobject.z_pk"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        store = _Store(item.tables)
        for row in item.tables.rows("zicnotedata"):
            yield from store.note(row)


class _Store:
    """The store with what its rows refer to."""

    def __init__(self, tables: Tables) -> None:
        self._objects = tables.by("ziccloudsyncingobject", "Z_PK")
        self._files = tables.grouped("ziccloudsyncingobject", "ZNOTE")
        self._media = tables.by("ziccloudsyncingobject", "ZATTACHMENT1")

    def note(self, row: Row) -> Iterator[Artefact | Notice]:
        about = self._objects.get(row.get("ZNOTE"))
        locked = about is not None and bool(about.get("ZISPASSWORDPROTECTED"))
        text = None if locked else body_text(row.get("ZDATA"))
        if locked:
            yield Notice(
                code=NoticeCode.LOCKED,
                message=f"a note is locked with a password of its own ({row.place}); only its title and times are read",
                structure="note",
            )
        folder = self._objects.get(about.get("ZFOLDER")) if about else None
        account = (
            next((self._objects.get(about.get(column)) for column in _ACCOUNTS if about.get(column) is not None), None)
            if about
            else None
        )
        changed = _time(about, _CHANGED)
        yield Artefact(
            kind=ArtefactKind.NOTE,
            application=APPLICATION,
            at=_time(about, _CREATED),
            meaning="created",
            zone="utc",
            moments=(Moment(at=changed, meaning="changed"),) if changed is not None else (),
            account=text_of(account.get("ZNAME")) if account else None,
            title=(text_of(about.get("ZTITLE1")) or text_of(about.get("ZTITLE"))) if about else None,
            text=text or (text_of(about.get("ZSNIPPET")) if about else None),
            identity=(text_of(about.get("ZIDENTIFIER")) if about else None) or text_of(row.get("ZNOTE")),
            attachments=tuple(self._attachments(row.get("ZNOTE"))),
            details=told(
                {
                    "folder": folder.get("ZTITLE2") if folder else None,
                    "locked": "yes" if locked else None,
                    "password hint": about.get("ZPASSWORDHINT") if about else None,
                    "marked for deletion": (about.get("ZMARKEDFORDELETION") or None) if about else None,
                    "pinned": (about.get("ZISPINNED") or None) if about else None,
                }
            ),
            **found(row),
        )

    def _attachments(self, note: Any) -> Iterator[Attachment]:
        for row in self._files.get(note, ()):
            media = self._media.get(row.get("Z_PK")) or self._objects.get(row.get("ZMEDIA"))
            identifier = text_of(media.get("ZIDENTIFIER")) if media else None
            name = text_of(media.get("ZFILENAME")) if media else None
            yield Attachment(
                name=name or text_of(row.get("ZTITLE")),
                path=f"Media/{identifier}/{name}" if identifier and name else None,
                size=whole(row.get("ZFILESIZE")),
                media_type=text_of(row.get("ZTYPEUTI")),
            )


def _time(row: Row | None, columns: tuple[str, ...]) -> int | None:
    if row is None:
        return None
    return next((at for column in columns if (at := cocoa_seconds(row.get(column))) is not None), None)


def body_text(value: Any) -> str | None:
    """Return the text of a note's body, ``None`` where it is none or damaged before its text."""
    if not isinstance(value, bytes):
        return None
    try:
        body = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(value, _MOST_TEXT)
    except zlib.error:
        return None
    return protobuf.text(body, *_TEXT)
