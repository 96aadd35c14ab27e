"""Decisions are written once; tasks say who gave them and what came of them; courts say when they sit next."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.cases import api as cases
from casework.cases.models import Case, Deadline, Decision, Sitting, Task
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.cases.conftest import Scene
from tests.casework.conftest import A_MORNING, enlist

pytestmark = pytest.mark.django_db
Happened = cases.Happened


def decide(scene: Scene, acting: accounts.Account | None = None, **given: object) -> Decision:
    words = {
        "question": "Search at dawn?", "options": ["search now", "wait"], "choice": "wait", "reason": "a child is near",
    }  # fmt: skip
    acting = acting or scene.cast.inga
    return cases.decide(acting=acting, case=scene.id, **{**words, **given})  # type: ignore[arg-type]


def test_a_decision_keeps_the_rank_of_its_day(scene: Scene) -> None:
    accounts.Account.objects.filter(pk=scene.cast.inga.pk).update(rank=accounts.Rank.INSPECTOR)
    scene.cast.inga.refresh_from_db()
    decision = decide(scene)
    accounts.Account.objects.filter(pk=scene.cast.inga.pk).update(rank=accounts.Rank.DEPUTY_SUPERINTENDENT)

    kept = Decision.objects.get(pk=decision.pk)
    assert (kept.rank, kept.choice, kept.options) == ("inspector", "wait", "search now\nwait")
    assert not Entry.objects.filter(fields__contains="dawn").exists()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"question": " "}, "to be decided"),
        ({"options": ["wait", ""]}, "at least two"),
        ({"choice": "go home"}, "one of the ways"),
        ({"reason": ""}, "Say why"),
    ],
)
def test_a_decision_without_its_parts_is_refused(scene: Scene, given: dict[str, object], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        decide(scene, None, **given)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases_decision SET rank = 'none'",
        "DELETE FROM cases_decision",
        "UPDATE cases_sitting SET court = 'none'",
        "DELETE FROM cases_fir",
        "UPDATE cases_fir SET number = '1'",
    ],
)
def test_the_database_refuses_to_change_what_was_written_once(scene: Scene, statement: str) -> None:
    first = decide(scene)
    decide(scene, question="And now?", revises=first.pk)
    sit(scene, Happened.HEARING)
    cases.register_fir(
        acting=scene.cast.inga, case=scene.id, state="Kerala", district="N", station="N Town", number="4", year=2026,
        registered_at=A_MORNING,
    )  # fmt: skip

    with pytest.raises((IntegrityError, InternalError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Decision.objects.filter(case=scene.id).count() == 2


def test_a_task_goes_to_who_works_on_the_case_and_comes_back_with_a_result(scene: Scene) -> None:
    omar = enlist("Omar", scene.cast.inga.unit, accounts.Role.INVESTIGATOR)
    with pytest.raises(RefusedError, match="works on the case"):
        cases.give_task(acting=scene.cast.inga, case=scene.id, what="fetch the log", to=omar)
    with pytest.raises(RefusedError, match="works on the case"):
        cases.give_task(acting=scene.cast.inga, case=scene.id, what="fetch the log", to=scene.cast.bashir)
    accounts.assign(
        acting=scene.cast.inga, to=omar, case=scene.id, capacity=accounts.Capacity.WORKER, purpose="field work"
    )
    done, refused, back = (
        cases.give_task(acting=scene.cast.inga, case=scene.id, what=what, to=omar) for what in ("a", "b", "c")
    )
    cases.finish_task(acting=omar, case=scene.id, task=done.pk, result="log fetched, 40 lines")
    cases.refuse_task(acting=omar, case=scene.id, task=refused.pk, reason="outside my station")
    with pytest.raises(RefusedError, match="Only who has the task"):
        cases.finish_task(acting=scene.cast.inga, case=scene.id, task=back.pk, result="x")
    cases.withdraw_task(acting=scene.cast.inga, case=scene.id, task=back.pk, reason="done by others")

    assert sorted(Task.objects.values_list("state", flat=True)) == ["done", "refused", "withdrawn"]
    assert Task.objects.get(pk=refused.pk).result == "outside my station"
    with pytest.raises(RefusedError, match="ended already"):
        cases.finish_task(acting=omar, case=scene.id, task=done.pk, result="again")
    with pytest.raises(AbsentError):
        cases.finish_task(acting=scene.cast.carla, case=scene.id, task=back.pk, result="x")


def sit(scene: Scene, happened: Happened, **given: object) -> Sitting:
    words = {"at": A_MORNING - timedelta(hours=2), "court": "Special Court, Nadalur", "cnr": "klnd01-000123-2026"}
    return cases.record_sitting(acting=scene.cast.inga, case=scene.id, happened=happened, **{**words, **given})  # type: ignore[arg-type]


def test_cognizance_starts_the_clock_of_the_childs_evidence(scene: Scene) -> None:
    sitting = sit(scene, Happened.COGNIZANCE, next_on=date(2026, 12, 1))
    due = {row.key: row.due_at for row in Deadline.objects.filter(case=scene.id)}

    assert sitting.cnr == "KLND010001232026"
    assert due["child-evidence"] == A_MORNING - timedelta(hours=2) + timedelta(days=30)
    assert str(due["trial-1y"])[:10] == "2027-11-24"
    assert Case.objects.get(pk=scene.id).state == "before-court"
    sit(scene, Happened.CHILD_EVIDENCE_RECORDED, at=A_MORNING - timedelta(hours=1))
    assert Deadline.objects.get(case=scene.id, key="child-evidence").state == "met"


@pytest.mark.parametrize(
    ("happened", "given", "reason"),
    [
        (Happened.ADJOURNED, {}, "why the court adjourned"),
        (Happened.HEARING, {"court": " "}, "Name the court"),
        (Happened.HEARING, {"next_on": A_MORNING.date()}, "lies after"),
        (Happened.ARREST, {}, "not what a court does"),
    ],
)
def test_a_sitting_without_its_parts_is_refused(
    scene: Scene, happened: Happened, given: dict[str, object], reason: str
) -> None:
    with pytest.raises(RefusedError, match=reason):
        sit(scene, happened, **given)


@pytest.mark.parametrize("who", ["carla", "dora", "esther", "bashir"])
def test_only_who_works_on_the_case_writes(scene: Scene, who: str) -> None:
    acting = getattr(scene.cast, who)

    with pytest.raises(RefusedError if who == "bashir" else AbsentError):
        decide(scene, acting)
    with pytest.raises(RefusedError if who == "bashir" else AbsentError):
        cases.record_sitting(
            acting=acting, case=scene.id, happened=Happened.HEARING, at=A_MORNING, court="Special Court"
        )
