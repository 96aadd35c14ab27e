"""Charges: the regime follows the days, the picker knows sex and age on them, elements and findings stand beside."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.cases.clocks import offences_of
from casework.cases.models import Charge, ChargeStep, Element, Support
from casework.law import api as law
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people
from tests.casework.cases.conftest import DAY_NEW, DAY_OLD, Scene, charge, enter, row, victim
from tests.casework.conftest import A_MORNING, enlist

pytestmark = pytest.mark.django_db

BORN_2010 = date(2010, 6, 15)


def open_sections(scene: Scene, harmed: people.Person | None, first: date, last: date | None = None) -> dict[str, str]:
    picks = cases.picks_for(
        asking=scene.cast.inga, case=scene.id, victim=harmed.pk if harmed else None, first=first, last=last or first
    )
    return {str(one.offence): str(one.fit) for one in picks.offences}


@pytest.mark.parametrize(
    ("day", "code", "pocso"),
    [
        (date(2018, 5, 1), "IPC 1860", "original"),
        (date(2019, 8, 15), "IPC 1860", "original"),
        (date(2019, 8, 16), "IPC 1860", "amended"),
        (date(2024, 6, 30), "IPC 1860", "amended"),
        (date(2024, 7, 1), "BNS 2023", "amended"),
    ],
)
def test_the_regime_of_a_charge_is_that_of_its_day(scene: Scene, day: date, code: str, pocso: str) -> None:
    laid = charge(scene, "POCSO 2012 8", enter(scene), victim(scene, born=date(2010, 1, 1)), first=day)

    assert (laid.penal_code, laid.pocso) == (code, pocso)


def test_one_case_has_charges_under_the_old_code_and_under_the_new(scene: Scene) -> None:
    accused, harmed = enter(scene), victim(scene, born=BORN_2010)
    new = charge(scene, "BNS 2023 77", accused, harmed)
    old = cases.lay_charge(
        acting=scene.cast.inga, case=scene.id, person=accused.pk, victim=harmed.pk, first=DAY_OLD, last=DAY_OLD,
        old_section="354C",
    )  # fmt: skip

    assert (new.penal_code, str(new)) == ("BNS 2023", "BNS 2023 77")
    assert (old.penal_code, str(old), old.offence) == ("IPC 1860", "IPC 1860 354C", None)
    assert not Element.objects.filter(charge=old).exists()


def test_an_old_section_is_charged_only_on_days_of_the_old_code(scene: Scene) -> None:
    for first, last in ((DAY_NEW, DAY_NEW), (date(2024, 6, 30), date(2024, 7, 1))):
        with pytest.raises(RefusedError, match="stands open"):
            cases.lay_charge(
                acting=scene.cast.inga, case=scene.id, person=enter(scene).pk, victim=None, first=first, last=last,
                old_section="354C",
            )  # fmt: skip


def test_a_range_across_a_change_of_the_law_is_charged_once_for_each_side(scene: Scene) -> None:
    accused, harmed = enter(scene), victim(scene, born=date(2008, 1, 1))
    picks = cases.picks_for(
        asking=scene.cast.inga, case=scene.id, victim=harmed.pk, first=date(2024, 6, 1), last=date(2024, 8, 1)
    )

    assert picks.turns == (date(2024, 7, 1),)
    assert [regime.penal_code for regime in picks.regimes] == ["IPC 1860", "BNS 2023"]
    assert {str(one.offence) for one in picks.offences} >= {"POCSO 2012 12", "IT Act 2000 67B(a)-(e)"}
    assert not [one for one in picks.offences if one.offence.act == "BNS 2023"]
    with pytest.raises(RefusedError, match="one charge for each side"):
        charge(scene, "BNS 2023 77", accused, harmed, first=date(2024, 6, 1), last=date(2024, 8, 1))
    assert charge(scene, "BNS 2023 77", accused, harmed, first=date(2024, 7, 1), last=date(2024, 8, 1)).pk


@pytest.mark.parametrize(
    ("day", "section", "expected"),
    [
        # Born on 15 June 2010: fifteen until 14 June 2026, sixteen from the 15th, eighteen on 15 June 2028.
        (date(2026, 6, 14), "POCSO 2012 4(2)", "fits"),
        (date(2026, 6, 15), "POCSO 2012 4(2)", None),
        (date(2026, 6, 14), "POCSO 2012 4(1)", None),
        (date(2026, 6, 15), "POCSO 2012 4(1)", "fits"),
        (date(2026, 6, 14), "BNS 2023 65(1)", "fits"),
        (date(2026, 6, 15), "BNS 2023 65(1)", None),
        (date(2022, 6, 14), "BNS 2023 65(2)", None),
        (date(2018, 6, 14), "POCSO 2012 4", "fits"),
        (date(2018, 6, 14), "POCSO 2012 15(1)", None),
    ],
)
def test_the_picker_knows_the_age_on_the_day(scene: Scene, day: date, section: str, expected: str | None) -> None:
    assert open_sections(scene, victim(scene, born=BORN_2010), day).get(section) == expected


def test_the_picker_knows_the_sex(scene: Scene) -> None:
    boy = open_sections(scene, victim(scene, law.Sex.MALE, born=BORN_2010), DAY_NEW)
    girl = open_sections(scene, victim(scene, born=BORN_2010), DAY_NEW)

    assert "BNS 2023 77" in girl
    assert not {"BNS 2023 77", "BNS 2023 78(2)", "BNS 2023 64(1)"} & set(boy)
    assert {"POCSO 2012 12", "IT Act 2000 66E"} <= set(boy)


def test_a_birth_known_to_the_year_makes_what_hangs_on_it_unknown_and_rules_nothing_out(scene: Scene) -> None:
    harmed = victim(scene, born=date(2010, 1, 1), precision=people.Precision.YEAR)
    # In May 2026 fifteen or sixteen.
    sections = open_sections(scene, harmed, date(2026, 5, 1))

    assert (sections["POCSO 2012 4(1)"], sections["POCSO 2012 4(2)"]) == ("unknown", "unknown")
    assert sections["POCSO 2012 12"] == "fits"
    assert charge(scene, "POCSO 2012 4(2)", enter(scene), harmed, first=date(2026, 5, 1)).fit == "unknown"


def test_a_range_in_which_the_child_turns_sixteen_is_unknown_for_both(scene: Scene) -> None:
    sections = open_sections(scene, victim(scene, born=BORN_2010), date(2026, 6, 1), date(2026, 6, 30))

    assert (sections["POCSO 2012 4(1)"], sections["POCSO 2012 4(2)"]) == ("unknown", "unknown")


def test_an_offence_that_age_or_sex_rules_out_is_refused(scene: Scene) -> None:
    accused = enter(scene)

    with pytest.raises(RefusedError, match="rules it out"):
        charge(scene, "BNS 2023 77", accused, victim(scene, law.Sex.MALE, born=BORN_2010))
    with pytest.raises(RefusedError, match="rules it out"):
        charge(scene, "POCSO 2012 12", accused, victim(scene, born=date(2000, 1, 1)))
    assert not Charge.objects.exists()


@pytest.mark.parametrize("first", [date(2026, 11, 25), date(2027, 1, 1)])
def test_no_offence_lies_in_the_future(scene: Scene, first: date) -> None:
    with pytest.raises(RefusedError, match="future"):
        open_sections(scene, None, first)


def test_what_is_not_on_record_is_said(scene: Scene) -> None:
    picks = cases.picks_for(
        asking=scene.cast.inga, case=scene.id, victim=None, first=date(2018, 5, 1), last=date(2018, 5, 1)
    )

    assert {(gap.act, gap.section) for gap in picks.missing} == {
        ("IPC 1860", "all"), ("POCSO 2012", "14"), ("POCSO 2012", "15"),
    }  # fmt: skip
    assert "376D/DA/DB" in {old.ipc for old in picks.old_sections}


def test_every_pick_is_unverified_until_a_legal_officer_has_put_their_name_to_it(scene: Scene) -> None:
    leela = enlist("Leela", scene.cast.inga.unit, accounts.Role.LEGAL)
    law.confirm(acting=leela, row=row("POCSO 2012 12"), reason="Gazette")
    picks = cases.picks_for(asking=scene.cast.inga, case=scene.id, victim=None, first=DAY_NEW, last=DAY_NEW)

    assert {str(one.offence) for one in picks.offences if one.verified} == {"POCSO 2012 12"}


def test_a_charge_follows_the_row_that_superseded_its_own(scene: Scene) -> None:
    laid = charge(scene, "POCSO 2012 14(1)", enter(scene), victim(scene, born=BORN_2010))
    leela = enlist("Leela", scene.cast.inga.unit, accounts.Role.LEGAL)
    assert laid.offence is not None
    law.supersede(acting=leela, row=laid.offence, changes={"maximum": "life"}, reason="advice of the prosecutor")

    assert [one.maximum for one in offences_of([laid])] == ["life"]


def test_a_charge_has_the_elements_of_its_row_and_findings_beside_them(scene: Scene) -> None:
    laid = charge(scene, "POCSO 2012 15(2)", enter(scene))
    first = Element.objects.filter(charge=laid).order_by("position")[0]
    finding = uuid4()
    added = cases.add_element(acting=scene.cast.inga, case=scene.id, charge=laid.pk, text="the device was his alone")
    made = cases.support(
        acting=scene.cast.inga, case=scene.id, element=first.pk, statement="12 pictures, folder Zorb", finding=finding
    )
    cases.end_support(acting=scene.cast.inga, case=scene.id, support=made.pk, reason="of another device")

    assert (first.from_law, added.from_law, added.position) == (True, False, 4)
    assert (made.finding, Support.objects.get(pk=made.pk).ended_reason) == (finding, "of another device")


def test_stage_and_outcome_are_steps_and_go_forwards(scene: Scene) -> None:
    laid = charge(scene, "POCSO 2012 12", enter(scene))
    today = A_MORNING.date()

    def step(stage: cases.Stage, outcome: cases.Outcome | None = None, note: str = "") -> Charge:
        return cases.step_charge(
            acting=scene.cast.inga, case=scene.id, charge=laid.pk, stage=stage, on=today, outcome=outcome, note=note
        )

    step(cases.Stage.IN_POLICE_REPORT)
    with pytest.raises(RefusedError, match="has an outcome"):
        step(cases.Stage.DECIDED)
    with pytest.raises(RefusedError, match="has an outcome"):
        step(cases.Stage.FRAMED, cases.Outcome.ACQUITTED)
    with pytest.raises(RefusedError, match="back a step"):
        step(cases.Stage.IN_FIR)
    decided = step(cases.Stage.DECIDED, cases.Outcome.CONVICTED)

    assert (decided.stage, decided.outcome) == ("decided", "convicted")
    assert ChargeStep.objects.filter(charge=laid).count() == 3


def test_a_withdrawn_charge_stays_on_record_with_its_reason(scene: Scene) -> None:
    laid = charge(scene, "POCSO 2012 12", enter(scene))
    cases.withdraw_charge(acting=scene.cast.inga, case=scene.id, charge=laid.pk, reason="wrong person")

    assert Charge.objects.get(pk=laid.pk).withdrawn_at is not None
    with pytest.raises(AbsentError):
        cases.withdraw_charge(acting=scene.cast.inga, case=scene.id, charge=laid.pk, reason="again")


def test_persons_of_other_cases_cannot_be_charged_here(scene: Scene) -> None:
    other = cases.open_case(
        acting=scene.cast.inga, title="Another", classification=cases.Classification.OTHER, purpose="x"
    )
    stranger = enter(Scene(cast=scene.cast, case=other))

    with pytest.raises(AbsentError):
        charge(scene, "POCSO 2012 12", stranger)
    with pytest.raises(AbsentError):
        charge(scene, "POCSO 2012 12", enter(scene), stranger)


@pytest.mark.parametrize("who", ["carla", "dora", "esther", "bashir"])
def test_only_who_works_on_the_case_charges(scene: Scene, who: str) -> None:
    accused = enter(scene)
    acting = getattr(scene.cast, who)

    with pytest.raises(RefusedError if who == "bashir" else AbsentError):
        cases.lay_charge(
            acting=acting, case=scene.id, person=accused.pk, victim=None, first=DAY_NEW, last=DAY_NEW,
            offence=row("POCSO 2012 12").pk,
        )  # fmt: skip
