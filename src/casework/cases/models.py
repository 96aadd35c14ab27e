"""The tables of cases.

`Case` stands in a `State` that follows from its `Event` rows. `Register` holds the last number of a unit's year.
`Fir`, `Event`, `Sitting`, `Decision`, `ChargeStep`, `DeadlineStep` are written once; triggers refuse a change.
An `Event` is as it was written, or struck by another one. `Task`: open, done, refused, withdrawn. `Link`, `Support`:
running until ``ended_at``. `Charge`: its last step; withdrawn with a reason. `Deadline`: running, met, excused, void.
`ChildPath`: running until it is erased, which leaves a row without a person.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from casework.cases.vocabulary import (
    Classification,
    ClockState,
    ClockStep,
    Happened,
    LinkKind,
    Outcome,
    Stage,
    State,
    TaskState,
)
from casework.lib.records import Record
from casework.lib.sealed import SealedTextField


def _choices(vocabulary: Any) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in vocabulary]


def _officer(related_name: str) -> Any:
    return models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name=related_name)


def _person(related_name: str) -> Any:
    return models.ForeignKey(
        "people.Person", on_delete=models.PROTECT, null=True, blank=True, related_name=related_name
    )


class Register(models.Model):
    """The last number given out in a unit's year; its row is locked while a case is opened, so there is no gap.

    .. no_pii:
    """

    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("unit", "year"), name="one_register_a_year"),)


class Case(Record):
    """One matter the unit works on. ``title`` is shown in lists and must not tell who the child is.

    .. pii: title and summary, if an officer writes a name into them
    """

    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, related_name="cases")
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    register_no = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    summary = SealedTextField(default="")
    classification = models.CharField(max_length=20, choices=_choices(Classification))
    state = models.CharField(max_length=20, choices=_choices(State), default=State.ENQUIRY)
    opened_by = _officer("opened_cases")
    # The day the matter began, which decides between the old law of procedure and the new (BNSS 531).
    begun_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("unit", "year", "number"), name="one_case_a_number"),)
        indexes = (
            models.Index(fields=("register_no",), name="case_by_register_no"),
            models.Index(fields=("-created_at", "-id"), name="cases_newest_first"),
            models.Index(fields=("state", "-created_at"), name="cases_by_state"),
        )

    def __str__(self) -> str:
        return self.register_no


class Fir(Record):
    """A first information report; the newest row of a case is the present one, ``follows`` the one before a transfer.

    .. no_pii:
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="firs")
    state = models.CharField(max_length=80)
    district = models.CharField(max_length=80)
    station = models.CharField(max_length=120)
    number = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    is_zero = models.BooleanField(default=False)
    registered_at = models.DateTimeField()
    diary_entry = models.CharField(max_length=60, blank=True)
    follows = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="followed_by")
    entered_by = _officer("+")

    class Meta:
        indexes = (
            models.Index(fields=("number", "year"), name="fir_by_number"),
            models.Index(fields=("case", "created_at"), name="firs_of_case"),
        )

    def __str__(self) -> str:
        return f"{self.station} {self.number}/{self.year}"


class Event(Record):
    """What happened, when, and to whom. A wrong entry is struck by another one, with a reason.

    .. pii: person and note, emptied when a child's path is erased
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    happened = models.CharField(max_length=40, choices=_choices(Happened))
    at = models.DateTimeField()
    person = _person("events_of_cases")
    note = SealedTextField(null=True)
    document = models.CharField(max_length=200, blank=True)
    document_id = models.UUIDField(null=True, blank=True)
    entered_by = _officer("+")
    strikes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="struck_by")

    class Meta:
        indexes = (
            models.Index(fields=("case", "at"), name="events_of_case"),
            models.Index(fields=("happened", "at"), name="events_by_kind"),
        )


class Sitting(Record):
    """What a court did, beside the event of the same moment.

    .. no_pii:
    """

    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="sitting")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sittings")
    court = models.CharField(max_length=200)
    cnr = models.CharField(max_length=20, blank=True)
    next_on = models.DateField(null=True, blank=True)
    adjourned_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("case", "next_on"), name="sittings_of_case"),
            models.Index(fields=("cnr",), name="sitting_by_cnr"),
        )


class Decision(Record):
    """A question, what could have been done, what was chosen, by whom in which rank, and why; written once.

    .. pii: question, options, choice and reason, sealed
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    question = SealedTextField()
    options = SealedTextField()
    choice = SealedTextField()
    reason = SealedTextField()
    decided_by = _officer("decisions")
    rank = models.CharField(max_length=40)
    decided_at = models.DateTimeField()
    revises = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="revised_by")

    class Meta:
        indexes = (models.Index(fields=("case", "-decided_at"), name="decisions_of_case"),)


class Task(Record):
    """What somebody was told to do, and what came of it.

    .. pii: what and result, sealed
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks")
    what = SealedTextField()
    instructed_by = _officer("tasks_given")
    given_to = _officer("tasks")
    due_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=_choices(TaskState), default=TaskState.OPEN)
    result = SealedTextField(default="")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("given_to", "state", "due_on"), name="tasks_of_officer"),
            models.Index(fields=("case", "state", "due_on"), name="tasks_of_case"),
        )


class Link(Record):
    """A tie between a case and a thing of another context, by kind and id.

    .. no_pii:
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links")
    kind = models.CharField(max_length=20, choices=_choices(LinkKind))
    target = models.UUIDField()
    label = models.CharField(max_length=120)
    reason = models.CharField(max_length=300)
    linked_by = _officer("+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "kind", "target"), condition=Q(ended_at=None), name="one_running_link"
            ),
        )
        indexes = (models.Index(fields=("kind", "target"), name="links_by_target"),)


class Charge(Record):
    """A person, an offence, a day or a range of days; the regime is that of the days.

    ``offence`` is empty where the section is known by its number only; ``person`` after an erasure.

    .. pii: person and victim
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="charges")
    person = _person("charges")
    victim = _person("charges_as_victim")
    offence = models.ForeignKey("law.Offence", on_delete=models.PROTECT, null=True, blank=True, related_name="charges")
    act = models.CharField(max_length=40)
    section = models.CharField(max_length=40)
    first_day = models.DateField()
    last_day = models.DateField()
    penal_code = models.CharField(max_length=40)
    pocso = models.CharField(max_length=20)
    fit = models.CharField(max_length=10)
    stage = models.CharField(max_length=20, choices=_choices(Stage), default=Stage.ALLEGED)
    outcome = models.CharField(max_length=30, choices=_choices(Outcome), blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("case", "created_at"), name="charges_of_case"),)

    def __str__(self) -> str:
        return f"{self.act} {self.section}"


class ChargeStep(Record):
    """One step of a charge; written once.

    .. pii: note, emptied when a child's path is erased
    """

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="steps")
    stage = models.CharField(max_length=20, choices=_choices(Stage))
    outcome = models.CharField(max_length=30, choices=_choices(Outcome), blank=True)
    on = models.DateField()
    document = models.CharField(max_length=200, blank=True)
    note = SealedTextField(null=True)
    entered_by = _officer("+")

    class Meta:
        indexes = (models.Index(fields=("charge", "created_at"), name="steps_of_charge"),)


class Element(Record):
    """What has to be proved for a charge: taken from the row of law, or added by an officer.

    .. no_pii:
    """

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="elements")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    from_law = models.BooleanField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("charge", "position"), name="one_element_a_position"),)


class Support(Record):
    """A finding that supports an element: its id where findings stand in this house, and what it says.

    .. pii: statement, sealed
    """

    element = models.ForeignKey(Element, on_delete=models.PROTECT, related_name="supports")
    finding = models.UUIDField(null=True, blank=True)
    statement = SealedTextField()
    entered_by = _officer("+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=300, blank=True)


class Deadline(Record):
    """A clock that runs from an event by a row of law; counted anew as charges change.

    ``counted_at`` is the end as the law counts it, ``due_at`` the end as it stands, with what a court or a journey
    added; both are empty where the law gives no number.

    .. pii: person
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="deadlines")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deadlines")
    rule = models.ForeignKey("law.ClockRule", on_delete=models.PROTECT, related_name="deadlines")
    key = models.CharField(max_length=40)
    person = _person("deadlines")
    counted_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    settled = models.BooleanField(default=True)
    condition = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=20, choices=_choices(ClockState), default=ClockState.RUNNING)
    extended_to = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    document = models.CharField(max_length=200, blank=True)
    document_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("event", "key"), name="one_clock_an_event"),)
        indexes = (
            models.Index(fields=("case", "state", "due_at"), name="clocks_of_case"),
            models.Index(fields=("due_at", "id"), condition=Q(state="running"), name="running_clocks"),
            models.Index(fields=("key", "due_at"), condition=Q(state="running"), name="running_clocks_by_key"),
        )


class DeadlineStep(Record):
    """What was done with a clock, by whom, on which paper; written once.

    .. no_pii:
    """

    deadline = models.ForeignKey(Deadline, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=20, choices=_choices(ClockStep))
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    until = models.DateTimeField(null=True, blank=True)
    document = models.CharField(max_length=200, blank=True)
    document_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    entered_by = _officer("+")

    class Meta:
        indexes = (models.Index(fields=("deadline", "created_at"), name="steps_of_clock"),)


class ChildPath(Record):
    """The road of a child who is suspected. What happens on it are events; this row says who, how old, by what proof.

    .. pii: person; erased by its own verb, which leaves age, class and course without a person
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="child_paths")
    person = _person("child_paths")
    pseudonym = models.CharField(max_length=40)
    offence_on = models.DateField()
    age = models.PositiveSmallIntegerField(null=True, blank=True)
    age_proof = models.CharField(max_length=200)
    jj_class = models.CharField(max_length=20)
    classed_by_board = models.BooleanField(default=False)
    welfare_officer = models.CharField(max_length=200)
    no_lockup_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    no_lockup_at = models.DateTimeField(null=True, blank=True)
    tried_as_adult = models.BooleanField(default=False)
    erase_from = models.DateField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    opened_by = _officer("+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "person"), name="one_path_a_child"),
            models.UniqueConstraint(fields=("case", "pseudonym"), name="one_pseudonym_a_child"),
        )
        indexes = (models.Index(fields=("erase_from",), condition=Q(erased_at=None), name="paths_to_erase"),)
