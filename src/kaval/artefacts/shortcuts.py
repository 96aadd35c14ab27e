"""Windows shortcuts (``.lnk``), by [MS-SHLLINK] 7.0: what they point at, on which volume, of which machine.

Not read: the item identifier list beyond its size, property stores, icons. Times are those of the target, UTC.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Moment
from kaval.artefacts.times import filetime
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode

_MOST_BYTES = 1 << 20
_CLASS = uuid.UUID("00021401-0000-0000-c000-000000000046").bytes_le
_HEAD_SIZE = 76
_HAS_ID_LIST, _HAS_LINK_INFO, _HAS_NAME, _HAS_RELATIVE, _HAS_WORKING, _HAS_ARGUMENTS, _HAS_ICON, _IS_UNICODE = (
    1 << bit for bit in range(8)
)
_STRINGS = (
    (_HAS_NAME, "description"),
    (_HAS_RELATIVE, "relative path"),
    (_HAS_WORKING, "working folder"),
    (_HAS_ARGUMENTS, "arguments"),
    (_HAS_ICON, "icon"),
)
_DRIVES = ("unknown", "no root", "removable", "fixed", "remote", "optical", "memory")
_VOLUME_AND_PATH, _NETWORK = 1, 2
_TRACKER = 0xA0000003
_FILETIMES = ((28, "target created"), (36, "target accessed"), (44, "target modified"))


@ARTEFACTS.register
class Shortcuts:
    """Reads shortcuts, those Windows made itself of documents opened lately among them."""

    name: ClassVar[str] = "shortcuts"
    title: ClassVar[str] = "Windows shortcuts"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(media_types=frozenset({"application/x-ms-shortcut"}))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = item.content(_MOST_BYTES)
        if len(content) < _HEAD_SIZE or content[4:20] != _CLASS:
            raise CorruptStructureError("shortcut", "its head is not that of a shortcut", 0)
        reading = _Shortcut(content)
        try:
            reading.read()
        except struct.error:
            yield Notice(
                code=NoticeCode.TRUNCATED,
                message="the shortcut ends inside a structure; what stands before it was read",
                offset=reading.place,
                structure="shortcut",
            )
        yield reading.artefact()


class _Shortcut:
    """One shortcut, read front to back; ``place`` is where reading stands."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._flags, self._attributes = struct.unpack_from("<II", content, 20)
        (self._size,) = struct.unpack_from("<I", content, 52)
        self.place = _HEAD_SIZE
        self._path: str | None = None
        self._details: dict[str, str | int | None] = {}

    def read(self) -> None:
        if self._flags & _HAS_ID_LIST:
            self.place += 2 + self._number("<H", self.place)
        if self._flags & _HAS_LINK_INFO:
            size = self._number("<I", self.place)
            self._link_info(self._content[self.place : self.place + size])
            self.place += max(size, 4)
        for flag, name in _STRINGS:
            if self._flags & flag:
                self._details[name] = self._string()
        self._extra()

    def _number(self, form: str, place: int) -> int:
        return int(struct.unpack_from(form, self._content, place)[0])

    def _string(self) -> str:
        """Return a counted string (2.4) and go past it."""
        count = self._number("<H", self.place)
        width = 2 if self._flags & _IS_UNICODE else 1
        stored = self._content[self.place + 2 : self.place + 2 + count * width]
        self.place += 2 + count * width
        if len(stored) < count * width:
            raise struct.error("the string is cut")
        return stored.decode("utf-16-le" if width == 2 else "cp1252", "replace")

    def _link_info(self, info: bytes) -> None:
        """Read where the target lies (2.3)."""
        _, head, flags, volume, base, network, suffix = struct.unpack_from("<7I", info)
        base_unicode, suffix_unicode = struct.unpack_from("<2I", info, 28) if head >= 36 else (0, 0)
        end = _text_at(info, suffix_unicode, wide=True) if suffix_unicode else _text_at(info, suffix)
        if flags & _VOLUME_AND_PATH:
            self._volume(info, volume)
            start = _text_at(info, base_unicode, wide=True) if base_unicode else _text_at(info, base)
            self._path = (start or "") + (end or "") or None
        if flags & _NETWORK and 0 < network < len(info):
            share = _text_at(info, network + struct.unpack_from("<I", info, network + 8)[0])
            self._details["share"] = share
            self._path = self._path or "\\".join(filter(None, (share, end))) or None

    def _volume(self, info: bytes, place: int) -> None:
        """Read the volume the target lay on (2.3.1)."""
        _, kind, serial, label = struct.unpack_from("<4I", info, place)
        self._details["drive"] = _DRIVES[kind] if kind < len(_DRIVES) else str(kind)
        self._details["volume serial"] = f"{serial >> 16:04X}-{serial & 0xFFFF:04X}"
        wide = label == 0x14
        if wide:
            (label,) = struct.unpack_from("<I", info, place + 16)
        self._details["volume label"] = _text_at(info, place + label, wide=wide)

    def _extra(self) -> None:
        """Read the blocks at the end (2.5), of which the tracker names machine and identifiers (2.5.10)."""
        while self.place + 8 <= len(self._content):
            size, signature = struct.unpack_from("<II", self._content, self.place)
            if size < 8:
                return
            block = self._content[self.place : self.place + size]
            if signature == _TRACKER and len(block) >= 96:
                self._details["machine"] = block[16:32].partition(b"\0")[0].decode("ascii", "replace")
                birth = uuid.UUID(bytes_le=block[80:96])
                self._details["file identifier"] = str(birth)
                if birth.version == 1:
                    self._details["network address"] = ":".join(f"{byte:02x}" for byte in birth.bytes[10:])
            self.place += size

    def artefact(self) -> Artefact:
        times = [(filetime(self._number("<Q", offset)), meaning) for offset, meaning in _FILETIMES]
        stored = [Moment(at=at, meaning=meaning) for at, meaning in times if at is not None]
        path = self._path or (str(self._details["relative path"]) if self._details.get("relative path") else None)
        name = path.replace("/", "\\").rpartition("\\")[2] if path else None
        return Artefact(
            kind=ArtefactKind.SHORTCUT,
            application="windows",
            place="byte 0",
            at=stored[-1].at if stored else None,
            meaning=stored[-1].meaning if stored else "",
            zone="utc",
            moments=tuple(stored[:-1]),
            title=name,
            attachments=(Attachment(name=name, path=path, size=self._size or None),) if path else (),
            identity=str(self._details.get("file identifier") or "") or None,
            details=told(self._details),
        )


def _text_at(block: bytes, place: int, *, wide: bool = False) -> str | None:
    """Return the text that ends with a zero at a place of a block."""
    if not 0 < place < len(block):
        return None
    if wide:
        text = block[place:].decode("utf-16-le", "replace")
    else:
        text = block[place:].partition(b"\0")[0].decode("cp1252", "replace")
    return text.partition("\0")[0] or None
