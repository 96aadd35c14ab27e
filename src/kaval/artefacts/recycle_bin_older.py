"""Windows' recycle bin up to XP: ``INFO2``, by libyal's description; one record of 800 bytes (NT) or 280 (95) a file.

A record whose first byte of the path is zero is of a file that was put back or removed since.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment
from kaval.artefacts.recycle_bin import APPLICATION
from kaval.artefacts.times import filetime
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice

_MOST_BYTES = 64 << 20
_HEAD_SIZE, _WITH_UNICODE, _WITHOUT = 20, 800, 280


@ARTEFACTS.register
class RecycleBinOlder:
    """Reads the records of ``INFO2``."""

    name: ClassVar[str] = "recycle-bin-older"
    title: ClassVar[str] = "Recycle bin (Windows up to XP)"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(paths=(r"(^|/)info2$",))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = item.content(_MOST_BYTES)
        if len(content) < _HEAD_SIZE:
            raise CorruptStructureError("INFO2", f"it has {len(content)} bytes, its head alone has {_HEAD_SIZE}", 0)
        (size,) = struct.unpack_from("<I", content, 12)
        if size not in (_WITH_UNICODE, _WITHOUT):
            raise CorruptStructureError(
                "INFO2", f"its records have {size} bytes; {_WITHOUT} and {_WITH_UNICODE} are known", 12
            )
        for offset in range(_HEAD_SIZE, len(content) - size + 1, size):
            yield _record(content[offset : offset + size], offset)


def _record(record: bytes, offset: int) -> Artefact:
    number, drive, deleted, size = struct.unpack_from("<IIQI", record, 260)
    path = record[280:800].decode("utf-16-le", "replace").partition("\0")[0]
    if not path:
        path = record[1:260].partition(b"\0")[0].decode("cp1252", "replace")
    name = path.rpartition("\\")[2] or None
    return Artefact(
        kind=ArtefactKind.DISCARDED,
        application=APPLICATION,
        place=f"byte {offset}",
        at=filetime(deleted),
        meaning="discarded",
        zone="utc",
        title=name,
        attachments=(Attachment(name=name, path=path or None, size=size),),
        details=told(
            {
                "number": number,
                "drive": chr(ord("A") + drive) if drive < 26 else drive,
                "put back or removed": "yes" if record[0] == 0 else None,
            }
        ),
    )
