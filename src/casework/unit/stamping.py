"""Asking the configured authority for time stamps of the ledger, and telling whether those that are kept hold."""

from __future__ import annotations

from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings

from casework.audit import api as audit
from casework.lib.errors import CaseworkError, ConfigurationError

_PATIENCE_SECONDS = 20
_LARGEST = 1 << 20


class NoAnswerError(CaseworkError, OSError):
    """The time stamping service was not reached, or answered with something else."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The time stamping service gives no answer: {reason}")


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_given: object) -> None:
        """Go nowhere but to the configured address."""


def over_http(url: str) -> audit.Transport:
    """Return the way to a service (RFC 3161 section 3.4)."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigurationError("KAVAL_TIMESTAMP_URL must read https://... or http://...")

    def ask(request: bytes) -> bytes:
        asked = Request(url, data=request, headers={"Content-Type": "application/timestamp-query"})  # noqa: S310
        try:
            with build_opener(_NoRedirects()).open(asked, timeout=_PATIENCE_SECONDS) as answer:
                content: bytes = answer.read(_LARGEST)
                return content
        except (URLError, OSError) as error:
            raise NoAnswerError(str(error)) from error

    return ask


def stamp_heads(ask: audit.Transport) -> int:
    """Have the newest heads stamped that are not yet, and return how many were."""
    authorities = audit.read_authorities(settings.TIMESTAMP_AUTHORITIES) if settings.TIMESTAMP_AUTHORITIES else []
    return len([audit.stamp(head, authorities, ask) for head in audit.unstamped()])


def tell_of_stamps() -> str:
    """Return a sentence about the time stamps, empty where there are none and none are asked for.

    Raises:
        StampError: One does not hold, or there are no authorities to hold them against.
    """
    authorities = audit.read_authorities(settings.TIMESTAMP_AUTHORITIES) if settings.TIMESTAMP_AUTHORITIES else []
    found = audit.verify_stamps(authorities)
    if found.broken is not None:
        raise audit.StampError(*found.broken)
    if not found.stamps and not settings.TIMESTAMP_URL:
        return ""
    return f"Time stamps hold: {found.stamps} of {found.heads} daily heads carry one"
