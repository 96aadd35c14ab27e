"""The record of an artefact: what an application or a system noted of persons, messages, calls, visits, places.

One record for all kinds, so that live and recovered, phone and computer stand in one table; the views of the
examination folder cut it by kind. A record says what is stored, never what that means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kaval.core.contracts import Siblings
from kaval.core.sources import ByteSource


class ArtefactKind(StrEnum):
    """What was noted; grammar: one lower-case noun."""

    ACCOUNT = "account"
    CONTACT = "contact"
    CONVERSATION = "conversation"
    MEMBER = "member"
    MESSAGE = "message"
    CALL = "call"
    VOICEMAIL = "voicemail"
    NOTE = "note"
    VISIT = "visit"
    BOOKMARK = "bookmark"
    DOWNLOAD = "download"
    SEARCH = "search"
    APPLICATION = "application"
    NETWORK = "network"
    PLACE = "place"
    IDENTIFIER = "identifier"
    DISCARDED = "discarded"
    SHORTCUT = "shortcut"
    FILE = "file"


class Direction(StrEnum):
    """Which way a message or call went, seen from the device; grammar: one adjective."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A time of an artefact beside its main one: nanoseconds since 1970 of the artefact's zone, and what it tells."""

    at: int
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file a message or note speaks of, as far as the database describes it; digests are lower-case hex.

    ``path`` is where the application says it keeps the file on the device; the file need not be there.
    """

    name: str | None = None
    path: str | None = None
    size: int | None = None
    media_type: str | None = None
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None

    def digests(self) -> dict[str, str]:
        """Return the digests that are stored, by algorithm."""
        pairs = (("md5", self.md5), ("sha1", self.sha1), ("sha256", self.sha256))
        return {name: value for name, value in pairs if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class Further:
    """A stream that only its parser can open, such as a file of an encrypted backup; it is read like others.

    ``place`` leads to it inside the stream it was found in; its neighbours are asked for by ``beside``.
    """

    path: str
    place: str
    source: ByteSource
    beside: Siblings


@dataclass(frozen=True, kw_only=True, slots=True)
class Artefact:
    """One thing an application or system noted.

    ``at`` is nanoseconds since 1970-01-01 of the clock that wrote it and ``meaning`` says what that time tells
    (sent, received, visited); ``zone`` is ``utc``, an offset, or ``unknown``: then no zone is attached, by anyone.
    ``who`` and ``whom`` are identifiers as stored: a number, an address, an account; of an outgoing message the
    sender is empty where the application does not name its own account. ``conversation`` is what joins messages,
    members and the conversation itself; ``identifiers`` are all by which a person can be reached. ``place`` leads to
    the bytes inside the stream.
    ``recovered`` records come from where a database keeps what it no longer shows; ``certainty`` then says how sure
    it is that they belong to their table, and one that is not ``complete`` has lost some of its values.
    """

    kind: ArtefactKind
    application: str
    place: str
    at: int | None = None
    meaning: str = ""
    zone: str = "unknown"
    moments: tuple[Moment, ...] = ()
    account: str | None = None
    direction: Direction | None = None
    who: str | None = None
    who_name: str | None = None
    whom: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    conversation: str | None = None
    conversation_title: str | None = None
    role: str | None = None
    identity: str | None = None
    reply_to: str | None = None
    forwarded: bool | None = None
    title: str | None = None
    text: str | None = None
    url: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    duration_s: int | None = None
    attachments: tuple[Attachment, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    recovered: bool = False
    certainty: str | None = None
    complete: bool = True
    source: str | None = None
