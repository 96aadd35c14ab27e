"""Plain text, mail and JSON as they are, in UTF-8, UTF-16 or, where a text is neither, Windows-1252."""

from __future__ import annotations

from typing import ClassVar

from kaval.artefacts.items import Item
from kaval.artefacts.texts import MOST_CHARACTERS, TEXTS, Text, cut

_MOST_BYTES = 4 * MOST_CHARACTERS


def head_text(item: Item) -> tuple[str, bool]:
    """Return the text of the first bytes of a stream, and whether that is all of it."""
    head = item.source.read_at(0, _MOST_BYTES)
    return decode(head, whole=len(head) == item.source.size), len(head) == item.source.size


def decode(content: bytes, *, whole: bool) -> str:
    """Return bytes as text; of content that was cut, a last character that is not whole is left out."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content[: len(content) & ~1].decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not whole and error.start >= len(content) - 4:
            return content[: error.start].decode("utf-8-sig")
    return content.decode("cp1252", "replace")


@TEXTS.register
class PlainText:
    """Takes a text as it stands."""

    name: ClassVar[str] = "plain"
    title: ClassVar[str] = "Plain text, JSON, CSV, mail"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    media_types: ClassVar[frozenset[str]] = frozenset({"text/plain", "application/json", "message/rfc822"})

    def read(self, item: Item) -> Text:
        text, complete = head_text(item)
        return cut(text, complete=complete)
