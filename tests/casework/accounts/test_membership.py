"""Need-to-know, with the tables: given, ended, excluded, and seen by nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection

from casework.accounts import api as accounts
from casework.accounts.models import Membership
from casework.audit import api as audit
from casework.audit.models import Entry
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.conftest import THE_CASE, Cast

pytestmark = pytest.mark.django_db
Capacity = accounts.Capacity


def test_lead_and_reader_know_the_case_and_nobody_else(led: Cast) -> None:
    assert accounts.check_may_read(led.inga, THE_CASE) is Capacity.LEAD
    assert accounts.check_may_read(led.bashir, THE_CASE) is Capacity.READER
    for outsider in (led.carla, led.dora, led.esther):
        with pytest.raises(AbsentError):
            accounts.check_may_read(outsider, THE_CASE)
        assert accounts.case_ids_open_to(outsider) == []
    assert accounts.case_ids_open_to(led.bashir) == [THE_CASE]


def test_the_ledger_names_member_capacity_and_purpose(led: Cast) -> None:
    [own, bashirs] = audit.of_case(str(THE_CASE))

    assert (own.actor_id, own.purpose) == (str(led.inga.pk), "investigation")
    assert bashirs.act == "accounts.member_assigned"
    assert bashirs.purpose == "court dates"
    assert str(led.bashir.pk) in bashirs.fields


def test_a_closed_account_and_an_ended_role_act_at_once(led: Cast) -> None:
    accounts.end_role(acting=led.esther, of=led.bashir, role=accounts.Role.DESK_OFFICER)
    accounts.close_account(acting=led.esther, account=led.inga, reason="suspended")

    for person in (led.inga, led.bashir):
        assert accounts.case_ids_open_to(person) == []
        with pytest.raises(AbsentError):
            accounts.check_may_read(person, THE_CASE)


def test_an_officer_who_may_be_the_suspect_loses_the_case_and_cannot_come_back(led: Cast) -> None:
    accounts.declare_conflict(acting=led.inga, of=led.bashir, case=THE_CASE, reason="named by the witness")

    assert accounts.case_ids_open_to(led.bashir) == []
    with pytest.raises(AbsentError):
        accounts.check_may_read(led.bashir, THE_CASE)
    with pytest.raises(RefusedError, match="cannot be a member"):
        accounts.assign(acting=led.inga, to=led.bashir, case=THE_CASE, capacity=Capacity.READER, purpose="again")
    assert not Entry.objects.filter(fields__contains="witness").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM accounts_conflict")
        assert b"witness" not in bytes(cursor.fetchone()[0])


def test_a_supervisor_who_is_excluded_has_no_say(led: Cast) -> None:
    accounts.declare_conflict(acting=led.inga, of=led.esther, case=THE_CASE, reason="sister")

    with pytest.raises(AbsentError):
        accounts.assign(acting=led.esther, to=led.carla, case=THE_CASE, capacity=Capacity.LEAD, purpose="take over")


def test_a_lead_who_is_excluded_is_replaced_by_the_supervisor(led: Cast) -> None:
    accounts.declare_conflict(acting=led.esther, of=led.inga, case=THE_CASE, reason="suspect")
    accounts.assign(acting=led.esther, to=led.carla, case=THE_CASE, capacity=Capacity.LEAD, purpose="take over")

    assert accounts.check_may_read(led.carla, THE_CASE) is Capacity.LEAD
    with pytest.raises(AbsentError):
        accounts.check_may_read(led.inga, THE_CASE)


def test_a_new_case_is_led_by_its_first_member(cast: Cast) -> None:
    case = uuid4()

    with pytest.raises(AbsentError):
        accounts.assign(acting=cast.inga, to=cast.carla, case=case, capacity=Capacity.LEAD, purpose="x")
    with pytest.raises(AbsentError):
        accounts.assign(acting=cast.dora, to=cast.dora, case=case, capacity=Capacity.LEAD, purpose="x")
    with pytest.raises(RefusedError, match="leads it"):
        accounts.assign(acting=cast.inga, to=cast.inga, case=case, capacity=Capacity.READER, purpose="x")
    accounts.assign(acting=cast.inga, to=cast.inga, case=case, capacity=Capacity.LEAD, purpose="x")
    with pytest.raises(AbsentError):
        accounts.assign(acting=cast.carla, to=cast.carla, case=case, capacity=Capacity.LEAD, purpose="x")


def test_memberships_end_and_the_last_lead_stays(led: Cast) -> None:
    with pytest.raises(RefusedError, match="another lead"):
        accounts.dismiss(acting=led.inga, member=led.inga, case=THE_CASE, reason="leave")
    with pytest.raises(RefusedError, match="who leads"):
        accounts.dismiss(acting=led.bashir, member=led.inga, case=THE_CASE, reason="coup")
    accounts.dismiss(acting=led.inga, member=led.bashir, case=THE_CASE, reason="done")

    assert accounts.case_ids_open_to(led.bashir) == []
    assert Membership.objects.filter(account=led.bashir).count() == 1
    with pytest.raises(AbsentError):
        accounts.dismiss(acting=led.carla, member=led.inga, case=THE_CASE, reason="coup")


def test_a_refused_act_leaves_nothing_behind(led: Cast) -> None:
    before = Entry.objects.count()

    with pytest.raises(RefusedError):
        accounts.assign(acting=led.inga, to=led.dora, case=THE_CASE, capacity=Capacity.READER, purpose="curious")

    assert Entry.objects.count() == before
    assert Membership.objects.count() == 2
