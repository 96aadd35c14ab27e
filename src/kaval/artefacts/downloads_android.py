"""Downloads of Android's download manager: ``downloads.db``, by the ``DownloadManager`` class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice


@ARTEFACTS.register
class AndroidDownloads:
    """Reads what applications had the system download, with the file it became."""

    name: ClassVar[str] = "downloads-android"
    title: ClassVar[str] = "Downloads (Android)"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"downloads.uri", "downloads._data", "downloads.notificationpackage"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("downloads"):
            path = text_of(row.get("_data"))
            yield Artefact(
                kind=ArtefactKind.DOWNLOAD,
                application="android-downloads",
                at=unix_milliseconds(row.get("lastmod")),
                meaning="changed",
                zone="utc",
                url=text_of(row.get("uri")),
                title=text_of(row.get("title")),
                text=text_of(row.get("description")),
                identity=text_of(row.get("_id")),
                attachments=(
                    Attachment(
                        name=text_of(row.get("title")) or text_of(row.get("hint")),
                        path=path,
                        size=whole(row.get("total_bytes")),
                        media_type=text_of(row.get("mimetype")),
                    ),
                ),
                details=told(
                    {
                        "asked for by": row.get("notificationpackage"),
                        "referrer": row.get("referer"),
                        "status": row.get("status"),
                        "deleted": row.get("deleted") or None,
                    }
                ),
                **found(row),
            )
