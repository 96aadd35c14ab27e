"""What the pages read: the register, the boards, one case; need-to-know applied, nothing counted, nothing skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from casework.accounts import api as accounts
from casework.cases import persons
from casework.cases.models import Case, Charge, ChildPath, Deadline, Decision, Event, Fir, Link, Sitting, Task
from casework.cases.queues import Queue, laboratory_queue
from casework.cases.vocabulary import Classification, ClockState, State, TaskState
from casework.people import api as people

SHOWN = 8


def cases_open_to(
    asking: accounts.Account,
    *,
    state: State | None = None,
    classification: Classification | None = None,
    words: str = "",
) -> QuerySet[Case]:
    """Return the cases the account may know; ``words`` are a register number, or a part of the title."""
    # Two steps: the ids first. A sub-query here is a thousand times slower.
    found = Case.objects.select_related("unit").filter(pk__in=accounts.case_ids_open_to(asking))
    if state is not None:
        found = found.filter(state=state)
    if classification is not None:
        found = found.filter(classification=classification)
    if words.strip():
        found = found.filter(Q(register_no=words.strip()) | Q(title__icontains=words.strip()))
    return found


def clocks_open_to(asking: accounts.Account, *, key: str = "", before: datetime | None = None) -> QuerySet[Deadline]:
    """Return the running clocks, with a number, of all cases the account may know."""
    found = Deadline.objects.select_related("rule", "case", "event").filter(
        case__in=accounts.case_ids_open_to(asking), state=ClockState.RUNNING, due_at__isnull=False
    )
    if key:
        found = found.filter(key=key)
    return found.filter(due_at__lt=before) if before else found


@dataclass(frozen=True, kw_only=True)
class BoardRow:
    """A clock on a board: whose it is, and what of its case waits at the laboratory."""

    deadline: Deadline
    person: str
    queue: Queue | None


def board_rows(asking: accounts.Account, deadlines: Sequence[Deadline], *, with_queue: bool = False) -> list[BoardRow]:
    """Return clocks with the titles of their persons."""
    titles = persons.titles_across(asking, {(one.case_id, one.person_id) for one in deadlines if one.person_id})
    queues = laboratory_queue({one.case_id for one in deadlines}) if with_queue else {}
    return [
        BoardRow(
            deadline=one,
            person=titles.get((one.case_id, one.person_id), "") if one.person_id else "",
            queue=queues.get(one.case_id),
        )
        for one in deadlines
    ]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One case as its page shows it."""

    case: Case
    leads: bool
    works: bool
    firs: list[Fir]
    clocks: list[Deadline]
    charges: list[Charge]
    persons: list[people.InCase]
    titles: dict[UUID, str]
    paths: list[ChildPath]
    sittings: list[Sitting]
    tasks: list[Task]
    decisions: list[Decision]
    events: list[Event]
    links: list[Link]

    @property
    def law_has_changed(self) -> bool:
        """Tell whether a rule by which a clock was counted was superseded since."""
        return any(hasattr(one.rule, "superseded_by") for one in self.clocks)


def stand_of(case: UUID, *, person: accounts.Account) -> Standing:
    """Return everything the page of a case shows."""
    capacity = accounts.check_may_read(person, case)
    found = Case.objects.select_related("unit", "opened_by").get(pk=case)
    in_case = people.persons_in_case(person, case)
    running = Deadline.objects.select_related("rule__superseded_by", "event").filter(
        case=found, state=ClockState.RUNNING
    )
    paths = list(ChildPath.objects.filter(case=found).order_by("created_at"))
    titles = {one.person.pk: one.title for one in in_case}
    titles |= {path.person_id: path.pseudonym for path in paths if path.person_id}
    return Standing(
        case=found,
        leads=capacity is accounts.Capacity.LEAD,
        works=capacity is not accounts.Capacity.READER,
        firs=list(found.firs.order_by("-created_at")),
        clocks=sorted(running, key=lambda one: (one.due_at is None, one.due_at or found.created_at)),
        charges=list(Charge.objects.select_related("offence__superseded_by").filter(case=found).order_by("created_at")),
        persons=in_case,
        titles=titles,
        paths=paths,
        sittings=list(standing_sittings(found)[:SHOWN]),
        tasks=list(
            Task.objects.select_related("given_to", "instructed_by")
            .filter(case=found, state=TaskState.OPEN)
            .order_by("due_on", "created_at")
        ),
        decisions=list(
            Decision.objects.select_related("decided_by").filter(case=found).order_by("-decided_at", "-id")[:3]
        ),
        events=list(events_of(found).order_by("-at", "-created_at")[:SHOWN]),
        links=list(Link.objects.filter(case=found, ended_at=None).order_by("created_at")),
    )


def events_of(case: Case) -> QuerySet[Event]:
    """Return the entries of a case, the struck ones too, with who wrote them."""
    return Event.objects.select_related("entered_by", "strikes", "struck_by").filter(case=case, strikes=None)


def standing_sittings(case: Case) -> QuerySet[Sitting]:
    """Return the sittings that were not struck, newest first."""
    sittings = Sitting.objects.select_related("event").filter(case=case, event__struck_by=None)
    return sittings.order_by("-event__at")
