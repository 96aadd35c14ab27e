"""Digests of images: as they were computed, and compared with those on record each time the exhibit moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from casework.accounts import api as accounts
from casework.exhibits import rules
from casework.exhibits.models import Acquisition, CustodyEvent, Exhibit, HashRecord
from casework.exhibits.reading import images_of
from casework.exhibits.rules import HashResult
from casework.lib.errors import RefusedError

WHOLE_IMAGE = "image"


@dataclass(frozen=True, kw_only=True)
class Digest:
    """One digest as somebody computed it; ``of`` is the image, or the name of one of its segments."""

    acquisition: Acquisition
    algorithm: str
    value: str
    tool: str
    of: str = WHOLE_IMAGE


def compared(acting: accounts.Account, exhibit: Exhibit, given: Sequence[Digest], now: datetime) -> list[HashRecord]:
    """Return records, not yet kept, of digests held against those first recorded."""
    if not given:
        return []
    known = {image.pk for image in images_of(exhibit)}
    return [_compare(acting, one, now) for one in given if _check_known(one, known)]


def keep(records: Sequence[HashRecord], event: CustodyEvent | None = None) -> None:
    """Write records down, with the event at which they were computed."""
    for record in records:
        record.event = event
    HashRecord.objects.bulk_create(records)


def first_of(acquisition: Acquisition, of: str, algorithm: str) -> HashRecord | None:
    """Return the digest that was recorded when the image was made."""
    rows = HashRecord.objects.filter(acquisition=acquisition, of=of, algorithm=algorithm, compared_with=None)
    return rows.order_by("at", "pk").first()


def _check_known(digest: Digest, known: set[UUID]) -> bool:
    if digest.acquisition.pk not in known:
        raise RefusedError("image", "The image is not one of this exhibit.")
    return True


def _compare(acting: accounts.Account, digest: Digest, now: datetime) -> HashRecord:
    value = rules.clean_digest(digest.algorithm, digest.value)
    first = first_of(digest.acquisition, digest.of, digest.algorithm)
    result = HashResult.RECORDED
    if first is not None:
        result = HashResult.MATCHED if first.value == value else HashResult.DIFFERED
    return HashRecord(
        acquisition=digest.acquisition,
        of=digest.of,
        algorithm=digest.algorithm,
        value=value,
        tool=digest.tool,
        at=now,
        by=acting,
        compared_with=first,
        result=result.value,
    )
