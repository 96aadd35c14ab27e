"""The tree of a PDF: its pictures as they stand in the file, then its embedded files.

An address is the byte at which the object that holds the stream starts. Pictures have no names of their own: they are
called by the number and generation of their object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kaval.containers.decoders import Codec
from kaval.containers.inflate import CheckpointedSource
from kaval.containers.pdf.encryption import Unlocked
from kaval.containers.pdf.scanning import MAXIMUM_OBJECTS, Found, object_at, objects
from kaval.containers.pdf.streams import Content, content_of, open_content
from kaval.containers.pdf.syntax import Reference, parse, text_of, times_of
from kaval.containers.remarks import limited
from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    LocatorError,
    LockedError,
    UnsupportedError,
)
from kaval.core.progress import advance
from kaval.core.records import NO_TIMES, ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, SliceSource

MAXIMUM_ENTRIES = 100_000
"""More pictures and files than this are not listed."""

_STRUCTURE = "the PDF document"
_LONGEST_OBJECT_STREAM = 16 << 20
_MOST_NAMES = 10_000
_MARKS = (b"Image", b"EmbeddedFile")
_EVERY = 1000


class PdfTree:
    """Pictures and embedded files of one document; ``unlocked`` decodes an encrypted one, where that can be done."""

    def __init__(
        self, source: ByteSource, facts: Mapping[str, str], *, is_encrypted: bool, unlocked: Unlocked | None
    ) -> None:
        self.facts = facts
        self._source = source
        self._is_encrypted = is_encrypted
        self._unlocked = unlocked

    def entries(self) -> Iterator[Entry | Notice]:
        return limited(self._records())

    def _records(self) -> Iterator[Entry | Notice]:
        files: list[tuple[Found, Content]] = []
        names: dict[Reference, str] = {}
        made = listed = locked = 0
        for count, found in enumerate(objects(self._source)):
            if count >= MAXIMUM_OBJECTS or listed + len(files) >= MAXIMUM_ENTRIES:
                message = f"looking stopped after {count} objects, {listed + len(files)} of them listed"
                yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, offset=found.offset, structure=_STRUCTURE)
                break
            if not count % _EVERY:
                advance()
            self._note_names(found, names)
            content = _content(found)
            if content is None:
                continue
            if content.kind == "file":
                files.append((found, content))
                continue
            listed += 1
            for record in self._described(found, content, ""):
                made += isinstance(record, Entry) and record.content is ContentState.ASSUMED
                locked += isinstance(record, Entry) and record.content is ContentState.ENCRYPTED
                yield record
        for found, content in files:
            for record in self._described(found, content, names.get(Reference(found.number, found.generation), "")):
                locked += isinstance(record, Entry) and record.content is ContentState.ENCRYPTED
                yield record
        yield from _closing(made, locked)

    def open_stream(self, address: str) -> ByteSource:
        if not (address.isascii() and address.isdecimal()) or len(address) > 15:
            raise LocatorError(address, "an address in a PDF is the byte at which an object starts")
        found = object_at(self._source, int(address))
        content = _content(found) if found is not None else None
        if found is None or content is None:
            raise LocatorError(address, "no picture or embedded file of the PDF starts there")
        return self._open(found, content)

    def unallocated(self) -> Iterator[Extent]:
        return iter(())

    def _open(self, found: Found, content: Content) -> ByteSource:
        title = f"the object {found.number} {found.generation}"
        if not self._is_encrypted:
            return open_content(self._source, found, content, title)
        if self._unlocked is None:
            raise LockedError(title, "the document is encrypted; its passphrase is needed")
        return self._unlocked.open_content(found, content, title)

    def _described(self, found: Found, content: Content, name: str) -> Iterator[Entry | Notice]:
        """Yield the entry of a stream, which is decoded once to know its size where it is packed."""
        address = str(found.offset)
        if self._is_encrypted and self._unlocked is None:
            yield _entry(found, content, name, found.data_size, ContentState.ENCRYPTED, None)
            return
        if not content.filters and not self._is_encrypted:
            extents = (Extent(offset=found.data_offset, length=found.data_size),) if found.data_size else ()
            yield _entry(found, content, name, found.data_size, ContentState.INTACT, extents)
            return
        try:
            stream = self._open(found, content)
        except KavalError as error:
            yield _entry(found, content, name, 0, ContentState.GONE, None)
            yield _notice_of(error, address)
            return
        state = ContentState.ASSUMED if content.kind == "pixels" else ContentState.INTACT
        failure = stream.failure if isinstance(stream, CheckpointedSource) else None
        if failure is not None:
            state = ContentState.PARTIAL
        yield _entry(found, content, name, stream.size, state, None)
        if failure is not None:
            yield _notice_of(failure, address)

    def _note_names(self, found: Found, names: dict[Reference, str]) -> None:
        """Note which object a file specification gives which name; some stand packed in object streams."""
        if len(names) >= _MOST_NAMES:
            return
        if not found.has_stream:
            if b"/EF" in found.body:
                _note_name(_parsed(found.body), names)
            return
        if b"ObjStm" not in found.body or self._is_encrypted:
            return
        dictionary = _parsed(found.body)
        if not isinstance(dictionary, dict) or dictionary.get("Filter") not in (None, "FlateDecode"):
            return
        for value in _packed_objects(self._source, found, dictionary):
            _note_name(value, names)


def _content(found: Found) -> Content | None:
    if not found.has_stream:
        return None
    body = found.body
    if not any(mark in body for mark in _MARKS) and b"#" not in body:
        return None
    return content_of(_parsed(body))


def _parsed(body: bytes) -> Any:
    try:
        return parse(body)[0]
    except CorruptStructureError:
        return None


def _note_name(value: Any, names: dict[Reference, str]) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("EF"), dict):
        return
    name = text_of(value.get("UF")) or text_of(value.get("F"))
    for target in value["EF"].values():
        if isinstance(target, Reference) and name:
            names[target] = name


def _packed_objects(source: ByteSource, found: Found, dictionary: dict[str, Any]) -> Iterator[Any]:
    """Yield the objects of an object stream that may be file specifications (ISO 32000-2, 7.5.7)."""
    text = _unpacked(source, found, packed=dictionary.get("Filter") is not None)
    first = dictionary.get("First")
    if b"/EF" not in text or not isinstance(first, int) or not 0 < first < len(text):
        return
    numbers = text[:first].split()[: 2 * _MOST_NAMES]
    offsets = [first + int(number) for number in numbers[1::2] if number.isdigit() and len(number) < 10]
    for start, end in zip(offsets, [*offsets[1:], len(text)], strict=True):
        if b"/EF" in text[start:end]:
            yield _parsed(text[start:end])


def _unpacked(source: ByteSource, found: Found, *, packed: bool) -> bytes:
    stream: ByteSource = SliceSource(source, found.data_offset, found.data_size)
    try:
        if packed:
            stream = CheckpointedSource(stream, Codec.ZLIB, title=_STRUCTURE)
            return stream.read_at(0, stream.reach(_LONGEST_OBJECT_STREAM)[0])
        return stream.read_at(0, _LONGEST_OBJECT_STREAM)
    except KavalError:
        return b""


def _entry(
    found: Found, content: Content, name: str, size: int, state: ContentState, extents: tuple[Extent, ...] | None
) -> Entry:
    extension = f".{content.extension}" if content.extension else ""
    shown = name.replace("\\", "/").strip("/") or f"object-{found.number}-{found.generation}{extension}"
    return Entry(
        address=str(found.offset),
        path=shown,
        kind=EntryKind.FILE,
        size=size,
        state=EntryState.ALLOCATED,
        content=state,
        times=times_of(content.dictionary.get("Params")) if content.kind == "file" else NO_TIMES,
        extents=extents,
        assumed_size=size if state is ContentState.ASSUMED else 0,
        path_raw=name.encode("utf-8", "replace") if name and name != shown else None,
    )


def _notice_of(error: KavalError, address: str) -> Notice:
    code = NoticeCode.DAMAGED
    for kind, found in ((UnsupportedError, NoticeCode.UNSUPPORTED), (LimitExceededError, NoticeCode.MEMORY_LIMIT)):
        code = found if isinstance(error, kind) else code
    return Notice(code=code, message=str(error), address=address, structure=_STRUCTURE)


def _closing(made: int, locked: int) -> Iterator[Notice]:
    if made:
        message = f"{made} pictures are given as PNG files made of their stored pixels; they never were such files"
        yield Notice(code=NoticeCode.ASSUMED, message=message, structure=_STRUCTURE)
    if locked:
        message = f"{locked} pictures and files are encrypted; the passphrase that opens the document is needed"
        yield Notice(code=NoticeCode.LOCKED, message=message, structure=_STRUCTURE)
