"""A demonstration: one invented case with a charge before 01-07-2024 and one after, and a second case beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction

from casework.accounts import api as accounts
from casework.cases import charging, child_paths, clocks, courts, deciding, happening, registering
from casework.cases.models import Case, Deadline
from casework.cases.vocabulary import Classification, ClockState, Happened
from casework.law import api as law
from casework.lib import clock
from casework.people import api as people

OLD_DAY, NEW_DAY = date(2024, 5, 18), date(2025, 8, 3)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demonstration made: the case, another one of the same lead, and the persons of the first."""

    case: Case
    other: Case
    persons: people.Demo


@transaction.atomic
def make_demo(*, acting: accounts.Account, members: tuple[accounts.Account, ...] = ()) -> Demo:
    """Return an invented case that ``acting`` leads and ``members`` work on; the law must be seeded.

    An adult is remanded, a child suspect has a path of their own, the court has sat once, and some clocks are late.
    """
    today = clock.today()
    case = registering.open_case(
        acting=acting, title="DEMO: the matter of the river ferry", classification=Classification.MATERIAL,
        purpose="DEMO: investigation", summary="DEMO. Everything here is invented.",
        first_known_at=_at(today - timedelta(days=41), 10),
    )  # fmt: skip
    other = registering.open_case(
        acting=acting, title="DEMO: the matter of the lime kiln", classification=Classification.GROOMING,
        purpose="DEMO: inquiry",
    )  # fmt: skip
    for member in members:
        for one in (case, other):
            accounts.assign(
                acting=acting, to=member, case=one.pk, capacity=accounts.Capacity.WORKER, purpose="DEMO: investigation"
            )
    persons = people.make_demo(acting=acting, case=case.pk, other_case=other.pk)
    _registered(acting, case, today)
    _charged(acting, case, persons)
    _followed(acting, case, persons, today)
    _worked(acting, case, members[0] if members else acting, today)
    case.refresh_from_db()
    return Demo(case=case, other=other, persons=persons)


def _registered(acting: accounts.Account, case: Case, today: date) -> None:
    happening.record(
        acting=acting, case=case.pk, happened=Happened.INFORMATION_RECORDED, at=_at(today - timedelta(days=40), 9),
        document="DEMO: entry 41, section 19(2)",
    )  # fmt: skip
    registered = today - timedelta(days=40)
    registering.register_fir(
        acting=acting, case=case.pk, state="Kerala", district="DEMO district", station="DEMO town", number="212",
        year=registered.year, registered_at=_at(registered, 11), diary_entry="17",
    )  # fmt: skip
    for key in ("cwc-24h", "fir-copy", "magistrate-report", "form-a"):
        for running in Deadline.objects.filter(case=case, key=key, state=ClockState.RUNNING):
            clocks.meet(
                acting=acting, case=case.pk, deadline=running.pk, at=_at(registered, 16), document="DEMO: letter 88"
            )


def _charged(acting: accounts.Account, case: Case, persons: people.Demo) -> None:
    suspect, victim = persons.suspect.pk, persons.victim.pk
    charging.lay_charge(
        acting=acting, case=case.pk, person=suspect, victim=victim, first=OLD_DAY, last=OLD_DAY, old_section="354C"
    )
    picks = charging.picks_for(asking=acting, case=case.pk, victim=victim, first=NEW_DAY, last=NEW_DAY)
    rows = {str(one.offence): one.offence.pk for one in picks.offences}
    for section in ("BNS 2023 77", "POCSO 2012 14(1)", "IT Act 2000 67B(a)-(e)"):
        laid = charging.lay_charge(
            acting=acting, case=case.pk, person=suspect, victim=victim, first=NEW_DAY, last=NEW_DAY,
            offence=rows[section],
        )  # fmt: skip
    first = laid.elements.order_by("position")[0]
    charging.support(
        acting=acting, case=case.pk, element=first.pk, statement="DEMO: the school record gives the age on that day."
    )
    charging.lay_charge(
        acting=acting, case=case.pk, person=persons.child_in_conflict.pk, victim=victim, first=NEW_DAY, last=NEW_DAY,
        offence=rows["POCSO 2012 15(1)"],
    )  # fmt: skip


def _followed(acting: accounts.Account, case: Case, persons: people.Demo, today: date) -> None:
    suspect, child = persons.suspect.pk, persons.child_in_conflict.pk
    for happened, day, hour in (
        (Happened.ARREST, 39, 7), (Happened.PRODUCED, 38, 6), (Happened.FIRST_REMAND, 38, 6),
    ):  # fmt: skip
        happening.record(
            acting=acting, case=case.pk, happened=happened, at=_at(today - timedelta(days=day), hour), person=suspect,
            age_asked=True,
        )  # fmt: skip
    path = child_paths.open_child_path(
        acting=acting, case=case.pk, person=child, offence_on=NEW_DAY, age_proof="DEMO: school record",
        welfare_officer="DEMO: ASI of the welfare desk",
    )  # fmt: skip
    child_paths.confirm_no_lockup(acting=acting, case=case.pk, path=path.pk)
    yesterday = today - timedelta(days=1)
    happening.record(
        acting=acting, case=case.pk, happened=Happened.CHILD_APPREHENDED, at=_at(yesterday, 9), person=child
    )
    happening.record(acting=acting, case=case.pk, happened=Happened.GUARDIAN_TOLD, at=_at(yesterday, 10), person=child)


def _worked(acting: accounts.Account, case: Case, hand: accounts.Account, today: date) -> None:
    courts.record_sitting(
        acting=acting, case=case.pk, happened=Happened.ADJOURNED, at=_at(today - timedelta(days=10), 11),
        court="DEMO: Special Court", cnr="DEMO010001232026", next_on=today + timedelta(days=4),
        adjourned_reason="DEMO: the report of the laboratory is awaited",
    )  # fmt: skip
    deciding.decide(
        acting=acting, case=case.pk, question="DEMO: search at once, or after the school day?",
        options=["at once", "after the school day"], choice="after the school day",
        reason="DEMO: a child lives in the house.",
    )  # fmt: skip
    deciding.give_task(
        acting=acting, case=case.pk, what="DEMO: ask the ferry office for its log", to=hand,
        due_on=today + timedelta(days=2),
    )  # fmt: skip


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), law.INDIA)
