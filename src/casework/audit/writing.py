"""Appending to the ledger, inside the transaction of the act itself."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import connection, transaction

from casework.audit import rules
from casework.audit.models import DailyHead, Entry, Head
from casework.lib import clock
from casework.lib.errors import CaseworkError
from casework.lib.logs import request_id


class NoTransactionError(CaseworkError):
    """An entry was to be written outside the transaction of the act it tells of."""

    def __init__(self, act: str) -> None:
        super().__init__(f"{act} must be written in the transaction that changes the row.")


def append(
    *, actor: rules.Actor, act: str, subject: rules.Subject, purpose: str = "", fields: rules.Fields | None = None
) -> int:
    """Write one entry and return its number; it stands or falls with the surrounding transaction.

    The chain's head stays locked until that transaction ends: append last, and do no slow work behind it.
    """
    rules.check_act(act)
    if not connection.in_atomic_block:
        raise NoTransactionError(act)
    seq, previous = _end_of_chain()
    row = rules.Row(
        seq=seq + 1, at=clock.now(), actor_id=actor.id, actor_name=actor.name, act=act, subject_kind=subject.kind,
        subject_id=subject.id, case=subject.case, purpose=purpose, fields=rules.canonical(fields or {}),
        request=request_id.get(),
    )  # fmt: skip
    digest = rules.digest_of(row, previous)
    key = settings.KEY_RING.current(rules.KEY_PURPOSE)
    Entry.objects.create(
        **{name: getattr(row, name) for name in row.__dataclass_fields__},
        previous=previous,
        digest=digest,
        mark=rules.mark_entry(key, row.seq, digest),
    )
    Head.objects.filter(pk=1).update(seq=row.seq, digest=digest, mark=rules.mark_head(key, row.seq, digest))
    return row.seq


@transaction.atomic
def close_day(day: date) -> DailyHead:
    """Return the head of the chain for ``day``, which stands from the first asking on."""
    seq, digest = _end_of_chain()
    key = settings.KEY_RING.current(rules.KEY_PURPOSE)
    head, _made = DailyHead.objects.get_or_create(
        day=day,
        defaults={
            "seq": seq,
            "digest": digest,
            "made_at": clock.now(),
            "mark": rules.mark_day(key, day, seq, digest),
        },
    )
    return head


def _end_of_chain() -> tuple[int, str]:
    head = Head.objects.select_for_update().filter(pk=1).first()
    if head is None:
        # Two first entries at once: one of them waits here for the other's row, and then reads it.
        key = settings.KEY_RING.current(rules.KEY_PURPOSE)
        begin = {"seq": 0, "digest": rules.NOTHING_BEFORE, "mark": rules.mark_head(key, 0, rules.NOTHING_BEFORE)}
        Head.objects.get_or_create(pk=1, defaults=begin)
        head = Head.objects.select_for_update().get(pk=1)
    return head.seq, head.digest
