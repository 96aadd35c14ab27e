"""The text of HTML pages: what a reader sees, without scripts and styles."""

from __future__ import annotations

import html
import re
from typing import ClassVar

from kaval.artefacts.items import Item
from kaval.artefacts.texts import TEXTS, Text, cut
from kaval.artefacts.texts.plain import head_text

_UNSEEN = re.compile(r"<(script|style|noscript|template)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAK = re.compile(r"<(?:br|p|div|li|tr|h[1-6]|/p|/div|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLANK = re.compile(r"[ \t\r\f\v]+")
_LINES = re.compile(r"\n\s*\n+")


def plain_of_html(markup: str) -> str:
    """Return the text of a page, its paragraphs on lines of their own."""
    text = _COMMENT.sub(" ", _UNSEEN.sub(" ", markup))
    text = _TAG.sub(" ", _BREAK.sub("\n", text))
    return _LINES.sub("\n", _BLANK.sub(" ", html.unescape(text))).strip()


@TEXTS.register
class HypertextText:
    """Takes the text out of HTML."""

    name: ClassVar[str] = "html"
    title: ClassVar[str] = "Text of HTML pages"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    media_types: ClassVar[frozenset[str]] = frozenset({"text/html"})

    def read(self, item: Item) -> Text:
        markup, complete = head_text(item)
        return cut(plain_of_html(markup), complete=complete)
