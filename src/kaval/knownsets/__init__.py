"""Known sets: lists of digests shared between agencies, and what matches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kaval.knownsets.statements import Statement


class Role(StrEnum):
    """What a hit in a set means to this unit; a person names it, a format never does."""

    ALERT = "alert"
    KNOWN_GOOD = "known-good"
    REVIEW = "review"
    NEGATIVE = "negative"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetInfo:
    """What a compiled set is: ``version`` is the SHA-256 of the file it came from.

    Where a set came from several files, ``version`` is the SHA-256 over the list of theirs, and ``sources`` names
    each. ``counts`` gives distinct values by algorithm (``md5``, ``sha1``, ``sha256``, ``pdq``); ``dropped`` says
    how many entries were left out, by reason. ``number`` counts the versions of a set in a store, 0 outside of
    one; ``stored_in`` is the folder of that version. ``handling`` is the code under which it was received,
    ``scheme`` and ``country`` are those by which its categories have a meaning. Dates are ISO 8601.
    """

    name: str
    version: str
    role: Role
    source_name: str
    format: str
    counts: dict[str, int]
    dropped: dict[str, int]
    entries: int = 0
    number: int = 0
    owner: str | None = None
    legal_basis: str | None = None
    received_on: str | None = None
    handling: str | None = None
    expires_on: str | None = None
    scheme: str | None = None
    country: str | None = None
    sources: list[dict[str, Any]] = field(default_factory=list)
    stored_in: str | None = None


class Verdict(StrEnum):
    """What a person says of a hit against an entry of a set."""

    CONFIRM = "confirm"
    DISPUTE = "dispute"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a person of this unit said of one value of a set, when, and why; it outlives versions of the set."""

    verdict: Verdict
    algorithm: str
    value: str
    by: str
    at: str
    reason: str
    reason_id: str | None = None
    set_version: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Why something matched: the set's own value, how far away, and how far was allowed (0 for a digest).

    ``statements`` are what the set says of the value with this category: several entries may. ``judgements`` are
    this unit's own; ``silenced_by`` names the negative sets that hold the same value.
    """

    set_name: str
    set_version: str
    role: Role
    algorithm: str
    value: str
    distance: int
    threshold: int
    category: str | None
    orientation: str | None = None
    statements: tuple[Statement, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    silenced_by: tuple[str, ...] = ()
