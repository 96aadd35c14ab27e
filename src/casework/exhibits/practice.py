"""What offices ask for without a statute, as dated rows that a legal officer confirms or supersedes."""

from __future__ import annotations

from datetime import date

from casework.exhibits.models import Practice
from casework.law import api as law

_KERALA_ORDER = "Kerala High Court, WP(Crl) 445/2022, 2023/KER/77356, 07-12-2023"
# key, value, text, source, status, from
ROWS = (
    (
        "forwarding-rank",
        "deputy-superintendent",
        "A forwarding note to the laboratory is signed by this rank or above.",
        "forensic.assam.gov.in, wbfsl.gov.in",
        "V2",
        date(2000, 1, 1),
    ),
    (
        "locker-register",
        "required",
        "The material is kept labelled, in a sealed pack of its own, in a locker with a book of what goes in and out; "
        "its way to the court is recorded.",
        _KERALA_ORDER,
        "V2",
        date(2023, 12, 7),
    ),
    (
        "viewing",
        "court-order, expert, no-devices, attendance",
        "The material is viewed only on the order of a court, with an expert, without devices; who attends is written "
        "down; no copies are given to the accused.",
        _KERALA_ORDER,
        "V2",
        date(2023, 12, 7),
    ),
    (
        "destruction",
        "after-finality",
        "The material is destroyed after the matter is final.",
        _KERALA_ORDER,
        "V2",
        date(2023, 12, 7),
    ),
)


def seed() -> int:
    """Add the packaged rows that are missing, and return how many; rows that are there are left alone."""
    known = set(Practice.objects.values_list("key", flat=True))
    missing = [row for row in ROWS if row[0] not in known]
    for key, value, text, source, status, begun in missing:
        Practice(key=key, value=value, text=text, source=source, status=status, valid_from=begun).save()
    return len(missing)


def practice_on(day: date, key: str) -> Practice | None:
    """Return the row that held on the day, or None where none is on record."""
    return Practice.objects.filter(law.in_force(day), key=key).order_by("-valid_from").first()


def practices_on(day: date) -> list[Practice]:
    """Return every row that held on the day."""
    return list(Practice.objects.filter(law.in_force(day)).order_by("key"))
