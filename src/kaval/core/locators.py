"""Locators: the chain from the exhibit down to the bytes, as one line of text.

Grammar::

    locator := exhibit *( "/" step )
    step    := layer [ ":" address ]

``layer`` is the name of the capability that reads it (``raw``, ``gpt``, ``ntfs``, ``zip``), ``address`` is what
that capability calls the part. In exhibit and address every character but letters, marks, digits and
``-._~@+,=`` is percent-encoded as UTF-8, so a locator holds no blank, no quote and no shell character.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from kaval.core.errors import LocatorError

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@+,=")


def _encode_character(character: str) -> str:
    if character in _PLAIN or (ord(character) > 127 and unicodedata.category(character)[0] in "LMN"):
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def encode_part(text: str) -> str:
    """Return an exhibit number or an address as it stands in a locator."""
    if _PLAIN.issuperset(text):
        return text
    return "".join(map(_encode_character, text))


def decode_part(text: str) -> str:
    """Return what ``encode_part`` was given."""
    return unquote(text, errors="surrogateescape") if "%" in text else text


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of a locator and the part of it that is meant."""

    layer: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.layer}:{encode_part(self.address)}" if self.address else self.layer


@dataclass(frozen=True, slots=True)
class Locator:
    """Where something is: the exhibit and the steps that lead to the bytes."""

    exhibit: str
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return "/".join([encode_part(self.exhibit), *map(str, self.steps)])

    def to(self, layer: str, address: str = "") -> Locator:
        """Return the locator one step further down."""
        return Locator(self.exhibit, (*self.steps, Step(layer, address)))

    @property
    def parent(self) -> Locator:
        """The locator without its last step; an exhibit is its own parent."""
        return Locator(self.exhibit, self.steps[:-1])

    @classmethod
    def parse(cls, text: str) -> Locator:
        """Return the locator that a text stands for.

        Raises:
            LocatorError: The text does not follow the grammar.
        """
        exhibit, *parts = text.split("/")
        if not exhibit:
            raise LocatorError(text, "it names no exhibit")
        steps = []
        for part in parts:
            layer, _, address = part.partition(":")
            if not layer or not layer.replace("-", "").replace("_", "").isalnum():
                raise LocatorError(text, f"the step {part!r} names no layer")
            steps.append(Step(layer, decode_part(address)))
        return cls(decode_part(exhibit), tuple(steps))
