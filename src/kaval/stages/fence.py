"""The fence around one capability: the only place of the engine where every exception is caught.

Whatever a parser throws on hostile bytes becomes a notice that names the capability; nothing is swallowed.
Under ``strict`` (tests) unforeseen exceptions pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    LockedError,
    NotRecognisedError,
    UnavailableError,
    UnreadableError,
    UnsupportedError,
)
from kaval.core.records import Notice, NoticeCode

T = TypeVar("T")

_CODES: tuple[tuple[type[KavalError], NoticeCode], ...] = (
    (LockedError, NoticeCode.LOCKED),
    (UnsupportedError, NoticeCode.UNSUPPORTED),
    (UnavailableError, NoticeCode.UNAVAILABLE),
    (NotRecognisedError, NoticeCode.UNRECOGNISED),
    (CorruptStructureError, NoticeCode.DAMAGED),
    (UnreadableError, NoticeCode.UNREADABLE),
)

_LIMIT_CODES = {
    "ratio": NoticeCode.RATIO_LIMIT,
    "count": NoticeCode.COUNT_LIMIT,
    "depth": NoticeCode.DEPTH_LIMIT,
    "time": NoticeCode.TIME_LIMIT,
    "memory": NoticeCode.MEMORY_LIMIT,
}


def notice_of(error: Exception, capability: str, address: str = "") -> Notice:
    """Return the notice that an error amounts to."""
    code = NoticeCode.CAPABILITY_FAILED
    if isinstance(error, LimitExceededError):
        found = [code for word, code in _LIMIT_CODES.items() if word in error.limit]
        code = found[0] if found else NoticeCode.COUNT_LIMIT
    else:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), code)
    message = str(error) if isinstance(error, KavalError) else f"{type(error).__name__}: {error}"
    if code is NoticeCode.CAPABILITY_FAILED:
        message = f"{capability} failed on these bytes: {message}"
    offset = getattr(error, "offset", None)
    return Notice(
        code=code,
        message=message[:2000],
        address=address,
        offset=offset if isinstance(offset, int) else None,
        structure=getattr(error, "structure", None),
    )


def fenced(capability: str, call: Callable[[], T], *, strict: bool, address: str = "") -> T | Notice:
    """Return what the call gives, or the notice its error amounts to."""
    for outcome in fenced_iteration(capability, (call() for _ in (None,)), strict=strict, address=address):
        return outcome
    raise AssertionError("a call gives one outcome")


def fenced_iteration(capability: str, records: Iterator[T], *, strict: bool, address: str = "") -> Iterator[T | Notice]:
    """Yield the records of an iterator; an error ends it with the notice it amounts to."""
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except KavalError as error:
            yield notice_of(error, capability, address)
            return
        except Exception as error:
            if strict:
                raise
            yield notice_of(error, capability, address)
            return
        yield record
