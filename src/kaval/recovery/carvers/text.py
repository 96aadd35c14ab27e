"""Text without any signature: HTML, XML, JSON, CSV and plain notes, by their characters.

A file of text starts at the start of a cluster and is followed by the zeros that fill its last sector. So a run of
UTF-8 text that begins where a sector begins, after something that is no text, and ends at a zero byte, is a file. One
that ends exactly with its last sector, or is followed by anything else than zeros, is not believed.
"""

from __future__ import annotations

import re
from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, complete
from kaval.recovery.carvers.reading import Steps

MAXIMUM_SIZE = 16 << 20
LEAST_SIZE = 24
SECTOR_SIZE = 512
BLOCK_SIZE = 1 << 18
_TEXT = bytes((*b"\t\n\f\r\x1b", *range(0x20, 0x7F), *range(0x80, 0xF8)))
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{"\d\-])')
_WORDS = re.compile(rb"[A-Za-z\x80-\xff][A-Za-z\x80-\xff'\-]*(?:[\s,.;:!?]|$)")


def _patterns() -> tuple[Pattern, ...]:
    """Return two-byte starts that text may have: letters, digits, quotes, brackets and Indic scripts in UTF-8."""
    firsts = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789<{[(\"'#-*@/\xe0\xef"
    seconds = bytes(range(0x20, 0x7F)) + b"\r\n\t"
    return tuple(
        Pattern(bytes((first, second)), only=_TEXT)
        for first in firsts
        for second in ((0xA4, 0xA5, 0xAE, 0xB4, 0xB5, 0xBB) if first >= 0x80 else seconds)
    )


@CARVERS.register
class Text:
    """Texts in UTF-8 or ASCII."""

    name: ClassVar[str] = "carve-text"
    title: ClassVar[str] = "Texts, HTML, JSON, XML and CSV by their characters"
    rank: ClassVar[int] = 90
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = _patterns()

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view, 512)
        if _NO_TEXT.search(steps.take(0, LEAST_SIZE)):
            return None
        size = _size(steps)
        if size is None:
            return None
        text = view.read_at(0, size)
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            return None
        kind = _kind(text)
        return None if kind is None else complete(size, *kind)


def _size(steps: Steps) -> int | None:
    """Return how long a text is that zeros follow to the end of its sector, ``None`` where it is not so."""
    offset = 0
    while offset < min(steps.size, MAXIMUM_SIZE):
        block = steps.view.read_at(offset, SECTOR_SIZE if offset < BLOCK_SIZE else BLOCK_SIZE)
        found = _NO_TEXT.search(block)
        if found is None:
            offset += len(block)
            continue
        size = offset + found.start()
        end = -(-size // SECTOR_SIZE) * SECTOR_SIZE
        rest = steps.view.read_at(size, end - size)
        return size if size >= LEAST_SIZE and rest and not rest.strip(b"\0") else None
    return None


def _kind(text: bytes) -> tuple[str, str] | None:
    """Return media type and extension of a text, ``None`` where it does not read as one."""
    start = text[:4096]
    if _HTML.match(start):
        return "text/html", "html"
    if start.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml"):
        return "application/xml", "xml"
    if _JSON.match(start) and text.rstrip()[-1:] in (b"}", b"]"):
        return "application/json", "json"
    words = sum(len(word) for word in _WORDS.findall(start))
    if words * 3 < len(start):
        return None
    lines = start.split(b"\n")[:-1] if len(text) > len(start) else start.rstrip(b"\n").split(b"\n")
    commas = {line.count(b",") for line in lines[:20]}
    if len(lines) > 2 and 0 not in commas and all(line.split(b",", 1)[0].strip(b'"').isdigit() for line in lines[1:20]):
        return "text/csv", "csv"
    return "text/plain", "txt"
