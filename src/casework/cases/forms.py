"""The forms of cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from casework.accounts import api as accounts
from casework.cases.vocabulary import Classification, LinkKind, Outcome, Stage, State
from casework.cases.words import COURT, ENDS, HAPPENED, choices
from casework.law import api as law
from casework.lib.forms import DayInput, MomentInput, UnitForm

_INDIA = _("Time of India.")
_NOTHING: tuple[str, Any] = ("", _("– choose –"))
Choices = Iterable[tuple[Any, Any]]


def _text(label: Any, rows: int = 3, *, required: bool = True, help_text: Any = "") -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, widget=area, required=required, help_text=help_text, max_length=4000)


def _moment(label: Any, *, required: bool = True, help_text: Any = _INDIA) -> forms.DateTimeField:
    return forms.DateTimeField(label=label, widget=MomentInput(), required=required, help_text=help_text)


def _day(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, widget=DayInput(), required=required, help_text=help_text)


class FilterForm(UnitForm):
    """Which cases a list shows."""

    words = forms.CharField(label=_("Number or words"), required=False, max_length=100)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("any")), *choices(State)])
    classification = forms.ChoiceField(
        label=_("Class"), required=False, choices=[("", _("any")), *choices(Classification)]
    )


class CaseForm(UnitForm):
    """What the register says of a case."""

    title = forms.CharField(
        label=_("Name of the case"),
        max_length=200,
        help_text=_("Shown in lists. Nothing by which a child could be recognised: no name, school, family, place."),
    )
    classification = forms.ChoiceField(label=_("Class"), choices=choices(Classification))
    summary = _text(_("Summary"), 4, required=False, help_text=_("Kept sealed; read by the members of the case."))


class OpenForm(CaseForm):
    """A new case."""

    first_known_at = _moment(
        _("When the offence became known to the police"),
        required=False,
        help_text=_("Time of India. Limitation runs from it: six months where possession alone is charged."),
    )
    purpose = forms.CharField(
        label=_("What you need to know it for"), max_length=500, help_text=_("You will lead the case.")
    )


class RenameForm(CaseForm):
    """A change of what the register says."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class ReasonForm(UnitForm):
    """Why something is taken back."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class EndForm(UnitForm):
    """How a case leaves the desk."""

    how = forms.ChoiceField(label=_("How"), choices=[(word.value, title) for word, title in ENDS.items()])
    document = forms.CharField(label=_("Document"), max_length=200, required=False)
    reason = forms.CharField(label=_("Reason"), max_length=500)


class FirForm(UnitForm):
    """A first information report."""

    state = forms.CharField(label=_("State"), max_length=80)
    district = forms.CharField(label=_("District"), max_length=80)
    station = forms.CharField(label=_("Police station"), max_length=120)
    number = forms.CharField(label=_("Number"), max_length=20)
    year = forms.IntegerField(label=_("Year"), min_value=1990, max_value=2200)
    registered_at = _moment(_("Registered at"))
    is_zero = forms.BooleanField(label=_("Zero FIR"), required=False, help_text=_("To be transferred (BNSS 173(1))."))
    diary_entry = forms.CharField(label=_("General diary entry"), max_length=60, required=False)


class EventForm(UnitForm):
    """What happened."""

    happened = forms.ChoiceField(
        label=_("What happened"),
        choices=[_NOTHING, *((group, [(w.value, t) for w, t in kinds.items()]) for group, kinds in HAPPENED)],
    )
    at = _moment(_("When"))
    person = forms.ChoiceField(label=_("Whom it concerns"), required=False)
    age_asked = forms.BooleanField(
        label=_("The age was asked for, and this person was of age on the day of the offence"),
        required=False,
        help_text=_("Only where the age is not on record. A child is never arrested or remanded."),
    )
    document = forms.CharField(label=_("Document"), max_length=200, required=False, help_text=_("Number and day."))
    note = _text(_("Note"), required=False, help_text=_("Kept sealed."))

    def __init__(self, *args: Any, persons: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [("", _("nobody in particular")), *persons]  # type: ignore[attr-defined]


class SittingForm(UnitForm):
    """What a court did."""

    happened = forms.ChoiceField(label=_("What happened"), choices=[(w.value, t) for w, t in COURT.items()])
    at = _moment(_("When"))
    court = forms.CharField(label=_("Court"), max_length=200)
    cnr = forms.CharField(
        label=_("CNR number"), max_length=24, required=False, help_text=_("Usually 16 letters and digits.")
    )
    next_on = _day(_("Next sitting"), required=False)
    adjourned_reason = forms.CharField(label=_("Why it adjourned"), max_length=300, required=False)
    document = forms.CharField(label=_("Document"), max_length=200, required=False)
    note = _text(_("Note"), required=False, help_text=_("Kept sealed."))


class PickForm(UnitForm):
    """Whom, against whom, and when: what the picker has to know."""

    person = forms.ChoiceField(label=_("Accused"))
    victim = forms.ChoiceField(label=_("Victim"), required=False)
    first = _day(_("Day of the offence, or the first of several"))
    last = _day(_("The last of several days"), required=False)

    def __init__(self, *args: Any, accused: Choices, victims: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [_NOTHING, *accused]  # type: ignore[attr-defined]
        self.fields["victim"].choices = [("", _("no person, or not known")), *victims]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """One day is a range of itself."""
        given = super().clean() or {}
        given["last"] = given.get("last") or given.get("first")
        return given


class StepForm(UnitForm):
    """The next step of a charge."""

    stage = forms.ChoiceField(label=_("Stage"), choices=choices(Stage))
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=[("", _("none yet")), *choices(Outcome)])
    on = _day(_("On"))
    document = forms.CharField(label=_("Document"), max_length=200, required=False)
    note = _text(_("Note"), required=False, help_text=_("Sentence, or why the charge goes back a step. Kept sealed."))


class ElementForm(UnitForm):
    """What has to be proved."""

    text = forms.CharField(label=_("What has to be proved"), max_length=300)


class SupportForm(UnitForm):
    """A finding for an element."""

    statement = _text(_("What the finding says"), help_text=_("Kept sealed."))
    finding = forms.UUIDField(
        label=_("Id of the finding"), required=False, help_text=_("Where it stands in this house.")
    )


class MeetForm(UnitForm):
    """By which document a duty was done."""

    at = _moment(_("Done at"))
    document = forms.CharField(label=_("Document"), max_length=200, help_text=_("Number and day."))


class ExtendForm(UnitForm):
    """How far a clock was extended."""

    until = _moment(_("New end"))
    document = forms.CharField(label=_("Order, or diary entry"), max_length=200)
    reason = forms.CharField(label=_("Reason"), max_length=500)


class DecisionForm(UnitForm):
    """A decision with its reasons."""

    question = _text(_("What was to be decided"), 2)
    options = _text(_("Ways that were open"), 3, help_text=_("One on each line; doing nothing is one."))
    choice = forms.CharField(label=_("What was chosen"), max_length=400, help_text=_("As it stands above."))
    reason = _text(_("Why"), 4)

    def clean_options(self) -> list[str]:
        """Return the lines."""
        return [line.strip() for line in self.cleaned_data["options"].splitlines() if line.strip()]


class TaskForm(UnitForm):
    """What somebody is told to do."""

    to = forms.ChoiceField(label=_("For"))
    what = _text(_("What is to be done"), 3, help_text=_("Kept sealed."))
    due_on = _day(_("Until"), required=False)

    def __init__(self, *args: Any, members: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [_NOTHING, *members]  # type: ignore[attr-defined]


class ResultForm(UnitForm):
    """What came of a task."""

    result = _text(_("What came of it, or why not"), 3)


class LinkForm(UnitForm):
    """A tie to a thing of another context."""

    kind = forms.ChoiceField(label=_("Kind"), choices=choices(LinkKind))
    target = forms.UUIDField(label=_("Id"), help_text=_("It stands in the address of the page of that thing."))
    label = forms.CharField(label=_("How it is called"), max_length=120)
    reason = forms.CharField(label=_("Why they belong together"), max_length=300)


class MemberForm(UnitForm):
    """Who is to know the case."""

    account = forms.ChoiceField(label=_("Colleague"))
    capacity = forms.ChoiceField(
        label=_("They"),
        choices=choices(accounts.Capacity),
        initial=accounts.Capacity.WORKER.value,
    )
    purpose = forms.CharField(label=_("What for"), max_length=500)

    def __init__(self, *args: Any, colleagues: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = [_NOTHING, *colleagues]  # type: ignore[attr-defined]


class ExcludeForm(UnitForm):
    """Who must not know the case."""

    account = forms.ChoiceField(label=_("Colleague"))
    reason = _text(
        _("Why"), 3, help_text=_("Kept sealed; only who leads the case reads it. It cannot be lifted again.")
    )

    def __init__(self, *args: Any, colleagues: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = [_NOTHING, *colleagues]  # type: ignore[attr-defined]


class ChildForm(UnitForm):
    """A person who was a child on the day of the offence."""

    person = forms.ChoiceField(label=_("Person"))
    offence_on = _day(_("Day of the offence"), help_text=_("Age counts on this day (JJ Act 2(13))."))
    age_proof = forms.CharField(
        label=_("What the age is known by"),
        max_length=200,
        help_text=_("School record, then municipal record, then a test (JJ Act 94); until then, looks."),
    )
    welfare_officer = forms.CharField(
        label=_("Child welfare police officer who takes charge"), max_length=200, help_text=_("ASI or above.")
    )

    def __init__(self, *args: Any, persons: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [_NOTHING, *persons]  # type: ignore[attr-defined]


class ClassForm(UnitForm):
    """The class the Board gave."""

    jj_class = forms.ChoiceField(
        label=_("Class"),
        choices=[
            (law.JjClass.PETTY.value, _("petty")),
            (law.JjClass.SERIOUS.value, _("serious")),
            (law.JjClass.HEINOUS.value, _("heinous")),
        ],
    )
    at = _moment(_("Order of"))
    document = forms.CharField(label=_("Order"), max_length=200)


class ErasureForm(UnitForm):
    """From when the records are destroyed."""

    on = _day(_("Records are destroyed from"), help_text=_("The day after the period of appeal, by the order."))
    tried_as_adult = forms.BooleanField(
        label=_("Tried as an adult for a heinous offence"), required=False, help_text=_("Then the records are kept.")
    )
    document = forms.CharField(label=_("Order"), max_length=200)


class NothingForm(UnitForm):
    """A button and nothing else."""
