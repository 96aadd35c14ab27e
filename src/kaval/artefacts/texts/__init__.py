"""Texts: the words of documents, for searching; layout, pictures and styles are set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from kaval.artefacts.items import Item
from kaval.core.contracts import Capability
from kaval.core.registry import Registry

MOST_CHARACTERS = 1 << 18
"""Characters of one document that are kept; what goes on beyond them is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """The text of a document; not ``complete`` where the document goes on."""

    text: str
    complete: bool


class TextReader(Capability, Protocol):
    """Reads the text of documents of some media types."""

    media_types: ClassVar[frozenset[str]]

    def read(self, item: Item) -> Text:
        """Return the text of a document.

        Raises the engine's errors for a document that is locked or damaged.
        """
        ...


TEXTS: Registry[TextReader] = Registry("kaval.artefacts.texts")


def cut(text: str, *, complete: bool = True) -> Text:
    """Return a text as far as it is kept."""
    return Text(text=text[:MOST_CHARACTERS], complete=complete and len(text) <= MOST_CHARACTERS)
