"""What the ledger tells: everything done to one record, in one case, or by one person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from casework.audit import rules
from casework.audit.models import Entry
from casework.audit.verifying import verify

_CHUNK = 2000


def of_subject(kind: str, subject_id: str) -> QuerySet[Entry]:
    """Return what was done to one record, oldest first."""
    return Entry.objects.filter(subject_kind=kind, subject_id=subject_id).order_by("seq")


def of_case(case: str) -> QuerySet[Entry]:
    """Return what was done in one case, oldest first."""
    return Entry.objects.filter(case=case).order_by("seq")


def by_actor(actor_id: str) -> QuerySet[Entry]:
    """Return what one person did, oldest first."""
    return Entry.objects.filter(actor_id=actor_id).order_by("seq")


def export(entries: QuerySet[Entry]) -> Iterator[str]:
    """Yield JSON lines: how to check a row, the entries, and the state of the whole chain."""
    yield _line({"kaval": "audit export", "rule": " ".join((rules.__doc__ or "").split())})
    count = 0
    for entry in entries.iterator(chunk_size=_CHUNK):
        count += 1
        yield _line(_told(entry))
    verdict = verify()
    broken = verdict.broken and {"seq": verdict.broken.seq, "reason": verdict.broken.reason}
    yield _line({"exported": count, "chain_rows": verdict.rows, "chain_head": verdict.digest, "broken": broken})


def _told(entry: Entry) -> dict[str, Any]:
    names = ("seq", "actor_id", "actor_name", "act", "subject_kind", "subject_id", "case", "purpose")
    chained = ("fields", "request", "previous", "digest")
    told = {name: getattr(entry, name) for name in (*names, *chained)}
    return {**told, "at": rules.instant(entry.at)}


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True)
