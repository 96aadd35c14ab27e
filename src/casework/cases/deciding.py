"""Decisions with their reasons, written once; tasks with who gave them and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import rules
from casework.cases.access import check_leads, lock_case, told
from casework.cases.models import Case, Decision, Task
from casework.cases.vocabulary import TaskState
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@transaction.atomic
def decide(
    *,
    acting: accounts.Account,
    case: UUID,
    question: str,
    options: Sequence[str],
    choice: str,
    reason: str,
    revises: UUID | None = None,
) -> Decision:
    """Write a decision into the log with the rank held today; it is never changed, another may revise it."""
    found = lock_case(case, acting=acting)
    rules.check_decision(question, options, choice, reason)
    before = Decision.objects.filter(pk=revises, case=found).first() if revises else None
    if revises and before is None:
        raise AbsentError("decision")
    decision = Decision.objects.create(
        case=found, question=question.strip(), options="\n".join(option.strip() for option in options),
        choice=choice.strip(), reason=reason.strip(), decided_by=acting, rank=acting.rank, decided_at=clock.now(),
        revises=before,
    )  # fmt: skip
    fields: audit.Fields = {"decision": str(decision.pk), "rank": acting.rank, "revises": str(revises or "")}
    told(acting, "decided", found, fields)
    return decision


@transaction.atomic
def give_task(
    *, acting: accounts.Account, case: UUID, what: str, to: accounts.Account, due_on: date | None = None
) -> Task:
    """Tell a member of the case what to do; who may not work on the case cannot be told."""
    found = lock_case(case, acting=acting)
    if not what.strip():
        raise RefusedError("task", "Say what is to be done.")
    try:
        accounts.check_may_work(to, case)
    except (AbsentError, RefusedError) as error:
        raise RefusedError(
            "not-member", "A task is given to someone who works on the case; name them first."
        ) from error
    task = Task.objects.create(case=found, what=what.strip(), instructed_by=acting, given_to=to, due_on=due_on)
    told(acting, "task_given", found, {"task": str(task.pk), "to": str(to.pk)})
    return task


@transaction.atomic
def finish_task(*, acting: accounts.Account, case: UUID, task: UUID, result: str) -> Task:
    """Say what came of a task."""
    found, mine = _open_task(acting, case, task)
    rules.check_own_task(str(mine.given_to_id), str(acting.pk))
    if not result.strip():
        raise RefusedError("result", "Say what came of it.")
    return _end(acting, found, mine, TaskState.DONE, result)


@transaction.atomic
def refuse_task(*, acting: accounts.Account, case: UUID, task: UUID, reason: str) -> Task:
    """Refuse a task, with the reason; who gave it reads it."""
    found, mine = _open_task(acting, case, task)
    rules.check_own_task(str(mine.given_to_id), str(acting.pk))
    rules.check_reason(reason)
    return _end(acting, found, mine, TaskState.REFUSED, reason)


@transaction.atomic
def withdraw_task(*, acting: accounts.Account, case: UUID, task: UUID, reason: str) -> Task:
    """Take a task back: who gave it, or who leads the case."""
    found, given = _open_task(acting, case, task)
    if given.instructed_by_id != acting.pk:
        check_leads(acting, case)
    rules.check_reason(reason)
    return _end(acting, found, given, TaskState.WITHDRAWN, reason)


def _open_task(acting: accounts.Account, case: UUID, task: UUID) -> tuple[Case, Task]:
    found = lock_case(case, acting=acting)
    given = Task.objects.filter(pk=task, case=found).first()
    if given is None:
        raise AbsentError("task")
    if given.state != TaskState.OPEN:
        raise RefusedError("ended", "This task has ended already.")
    return found, given


def _end(acting: accounts.Account, case: Case, task: Task, state: TaskState, result: str) -> Task:
    task.state, task.result, task.ended_at = state, result.strip(), clock.now()
    task.save(update_fields=["state", "result", "ended_at"])
    told(acting, "task_ended", case, {"task": str(task.pk), "state": state.value})
    return task
