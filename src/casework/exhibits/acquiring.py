"""Images: how they were made, with which digests; and digests computed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import digests, rules
from casework.exhibits.ledger import told
from casework.exhibits.models import Acquisition, Exhibit, HashRecord
from casework.exhibits.numbers import next_number
from casework.exhibits.reading import images_of, locked, party_of, state_of, whole_of
from casework.exhibits.rules import HashResult, Method
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@dataclass(frozen=True, kw_only=True)
class Made:
    """How an image was made. ``unread``: offset and length in bytes of what could not be read."""

    tool: str
    tool_version: str
    method: Method
    form: str
    started_at: datetime
    ended_at: datetime
    size: int
    kept_at: str
    write_blocker: str = ""
    segments: Sequence[tuple[str, int]] = ()
    errors: int = 0
    unread: Sequence[tuple[int, int]] = ()
    carrier: Exhibit | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A digest as the tool printed it; ``of`` is empty for the image, else the name of a segment."""

    algorithm: str
    value: str
    of: str = ""


@transaction.atomic
def record_acquisition(
    *, acting: accounts.Account, exhibit: Exhibit, made: Made, computed: Sequence[Computed]
) -> Acquisition:
    """Record an image of an exhibit one holds, with at least one digest; the digests are what all later ones meet."""
    exhibit = locked(exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    whole = whole_of(exhibit)
    rules.check_acquire(state_of(exhibit), state_of(whole), str(party_of(acting).pk))
    _check_made(made, computed)
    if made.carrier is not None and made.carrier.case_id != exhibit.case_id:
        raise RefusedError("carrier", "The carrier belongs to another case.")
    acquisition = Acquisition.objects.create(
        exhibit=exhibit,
        number=next_number(f"image/{exhibit.pk}"),
        carrier=made.carrier,
        examiner=acting,
        tool=made.tool.strip(),
        tool_version=made.tool_version.strip(),
        write_blocker=made.write_blocker.strip(),
        method=made.method.value,
        form=made.form.strip(),
        started_at=made.started_at,
        ended_at=made.ended_at,
        size=made.size,
        segments=[{"name": name, "size": size} for name, size in made.segments],
        errors=made.errors,
        unread=[list(one) for one in made.unread],
        kept_at=made.kept_at.strip(),
        note=made.note.strip(),
    )
    records = _records(acting, acquisition, computed, f"{made.tool} {made.tool_version}".strip())
    digests.keep(records)
    fields: audit.Fields = {
        "image": str(acquisition),
        "method": made.method.value,
        "unread": len(made.unread),
        "digests": [f"{one.of} {one.algorithm} {one.value}" for one in records],
    }
    told(acting, "acquired", "exhibit", exhibit.pk, exhibit.case_id, fields)
    return acquisition


@transaction.atomic
def verify_image(
    *, acting: accounts.Account, acquisition: Acquisition, computed: Sequence[Computed], tool: str
) -> list[HashRecord]:
    """Hold digests computed again against those on record, and keep the result, whatever it is."""
    exhibit = locked(acquisition.exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(tool, "Say with which tool and version.")
    if not computed:
        raise RefusedError("digest", "Give at least one digest.")
    records = _records(acting, acquisition, computed, tool.strip())
    digests.keep(records)
    results = [f"{one.of} {one.algorithm} {one.result}" for one in records]
    told(
        acting,
        "image_verified",
        "exhibit",
        exhibit.pk,
        exhibit.case_id,
        {"image": str(acquisition), "results": results},
    )
    return records


def image_of(exhibit: Exhibit, number: str) -> Acquisition:
    """Return one image of the exhibit, or one that lies on it, by its id."""
    found = next((image for image in images_of(exhibit) if str(image.pk) == number), None)
    if found is None:
        raise AbsentError("image")
    return found


def differs(exhibit: Exhibit) -> bool:
    """Tell whether any digest of an image of the exhibit ever differed from the first."""
    images = [image.pk for image in images_of(exhibit)]
    return HashRecord.objects.filter(acquisition__in=images, result=HashResult.DIFFERED).exists() if images else False


def _records(
    acting: accounts.Account, acquisition: Acquisition, computed: Sequence[Computed], tool: str
) -> list[HashRecord]:
    given = [
        digests.Digest(
            acquisition=acquisition,
            algorithm=one.algorithm.strip(),
            value=one.value,
            tool=tool,
            of=one.of.strip() or digests.WHOLE_IMAGE,
        )
        for one in computed
    ]
    return digests.compared(acting, acquisition.exhibit, given, clock.now())


def _check_made(made: Made, computed: Sequence[Computed]) -> None:
    rules.check_reason(made.tool, "Name the tool.")
    rules.check_reason(made.tool_version, "Give the version of the tool.")
    rules.check_reason(made.kept_at, "Say where the image is kept.")
    if made.ended_at < made.started_at or made.ended_at > clock.now():
        raise RefusedError("times", "The image was finished before it was begun, or in the future.")
    rules.check_unread(made.size, made.unread)
    segments = {name for name, _size in made.segments}
    if not any(not one.of or one.of == digests.WHOLE_IMAGE for one in computed):
        raise RefusedError("digest", "Give at least one digest of the whole image.")
    if strange := [one.of for one in computed if one.of and one.of != digests.WHOLE_IMAGE and one.of not in segments]:
        raise RefusedError("digest", f"{len(strange)} digests are of segments that are not listed.")
