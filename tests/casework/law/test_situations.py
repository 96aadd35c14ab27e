"""Dated situations, each with the answer of the law as the packaged edition has it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from casework.law import api as law
from casework.law import rules
from casework.law.models import Offence
from casework.law.rules import JjClass, Sex, Victim, VictimTest

pytestmark = pytest.mark.django_db

GIRL_15, GIRL_17, BOY_15 = Victim(sex=Sex.FEMALE, age=15), Victim(sex=Sex.FEMALE, age=17), Victim(sex=Sex.MALE, age=15)
WOMAN, GIRL_11, UNKNOWN = Victim(sex=Sex.FEMALE, age=30), Victim(sex=Sex.FEMALE, age=11), Victim()
OLD, NEW, NOW = date(2018, 5, 1), date(2021, 5, 1), date(2026, 5, 1)


@pytest.fixture(autouse=True)
def _seeded(db: None) -> None:
    law.seed()


def sections(day: date, victim: Victim) -> set[str]:
    return {str(one.offence) for one in law.offences_open(day, victim).offences}


@pytest.mark.parametrize(
    ("day", "code", "pocso"),
    [
        (date(2012, 11, 13), "IPC 1860", "not-in-force"),
        (date(2012, 11, 14), "IPC 1860", "original"),
        (date(2019, 8, 15), "IPC 1860", "original"),
        (date(2019, 8, 16), "IPC 1860", "amended"),
        (date(2024, 6, 30), "IPC 1860", "amended"),
        (date(2024, 7, 1), "BNS 2023", "amended"),
    ],
)
def test_the_regime_belongs_to_the_day_of_the_act(day: date, code: str, pocso: str) -> None:
    assert law.regime_on(day) == law.Regime(penal_code=code, pocso=pocso)


@pytest.mark.parametrize(
    ("begun", "procedure", "evidence"),
    [
        (date(2024, 6, 30), "CrPC 1973", "Evidence Act 1872"),
        (date(2024, 7, 1), "BNSS 2023", "BSA 2023"),
    ],
)
def test_the_procedure_belongs_to_the_day_the_matter_began(begun: date, procedure: str, evidence: str) -> None:
    assert law.procedure_of(begun) == law.Procedure(procedure=procedure, evidence=evidence)


@pytest.mark.parametrize(
    ("day", "victim", "section", "is_open"),
    [
        (OLD, GIRL_15, "POCSO 2012 4", True),
        (OLD, GIRL_15, "POCSO 2012 4(2)", False),
        (date(2019, 8, 15), GIRL_15, "POCSO 2012 6", True),
        (NEW, GIRL_15, "POCSO 2012 4", False),
        (NEW, GIRL_15, "POCSO 2012 4(2)", True),
        (NEW, GIRL_15, "POCSO 2012 4(1)", False),
        (NEW, GIRL_17, "POCSO 2012 4(1)", True),
        (NEW, GIRL_17, "POCSO 2012 4(2)", False),
        (NEW, WOMAN, "POCSO 2012 4(1)", False),
        (NEW, WOMAN, "IT Act 2000 67A", True),
        (NEW, WOMAN, "IT Act 2000 67B(a)-(e)", False),
        (date(2009, 10, 26), GIRL_15, "IT Act 2000 67B(a)-(e)", False),
        (date(2009, 10, 27), GIRL_15, "IT Act 2000 67B(a)-(e)", True),
        (NEW, BOY_15, "POCSO 2012 15(1)", True),
        (OLD, BOY_15, "POCSO 2012 15(1)", False),
        (NOW, BOY_15, "BNS 2023 77", False),
        (NOW, BOY_15, "BNS 2023 78(2)", False),
        (NOW, BOY_15, "POCSO 2012 12", True),
        (NOW, BOY_15, "IT Act 2000 66E", True),
        (NOW, GIRL_15, "BNS 2023 77", True),
        (NOW, GIRL_15, "BNS 2023 65(1)", True),
        (NOW, GIRL_15, "BNS 2023 65(2)", False),
        (NOW, GIRL_11, "BNS 2023 65(2)", True),
        (NOW, GIRL_17, "BNS 2023 65(1)", False),
        (NOW, GIRL_17, "BNS 2023 70(2)", True),
        (NOW, WOMAN, "BNS 2023 70(2)", False),
        (NOW, WOMAN, "BNS 2023 64(1)", True),
        (NOW, BOY_15, "BNS 2023 64(1)", False),
        (date(2024, 6, 30), WOMAN, "BNS 2023 64(1)", False),
        (NOW, BOY_15, "BNS 2023 95", True),
        (NOW, WOMAN, "BNS 2023 308(2)", True),
        (date(2023, 11, 29), WOMAN, "IT Act 2000 67C", False),
        (date(2023, 11, 30), WOMAN, "IT Act 2000 67C", True),
        (date(2016, 1, 14), BOY_15, "JJ Act 2015 74(3)", False),
        (date(2016, 1, 15), BOY_15, "JJ Act 2015 74(3)", True),
    ],
)
def test_an_offence_is_open_by_day_and_victim(day: date, victim: Victim, section: str, is_open: bool) -> None:
    assert (section in sections(day, victim)) is is_open


def test_a_victim_not_known_rules_nothing_out_and_is_said_to_be_unknown() -> None:
    open_ones = {str(one.offence): one.fit for one in law.offences_open(NOW, UNKNOWN).offences}

    assert open_ones["BNS 2023 77"] is law.Fit.UNKNOWN
    assert open_ones["POCSO 2012 12"] is law.Fit.UNKNOWN
    assert open_ones["IT Act 2000 66E"] is law.Fit.FITS
    assert law.offences_open(NOW, Victim(sex=Sex.FEMALE)).offences


@pytest.mark.parametrize(
    ("day", "act", "section"),
    [
        (OLD, "POCSO 2012", "14"),
        (OLD, "POCSO 2012", "15"),
        (OLD, "IPC 1860", "all"),
        (NEW, "IPC 1860", "all"),
    ],
)
def test_what_is_not_on_record_is_named(day: date, act: str, section: str) -> None:
    assert (act, section) in {(gap.act, gap.section) for gap in law.offences_open(day, GIRL_15).missing}


def test_nothing_is_missing_today() -> None:
    assert law.offences_open(NOW, GIRL_15).missing == ()


def one(section: str) -> Offence:
    act, _, number = section.rpartition(" ")
    return Offence.objects.get(act=act, section=number, superseded_by=None, valid_to=None)


@pytest.mark.parametrize(
    ("named", "days", "settled"),
    [
        (["IT Act 2000 67B(a)-(e)"], 60, True),
        (["POCSO 2012 12", "POCSO 2012 15(1)", "POCSO 2012 15(2)"], 60, True),
        (["POCSO 2012 8"], 60, True),
        (["POCSO 2012 10"], 60, True),
        (["POCSO 2012 14(1)"], 60, False),
        (["POCSO 2012 14(1)", "IT Act 2000 67B(a)-(e)"], 60, False),
        (["POCSO 2012 6", "POCSO 2012 14(1)"], 90, True),
        (["POCSO 2012 4(1)"], 90, True),
        (["BNS 2023 64(1)"], 90, True),
        (["BNS 2023 96"], 60, False),
    ],
)
def test_default_bail_is_sixty_or_ninety_days_and_a_doubt_is_said(named: list[str], days: int, settled: bool) -> None:
    answer = law.default_bail([one(section) for section in named])

    assert (answer.days, answer.settled) == (days, settled)
    assert bool(answer.reason) is not settled


@pytest.mark.parametrize(
    ("named", "months", "settled"),
    [
        (["POCSO 2012 15(1)"], 6, True),
        (["POCSO 2012 15(2)"], 36, True),
        (["POCSO 2012 12"], 36, True),
        (["IT Act 2000 66E"], 36, True),
        (["POCSO 2012 21(1)"], 12, True),
        (["IT Act 2000 67B(a)-(e)"], None, True),
        (["POCSO 2012 15(1)", "IT Act 2000 67B(a)-(e)"], None, True),
        (["POCSO 2012 15(1)", "POCSO 2012 12"], 36, True),
        (["POCSO 2012 17"], None, False),
        (["POCSO 2012 15(1)", "POCSO 2012 17"], None, False),
    ],
)
def test_limitation_follows_the_gravest_offence(named: list[str], months: int | None, settled: bool) -> None:
    assert law.limitation([one(section) for section in named]) == law.Bar(months=months, settled=settled)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("POCSO 2012 4(2)", JjClass.HEINOUS),
        ("POCSO 2012 8", JjClass.UNCLASSIFIED),
        ("POCSO 2012 15(3)", JjClass.UNCLASSIFIED),
        ("IT Act 2000 67B(a)-(e)", JjClass.UNCLASSIFIED),
        ("POCSO 2012 12", JjClass.PETTY),
        ("POCSO 2012 15(1)", JjClass.PETTY),
        ("POCSO 2012 10", JjClass.SERIOUS),
        ("POCSO 2012 17", JjClass.NOT_STATED),
    ],
)
def test_a_class_that_fits_no_definition_stays_open(section: str, expected: JjClass) -> None:
    assert rules.jj_class_of(one(section).jj_class) is expected


def test_the_classes_on_record_agree_with_the_definitions_where_the_term_is_a_number() -> None:
    off = []
    for row in Offence.objects.filter(superseded_by=None):
        stored, computed = rules.jj_class_of(row.jj_class), rules.computed_jj_class(row.minimum, row.maximum)
        if JjClass.NOT_STATED not in (stored, computed) and stored is not computed:
            off.append((str(row), stored, computed))

    assert off == []


AT = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "key", "due"),
    [
        ("information-recorded", "cwc-24h", AT + timedelta(hours=24)),
        ("arrest", "arrest-24h", AT + timedelta(hours=24)),
        ("search-without-warrant", "grounds-48h", AT + timedelta(hours=48)),
        ("registration", "fir-copy", AT),
        ("registration", "form-a", AT + timedelta(hours=24)),
        ("electronic-information", "esign-3d", AT + timedelta(days=3)),
        ("child-first-production", "sir-15d", AT + timedelta(days=15)),
        ("child-first-production", "jj-inquiry", datetime(2026, 7, 1, 4, 0, tzinfo=UTC)),
        ("cognizance", "trial-1y", datetime(2027, 3, 1, 4, 0, tzinfo=UTC)),
        ("takedown-order", "platform-takedown", AT + timedelta(hours=3)),
        ("serious-offence-known", "expert-visit", None),
    ],
)
def test_a_clock_runs_from_its_event(event: str, key: str, due: datetime | None) -> None:
    found = {each.rule.key: each.due_at for each in law.clocks_from(event, AT)}

    assert found[key] == due


@pytest.mark.parametrize(
    ("at", "hours"), [(datetime(2026, 2, 19, 18, 0, tzinfo=UTC), 36), (datetime(2026, 2, 19, 19, 0, tzinfo=UTC), 3)]
)
def test_the_limit_is_that_of_the_indian_day(at: datetime, hours: int) -> None:
    [due] = law.clocks_from("takedown-order", at)

    assert due.due_at == at + timedelta(hours=hours)


def test_the_two_months_hold_only_for_the_listed_sections() -> None:
    with_six = {due.rule.key for due in law.clocks_from("information-recorded", AT, [one("POCSO 2012 6")])}
    with_67b = {due.rule.key for due in law.clocks_from("information-recorded", AT, [one("IT Act 2000 67B(a)-(e)")])}
    unnamed = {due.rule.key: due.settled for due in law.clocks_from("information-recorded", AT)}

    assert "invest-2m" in with_six
    assert with_67b == {"cwc-24h"}
    assert unnamed == {"cwc-24h": True, "invest-2m": False}


def test_a_possession_read_today_is_barred_in_six_months() -> None:
    [due] = law.clocks_from("offence-known", AT, [one("POCSO 2012 15(1)")])

    assert due.due_at == datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
    assert not due.verified


def test_a_graver_offence_lifts_the_bar() -> None:
    named = [one("POCSO 2012 15(1)"), one("IT Act 2000 67B(a)-(e)")]

    [due] = law.clocks_from("offence-known", AT, named)

    assert (due.due_at, due.condition, due.settled) == (None, "no bar", True)


def test_first_remand_counts_sixty_days_where_the_term_is_open() -> None:
    [due] = law.clocks_from("first-remand", AT, [one("POCSO 2012 14(1)")])

    # Remanded on 1 March, which is day 1; day 60 is 29 April, and ends with it.
    assert due.due_at == datetime(2026, 4, 29, 18, 30, tzinfo=UTC)
    assert not due.settled
    assert "legal advice" in due.condition


def test_an_event_that_starts_nothing_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="No clock starts"):
        law.clocks_from("full-moon", AT)


@pytest.mark.parametrize(
    ("ipc", "bns"),
    [("354C", ["77"]), ("354D", ["78"]), ("376D", ["70"]), ("376AB", ["65(1), 65(2)"]), ("363", ["137"]), ("999", [])],
)
def test_the_old_sections_lead_to_the_new(ipc: str, bns: list[str]) -> None:
    assert sorted({row.bns for row in law.sections_for(ipc)}) == bns


def test_every_seeded_row_is_unverified_and_says_so() -> None:
    answer = law.offences_open(NOW, UNKNOWN)

    assert answer.offences
    assert not any(each.verified for each in answer.offences)
    assert Offence.objects.get(act="POCSO 2012", section="4").status == "M"


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 5, 2), date(2026, 5, 1), 17),
        (date(2008, 5, 1), date(2026, 5, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_the_age_is_that_on_the_day_of_the_act(born: date, day: date, age: int) -> None:
    assert law.age_on(born, day) == age


def test_a_month_without_that_day_ends_on_its_last() -> None:
    assert rules.months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert rules.months_after(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert rules.months_after(date(2026, 11, 30), 1) == date(2026, 12, 30)


def test_an_age_on_the_border_belongs_to_the_upper_side() -> None:
    under_16 = VictimTest(age_below=16)

    assert rules.fit_of(under_16, Victim(age=15)) is rules.Fit.FITS
    assert rules.fit_of(under_16, Victim(age=16)) is rules.Fit.NOT
