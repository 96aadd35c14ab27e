"""Which kinds of jobs there are: each context registers its own in its ``jobs.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import autodiscover_modules

from casework.jobs.rules import UnknownJobError, check_kind

# What a job's function takes is a `working.Task`; what it returns is kept as the result, a JSON value or None.
Work = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A kind of job; ``title`` is shown to people."""

    kind: str
    title: Any
    work: Work


_KNOWN: dict[str, Registered] = {}
_DAILY: set[str] = set()


def job(kind: str, title: Any = "") -> Callable[[Work], Work]:
    """Register a function as the work of jobs of this kind."""
    check_kind(kind)

    def keep(work: Work) -> Work:
        _KNOWN[kind] = Registered(kind=kind, title=title or kind, work=work)
        return work

    return keep


def daily(kind: str, title: Any = "") -> Callable[[Work], Work]:
    """Register the same, to be asked for once a day by the worker itself."""
    _DAILY.add(kind)
    return job(kind, title)


def known(kind: str) -> Registered:
    """Return what is registered for a kind.

    Raises:
        UnknownJobError: Nothing is.
    """
    autodiscover_modules("jobs")
    try:
        return _KNOWN[kind]
    except KeyError as error:
        raise UnknownJobError(kind) from error


def daily_kinds() -> list[str]:
    """Return the kinds that are done once a day."""
    autodiscover_modules("jobs")
    return sorted(_DAILY)


def title_of(kind: str) -> str:
    """Return what people are shown for a kind; the kind itself where no context knows it any more."""
    autodiscover_modules("jobs")
    return str(_KNOWN[kind].title) if kind in _KNOWN else kind
