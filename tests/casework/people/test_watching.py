"""The watch register: legal basis, near reviews, ends with a reason; names for its keepers, a figure for everyone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from casework.audit.models import Entry
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people
from casework.people import watching
from casework.people.models import WatchEntry, WatchReview
from tests.casework.conftest import THE_CASE
from tests.casework.people.conftest import House, enter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]

TODAY = date(2026, 11, 24)


def watch(house: House, person: people.Person, **changes: object) -> WatchEntry:
    given = {"basis": "order 12/2026", "reason": "contact goes on", "since": TODAY, "review_on": TODAY + timedelta(90)}
    return people.put_under_watch(acting=house.inga, person=person, case=THE_CASE, **(given | changes))  # type: ignore[arg-type]


def test_an_entry_has_basis_beginning_and_a_near_review(house: House) -> None:
    person = enter(house.inga, "Thevakkan")

    for changes in (
        {"basis": " "},
        {"reason": ""},
        {"since": TODAY + timedelta(1)},
        {"review_on": TODAY},
        {"review_on": TODAY + timedelta(184)},
    ):
        with pytest.raises(RefusedError):
            watch(house, person, **changes)
    watch(house, person)
    with pytest.raises(RefusedError, match="already"):
        watch(house, person)
    assert people.watched_count() == 1


def test_a_protected_person_is_not_put_under_watch(house: House) -> None:
    for role in (people.RoleKind.VICTIM, people.RoleKind.CHILD_IN_CONFLICT):
        with pytest.raises(RefusedError, match="protected"):
            watch(house, enter(house.inga, "Mazhanila", role=role))


def test_a_review_keeps_the_entry_and_an_end_has_a_name_and_a_reason(house: House) -> None:
    entry = watch(house, enter(house.inga, "Thevakkan"))
    people.review(acting=house.esther, entry=entry.pk, reason="still in contact", review_on=TODAY + timedelta(120))
    people.remove(acting=house.esther, entry=entry.pk, reason="moved abroad")

    entry.refresh_from_db()
    assert (entry.review_on, entry.removed_by, entry.removed_reason) == (
        TODAY + timedelta(120),
        house.esther,
        "moved abroad",
    )
    assert WatchReview.objects.get().reviewed_by == house.esther
    assert people.watched_count() == 0
    acts = ["people.watch_begun", "people.watch_reviewed", "people.watch_ended"]
    assert list(Entry.objects.filter(act__startswith="people.watch").values_list("act", flat=True)) == acts
    with pytest.raises(RefusedError, match="ended"):
        people.review(acting=house.esther, entry=entry.pk, reason="again", review_on=TODAY + timedelta(9))
    with pytest.raises(RefusedError, match="ended"):
        people.remove(acting=house.esther, entry=entry.pk, reason="again")


def test_the_register_is_for_the_keepers_of_its_unit(house: House) -> None:
    entry = watch(house, enter(house.inga, "Thevakkan"))

    for outsider in (house.bashir, house.carla, house.dora, house.vimala):
        with pytest.raises(AbsentError):
            watching.get_entry(outsider, entry.pk)
        with pytest.raises(AbsentError):
            people.remove(acting=outsider, entry=entry.pk, reason="curious")
    assert watching.get_entry(house.esther, entry.pk) == entry


def test_what_is_overdue_waits_for_the_keepers(house: House) -> None:
    watch(house, enter(house.inga, "Thevakkan"), review_on=TODAY + timedelta(30))

    assert people.waiting_for(house.inga) == []
    with clock.moved_by(timedelta(days=28)):
        assert [(one.title, one.overdue) for one in people.waiting_for(house.esther)] == [("Thevakkan", False)]
    with clock.moved_by(timedelta(days=31)):
        assert [one.overdue for one in people.waiting_for(house.inga)] == [True]
        assert people.waiting_for(house.bashir) == people.waiting_for(house.dora) == []
