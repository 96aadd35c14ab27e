"""The text of PDF documents, through pypdf, page by page as far as a document is of usual size.

Scanned pages have no text; letters whose font names no characters come out wrong. Both are the format's.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any, ClassVar

from kaval.artefacts.items import Item
from kaval.artefacts.texts import MOST_CHARACTERS, TEXTS, Text, cut
from kaval.core.errors import CorruptStructureError, KavalError, LimitExceededError, LockedError
from kaval.core.progress import advance
from kaval.core.sources import SourceFile

_MOST_BYTES = 32 << 20
_MOST_PAGES = 500
_MOST_CONTENT = 4 << 20
"""Bytes of drawing commands that are read of one document: beyond them text is seldom, and time is not."""

_FOREIGN = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, RecursionError, TypeError,
    ValueError, OSError,
)  # fmt: skip


@TEXTS.register
class PdfText:
    """Takes the text of each page."""

    name: ClassVar[str] = "pdf"
    title: ClassVar[str] = "Text of PDF documents"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ("pypdf",)
    media_types: ClassVar[frozenset[str]] = frozenset({"application/pdf"})

    def read(self, item: Item) -> Text:
        if item.source.size > _MOST_BYTES:
            raise LimitExceededError("size count", _MOST_BYTES, f"{item.source.size} bytes; its text was not read")
        pypdf = importlib.import_module("pypdf")
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            reader = pypdf.PdfReader(SourceFile(item.source), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise LockedError("PDF document", "its text needs the document's password")
            return _pages(reader)
        except (pypdf.errors.PyPdfError, *_FOREIGN) as error:
            if isinstance(error, KavalError):
                raise
            raise CorruptStructureError("PDF document", f"{type(error).__name__}: {error}") from error


def _pages(reader: Any) -> Text:
    parts: list[str] = []
    size, left = 0, _MOST_CONTENT
    for number in range(min(len(reader.pages), _MOST_PAGES)):
        advance()
        page = reader.pages[number]
        contents = page.get_contents()
        left -= len(contents.get_data()) if contents is not None else 0
        if left < 0:
            return cut("\n".join(parts), complete=False)
        parts.append(page.extract_text())
        size += len(parts[-1])
        if size > MOST_CHARACTERS:
            break
    return cut("\n".join(parts), complete=len(reader.pages) <= _MOST_PAGES)
