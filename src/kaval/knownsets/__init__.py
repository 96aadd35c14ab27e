"""Known sets: lists of digests shared between agencies, and what matches them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a hit in a set means to this unit; a person names it, a format never does."""

    ALERT = "alert"
    KNOWN_GOOD = "known-good"
    REVIEW = "review"
    NEGATIVE = "negative"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetInfo:
    """What a compiled set is: ``version`` is the SHA-256 of the file it came from.

    ``counts`` gives distinct entries by algorithm (``md5``, ``sha1``, ``sha256``, ``pdq``); ``dropped`` and
    ``skipped`` say how many entries were left out, by reason.
    """

    name: str
    version: str
    role: Role
    source_name: str
    format: str
    counts: dict[str, int]
    dropped: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Why something matched: the set's own value, how far away, and how far was allowed (0 for a digest)."""

    set_name: str
    set_version: str
    role: Role
    algorithm: str
    value: str
    distance: int
    threshold: int
    category: str | None
    orientation: str | None = None
