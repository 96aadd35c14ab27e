"""The watch register: who is under watch, on which legal basis, since when, to be looked at again when.

A unit keeps its own register. The names are for its investigators and supervisors; `watched_count` is for everyone.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import rules, sight
from casework.people.models import Person, WatchEntry, WatchReview

KEEPERS = frozenset({accounts.Role.INVESTIGATOR, accounts.Role.SUPERVISOR})


@transaction.atomic
def put_under_watch(
    *,
    acting: accounts.Account,
    person: Person,
    case: UUID,
    basis: str,
    reason: str,
    since: date,
    review_on: date,
) -> WatchEntry:
    """Enter a person of a case in the register of one's unit."""
    through = sight.working_case(acting, person.pk, case)
    check_keeps(acting, acting.unit_id)
    person = Person.objects.select_for_update().get(pk=person.pk)
    rules.check_watch(shut_away=person.is_shut_away, basis=basis, since=since, review_on=review_on, today=clock.today())
    rules.check_said(reason, "reason", "Say why the person is put under watch.")
    if WatchEntry.objects.filter(person=person, unit=acting.unit, removed_at=None).exists():
        raise RefusedError("watched", "The person is under watch already; review that entry.")
    entry = WatchEntry.objects.create(
        person=person, unit=acting.unit, case=through, basis=basis.strip(), reason=reason.strip(), since=since,
        review_on=review_on, entered_by=acting,
    )  # fmt: skip
    _tell(acting, "watch_begun", entry, fields={"basis": basis.strip(), "review_on": review_on.isoformat()})
    return entry


@transaction.atomic
def review(*, acting: accounts.Account, entry: UUID, reason: str, review_on: date) -> None:
    """Say why an entry stays, and when it is looked at again."""
    row = _running(acting, entry)
    rules.check_said(reason, "reason", "Say why the person stays under watch.")
    rules.check_review(review_on, clock.today())
    WatchReview.objects.create(entry=row, reviewed_by=acting, reason=reason.strip(), review_on=review_on)
    WatchEntry.objects.filter(pk=row.pk).update(review_on=review_on)
    _tell(acting, "watch_reviewed", row, purpose=reason, fields={"review_on": review_on.isoformat()})


@transaction.atomic
def remove(*, acting: accounts.Account, entry: UUID, reason: str) -> None:
    """End an entry; that it was, and why it ended, stays on record."""
    row = _running(acting, entry)
    rules.check_said(reason, "reason", "Say why the watch ends.")
    WatchEntry.objects.filter(pk=row.pk).update(
        removed_at=clock.now(), removed_by=acting, removed_reason=reason.strip()
    )
    _tell(acting, "watch_ended", row, purpose=reason)


def get_entry(asking: accounts.Account, entry: UUID) -> WatchEntry:
    """Return an entry of the register of one's unit."""
    row = WatchEntry.objects.select_related("person", "entered_by", "removed_by", "unit").filter(pk=entry).first()
    if row is None:
        raise AbsentError("entry")
    check_keeps(asking, row.unit_id)
    return row


def running_of(asking: accounts.Account, person: Person) -> list[WatchEntry]:
    """Return the running entries on a person in the register of the account's unit, if the account keeps it."""
    try:
        check_keeps(asking, asking.unit_id)
    except AbsentError:
        return []
    return list(WatchEntry.objects.filter(person=person, unit=asking.unit_id, removed_at=None))


def check_keeps(account: accounts.Account, unit: UUID) -> None:
    """Pass, where the account keeps the register of that unit."""
    standing = accounts.standing_of(account)
    roles = standing.roles if standing.active else frozenset()
    rules.check_keeps_watch(roles, KEEPERS, same_unit=standing.unit == str(unit))


def watched_count() -> int:
    """Return how many persons are under watch in the whole house: the one figure that is public."""
    return WatchEntry.objects.filter(removed_at=None).values("person").distinct().count()


def _running(acting: accounts.Account, entry: UUID) -> WatchEntry:
    row = WatchEntry.objects.select_for_update().filter(pk=entry).first()
    if row is None:
        raise AbsentError("entry")
    check_keeps(acting, row.unit_id)
    if row.removed_at is not None:
        raise RefusedError("removed", "The watch has ended.")
    return row


def _tell(
    acting: accounts.Account, act: str, entry: WatchEntry, *, purpose: str = "", fields: audit.Fields | None = None
) -> None:
    subject = audit.Subject(kind="person", id=str(entry.person_id), case=str(entry.case))
    audit.append(
        actor=accounts.actor(acting), act=f"people.{act}", subject=subject, purpose=purpose.strip(), fields=fields
    )
