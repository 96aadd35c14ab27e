"""Folding: the form of a text in which words are compared, so that a search finds what a person means by typing it.

NFC and full case folding of Unicode; nothing is stemmed and nothing is transliterated. Joiners without a sign of their
own are left out, and a Malayalam chillu that was typed as consonant, virama and joiner (before Unicode 5.1) is the same
as the letter encoded since.
"""

from __future__ import annotations

import re
import unicodedata

_CHILLUS = {
    "\u0d23\u0d4d\u200d": "\u0d7a",
    "\u0d28\u0d4d\u200d": "\u0d7b",
    "\u0d30\u0d4d\u200d": "\u0d7c",
    "\u0d32\u0d4d\u200d": "\u0d7d",
    "\u0d33\u0d4d\u200d": "\u0d7e",
    "\u0d15\u0d4d\u200d": "\u0d7f",
}
"""Consonant, virama, joiner, and the chillu it stands for (The Unicode Standard, 12.9)."""

_CHILLU = re.compile("|".join(_CHILLUS))
_UNSEEN = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_BLANK = re.compile(r"\s+")


def fold(text: str) -> str:
    """Return a text in the form in which texts are compared."""
    if text.isascii():
        return _BLANK.sub(" ", text.lower())
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    folded = _CHILLU.sub(lambda match: _CHILLUS[match.group()], folded)
    return _BLANK.sub(" ", _UNSEEN.sub("", folded))
