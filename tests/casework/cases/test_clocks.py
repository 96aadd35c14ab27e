"""Clocks: which run, until when, what ends them; the arithmetic by Hypothesis."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.cases import rules, vocabulary
from casework.cases.models import Deadline, DeadlineStep, Event
from casework.law import api as law
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.cases.conftest import Scene, charge, enter, register, victim
from tests.casework.conftest import A_MORNING, enlist

pytestmark = pytest.mark.django_db
Happened = cases.Happened

REMANDED = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
BORN = date(2010, 6, 15)


def record(scene: Scene, happened: Happened, at: datetime, **given: object) -> Event:
    return cases.record(acting=scene.cast.inga, case=scene.id, happened=happened, at=at, **given)  # type: ignore[arg-type]


def running(scene: Scene) -> dict[str, Deadline]:
    return {one.key: one for one in Deadline.objects.filter(case=scene.id, state="running")}


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), law.INDIA)


def test_every_event_of_the_rules_is_a_word_of_the_house_and_so_is_what_meets_them(scene: Scene) -> None:
    words = set(vocabulary.Happened)

    for rule in law.ClockRule.objects.all():
        assert rule.event in words, rule.key
        assert set(rule.met_by) <= words, rule.key
        assert (rule.per == "person") is (Happened(rule.event) in vocabulary.OF_A_PERSON), rule.key


def test_a_report_starts_its_clocks_and_unverified_rules_are_marked(scene: Scene) -> None:
    register(scene, A_MORNING - timedelta(hours=2))
    found = running(scene)

    assert set(found) == {"fir-copy", "magistrate-report", "form-a", "form-b", "progress-90d"}
    assert found["form-a"].due_at == A_MORNING + timedelta(hours=22)
    assert not found["form-a"].rule.is_verified


@pytest.mark.parametrize(
    ("sections", "days", "settled"),
    [
        ([], 60, False),
        (["IT Act 2000 67B(a)-(e)"], 60, True),
        (["POCSO 2012 8", "POCSO 2012 10"], 60, True),
        (["POCSO 2012 12", "POCSO 2012 15(1)"], 60, True),
        (["POCSO 2012 14(1)"], 60, False),
        (["POCSO 2012 14(1)", "POCSO 2012 6"], 90, True),
        (["BNS 2023 64(1)"], 90, True),
        (["BNS 2023 96"], 60, False),
    ],
)
def test_the_day_of_default_bail_follows_the_charges_of_that_person(
    scene: Scene, sections: list[str], days: int, settled: bool
) -> None:
    accused, other, harmed = enter(scene), enter(scene, name="Drenn Ovalis"), victim(scene, born=BORN)
    register(scene, REMANDED - timedelta(days=2))
    charge(scene, "POCSO 2012 6", other, harmed)
    for section in sections:
        charge(scene, section, accused, harmed)
    record(scene, Happened.FIRST_REMAND, REMANDED, person=accused.pk, age_asked=True)
    clock_of_bail = running(scene)["default-bail"]

    # The day of remand is the first; the last one ends with its midnight in India.
    assert clock_of_bail.due_at == midnight(date(2026, 10, 1) + timedelta(days=days))
    assert clock_of_bail.settled is settled
    assert bool(clock_of_bail.condition) is not settled


def test_the_day_moves_when_a_graver_charge_is_laid_and_back_when_it_is_withdrawn(scene: Scene) -> None:
    accused, harmed = enter(scene), victim(scene, born=BORN)
    register(scene, REMANDED - timedelta(days=2))
    charge(scene, "IT Act 2000 67B(a)-(e)", accused, harmed)
    record(scene, Happened.FIRST_REMAND, REMANDED, person=accused.pk, age_asked=True)
    graver = charge(scene, "POCSO 2012 6", accused, harmed)
    with_it = running(scene)["default-bail"].due_at
    cases.withdraw_charge(acting=scene.cast.inga, case=scene.id, charge=graver.pk, reason="of another")

    assert with_it == midnight(date(2026, 12, 30))
    assert running(scene)["default-bail"].due_at == midnight(date(2026, 11, 30))
    steps = DeadlineStep.objects.filter(deadline__key="default-bail").order_by("created_at", "id")
    assert sorted(step.step for step in steps) == ["recounted", "recounted", "started"]


def test_a_section_of_the_old_code_leaves_the_term_open_and_takes_the_shorter(scene: Scene) -> None:
    accused = enter(scene)
    cases.lay_charge(
        acting=scene.cast.inga, case=scene.id, person=accused.pk, victim=None, first=date(2024, 5, 1),
        last=date(2024, 5, 1), old_section="354C",
    )  # fmt: skip
    register(scene, REMANDED - timedelta(days=2))
    record(scene, Happened.FIRST_REMAND, REMANDED, person=accused.pk, age_asked=True)

    bail = running(scene)["default-bail"]
    assert (bail.due_at, bail.settled) == (midnight(date(2026, 11, 30)), False)
    assert "legal advice" in bail.condition


def test_what_was_pending_stays_under_the_old_procedure(scene: Scene) -> None:
    accused = enter(scene)
    register(scene, datetime(2024, 6, 20, 4, 0, tzinfo=UTC))
    record(scene, Happened.ARREST, datetime(2024, 7, 10, 4, 0, tzinfo=UTC), person=accused.pk, age_asked=True)

    assert {one.rule.law for one in running(scene).values()} == {
        "CrPC 154(2)", "CrPC 157(1)", "CrPC 57", "CrPC 50-50A", "POCSO Rules, Form A", "POCSO Rules, Form B",
    }  # fmt: skip
    assert {one.rule.status for one in running(scene).values()} == {"M"}


def test_what_was_known_before_and_registered_after_is_under_the_new(scene: Scene) -> None:
    known = datetime(2024, 6, 20, 4, 0, tzinfo=UTC)
    charge(scene, "POCSO 2012 15(1)", enter(scene), first=date(2024, 6, 1))
    record(scene, Happened.OFFENCE_KNOWN, known)
    before = running(scene)["limitation"].rule.law
    register(scene, datetime(2024, 8, 1, 4, 0, tzinfo=UTC))

    limitation = Deadline.objects.get(case=scene.id, key="limitation")
    assert (before, limitation.rule.law) == ("CrPC 468-473", "BNSS 514-519")
    # Registered in time, so the bar does not fall.
    assert (limitation.state, limitation.due_at) == ("met", datetime(2024, 12, 20, 4, 0, tzinfo=UTC))


def test_possession_alone_is_barred_six_months_after_it_became_known(scene: Scene) -> None:
    accused = enter(scene)
    charge(scene, "POCSO 2012 15(1)", accused)
    record(scene, Happened.OFFENCE_KNOWN, datetime(2026, 9, 1, 4, 0, tzinfo=UTC))
    alone = running(scene)["limitation"].due_at
    charge(scene, "POCSO 2012 12", accused)
    with_12 = running(scene)["limitation"].due_at
    charge(scene, "IT Act 2000 67B(a)-(e)", accused)
    with_67b = running(scene)["limitation"]

    assert alone == datetime(2027, 3, 1, 4, 0, tzinfo=UTC)
    assert with_12 == datetime(2029, 9, 1, 4, 0, tzinfo=UTC)
    assert (with_67b.due_at, with_67b.condition, with_67b.settled) == (None, "no bar", True)


def test_a_graver_charge_of_another_accused_does_not_lift_the_bar(scene: Scene) -> None:
    one, other = enter(scene), enter(scene, name="Drenn Ovalis")
    charge(scene, "POCSO 2012 15(1)", one)
    record(scene, Happened.OFFENCE_KNOWN, datetime(2026, 9, 1, 4, 0, tzinfo=UTC))
    charge(scene, "IT Act 2000 67B(a)-(e)", other)
    parted = running(scene)["limitation"].due_at
    charge(scene, "IT Act 2000 67B(a)-(e)", one)

    assert parted == datetime(2027, 3, 1, 4, 0, tzinfo=UTC)
    assert running(scene)["limitation"].condition == "no bar"


def test_the_two_months_run_only_for_the_listed_sections(scene: Scene) -> None:
    accused, harmed = enter(scene), victim(scene, born=BORN)
    register(scene, A_MORNING - timedelta(days=1))
    charge(scene, "IT Act 2000 67B(a)-(e)", accused, harmed)
    record(scene, Happened.INFORMATION_RECORDED, A_MORNING - timedelta(days=1))
    before = set(running(scene))
    listed = charge(scene, "POCSO 2012 6", accused, harmed)
    with_it = running(scene)["invest-2m"].due_at
    cases.withdraw_charge(acting=scene.cast.inga, case=scene.id, charge=listed.pk, reason="wrong")

    assert "invest-2m" not in before
    assert with_it == datetime(2027, 1, 23, 4, 30, tzinfo=UTC)
    assert Deadline.objects.get(case=scene.id, key="invest-2m").state == "void"


def test_the_police_report_ends_the_clocks_of_all_and_a_production_that_of_one(scene: Scene) -> None:
    one, two = enter(scene), enter(scene, name="Drenn Ovalis")
    register(scene, REMANDED - timedelta(days=2))
    for person in (one, two):
        record(scene, Happened.ARREST, REMANDED - timedelta(hours=20), person=person.pk, age_asked=True)
        record(scene, Happened.FIRST_REMAND, REMANDED, person=person.pk, age_asked=True)
    record(scene, Happened.PRODUCED, REMANDED, person=one.pk, age_asked=True, document="order sheet 4")
    produced = Deadline.objects.filter(case=scene.id, key="arrest-24h").order_by("person__code")
    by_person = {row.person_id: row.state for row in produced}
    filed = record(scene, Happened.POLICE_REPORT_FILED, REMANDED + timedelta(days=40), document="PR 3/2026")
    bails = Deadline.objects.filter(case=scene.id, key="default-bail")

    assert by_person == {one.pk: "met", two.pk: "running"}
    assert {(row.state, row.document) for row in bails} == {("met", "PR 3/2026")}
    cases.strike(acting=scene.cast.inga, case=scene.id, event=filed.pk, reason="of another case")
    assert {row.state for row in Deadline.objects.filter(case=scene.id, key="default-bail")} == {"running"}


def test_an_event_entered_before_the_one_that_starts_the_clock_meets_it_too(scene: Scene) -> None:
    accused = enter(scene)
    record(scene, Happened.PRODUCED, REMANDED, person=accused.pk, age_asked=True)
    record(scene, Happened.ARREST, REMANDED - timedelta(hours=5), person=accused.pk, age_asked=True)

    assert Deadline.objects.get(case=scene.id, key="arrest-24h").state == "met"


def test_a_struck_event_takes_its_clocks_with_it(scene: Scene) -> None:
    known = record(scene, Happened.INFORMATION_RECORDED, A_MORNING)
    cases.strike(acting=scene.cast.inga, case=scene.id, event=known.pk, reason="of another case")

    assert running(scene) == {}
    assert {one.state for one in Deadline.objects.filter(case=scene.id)} == {"void"}


def test_a_clock_ends_by_a_document_or_a_reason_and_once(scene: Scene) -> None:
    register(scene, A_MORNING - timedelta(hours=2))
    form_a, form_b = running(scene)["form-a"], running(scene)["form-b"]
    inga = scene.cast.inga

    with pytest.raises(RefusedError, match="Name the document"):
        cases.meet(acting=inga, case=scene.id, deadline=form_a.pk, at=A_MORNING, document=" ")
    cases.meet(acting=inga, case=scene.id, deadline=form_a.pk, at=A_MORNING, document="Form A, handed over")
    cases.excuse(acting=inga, case=scene.id, deadline=form_b.pk, reason="no child is known yet")

    assert Deadline.objects.get(pk=form_a.pk).state == "met"
    assert DeadlineStep.objects.get(deadline=form_b, step="excused").reason == "no child is known yet"
    with pytest.raises(RefusedError, match="ended already"):
        cases.excuse(acting=inga, case=scene.id, deadline=form_a.pk, reason="late")
    with pytest.raises(AbsentError):
        cases.excuse(acting=scene.cast.carla, case=scene.id, deadline=form_a.pk, reason="late")


def test_a_clock_grows_only_as_far_as_its_rule_says(scene: Scene) -> None:
    accused = enter(scene)
    register(scene, REMANDED - timedelta(days=2))
    record(scene, Happened.ARREST, REMANDED, person=accused.pk, age_asked=True)
    record(scene, Happened.FIRST_REMAND, REMANDED, person=accused.pk, age_asked=True)
    arrest, bail = running(scene)["arrest-24h"], running(scene)["default-bail"]

    def extend(row: Deadline, until: datetime, document: str = "duty log 4") -> Deadline:
        return cases.extend(
            acting=scene.cast.inga, case=scene.id, deadline=row.pk, until=until, document=document, reason="the way"
        )

    with pytest.raises(RefusedError, match="gives no extension"):
        extend(bail, REMANDED + timedelta(days=100))
    with pytest.raises(RefusedError, match="Name the document"):
        extend(arrest, REMANDED + timedelta(hours=27), "")
    with pytest.raises(RefusedError, match="before the present"):
        extend(arrest, REMANDED + timedelta(hours=24))
    grown = extend(arrest, REMANDED + timedelta(hours=27))

    assert (grown.due_at, grown.counted_at) == (REMANDED + timedelta(hours=27), REMANDED + timedelta(hours=24))
    charge(scene, "POCSO 2012 12", accused)
    assert running(scene)["arrest-24h"].due_at == REMANDED + timedelta(hours=27)


def test_an_order_that_is_verified_is_no_longer_marked(scene: Scene) -> None:
    register(scene, A_MORNING - timedelta(hours=2))
    leela = enlist("Leela", scene.cast.inga.unit, accounts.Role.LEGAL)
    law.confirm(acting=leela, row=running(scene)["form-a"].rule, reason="Gazette")
    charge(scene, "POCSO 2012 12", enter(scene))

    assert running(scene)["form-a"].rule.is_verified
    assert not running(scene)["form-b"].rule.is_verified


def test_nothing_is_written_down_before_it_happened(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="has not happened"):
        record(scene, Happened.INFORMATION_RECORDED, A_MORNING + timedelta(minutes=1))


INSTANTS = st.integers(0, 6 * 365 * 24 * 60).map(lambda minutes: REMANDED + timedelta(minutes=minutes - 10**6))


@given(at=INSTANTS, days=st.integers(1, 400))
def test_days_keep_the_time_of_day_in_india(at: datetime, days: int) -> None:
    due = law.due_after(at, f"{days}d")

    assert due is not None
    local = at.astimezone(law.INDIA)
    assert due.astimezone(law.INDIA).timetz() == local.timetz()
    assert (due.astimezone(law.INDIA).date() - local.date()).days == days


@given(at=INSTANTS, months=st.integers(1, 60))
def test_months_end_on_that_day_or_on_the_last_of_a_shorter_month(at: datetime, months: int) -> None:
    due = law.due_after(at, f"{months}m")

    assert due is not None
    local, end = at.astimezone(law.INDIA), due.astimezone(law.INDIA)
    assert (end.year * 12 + end.month) - (local.year * 12 + local.month) == months
    assert end.day == local.day or (end.day < local.day and (end + timedelta(days=1)).day == 1)


@given(at=INSTANTS, hours=st.integers(1, 200))
def test_hours_run_on(at: datetime, hours: int) -> None:
    assert law.due_after(at, f"{hours}h") == at + timedelta(hours=hours)


@given(at=INSTANTS, later=st.timedeltas(timedelta(0), timedelta(days=3)))
def test_what_is_due_at_once_is_late_when_its_day_is_over(at: datetime, later: timedelta) -> None:
    same_day = (at + later).astimezone(law.INDIA).date() == at.astimezone(law.INDIA).date()

    assert rules.is_late(at, "now", at + later) is not same_day
    assert rules.is_late(at, "24h", at + later)
    assert not rules.is_late(None, "open", at + later)


@given(counted=st.one_of(st.none(), INSTANTS), extended=st.one_of(st.none(), INSTANTS))
def test_an_extension_never_shortens_a_clock(counted: datetime | None, extended: datetime | None) -> None:
    end = rules.later(counted, extended)

    assert (end is None) is (counted is None)
    assert end is None or counted is None or end >= counted
