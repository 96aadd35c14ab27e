"""Statements: what a set says of one entry, in the same words whatever its format.

What the sender wrote stays as it was sent; a statement is read from it when somebody asks. Yes, no and *not said*
are three answers; none becomes another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """What a member says of a value of an entry: that it is right, or what is wrong with it."""

    member: str
    algorithm: str
    affirmative: bool
    reason: str | None = None
    reason_id: str | None = None
    at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What a set says of one entry.

    ``category`` is as supplied; what it means depends on scheme and country of the set. ``identity`` is the key
    of the entry with its source, ``source`` who vouches for it. ``flags`` hold what was answered with yes or no;
    ``None`` there is an answer nobody gave. ``notes`` are further words as supplied.
    """

    category: str | None = None
    identity: str | None = None
    source: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    size: int | None = None
    updated_at: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[Feedback, ...] = ()

    @property
    def disputing(self) -> tuple[str, ...]:
        """The members that say something is wrong with the entry, each once."""
        return tuple(dict.fromkeys(said.member for said in self.feedback if not said.affirmative))


def answer(value: object) -> bool | None:
    """Return yes, no or not said, however an exporter writes it.

    ``"false"`` is a text that says no; only what cannot be read as an answer at all is none.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            value.strip().lower()
        )
    return None


def whole_number(value: object) -> int | None:
    """Return a number that may have been written as text; ``None`` where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value.strip())
    return None


def text_or_none(value: Any) -> str | None:
    """Return a text with something in it, numbers as text; 0 is something."""
    if value is None or isinstance(value, list | dict):
        return None
    text = str(value).strip()
    return text or None
