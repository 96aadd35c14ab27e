"""The text of RTF documents (Rich Text Format 1.9.1): letters and paragraphs; destinations are left out."""

from __future__ import annotations

import codecs
import re
from typing import ClassVar

from kaval.artefacts.items import Item
from kaval.artefacts.texts import MOST_CHARACTERS, TEXTS, Text, cut

_MOST_BYTES = 8 * MOST_CHARACTERS
_TOKEN = re.compile(r"\\([a-z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(\*|[^a-z])|([{}])|([^\\{}]+)", re.DOTALL)
_LEFT_OUT = frozenset(
    {
        "fonttbl", "colortbl", "stylesheet", "listtable", "listoverridetable", "info", "pict", "object", "themedata",
        "colorschememapping", "datastore", "latentstyles", "rsidtbl", "generator", "xmlnstbl", "mmathPr", "filetbl",
    }
)  # fmt: skip
_BREAKS = {"par": "\n", "line": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": "\t", "row": "\n"}


@TEXTS.register
class RichText:
    """Takes the text out of RTF."""

    name: ClassVar[str] = "rtf"
    title: ClassVar[str] = "Text of RTF documents"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ()
    media_types: ClassVar[frozenset[str]] = frozenset({"application/rtf"})

    def read(self, item: Item) -> Text:
        head = item.source.read_at(0, _MOST_BYTES)
        return cut(plain_of_rtf(head.decode("latin-1")), complete=len(head) == item.source.size)


def plain_of_rtf(markup: str) -> str:
    """Return the text of a document; bytes written in hexadecimal are of the code page it names."""
    parts: list[str] = []
    hidden: list[bool] = [False]
    skipped, width, page = 0, 1, "cp1252"
    for match in _TOKEN.finditer(markup):
        word, number, byte, sign, brace, text = match.groups()
        if brace == "{":
            hidden.append(hidden[-1])
        elif brace == "}":
            if len(hidden) > 1:
                hidden.pop()
        elif word == "ansicpg" and number:
            page = _known(f"cp{number}")
        elif word == "uc" and number:
            width = int(number)
        elif word in _LEFT_OUT or sign == "*":
            hidden[-1] = True
        elif hidden[-1]:
            continue
        elif word == "u" and number:
            parts.append(chr(int(number) & 0xFFFF))
            skipped = width
        elif word:
            parts.append(_BREAKS.get(word, ""))
        elif byte:
            if skipped:
                skipped -= 1
            else:
                parts.append(bytes.fromhex(byte).decode(page, "replace"))
        elif sign:
            parts.append({"~": " ", "_": "-"}.get(sign, sign if sign in "\\{}" else ""))
        elif text:
            plain = text.replace("\r", "").replace("\n", "")
            parts.append(plain[skipped:])
            skipped = max(0, skipped - len(plain))
    joined = "".join(parts)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _known(page: str) -> str:
    try:
        return codecs.lookup(page).name
    except LookupError:
        return "cp1252"
