"""The records that stages hand on: extents, entries, notices.

A record says what was found where; it never says what that means. That is a person's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """What the file system calls the thing; grammar: one lower-case noun."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    STREAM = "stream"
    DEVICE = "device"
    FIFO = "fifo"
    SOCKET = "socket"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class EntryState(StrEnum):
    """Where the bytes stand in their file system; grammar: one adjective of the glossary."""

    ALLOCATED = "allocated"
    DELETED = "deleted"
    ORPHAN = "orphan"
    CARVED = "carved"


class ContentState(StrEnum):
    """How far the bytes read can be taken for the bytes once stored.

    Grammar: ``intact`` is claimed only where nothing speaks against it; every other value says what does.
    """

    INTACT = "intact"
    ASSUMED = "assumed"
    OVERLAPS_ALLOCATED = "overlaps-allocated"
    OVERLAPS_DELETED = "overlaps-deleted"
    PARTIAL = "partial"
    GONE = "gone"
    ENCRYPTED = "encrypted"
    NONE = "none"


class NoticeCode(StrEnum):
    """Why something could not be established; grammar: lower-case words joined by hyphens."""

    LOCKED = "locked"
    UNRECOGNISED = "unrecognised"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"
    DAMAGED = "damaged"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    DIGEST_MISMATCH = "digest-mismatch"
    DIGEST_VERIFIED = "digest-verified"
    CAPABILITY_FAILED = "capability-failed"
    TIME_LIMIT = "time-limit"
    MEMORY_LIMIT = "memory-limit"
    DEPTH_LIMIT = "depth-limit"
    RATIO_LIMIT = "ratio-limit"
    COUNT_LIMIT = "count-limit"
    DECODER_DIED = "decoder-died"
    DECODER_REFUSED = "decoder-refused"
    NAME_UNDECODABLE = "name-undecodable"
    TIME_IMPOSSIBLE = "time-impossible"
    LOOP = "loop"
    ABSURD_SIZE = "absurd-size"
    OVERLAP = "overlap"
    ASSUMED = "assumed"
    TYPE_MISMATCH = "type-mismatch"
    ZERO_LENGTH_DROPPED = "zero-length-dropped"
    CARVED_IN_PART = "carved-in-part"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """A run of bytes of one stream.

    ``offset`` and ``length`` are bytes of the source the file system lies in; a ``sparse`` extent
    has no bytes there and reads as zeros; an ``assumed`` one was not stored, but concluded.
    """

    offset: int
    length: int
    sparse: bool = False
    assumed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """The times of an entry as stored, in nanoseconds since 1970-01-01 of the clock they were written by.

    ``zone`` is ``utc``, an offset like ``+05:30``, or ``unknown``: then no zone is attached, by anyone.
    ``resolution`` gives the smallest step of each stored time, such as ``m=2s a=1d b=10ms``.
    ``None`` means the file system stores no such time, or stored none for this entry.
    """

    modified: int | None = None
    accessed: int | None = None
    changed: int | None = None
    created: int | None = None
    deleted: int | None = None
    zone: str = "unknown"
    resolution: str = ""


NO_TIMES = Times()


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing a file system or archive lists.

    ``address`` is unique in its tree and stable for the same bytes: it is the last step of the locator.
    ``path`` is as stored, parts joined by ``/``, without a leading one; what could not be decoded
    stands as U+FFFD there and whole in ``path_raw``. ``path_resolved`` follows symbolic links and
    is given only where it differs. ``extents`` is ``None`` where the stream is no plain run of bytes of
    the source (compressed, resident): it is then read through ``Tree.open_stream``.
    """

    address: str
    path: str
    kind: EntryKind
    size: int
    state: EntryState
    content: ContentState
    parent: str | None = None
    times: Times = NO_TIMES
    extents: tuple[Extent, ...] | None = None
    assumed_size: int = 0
    overlap_size: int = 0
    path_raw: bytes | None = None
    path_resolved: str | None = None
    link_target: str | None = None
    mode: int | None = None
    owner: str | None = None
    group: str | None = None
    recovered_by: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path as stored."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What could not be established, and where.

    ``address`` is relative to the tree or volume system that yields the notice; empty for the whole of it.
    ``offset`` is a byte of the source it reads.
    """

    code: NoticeCode
    message: str
    address: str = ""
    offset: int | None = None
    structure: str | None = None
