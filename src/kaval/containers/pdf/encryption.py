"""Encrypted PDFs: whether one is, and those that the empty passphrase opens (restricted, not secret), through pypdf."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Iterator
from typing import Any

from kaval.containers.pdf.scanning import Found, object_at
from kaval.containers.pdf.streams import MOST_IN_MEMORY, Content, as_png
from kaval.containers.pdf.syntax import parse
from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    UnavailableError,
    UnsupportedError,
)
from kaval.core.sources import ByteSource, BytesSource, SourceFile

_START = re.compile(rb"startxref[\0\t\n\f\r ]+([0-9]{1,15})")
_TRAILER = re.compile(rb"trailer[\0\t\n\f\r ]*(?=<<)")
_EDGE = 1 << 16
_MOST_TABLES = 64
_FOREIGN_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def is_encrypted(source: ByteSource) -> bool:
    """Say whether a trailer of the document names an encryption dictionary (ISO 32000-2, 7.6)."""
    return any("Encrypt" in trailer for trailer in _trailers(source))


def _trailers(source: ByteSource) -> Iterator[dict[str, Any]]:
    """Yield the trailers: those the cross-reference tables lead to, and those at the edges of the file."""
    head = source.read_at(0, _EDGE)
    tail = source.read_at(max(0, source.size - _EDGE), _EDGE)
    base = max(0, head[:1024].find(b"%PDF-"))
    starts = [int(found[1]) for found in _START.finditer(tail)][-1:]
    seen: set[int] = set()
    while starts and len(seen) < _MOST_TABLES:
        offset = starts.pop()
        trailer = _trailer_at(source, base + offset) if offset not in seen else None
        seen.add(offset)
        if trailer is not None:
            yield trailer
            starts.extend(value for key in ("Prev", "XRefStm") if isinstance(value := trailer.get(key), int))
    for text in (head, tail):
        for found in _TRAILER.finditer(text):
            yield _dictionary(text[found.end() : found.end() + 4096])


def _trailer_at(source: ByteSource, offset: int) -> dict[str, Any] | None:
    if not 0 <= offset < source.size:
        return None
    table = source.read_at(offset, 1 << 20)
    if table.lstrip()[:4] == b"xref":
        found = _TRAILER.search(table)
        return _dictionary(table[found.end() : found.end() + 4096]) if found else None
    holder = object_at(source, offset)
    return _dictionary(holder.body) if holder is not None else None


def _dictionary(text: bytes) -> dict[str, Any]:
    try:
        value, _ = parse(text)
    except CorruptStructureError:
        return {}
    return value if isinstance(value, dict) else {}


class Unlocked:
    """Decodes the streams of a document that opens with the empty passphrase, each in memory."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def open_content(self, found: Found, content: Content, title: str) -> ByteSource:
        """Return the bytes of a stream, decrypted and behind its filters.

        Raises:
            UnsupportedError: A later revision replaced the object, or it is packed in a way that is not read.
            LimitExceededError: It has too many bytes.
        """
        if found.data_size > MOST_IN_MEMORY:
            raise LimitExceededError("memory", MOST_IN_MEMORY, f"{title} has {found.data_size} bytes")
        try:
            place = self._reader.xref.get(found.generation, {}).get(found.number)
            if place != found.offset:
                raise UnsupportedError(title, "a later revision replaced it, and it is encrypted; look at it by hand")
            reference = importlib.import_module("pypdf.generic").IndirectObject(
                found.number, found.generation, self._reader
            )
            decoded = bytes(self._reader.get_object(reference).get_data())
        except (_pypdf_error(), *_FOREIGN_ERRORS) as error:
            if isinstance(error, KavalError):
                raise
            raise CorruptStructureError(title, f"{type(error).__name__}: {error}", found.offset) from error
        if content.kind == "pixels":
            plain = {key: value for key, value in content.dictionary.items() if key != "DecodeParms"}
            return BytesSource(as_png(decoded, plain, title))
        return BytesSource(decoded)


def unlock(source: ByteSource) -> Unlocked | None:
    """Return what decodes an encrypted document with the empty passphrase, ``None`` where that does not open it.

    Raises:
        UnavailableError: pypdf is not installed.
        CorruptStructureError: The document contradicts itself.
    """
    try:
        pypdf = importlib.import_module("pypdf")
    except ImportError as error:
        raise UnavailableError("decryption of PDF", "pypdf is not installed") from error
    _keep_quiet()
    try:
        reader = pypdf.PdfReader(SourceFile(source), strict=False)
        opened = reader.decrypt("")
    except (_pypdf_error(), *_FOREIGN_ERRORS) as error:
        if isinstance(error, KavalError):
            raise
        raise CorruptStructureError("the PDF document", f"{type(error).__name__}: {error}") from error
    return Unlocked(reader) if opened else None


def _keep_quiet() -> None:
    """Keep pypdf's messages, which quote the document, out of every log."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


def _pypdf_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("pypdf.errors").PyPdfError
    return error
