"""The register: numbers without a gap, who leads, what stands and what is refused."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import api as cases
from casework.cases.models import Case, Event, Link
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.cases.conftest import Scene, register
from tests.casework.conftest import A_MORNING, Cast, enlist

pytestmark = pytest.mark.django_db


def opened(acting: accounts.Account) -> Case:
    return cases.open_case(
        acting=acting, title="Matter of the blue kettle", classification=cases.Classification.OTHER, purpose="inquiry"
    )


def test_numbers_run_by_unit_and_year(cast: Cast) -> None:
    with clock.stopped_at(A_MORNING):
        numbers = [opened(cast.inga).register_no, opened(cast.esther).register_no, opened(cast.carla).register_no]
    # In India the new year has begun while it is still the old one in Greenwich.
    with clock.stopped_at(datetime(2026, 12, 31, 18, 30, tzinfo=UTC)):
        numbers.append(opened(cast.inga).register_no)

    assert numbers == ["1/2026", "2/2026", "1/2026", "1/2027"]


def test_a_case_that_was_not_opened_takes_no_number(cast: Cast) -> None:
    with clock.stopped_at(A_MORNING):
        opened(cast.inga)
        with pytest.raises(RefusedError, match="has not happened"):
            cases.open_case(
                acting=cast.inga, title="Matter", classification=cases.Classification.OTHER, purpose="inquiry",
                first_known_at=A_MORNING + timedelta(days=1),
            )  # fmt: skip

        assert opened(cast.inga).register_no == "2/2026"


@pytest.mark.usefixtures("committed")
def test_cases_opened_at_the_same_time_have_all_numbers_once() -> None:
    unit = accounts.Unit.objects.create(name="Cell of the north")
    officers = [enlist(f"Officer{number}", unit, accounts.Role.INVESTIGATOR) for number in range(4)]
    faults: list[BaseException] = []

    def work(officer: accounts.Account) -> None:
        try:
            for _ in range(8):
                opened(officer)
        except BaseException as fault:  # noqa: BLE001 - handed to the main thread
            faults.append(fault)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(officer,)) for officer in officers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert faults == []
    assert sorted(Case.objects.values_list("number", flat=True)) == list(range(1, 33))


def test_who_opens_a_case_leads_it_and_the_ledger_says_so(scene: Scene) -> None:
    acts = [entry.act for entry in audit.of_case(str(scene.id))]

    assert accounts.check_may_read(scene.cast.inga, scene.id) is accounts.Capacity.LEAD
    assert acts[:2] == ["accounts.member_assigned", "cases.case_opened"]
    assert scene.case.state == cases.State.ENQUIRY


def test_to_others_there_is_no_register_and_no_case(scene: Scene) -> None:
    for outsider in (scene.cast.carla, scene.cast.dora, scene.cast.esther):
        with pytest.raises(AbsentError):
            cases.get_case(scene.id, person=outsider)
        with pytest.raises(AbsentError):
            cases.end_case(acting=outsider, case=scene.id, how=cases.Happened.WITHDRAWN, reason="curious")
    with pytest.raises(AbsentError):
        opened(scene.cast.dora)
    with pytest.raises(AbsentError):
        cases.get_case(uuid4(), person=scene.cast.inga)


def test_a_reader_changes_nothing(scene: Scene) -> None:
    before = Event.objects.count()

    assert cases.get_case(scene.id, person=scene.cast.bashir) == scene.case
    with pytest.raises(RefusedError, match="not change it"):
        cases.record(
            acting=scene.cast.bashir, case=scene.id, happened=cases.Happened.INFORMATION_RECORDED, at=clock.now()
        )
    assert Event.objects.count() == before


def test_the_state_follows_the_events_and_a_struck_one_counts_no_longer(scene: Scene) -> None:
    register(scene, A_MORNING - timedelta(days=3))
    filed = cases.record(
        acting=scene.cast.inga, case=scene.id, happened=cases.Happened.POLICE_REPORT_FILED,
        at=A_MORNING - timedelta(days=1), document="Police report 3/2026",
    )  # fmt: skip
    before_court = Case.objects.get(pk=scene.id).state
    cases.strike(acting=scene.cast.inga, case=scene.id, event=filed.pk, reason="of another case")

    assert before_court == cases.State.BEFORE_COURT
    assert Case.objects.get(pk=scene.id).state == cases.State.INVESTIGATION
    assert Event.objects.filter(strikes=filed).count() == 1
    with pytest.raises(RefusedError, match="struck already"):
        cases.strike(acting=scene.cast.inga, case=scene.id, event=filed.pk, reason="again")


def test_a_case_is_withdrawn_with_a_reason_and_can_be_reopened(scene: Scene) -> None:
    withdrawn = cases.Happened.WITHDRAWN
    with pytest.raises(RefusedError, match="Say why"):
        cases.end_case(acting=scene.cast.inga, case=scene.id, how=withdrawn, reason=" ")
    cases.end_case(acting=scene.cast.inga, case=scene.id, how=withdrawn, reason="entered twice")

    with pytest.raises(RefusedError, match="reopen it"):
        cases.record(
            acting=scene.cast.inga, case=scene.id, happened=cases.Happened.INFORMATION_RECORDED, at=clock.now()
        )
    with clock.moved_by(timedelta(minutes=1)):
        cases.reopen_case(acting=scene.cast.inga, case=scene.id, reason="it is another one")
    assert Case.objects.get(pk=scene.id).state == cases.State.INVESTIGATION


def test_a_zero_report_is_numbered_anew_after_its_transfer_and_the_matter_does_not_begin_again(scene: Scene) -> None:
    register(scene, datetime(2026, 5, 1, 4, 0, tzinfo=UTC), "0/4")
    register(scene, datetime(2026, 6, 1, 4, 0, tzinfo=UTC), "88")
    case = Case.objects.get(pk=scene.id)
    first, second = case.firs.order_by("created_at")

    assert second.follows == first
    assert str(case.begun_on) == "2026-05-01"
    assert case.state == cases.State.INVESTIGATION


def test_a_link_is_made_once_and_ends_with_a_reason(scene: Scene) -> None:
    tip = uuid4()

    def tie(reason: str) -> Link:
        return cases.link(
            acting=scene.cast.inga, case=scene.id, kind=cases.LinkKind.TIP, target=tip, label="Tip 4", reason=reason
        )

    made = tie("it began with this")
    with pytest.raises(RefusedError, match="tied to this already"):
        tie("again")
    cases.unlink(acting=scene.cast.inga, case=scene.id, link=made.pk, reason="of another matter")
    assert Link.objects.get(pk=made.pk).ended_reason == "of another matter"
    tie("after all")


@pytest.mark.parametrize("statement", ["UPDATE cases_event SET happened = 'closed'", "DELETE FROM cases_event"])
def test_the_database_refuses_to_change_an_event(scene: Scene, statement: str) -> None:
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.filter(happened=cases.Happened.OPENED).count() == 1
