"""May this happen in a case, and what follows from it? Pure; a no is a `RefusedError`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from casework.accounts.api import Role, Standing
from casework.cases.vocabulary import (
    BY_OWN_VERB,
    ENDS_A_CASE,
    IN_COURT,
    NEVER_TO_A_CHILD,
    OF_A_PERSON,
    ONLY_OF_A_CHILD,
    ClockState,
    Happened,
    Outcome,
    Stage,
    State,
)
from casework.law.api import (
    INDIA,
    JJ_CLASSES_CHANGED,
    Due,
    Fit,
    JjClass,
    Sex,
    Victim,
    VictimTest,
    due_after,
    fit_of,
)
from casework.lib.errors import AbsentError, RefusedError

MAY_OPEN = frozenset({Role.DESK_OFFICER, Role.INVESTIGATOR, Role.SUPERVISOR})
OF_AGE = 18
# A year outside these is a slip of the finger.
EARLIEST, LATEST = 1900, 2200

_LEADS_TO = {
    Happened.REGISTRATION: State.INVESTIGATION,
    Happened.POLICE_REPORT_FILED: State.BEFORE_COURT,
    Happened.COGNIZANCE: State.BEFORE_COURT,
    Happened.CHARGES_FRAMED: State.BEFORE_COURT,
    Happened.JUDGEMENT: State.DECIDED,
    Happened.APPEAL_FILED: State.BEFORE_COURT,
    Happened.CLOSURE_ACCEPTED: State.CLOSED,
    Happened.CLOSED: State.CLOSED,
    Happened.TRANSFERRED_OUT: State.TRANSFERRED,
    Happened.WITHDRAWN: State.WITHDRAWN,
    Happened.REOPENED: State.INVESTIGATION,
}
_ENDED = frozenset({State.WITHDRAWN, State.TRANSFERRED})


@dataclass(frozen=True, kw_only=True)
class Suspected:
    """What is known of a person at whom an event points: a child's path, and whether they were of age.

    ``of_age`` is None where the birth is not known well enough.
    """

    on_child_path: bool
    of_age: bool | None


def check_open(acting: Standing, title: str) -> None:
    """Desk officers, investigators and supervisors open cases; to all others there is no register."""
    if not acting.active or Role.ADMINISTRATOR in acting.roles or not acting.roles & MAY_OPEN:
        raise AbsentError("register")
    check_title(title)


def check_title(title: str) -> None:
    """A case has a name for lists."""
    if not title.strip():
        raise RefusedError("title", "Give the case a name that tells nothing of the child.")


def state_of(events: Iterable[Happened]) -> State:
    """Return where a case stands after these events, in their order."""
    state = State.ENQUIRY
    for happened in events:
        state = _LEADS_TO.get(happened, state)
    return state


def check_happened(state: State, happened: Happened, *, by_own_verb: bool = False) -> None:
    """A case that was withdrawn or transferred rests until it is reopened."""
    if state in _ENDED and happened is not Happened.REOPENED:
        raise RefusedError("ended", "The case was withdrawn or transferred; reopen it first, with a reason.")
    if happened in BY_OWN_VERB and not by_own_verb:
        raise RefusedError("own-verb", "This is written on its own page, which asks what belongs to it.")


def check_instant(at: datetime, now: datetime) -> None:
    """What happened lies in the past."""
    if at.tzinfo is None:
        raise ValueError("What happened, happened at an aware instant.")
    if at.year < EARLIEST:
        raise RefusedError("past", "Look at the year: it lies before everything this register knows.")
    if at > now:
        raise RefusedError("future", "This has not happened yet; enter it when it has.")


def check_person(happened: Happened, suspected: Suspected | None, *, age_asked: bool) -> None:
    """Refuse what is never done to a child, and what is done to children only; not knowing is not a no.

    ``age_asked`` says that the officer, where no birth is known, has asked and looked, and takes the person for an
    adult.
    """
    if suspected is None:
        if happened in OF_A_PERSON:
            raise RefusedError("person", "Say whom it concerns.")
        return
    child = suspected.on_child_path or suspected.of_age is False
    if happened in NEVER_TO_A_CHILD and child:
        raise RefusedError(
            "child",
            "This person was a child on the day of the offence: a child is apprehended and taken to the Board, "
            "never arrested, locked up or remanded (JJ Act 10). Use the child's path.",
        )
    if happened in NEVER_TO_A_CHILD and suspected.of_age is None and not age_asked:
        raise RefusedError("age", "The age is not on record. Ask for it, and confirm that the person was of age.")
    if happened in ONLY_OF_A_CHILD and not suspected.on_child_path:
        raise RefusedError("child-path", "Open the child's path first.")


def check_strike(happened: Happened, *, struck: bool, strikes: UUID | None) -> None:
    """An entry is struck once; what opened the case or registered it stands."""
    if struck or strikes is not None:
        raise RefusedError("struck", "This entry was struck already, or strikes another.")
    if happened in (Happened.OPENED, Happened.REGISTRATION, Happened.FIR_TRANSFERRED):
        raise RefusedError("stands", "The opening and the registration stand; withdraw the case if it is none.")


def check_fir(*, station: str, number: str, year: int, registered_on: date, follows: date | None) -> None:
    """A report has a station, a number, and the year of its registration; one after a transfer is not the older."""
    if not station.strip() or not number.strip():
        raise RefusedError("fir", "Give the station and the number.")
    if year != registered_on.year:
        raise RefusedError("fir-year", "The year of the number is not that of the registration.")
    if follows is not None and registered_on < follows:
        raise RefusedError("fir-order", "A report that follows a transfer is not older than the one before it.")


def check_end(how: Happened, reason: str) -> None:
    """A case ends in one of three ways, with a reason."""
    if how not in ENDS_A_CASE:
        raise RefusedError("end", "A case is closed, transferred or withdrawn.")
    check_reason(reason)


def check_reopen(state: State, reason: str) -> None:
    """What has not ended is not reopened."""
    if state not in (*_ENDED, State.CLOSED, State.DECIDED):
        raise RefusedError("open", "The case is open.")
    check_reason(reason)


def check_reason(reason: str) -> None:
    """Nothing is taken back without a reason."""
    if not reason.strip():
        raise RefusedError("reason", "Say why.")


def check_document(document: str) -> None:
    """A duty was done where a paper shows it."""
    if not document.strip():
        raise RefusedError("document", "Name the document that shows it: number, day.")


def check_runs(state: ClockState) -> None:
    """What has ended does not end again."""
    if state is not ClockState.RUNNING:
        raise RefusedError("ended", "This clock has ended already.")


def check_extension(
    extension: str, counted: datetime | None, due: datetime | None, until: datetime, document: str
) -> None:
    """A clock is extended only where its rule says so, only forwards, and as far as the rule goes."""
    if not extension or counted is None or due is None:
        raise RefusedError("extension", "The law on record gives no extension of this clock.")
    check_document(document)
    if until.year > LATEST or until <= due:
        raise RefusedError("extension", "The new end lies before the present one.")
    last = None if extension in ("order", "journey") else due_after(counted, extension)
    if last is not None and until > last:
        raise RefusedError("extension", f"This clock is extended by {extension} at most.")


def needed(needs: Mapping[str, Any], due: Due, jj_class: str | None, age: int | None) -> tuple[bool, bool, str]:
    """Return whether a clock holds for this person, whether that is settled, and under which condition.

    What is not known rules nothing out: the clock runs, with its condition.
    """
    if not needs:
        return True, due.settled, due.condition
    wanted = needs.get("jj_class")
    if jj_class in ("heinous", "serious", "petty") and wanted is not None and jj_class != wanted:
        return False, True, ""
    if age is not None and not needs.get("age_from", 0) <= age < needs.get("age_below", 200):
        return False, True, ""
    known = age is not None and jj_class == wanted
    return True, due.settled and known, "" if known else due.condition


def sooner(one: Due, other: Due) -> bool:
    """Tell whether a duty presses more than another of its rule: the earlier end, then an open one, then no end."""
    if one.due_at is not None and other.due_at is not None:
        return one.due_at < other.due_at
    if one.due_at is None and other.due_at is None:
        return other.settled and not one.settled
    return other.due_at is None


def later(counted: datetime | None, extended: datetime | None) -> datetime | None:
    """Return the end as it stands: what was granted holds where it goes further than what is counted."""
    if counted is None or extended is None:
        return counted
    return max(counted, extended)


def is_late(due: datetime | None, span: str, now: datetime) -> bool:
    """Tell whether a running clock is late; what is due at once is late when its day in India is over."""
    if due is None:
        return False
    if span == "now":
        return now.astimezone(INDIA).date() > due.astimezone(INDIA).date()
    return now >= due


def register_number(number: int, year: int) -> str:
    """Return the number as the register has it."""
    return f"{number}/{year}"


_CNR = re.compile(r"[A-Z0-9]{16}")


def cnr_of(given: str) -> str:
    """Return a case number record of eCourts without its dashes, in capitals; nothing stays nothing."""
    return re.sub(r"[\s-]", "", given).upper()


def cnr_is_usual(cnr: str) -> bool:
    """Tell whether the number has the usual form (16 characters; from memory, so another form is not refused)."""
    return _CNR.fullmatch(cnr) is not None


def fit_over(test: VictimTest, sex: Sex | None, ages: tuple[int, int] | None) -> Fit:
    """Tell whether an offence can be charged for a victim who was of any age between the two.

    What fits one of the ages and not another is unknown: somebody has to find out the birth, or part the days.
    """
    if ages is None:
        return fit_of(test, Victim(sex=sex))
    fits = {fit_of(test, Victim(sex=sex, age=age)) for age in range(ages[0], ages[1] + 1)}
    return fits.pop() if len(fits) == 1 else Fit.UNKNOWN


def check_born(ages: tuple[int, int] | None) -> None:
    """Nobody is harmed, or does harm, before they are born."""
    if ages is not None and ages[1] < 0:
        raise RefusedError("born", "This person was not born on these days: look at the birth and at the days.")


def numbers_in(sections: str) -> list[str]:
    """Return the single sections of an entry such as ``376(3), 376AB`` or ``361/363``."""
    return [part.strip() for part in re.split(r"[,/]", sections) if part.strip()]


_FORWARD = (Stage.ALLEGED, Stage.IN_FIR, Stage.IN_POLICE_REPORT, Stage.FRAMED, Stage.DECIDED)


def check_step(present: Stage, to: Stage, outcome: Outcome | None, note: str, on: date, today: date) -> None:
    """A charge goes forwards; it is decided with an outcome, dropped with a reason, and opened again by an appeal."""
    if on > today:
        raise RefusedError("future", "This has not happened yet.")
    if to is Stage.DROPPED:
        check_reason(note)
        return
    if (to is Stage.DECIDED) is (outcome is None):
        raise RefusedError("outcome", "A decided charge has an outcome, and no other has.")
    if present is Stage.DROPPED:
        raise RefusedError("dropped", "The charge was dropped; lay it anew if it stands.")
    if _FORWARD.index(to) < _FORWARD.index(present) and not note.strip():
        raise RefusedError("backwards", "The charge goes back a step: say why.")


def check_days(first: date, last: date, today: date) -> None:
    """An offence is charged for a day, or from one to another, none of them to come."""
    if last < first:
        raise RefusedError("days", "The last day lies before the first.")
    if last > today:
        raise RefusedError("days", "The day lies in the future.")
    if first.year < EARLIEST:
        raise RefusedError("days", "Look at the year: it lies before everything this register knows.")


def check_sitting(
    state: State, happened: Happened, court: str, at: datetime, next_on: date | None, adjourned_reason: str
) -> None:
    """A sitting names its court; one that is adjourned says why, and the next day lies after it."""
    check_happened(state, happened, by_own_verb=True)
    if happened not in IN_COURT:
        raise RefusedError("court", "This is not what a court does; enter it among the events of the case.")
    if not court.strip():
        raise RefusedError("court", "Name the court.")
    if happened is Happened.ADJOURNED and not adjourned_reason.strip():
        raise RefusedError("adjourned", "Say why the court adjourned.")
    if next_on is not None and next_on <= at.astimezone(INDIA).date():
        raise RefusedError("next", "The next sitting lies after this one.")


def check_decision(question: str, options: Sequence[str], choice: str, reason: str) -> None:
    """A decision has a question, what could have been chosen, what was, and why."""
    if not question.strip():
        raise RefusedError("question", "Say what was to be decided.")
    given = [option.strip() for option in options if option.strip()]
    if len(given) < 2:
        raise RefusedError("options", "Name at least two ways that were open; doing nothing is one.")
    if choice.strip() not in given:
        raise RefusedError("choice", "What was chosen is one of the ways that were open.")
    check_reason(reason)


def check_own_task(given_to: str, acting: str) -> None:
    """A task is ended by who has it; who gave it may withdraw it."""
    if given_to != acting:
        raise RefusedError("own-task", "Only who has the task says what came of it.")


def class_for(classes: Iterable[JjClass], offence_on: date) -> JjClass:
    """Return the class of a child's offences together: the gravest; a doubt is the Board's to settle.

    The definition of a serious offence before 01-09-2022 is not on record, so an earlier one is left to the Board.
    """
    found = set(classes)
    if JjClass.HEINOUS in found:
        return JjClass.HEINOUS
    if not found or found & {JjClass.UNCLASSIFIED, JjClass.NOT_STATED}:
        return JjClass.UNCLASSIFIED
    if JjClass.SERIOUS in found:
        return JjClass.SERIOUS if offence_on >= JJ_CLASSES_CHANGED else JjClass.UNCLASSIFIED
    return JjClass.PETTY


def check_child_path(of_age: bool | None, age_proof: str, welfare_officer: str) -> None:
    """A child's road is for who was under eighteen on the day of the offence, or may have been."""
    if of_age:
        raise RefusedError("of-age", "This person was of age on the day of the offence.")
    if not age_proof.strip():
        raise RefusedError("age-proof", "Say what the age is known by: school or municipal record, test, looks.")
    if not welfare_officer.strip():
        raise RefusedError("welfare-officer", "Name the child welfare police officer who takes charge.")


def refuse_second_path() -> None:
    """There is one road for each child in a case."""
    raise RefusedError("on-path", "This person is on a child's path already.")


def pseudonym(before: int) -> str:
    """Return the name under which a child is shown, the next after ``before`` others: Child A to Child Z, Child AA."""
    letters, number = "", before + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"Child {letters}"


def check_class(jj_class: JjClass, document: str) -> None:
    """The Board gives one of the three classes, in an order."""
    if jj_class not in (JjClass.HEINOUS, JjClass.SERIOUS, JjClass.PETTY):
        raise RefusedError("class", "The Board says heinous, serious or petty.")
    check_document(document)


def check_erase(erase_from: date | None, today: date, *, tried_as_adult: bool) -> None:
    """Records are destroyed when their day has come, and not of who was tried as an adult (JJ 24)."""
    if tried_as_adult:
        raise RefusedError("adult", "The child was tried as an adult for a heinous offence: the records are kept.")
    if erase_from is None or today < erase_from:
        raise RefusedError("not-yet", "The day has not come; enter the order and its period of appeal first.")
