"""Stored text made safe to look at: nothing invisible acts, nothing endless fills a page.

Names on a device are written by whoever used it. A character that would turn the direction of the line, hide
itself or pass for another is printed as its number, such as ⟨U+202E⟩; the letters of every script stay.
"""

from __future__ import annotations

import unicodedata

from markupsafe import Markup, escape

LONGEST = 700
"""Characters of one stored text that are printed; the folder keeps the whole of it."""

_MARKS_ON_ONE_LETTER = 6
_JOINERS = frozenset("\u200c\u200d")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")


def _joins_letters(before: str, character: str) -> bool:
    """Whether a joiner stands where Indic and Arabic spelling needs it: behind a letter or sign of such a script."""
    return character in _JOINERS and bool(before) and 0x0600 <= ord(before) <= 0x0DFF


def visible(text: str) -> str:
    """Return text in which every character that acts unseen is replaced by its number."""
    if text.isascii() and text.isprintable():
        return text
    shown = []
    before, marks = "", 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = category in _HIDDEN or character in _FILLERS or (category == "Zs" and character != " ")
        if (hidden and not _joins_letters(before, character)) or marks > _MARKS_ON_ONE_LETTER:
            shown.append(f"⟨U+{ord(character):04X}⟩")
        else:
            shown.append(character)
        before = character
    return "".join(shown)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return visible text, cut in the middle where it is longer than a page should carry, and saying so."""
    if len(text) <= longest:
        return visible(text)
    half = longest // 2
    left_out = len(text) - 2 * half
    return f"{visible(text[:half])} […{left_out:,} characters left out here…] {visible(text[-half:])}"


def breakable(text: str | None) -> Markup:
    """Return stored text as markup that may be broken behind its separators."""
    if not text:
        return Markup("")
    marked = str(escape(shortened(text)))
    for separator in ("/", "\\", ":", "_"):
        marked = marked.replace(separator, f"{separator}<wbr>")
    return Markup(f"<bdi>{marked}</bdi>")  # noqa: S704


def lines(text: str) -> Markup:
    """Return text of several lines as markup that keeps them; in each line, what acts unseen is made visible."""
    return Markup("\n").join(visible(line) for line in text.split("\n"))
