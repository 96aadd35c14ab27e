"""Windows' recycle bin: ``$I`` files of Vista and later, and ``INFO2`` of versions before.

By the descriptions of libyal (Windows Recycle.Bin file formats). A ``$I`` file holds version, size, time of deletion
and path; the content lies beside it as ``$R`` with the same ending. Times are FILETIME, UTC.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment
from kaval.artefacts.times import filetime
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode

APPLICATION = "recycle-bin"
_MOST_BYTES = 64 << 10
_HEAD = struct.Struct("<QQQ")
_PATH_SIZE = 520
_OWNER = re.compile(r"(?:^|/)(s-1-[\d-]+)/", re.IGNORECASE)


@ARTEFACTS.register
class RecycleBin:
    """Reads where a discarded file lay, how large it was and when it was discarded."""

    name: ClassVar[str] = "recycle-bin"
    title: ClassVar[str] = "Recycle bin (Windows Vista and later)"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(paths=(r"(^|/)\$i[0-9a-z]{6}(\.[^/]*)?$",))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = item.content(_MOST_BYTES)
        if len(content) < _HEAD.size:
            raise CorruptStructureError("$I file", f"it has {len(content)} bytes, its head alone has {_HEAD.size}", 0)
        version, size, deleted = _HEAD.unpack_from(content)
        if version not in (1, 2):
            raise CorruptStructureError("$I file", f"its version is {version}; 1 and 2 are known", 0)
        path = _path(content, version)
        if path is None:
            yield Notice(
                code=NoticeCode.TRUNCATED, message="the $I file ends inside the path it names", offset=_HEAD.size
            )
        owner = _OWNER.search(item.path)
        yield Artefact(
            kind=ArtefactKind.DISCARDED,
            application=APPLICATION,
            place="byte 0",
            at=filetime(deleted),
            meaning="discarded",
            zone="utc",
            account=owner.group(1).upper() if owner else None,
            title=path.rpartition("\\")[2] if path else None,
            attachments=(Attachment(name=path.rpartition("\\")[2] if path else None, path=path, size=size),),
            details=told({"content lies in": f"{item.folder}/$R{item.name[2:]}".lstrip("/"), "version": version}),
        )


def _path(content: bytes, version: int) -> str | None:
    """Return the path a ``$I`` file names, ``None`` where it is cut."""
    if version == 1:
        stored = content[_HEAD.size : _HEAD.size + _PATH_SIZE]
    else:
        (characters,) = struct.unpack_from("<I", content.ljust(_HEAD.size + 4, b"\0"), _HEAD.size)
        stored = content[_HEAD.size + 4 : _HEAD.size + 4 + 2 * characters]
        if len(stored) < 2 * characters:
            return None
    return stored[: len(stored) & ~1].decode("utf-16-le", "replace").partition("\0")[0] or None
