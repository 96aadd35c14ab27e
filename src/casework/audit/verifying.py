"""Walking the chain from its first row to its head, and naming the first row that is not as it was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from casework.audit import rules
from casework.audit.models import DailyHead, Entry, Head
from casework.lib.keys import Key, KeyRing

_COLUMNS = (
    "seq", "at", "actor_id", "actor_name", "act", "subject_kind", "subject_id", "case", "purpose", "fields", "request",
)  # fmt: skip
_CHUNK = 5000


@dataclass(frozen=True, kw_only=True)
class Break:
    """The first place where the chain does not hold."""

    seq: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """A head that was kept outside the database: printed, or sent to another machine."""

    day: date
    seq: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the walk found; ``rows`` were read up to the break, or all of them."""

    rows: int
    digest: str
    broken: Break | None


def verify(published: Iterable[Published] = ()) -> Verdict:
    """Walk the chain and hold it against its head, the daily heads and the ``published`` ones.

    Found: any row changed, removed or put in, also by one who lifts the triggers and computes the digests anew, since
    they have not the key. A whole database put back to an earlier day is found by a head published after that day,
    and by nothing else.
    """
    ring: KeyRing = settings.KEY_RING
    expected = _expected_heads(ring, published)
    if isinstance(expected, Break):
        return Verdict(rows=0, digest=rules.NOTHING_BEFORE, broken=expected)
    count, digest = 0, rules.NOTHING_BEFORE
    for count, values in enumerate(_stored(), start=1):
        broken, digest_here = _check(ring, count, digest, values)
        if broken is None and expected.pop(count, digest_here) != digest_here:
            broken = Break(seq=count, reason="the row is not the one a daily or published head names")
        if broken is not None:
            return Verdict(rows=count - 1, digest=digest, broken=broken)
        digest = digest_here
    return Verdict(rows=count, digest=digest, broken=_check_end(ring, count, digest, expected))


def _stored() -> Iterator[tuple[Any, ...]]:
    rows = Entry.objects.order_by("seq").values_list(*_COLUMNS, "previous", "digest", "mark")
    return iter(rows.iterator(chunk_size=_CHUNK))


def _check(ring: KeyRing, seq: int, previous: str, values: tuple[Any, ...]) -> tuple[Break | None, str]:
    stored_seq, at, *said, stored_previous, stored_digest, stored_mark = values
    reason = ""
    if stored_seq != seq:
        reason = f"row {seq} is missing" if stored_seq > seq else "a row stands before the first"
    elif stored_previous != previous:
        reason = "the row does not follow the one before it"
    elif rules.digest_of_values(seq, at, said, previous) != stored_digest:
        reason = "the row was changed after it was written"
    elif not _holds(ring, stored_mark, lambda key: rules.mark_entry(key, seq, stored_digest)):
        reason = "the row does not carry the mark of this unit's key"
    return (Break(seq=seq, reason=reason) if reason else None), stored_digest


def _expected_heads(ring: KeyRing, published: Iterable[Published]) -> dict[int, str] | Break:
    expected: dict[int, str] = {}
    for head in DailyHead.objects.order_by("seq", "day"):
        mine = head
        if not _holds(ring, head.mark, lambda key, h=mine: rules.mark_day(key, h.day, h.seq, h.digest)):
            return Break(
                seq=head.seq, reason=f"the daily head of {head.day} does not carry the mark of this unit's key"
            )
        expected[head.seq] = head.digest
    for outside in published:
        if expected.setdefault(outside.seq, outside.digest) != outside.digest:
            return Break(seq=outside.seq, reason=f"the head published on {outside.day} names another row")
    return {seq: digest for seq, digest in expected.items() if seq}


def _check_end(ring: KeyRing, count: int, digest: str, unseen: dict[int, str]) -> Break | None:
    head = Head.objects.filter(pk=1).first()
    after = count + 1
    if unseen:
        return Break(seq=after, reason=f"row {after} is missing: a daily or published head names row {max(unseen)}")
    if head is None:
        return Break(seq=after, reason="the head of the chain is missing") if count else None
    if not _holds(ring, head.mark, lambda key: rules.mark_head(key, head.seq, head.digest)):
        return Break(seq=after, reason="the head of the chain does not carry the mark of this unit's key")
    if head.seq > count:
        return Break(seq=after, reason=f"row {after} is missing: the chain went on to row {head.seq}")
    if head.seq < count:
        return Break(seq=head.seq + 1, reason="the row stands behind the head of the chain")
    return None if head.digest == digest else Break(seq=count, reason="the last row is not the head of the chain")


def _holds(ring: KeyRing, mark: str, made: Any) -> bool:
    key: Key | None = rules.marked_with(ring, mark)
    return key is not None and rules.same(mark, made(key))
