"""A child who is suspected: never arrested, shown by a pseudonym, classed by the Board in a doubt, forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from casework.audit import api as audit
from casework.cases import api as cases
from casework.cases import persons, rules
from casework.cases.models import Charge, ChargeStep, ChildPath, Deadline, DeadlineStep, Event, Support
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people
from tests.casework.cases.conftest import Scene, charge, enter
from tests.casework.conftest import A_MORNING

pytestmark = pytest.mark.django_db
Happened = cases.Happened
JjClass = law.JjClass

# Seventeen until the end of February 2026, eighteen from the first of March.
BORN = date(2008, 3, 1)
BEFORE, AFTER = date(2026, 2, 28), date(2026, 3, 1)
MARCH, ALL = date(2026, 3, 1), (date(2020, 1, 1), A_MORNING.date())


def path_of(scene: Scene, child: people.Person, offence_on: date = BEFORE) -> ChildPath:
    return cases.open_child_path(
        acting=scene.cast.inga, case=scene.id, person=child.pk, offence_on=offence_on, age_proof="school record 7",
        welfare_officer="ASI Dorvan",
    )  # fmt: skip


def record(scene: Scene, happened: Happened, person: people.Person, **given: object) -> Event:
    return cases.record(
        acting=scene.cast.inga, case=scene.id, happened=happened, person=person.pk,
        **{"at": A_MORNING - timedelta(hours=5), **given},  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("happened", [Happened.ARREST, Happened.PRODUCED, Happened.FIRST_REMAND])
def test_a_child_is_never_arrested_produced_or_remanded(scene: Scene, happened: Happened) -> None:
    child = enter(scene, born=BORN)
    charge(scene, "POCSO 2012 12", child, first=BEFORE)

    with pytest.raises(RefusedError, match="taken to the Board"):
        record(scene, happened, child, age_asked=True)
    assert not Event.objects.filter(happened=happened).exists()


def test_age_counts_on_the_day_of_the_offence_and_not_of_the_arrest(scene: Scene) -> None:
    now_of_age, of_age_then = enter(scene, born=BORN), enter(scene, born=BORN, name="Drenn Ovalis")
    charge(scene, "POCSO 2012 12", now_of_age, first=BEFORE)
    charge(scene, "POCSO 2012 12", of_age_then, first=AFTER)

    with pytest.raises(RefusedError, match="never arrested"):
        record(scene, Happened.ARREST, now_of_age)
    assert record(scene, Happened.ARREST, of_age_then).pk


def test_an_age_not_on_record_is_asked_for(scene: Scene) -> None:
    unknown = enter(scene)

    with pytest.raises(RefusedError, match="Ask for it"):
        record(scene, Happened.ARREST, unknown)
    assert record(scene, Happened.ARREST, unknown, age_asked=True).pk


def test_a_person_on_the_path_is_not_arrested_whatever_their_birth(scene: Scene) -> None:
    child = enter(scene)
    path_of(scene, child)

    with pytest.raises(RefusedError, match="never arrested"):
        record(scene, Happened.ARREST, child, age_asked=True)


def test_arrests_are_counted_without_children(scene: Scene) -> None:
    adult, child, found_out, struck = (
        enter(scene, born=date(1980, 1, 1)), enter(scene, born=BORN, name="Drenn Ovalis"),
        enter(scene, name="Sollin Arq"), enter(scene, born=date(1979, 1, 1), name="Perrin Vost"),
    )  # fmt: skip
    for one in (adult, child, found_out, struck):
        charge(scene, "POCSO 2012 12", one, first=BEFORE)
    path_of(scene, child)
    record(scene, Happened.CHILD_APPREHENDED, child)
    for one in (adult, found_out, struck):
        arrest = record(scene, Happened.ARREST, one, age_asked=True)
    cases.strike(acting=scene.cast.inga, case=scene.id, event=arrest.pk, reason="of another")
    before = list(cases.arrests(*ALL))
    # The school record comes in later: he was a child.
    born = people.Born(day=BORN, precision=people.Precision.DAY, proof=people.Proof.SCHOOL_RECORD)
    people.record_birth(acting=scene.cast.inga, person=found_out, born=born)
    known = list(cases.arrests(*ALL))
    path_of(scene, found_out)

    assert (len(before), len(known), len(list(cases.arrests(*ALL)))) == (2, 1, 1)
    assert known == [cases.Arrest(case=scene.id, unit=scene.case.unit_id, on=A_MORNING.date())]
    assert list(cases.arrests(date(2026, 11, 25), date(2026, 12, 1))) == []


def test_an_arrest_at_night_belongs_to_the_indian_day(scene: Scene) -> None:
    adult = enter(scene, born=date(1980, 1, 1))
    charge(scene, "POCSO 2012 12", adult)
    record(scene, Happened.ARREST, adult, at=datetime(2026, 11, 1, 18, 40, tzinfo=UTC))

    assert [one.on for one in cases.arrests(date(2026, 11, 2), date(2026, 11, 2))] == [date(2026, 11, 2)]
    assert list(cases.arrests(date(2026, 11, 1), date(2026, 11, 1))) == []


def test_the_board_is_due_in_a_day_and_the_report_in_fifteen(scene: Scene) -> None:
    child = enter(scene, born=BORN)
    charge(scene, "POCSO 2012 6", child, first=BEFORE)
    path_of(scene, child)
    record(scene, Happened.CHILD_APPREHENDED, child)
    apprehended = {row.key: row.due_at for row in Deadline.objects.filter(case=scene.id)}
    record(scene, Happened.CHILD_FIRST_PRODUCTION, child, at=A_MORNING - timedelta(hours=1))
    clocks = {row.key: row for row in Deadline.objects.filter(case=scene.id)}

    assert apprehended == {"jjb-24h": A_MORNING + timedelta(hours=19)}
    assert clocks["jjb-24h"].state == "met"
    assert clocks["sir-15d"].due_at == A_MORNING - timedelta(hours=1) + timedelta(days=15)
    assert clocks["jj-inquiry"].rule.extension == "2m"
    # Seventeen, and heinous: the preliminary assessment runs, and is beyond doubt.
    assert clocks["prelim-assess"].settled
    assert str(clocks["prelim-assess"].due_at)[:10] == "2027-02-24"


@pytest.mark.parametrize(
    ("born", "section", "runs"),
    [
        (date(2011, 1, 1), "POCSO 2012 6", False),
        (BORN, "POCSO 2012 12", False),
        (BORN, "POCSO 2012 6", True),
        (BORN, "POCSO 2012 8", True),
    ],
)
def test_the_assessment_is_only_for_heinous_offences_at_sixteen_and_seventeen(
    scene: Scene, born: date, section: str, runs: bool
) -> None:
    child = enter(scene, born=born)
    charge(scene, section, child, first=BEFORE)
    path_of(scene, child)
    record(scene, Happened.CHILD_FIRST_PRODUCTION, child)
    found = Deadline.objects.filter(case=scene.id, key="prelim-assess").first()

    assert bool(found) is runs
    # POCSO 8 falls between the classes: the clock runs with its condition until the Board has spoken.
    assert found is None or found.settled is (section == "POCSO 2012 6")


@pytest.mark.parametrize(
    ("classes", "offence_on", "expected"),
    [
        ([JjClass.PETTY], BEFORE, JjClass.PETTY),
        ([JjClass.PETTY, JjClass.SERIOUS], BEFORE, JjClass.SERIOUS),
        ([JjClass.SERIOUS], date(2022, 8, 31), JjClass.UNCLASSIFIED),
        ([JjClass.SERIOUS], date(2022, 9, 1), JjClass.SERIOUS),
        ([JjClass.UNCLASSIFIED, JjClass.SERIOUS], BEFORE, JjClass.UNCLASSIFIED),
        ([JjClass.UNCLASSIFIED, JjClass.HEINOUS], BEFORE, JjClass.HEINOUS),
        ([JjClass.NOT_STATED, JjClass.PETTY], BEFORE, JjClass.UNCLASSIFIED),
        ([], BEFORE, JjClass.UNCLASSIFIED),
    ],
)
def test_a_doubt_about_the_class_is_the_boards_to_settle(
    classes: list[JjClass], offence_on: date, expected: JjClass
) -> None:
    assert rules.class_for(classes, offence_on) is expected


@pytest.mark.parametrize("section", ["POCSO 2012 8", "POCSO 2012 15(3)", "IT Act 2000 67B(a)-(e)", "BNS 2023 74"])
def test_what_fits_no_class_is_asked_of_the_board(scene: Scene, section: str) -> None:
    child = enter(scene, born=date(2010, 1, 1))
    charge(scene, section, child, first=BEFORE)
    path = path_of(scene, child)
    cases.class_by_board(
        acting=scene.cast.inga, case=scene.id, path=path.pk, jj_class=JjClass.PETTY, at=A_MORNING, document="order 9"
    )
    charge(scene, "POCSO 2012 6", child, first=BEFORE)

    assert path.jj_class == "unclassified"
    # The Board has spoken; the rows of law are silent from now on.
    assert ChildPath.objects.get(pk=path.pk).jj_class == "petty"
    with pytest.raises(RefusedError, match="heinous, serious or petty"):
        cases.class_by_board(
            acting=scene.cast.inga, case=scene.id, path=path.pk, jj_class=JjClass.UNCLASSIFIED, at=A_MORNING,
            document="order 9",
        )  # fmt: skip


def test_the_class_follows_the_charges_until_the_board_has_spoken(scene: Scene) -> None:
    child = enter(scene, born=BORN)
    path = path_of(scene, child)
    charge(scene, "POCSO 2012 12", child, first=BEFORE)
    petty = ChildPath.objects.get(pk=path.pk).jj_class
    charge(scene, "POCSO 2012 6", child, first=BEFORE)

    assert (path.jj_class, petty, ChildPath.objects.get(pk=path.pk).jj_class) == ("unclassified", "petty", "heinous")


def test_the_name_is_shut_away_and_a_pseudonym_stands_on_every_page(scene: Scene) -> None:
    child, second = enter(scene, born=BORN), enter(scene, name="Sollin Arq")
    before = persons.titles(scene.cast.inga, scene.case, [child.pk])
    path_of(scene, child)
    path_of(scene, second)
    titles = persons.titles(scene.cast.inga, scene.case, [child.pk, second.pk])

    assert before == {child.pk: "Quorvan Teleb"}
    assert titles == {child.pk: "Child A", second.pk: "Child B"}
    assert people.titles(scene.cast.inga, [child.pk])[child.pk] == child.code
    told = "".join(entry.fields + entry.purpose for entry in audit.of_case(str(scene.id)))
    assert "Quorvan" not in told
    assert "Teleb" not in told


def test_who_was_of_age_is_not_put_on_the_path(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="of age"):
        path_of(scene, enter(scene, born=date(1990, 1, 1)))
    child = enter(scene, born=BORN)
    path_of(scene, child)
    with pytest.raises(RefusedError, match="already"):
        path_of(scene, child)


def test_what_is_done_to_children_needs_the_path(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="Open the child's path"):
        record(scene, Happened.CHILD_APPREHENDED, enter(scene, born=BORN))


def test_somebody_puts_their_name_to_it_that_there_was_no_lockup(scene: Scene) -> None:
    path = path_of(scene, enter(scene, born=BORN))
    confirmed = cases.confirm_no_lockup(acting=scene.cast.inga, case=scene.id, path=path.pk)

    assert (path.no_lockup_by, confirmed.no_lockup_by, confirmed.no_lockup_at) == (None, scene.cast.inga, clock.now())
    for outsider in (scene.cast.carla, scene.cast.dora, scene.cast.esther):
        with pytest.raises(AbsentError):
            cases.confirm_no_lockup(acting=outsider, case=scene.id, path=path.pk)


def test_the_records_are_erased_on_their_day_and_a_row_without_a_person_stays(scene: Scene) -> None:
    child = enter(scene, born=BORN)
    laid = charge(scene, "POCSO 2012 12", child, first=BEFORE)
    path = path_of(scene, child)
    record(scene, Happened.CHILD_APPREHENDED, child, note="was at the blue door", document="GD 4")
    element = laid.elements.order_by("position")[0]
    cases.support(acting=scene.cast.inga, case=scene.id, element=element.pk, statement="his pictures", finding=uuid4())

    def erase(reason: str = "order 12 of the Board") -> ChildPath:
        return cases.erase_child_path(acting=scene.cast.inga, case=scene.id, path=path.pk, reason=reason)

    with pytest.raises(RefusedError, match="has not come"):
        erase()
    cases.set_erasure(
        acting=scene.cast.inga, case=scene.id, path=path.pk, on=A_MORNING.date() + timedelta(days=30),
        tried_as_adult=False, document="order 12",
    )  # fmt: skip
    with pytest.raises(RefusedError, match="has not come"):
        erase()
    [board] = Deadline.objects.filter(case=scene.id, key="jjb-24h")
    cases.meet(acting=scene.cast.inga, case=scene.id, deadline=board.pk, at=A_MORNING, document="order of the Board")
    with clock.moved_by(timedelta(days=30)):
        erase()

    kept = ChildPath.objects.get(pk=path.pk)
    assert (kept.person, kept.age, kept.jj_class, kept.age_proof) == (None, 17, "petty", "")
    assert Charge.objects.get(pk=laid.pk).person is None
    event = Event.objects.get(happened=Happened.CHILD_APPREHENDED)
    assert (event.person, event.note, event.document) == (None, None, "")
    assert Support.objects.get().statement == ""
    assert {row.person for row in Deadline.objects.filter(case=scene.id)} == {None}
    assert not ChargeStep.objects.filter(note__isnull=False).exists()
    assert {row.document for row in DeadlineStep.objects.all()} == {""}
    assert list(cases.arrests(*ALL)) == []


def test_of_a_child_tried_as_an_adult_the_records_are_kept(scene: Scene) -> None:
    path = path_of(scene, enter(scene, born=BORN))
    cases.set_erasure(
        acting=scene.cast.inga, case=scene.id, path=path.pk, on=A_MORNING.date(), tried_as_adult=True, document="order"
    )

    with pytest.raises(RefusedError, match="records are kept"):
        cases.erase_child_path(acting=scene.cast.inga, case=scene.id, path=path.pk, reason="order")


@pytest.mark.parametrize(("before", "name"), [(0, "Child A"), (25, "Child Z"), (26, "Child AA"), (52, "Child BA")])
def test_pseudonyms_go_on_after_the_alphabet(before: int, name: str) -> None:
    assert rules.pseudonym(before) == name
