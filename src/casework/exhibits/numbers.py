"""Numbers without gaps: the row of a counter stays locked until the transaction that took a number ends."""

from __future__ import annotations

from django.db.models import F

from casework.exhibits.models import Counter


def next_number(scope: str) -> int:
    """Return the next number of ``scope``; it goes back with the transaction, and nobody else has it meanwhile."""
    counter = Counter.objects.filter(pk=scope)
    if not counter.update(last=F("last") + 1):
        # Two first numbers at once: one of them waits here for the other's row.
        Counter.objects.get_or_create(pk=scope)
        counter.update(last=F("last") + 1)
    return counter.values_list("last", flat=True).get()
