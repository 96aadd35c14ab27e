"""Time stamps (RFC 3161) of the daily heads: somebody outside says that a head was there at a time.

What is stamped is the line ``DAY:ROW:DIGEST`` as it is printed, hashed with SHA-512 by the request. The authority
learns that hash and nothing else. Its whole answer is kept, so that it can be checked with public tools:
``openssl ts -verify -data LINE -in ANSWER -CAfile AUTHORITIES``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.db import transaction
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from casework.audit.models import DailyHead, HeadStamp
from casework.lib.errors import CaseworkError, ConfigurationError

# Takes a request as it goes over the line, and returns the answer.
Transport = Callable[[bytes], bytes]


class StampError(CaseworkError):
    """The time stamping authority gave no answer that holds."""

    def __init__(self, day: date, reason: str) -> None:
        self.day = day
        self.reason = reason
        super().__init__(f"The head of {day} has no time stamp: {reason}.")


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """What a walk over the time stamps found; ``broken`` is the first day whose stamp does not hold, and why."""

    heads: int
    stamps: int
    broken: tuple[date, str] | None


def line_of(head: DailyHead) -> str:
    """Return a head as it is printed and stamped."""
    return f"{head.day.isoformat()}:{head.seq}:{head.digest}"


def read_authorities(path: Path) -> list[Certificate]:
    """Return the certificates an authority is known by: its root, and those between where the answer lacks them."""
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} holds no certificates (PEM) that can be read.") from error


@transaction.atomic
def stamp(head: DailyHead, authorities: Sequence[Certificate], ask: Transport) -> HeadStamp:
    """Return the time stamp of a head, which is asked for once; an answer that does not hold is not kept.

    Raises:
        StampError: The answer is none, or does not hold under the authorities.
    """
    known = HeadStamp.objects.filter(day=head.day).first()
    if known is not None:
        return known
    line = line_of(head).encode()
    request = TimestampRequestBuilder().data(line).hash_algorithm(HashAlgorithm.SHA512).build()
    content = ask(request.as_bytes())
    answer = _checked(head, content, authorities, request.nonce)
    at, authority = answer.tst_info.gen_time, str(answer.tst_info.name or "")
    return HeadStamp.objects.create(day=head.day, answer=content, stamped_at=at, authority=authority[:300])


def unstamped(limit: int = 31) -> list[DailyHead]:
    """Return the newest heads that carry no time stamp, oldest first."""
    newest = list(DailyHead.objects.order_by("-day")[:limit])
    stamped = set(HeadStamp.objects.filter(day__in=[head.day for head in newest]).values_list("day", flat=True))
    return [head for head in reversed(newest) if head.day not in stamped]


def verify_stamps(authorities: Sequence[Certificate]) -> Stamped:
    """Hold every time stamp against its head and the authorities; without authorities none can hold."""
    heads = {head.day: head for head in DailyHead.objects.order_by("day").iterator()}
    count = 0
    for kept in HeadStamp.objects.order_by("day").iterator():
        head = heads.get(kept.day)
        if head is None:
            return Stamped(heads=len(heads), stamps=count, broken=(kept.day, "its head is missing"))
        try:
            _checked(head, bytes(kept.answer), authorities, None)
        except StampError as error:
            return Stamped(heads=len(heads), stamps=count, broken=(kept.day, error.reason))
        count += 1
    return Stamped(heads=len(heads), stamps=count, broken=None)


def _checked(
    head: DailyHead, content: bytes, authorities: Sequence[Certificate], nonce: int | None
) -> TimeStampResponse:
    if not authorities:
        raise StampError(head.day, "no certificates of the authority are named (KAVAL_TIMESTAMP_AUTHORITIES)")
    try:
        answer = decode_timestamp_response(content)
    except ValueError as error:
        raise StampError(head.day, "the answer is no time stamp") from error
    roots = [one for one in authorities if one.issuer == one.subject]
    between = [one for one in authorities if one.issuer != one.subject]
    try:
        verifier = VerifierBuilder(roots=roots, intermediates=between, nonce=nonce).build()
        verifier.verify_message(answer, line_of(head).encode())
    except (VerificationError, ValueError) as error:
        raise StampError(head.day, f"the answer does not hold: {error}") from error
    return answer
