"""Notices in bounded number: an archive made of damage must not bury what matters under a million of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kaval.core.records import Entry, Notice, NoticeCode

MOST_REMARKS = 1000
"""Notices of one code that are told one by one."""


def limited(records: Iterable[Entry | Notice]) -> Iterator[Entry | Notice]:
    """Yield records as they are; of the notices of one code the first thousand, and at the end how many more."""
    counts: Counter[NoticeCode] = Counter()
    for record in records:
        if isinstance(record, Notice):
            counts[record.code] += 1
            if counts[record.code] > MOST_REMARKS:
                continue
        yield record
    for code, count in counts.items():
        if count > MOST_REMARKS:
            yield Notice(code=code, message=f"{count - MOST_REMARKS} more notices of this kind were left out")
