"""The rules of accounts, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from casework.accounts import rules
from casework.accounts.rules import Capacity, CaseStanding, Rank, Role, Standing
from casework.lib.errors import AbsentError, RefusedError


def standing(name: str, *roles: Role, active: bool = True, unit: str = "north") -> Standing:
    return Standing(id=name, active=active, roles=frozenset(roles), unit=unit)


def in_case(account: Standing, capacity: Capacity | None = None, conflicted: bool = False) -> CaseStanding:
    return CaseStanding(account=account, capacity=capacity, conflicted=conflicted)


INGA, BASHIR = standing("inga", Role.INVESTIGATOR), standing("bashir", Role.DESK_OFFICER)
DORA, ESTHER = standing("dora", Role.ADMINISTRATOR), standing("esther", Role.SUPERVISOR)
NOBODY = standing("new")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_a_supervisor_grants_every_role_but_the_administrators(role: Role) -> None:
    rules.check_grant(ESTHER, NOBODY, role)
    with pytest.raises(RefusedError):
        rules.check_grant(DORA, NOBODY, role)


def test_an_administrator_appoints_administrators_only() -> None:
    rules.check_grant(DORA, NOBODY, Role.ADMINISTRATOR)
    with pytest.raises(RefusedError):
        rules.check_grant(ESTHER, NOBODY, Role.ADMINISTRATOR)


def test_an_administrator_holds_no_other_role() -> None:
    with pytest.raises(RefusedError, match="sees no case"):
        rules.check_grant(DORA, BASHIR, Role.ADMINISTRATOR)
    with pytest.raises(RefusedError, match="sees no case"):
        rules.check_grant(ESTHER, DORA, Role.INVESTIGATOR)


def test_a_counsellor_holds_no_other_role() -> None:
    with pytest.raises(RefusedError, match="counsellor"):
        rules.check_grant(ESTHER, INGA, Role.COUNSELLOR)
    with pytest.raises(RefusedError, match="counsellor"):
        rules.check_grant(ESTHER, standing("c", Role.COUNSELLOR), Role.REVIEWER)


def test_nobody_grants_to_themselves_or_twice_or_to_a_closed_account() -> None:
    with pytest.raises(RefusedError, match="themselves"):
        rules.check_grant(ESTHER, ESTHER, Role.LEGAL)
    with pytest.raises(RefusedError, match="already"):
        rules.check_grant(ESTHER, INGA, Role.INVESTIGATOR)
    with pytest.raises(RefusedError, match="closed"):
        rules.check_grant(ESTHER, standing("gone", active=False), Role.LEGAL)
    with pytest.raises(RefusedError):
        rules.check_grant(standing("esther", Role.SUPERVISOR, active=False), NOBODY, Role.LEGAL)


def test_an_administrator_cannot_take_over_an_account_that_knows_cases() -> None:
    rules.check_invite(DORA, NOBODY)
    rules.check_invite(DORA, standing("dan", Role.ADMINISTRATOR))
    rules.check_invite(ESTHER, INGA)
    with pytest.raises(RefusedError):
        rules.check_invite(DORA, INGA)
    with pytest.raises(RefusedError):
        rules.check_invite(ESTHER, NOBODY)
    with pytest.raises(RefusedError):
        rules.check_invite(ESTHER, ESTHER)


def test_who_closes_accounts() -> None:
    rules.check_close(DORA, INGA)
    rules.check_close(ESTHER, DORA)
    for acting, account in ((DORA, DORA), (INGA, BASHIR)):
        with pytest.raises(RefusedError):
            rules.check_close(acting, account)


def test_a_person_lays_down_an_own_role_and_nobody_elses() -> None:
    rules.check_end_role(INGA, INGA, Role.INVESTIGATOR)
    rules.check_end_role(ESTHER, INGA, Role.INVESTIGATOR)
    with pytest.raises(RefusedError):
        rules.check_end_role(BASHIR, INGA, Role.INVESTIGATOR)
    with pytest.raises(RefusedError, match="does not have"):
        rules.check_end_role(ESTHER, INGA, Role.LEGAL)


def assign(acting: CaseStanding, to: CaseStanding, *, first: bool = False, purpose: str = "court dates") -> None:
    rules.check_assign(acting, to, purpose, first=first, lead_units=set() if first else {"north"})


def test_who_may_assign_members() -> None:
    assign(in_case(INGA), in_case(INGA), first=True)
    assign(in_case(INGA, Capacity.LEAD), in_case(BASHIR))
    assign(in_case(ESTHER), in_case(BASHIR))
    with pytest.raises(RefusedError, match="who leads"):
        assign(in_case(INGA, Capacity.WORKER), in_case(BASHIR))


@pytest.mark.parametrize(
    "acting",
    [
        in_case(DORA),
        in_case(standing("carla", Role.INVESTIGATOR, unit="south")),
        in_case(standing("sara", Role.SUPERVISOR, unit="south")),
        in_case(standing("con", Role.COUNSELLOR)),
        in_case(INGA, Capacity.LEAD, conflicted=True),
        in_case(standing("inga", Role.INVESTIGATOR, active=False), Capacity.LEAD),
    ],
)
def test_to_those_outside_there_is_no_case_to_assign_to(acting: CaseStanding) -> None:
    with pytest.raises(AbsentError):
        assign(acting, in_case(BASHIR))


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        (in_case(DORA), "cannot-know"),
        (in_case(standing("con", Role.COUNSELLOR)), "cannot-know"),
        (in_case(standing("gone", Role.EXAMINER, active=False)), "cannot-know"),
        (in_case(NOBODY), "cannot-know"),
        (in_case(BASHIR, conflicted=True), "excluded"),
        (in_case(BASHIR, Capacity.READER), "is-member"),
    ],
)
def test_rights_are_tested_at_assignment(to: CaseStanding, rule: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        assign(in_case(INGA, Capacity.LEAD), to)

    assert refusal.value.rule == rule


def test_a_membership_has_a_purpose() -> None:
    with pytest.raises(RefusedError, match="needs to know"):
        assign(in_case(INGA, Capacity.LEAD), in_case(BASHIR), purpose=" ")


@pytest.mark.parametrize(
    "at_view",
    [
        in_case(INGA),
        in_case(INGA, Capacity.LEAD, conflicted=True),
        in_case(standing("inga", active=True), Capacity.LEAD),
        in_case(standing("inga", Role.INVESTIGATOR, active=False), Capacity.LEAD),
        in_case(DORA, Capacity.LEAD),
        in_case(standing("both", Role.ADMINISTRATOR, Role.INVESTIGATOR), Capacity.LEAD),
    ],
)
def test_rights_are_tested_again_at_every_look(at_view: CaseStanding) -> None:
    with pytest.raises(AbsentError):
        rules.check_read(at_view)


def test_a_reader_reads_and_does_not_change() -> None:
    assert rules.check_read(in_case(BASHIR, Capacity.READER)) is Capacity.READER
    rules.check_work(in_case(INGA, Capacity.WORKER))
    with pytest.raises(RefusedError, match="not change it"):
        rules.check_work(in_case(BASHIR, Capacity.READER))


def test_who_may_exclude_a_person() -> None:
    north = {"north"}
    of = in_case(BASHIR)
    rules.check_declare_conflict(in_case(INGA, Capacity.LEAD), of, "cousin", lead_units=north)
    rules.check_declare_conflict(in_case(ESTHER), of, "cousin", lead_units=north)
    rules.check_declare_conflict(
        in_case(BASHIR, Capacity.READER), in_case(BASHIR, Capacity.READER), "x", lead_units=north
    )
    with pytest.raises(RefusedError, match="who leads"):
        rules.check_declare_conflict(in_case(INGA, Capacity.WORKER), of, "cousin", lead_units=north)
    with pytest.raises(AbsentError):
        rules.check_declare_conflict(in_case(INGA), of, "cousin", lead_units=north)
    with pytest.raises(RefusedError, match="why"):
        rules.check_declare_conflict(in_case(INGA, Capacity.LEAD), of, "", lead_units=north)


def test_ranks_compare() -> None:
    assert Rank.INSPECTOR.at_least(Rank.INSPECTOR)
    assert Rank.DEPUTY_SUPERINTENDENT.at_least(Rank.INSPECTOR)
    assert not Rank.SUB_INSPECTOR.at_least(Rank.INSPECTOR)
    assert not Rank.NONE.at_least(Rank.CONSTABLE)


def test_a_session_ends_by_silence_and_by_age() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    idle, longest, minute = timedelta(minutes=15), timedelta(hours=12), timedelta(minutes=1)

    assert rules.session_ended(now, now - longest + minute, now - idle + minute, idle, longest) == ""
    assert rules.session_ended(now, now - longest + minute, now - idle, idle, longest) == "idle"
    assert rules.session_ended(now, now - longest, now, idle, longest) == "too-long"


def test_five_failures_close_the_door_of_a_name_and_fifty_of_an_address() -> None:
    assert not rules.is_locked(4, 49)
    assert rules.is_locked(5, 0)
    assert rules.is_locked(0, 50)
