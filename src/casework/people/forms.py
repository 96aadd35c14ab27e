"""The forms of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from casework.law import api as law
from casework.lib import clock
from casework.lib.forms import DayInput, UnitForm
from casework.people import rules
from casework.people.identifying import Given
from casework.people.labels import choices_of
from casework.people.persons import Born, Name
from casework.people.rules import (
    AccessClass,
    Alive,
    Basis,
    Confidence,
    IdentifierKind,
    NameKind,
    Precision,
    Proof,
    RoleKind,
    VaultKind,
    Verdict,
)

_SOURCE = _("Who said so, or where it was read: the number of the document is enough.")


def _day(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, widget=DayInput(), help_text=help_text)


def _lines(label: Any, *, help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=500, help_text=help_text, widget=forms.Textarea(attrs={"rows": 3}))


class CaseField(forms.ChoiceField):
    """One of the cases the account may know."""

    def __init__(self) -> None:
        super().__init__(label=_("Case"))

    def clean(self, value: Any) -> UUID:
        """Return the id."""
        return UUID(super().clean(value))


class InCaseForm(UnitForm):
    """A form that acts through one of the account's cases."""

    case = CaseField()

    def __init__(self, *args: Any, cases: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["case"]
        assert isinstance(field, CaseField)
        field.choices = list(cases)
        if len(cases) == 1:
            field.widget = forms.HiddenInput()
            field.initial = cases[0][0]


class NameForm(UnitForm):
    """A name."""

    text = forms.CharField(
        label=_("Name"), max_length=200, help_text=_("In the script it is written in; add each script as a name.")
    )
    kind = forms.ChoiceField(label=_("What kind of name"), choices=choices_of(NameKind))
    romanised = forms.CharField(
        label=_("In Latin letters"),
        max_length=300,
        required=False,
        help_text=_("Only where the person writes it in a way of their own; otherwise it is worked out."),
    )

    def name(self) -> Name:
        """Return what was entered."""
        data = self.cleaned_data
        return Name(text=data["text"], kind=NameKind(data["kind"]), romanised=data["romanised"])


class BirthForm(UnitForm):
    """When the person was born, and by what that is known."""

    day = _day(
        _("Day of birth"),
        required=True,
        help_text=_("Where only the year is known, any day of it, and say so below."),
    )
    precision = forms.ChoiceField(label=_("How exactly it is known"), choices=choices_of(Precision))
    proof = forms.ChoiceField(
        label=_("Known by"),
        choices=choices_of(Proof),
        help_text=_("A school record comes before a birth certificate, that before a medical test (JJ Act 94)."),
    )
    verified_by = forms.CharField(label=_("Who has seen the proof"), max_length=200, required=False)
    verified_on = _day(_("Seen on"))

    def born(self) -> Born:
        """Return what was entered."""
        data = self.cleaned_data
        return Born(
            day=data["day"],
            precision=Precision(data["precision"]),
            proof=Proof(data["proof"]),
            verified_by=data["verified_by"],
            verified_on=data["verified_on"],
        )


class DescribeForm(UnitForm):
    """Sex, and whether the person lives."""

    sex = forms.ChoiceField(label=_("Sex"), required=False, choices=choices_of(law.Sex, _("not known")))
    alive = forms.ChoiceField(label=_("Alive"), choices=choices_of(Alive))


class EnterPersonForm(InCaseForm):
    """A new person in a case."""

    role = forms.ChoiceField(label=_("Role in the case"), choices=choices_of(RoleKind))
    text = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        help_text=_("Of a victim, a child in conflict with law, a guardian or an informant it goes into the vault."),
    )
    other = forms.CharField(label=_("The name in another script"), max_length=200, required=False)
    parent = forms.CharField(label=_("Name of a parent"), max_length=200, required=False)
    sex = forms.ChoiceField(label=_("Sex"), required=False, choices=choices_of(law.Sex, _("not known")))
    day = _day(_("Day of birth"), help_text=_("Where only the year is known, any day of it."))
    precision = forms.ChoiceField(
        label=_("How exactly it is known"), choices=choices_of(Precision), initial=Precision.DAY
    )
    proof = forms.ChoiceField(label=_("Known by"), choices=choices_of(Proof), initial=Proof.STATEMENT)
    shut_away = forms.BooleanField(
        label=_("Shut the identity away"), required=False, help_text=_("For a witness who is in danger, say.")
    )
    field_order = ("case", "role", "text", "other", "parent", "sex", "day", "precision", "proof", "shut_away")

    def entered(self) -> dict[str, Any]:
        """Return what the verb takes."""
        data = self.cleaned_data
        names = [Name(text=data[key]) for key in ("text", "other") if data[key]]
        if data["parent"]:
            names.append(Name(text=data["parent"], kind=NameKind.PARENT))
        born = None
        if data["day"]:
            born = Born(day=data["day"], precision=Precision(data["precision"]), proof=Proof(data["proof"]))
        return {
            "case": data["case"],
            "role": RoleKind(data["role"]),
            "names": names,
            "sex": law.Sex(data["sex"]) if data["sex"] else None,
            "born": born,
            "access": AccessClass.PROTECTED if data["shut_away"] else None,
        }


class RoleForm(InCaseForm):
    """A role in a case."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=choices_of(RoleKind),
        help_text=_("Victim, child in conflict with law, guardian and informant shut the identity away for good."),
    )
    since = _day(_("Since"))
    shut_away = forms.BooleanField(label=_("Shut the identity away"), required=False)


class EndRoleForm(UnitForm):
    """When and why a role ends."""

    until = _day(_("Ended on"), required=True)
    reason = _lines(_("Reason"))


class ReasonForm(UnitForm):
    """Why."""

    reason = _lines(_("Reason"))


class PurposeForm(InCaseForm):
    """What for, and through which case."""

    purpose = _lines(_("Purpose"), help_text=_("It is recorded, and a supervisor may ask about it."))


class VaultForm(UnitForm):
    """A part of an identity."""

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[choice for choice in choices_of(VaultKind) if choice[0] not in ("name", "birth")],
    )
    words = _lines(_("What is kept"))


class IdentifierForm(InCaseForm):
    """An identifier as it was given."""

    kind = forms.ChoiceField(label=_("What it is"), choices=choices_of(IdentifierKind))
    value = forms.CharField(label=_("As it was given"), max_length=300)
    platform = forms.CharField(
        label=_("Platform"), max_length=80, required=False, help_text=_("Of an account or a wallet.")
    )
    source = forms.CharField(label=_("Source"), max_length=300, help_text=_SOURCE)
    valid_from = _day(_("Held from"))
    valid_to = _day(_("Held until"))
    port = forms.IntegerField(
        label=_("Port"), required=False, min_value=1, max_value=65535, help_text=_("Of an IP address.")
    )
    time_as_given = forms.CharField(
        label=_("Time as it was given"), max_length=60, required=False, help_text=_("Of an IP address, word for word.")
    )
    at = forms.DateTimeField(
        label=_("Day and time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
        help_text=_("Only where the zone is known; the zone is named below."),
    )
    zone = forms.CharField(
        label=_("Zone"), max_length=40, required=False, help_text=_("As in Asia/Kolkata or UTC. Empty: not known.")
    )

    def clean(self) -> dict[str, Any]:
        """Read the time in the zone it was given in."""
        data = super().clean() or self.cleaned_data
        zone, at = str(data.get("zone") or ""), data.get("at")
        if zone and zone not in available_timezones():
            self.add_error("zone", _("There is no such zone."))
        elif at and not zone:
            self.add_error("zone", _("Where the zone is not known, give the time as text above."))
        elif at:
            data["at"] = at.replace(tzinfo=ZoneInfo(zone))
        return data

    def given(self) -> Given:
        """Return what was entered."""
        data = self.cleaned_data
        return Given(
            kind=IdentifierKind(data["kind"]),
            **{name: data[name] for name in Given.__dataclass_fields__ if name != "kind"},
        )


class AttributionForm(UnitForm):
    """Whose an identifier is said to be."""

    person = forms.ChoiceField(label=_("Person"))
    basis = forms.ChoiceField(label=_("By what"), choices=choices_of(Basis))
    confidence = forms.ChoiceField(label=_("How sure"), choices=choices_of(Confidence))
    valid_from = _day(_("Held from"))
    valid_to = _day(_("Held until"))

    def __init__(self, *args: Any, persons: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(persons)


class JudgementForm(UnitForm):
    """One's word on a pair."""

    verdict = forms.ChoiceField(label=_("They are"), choices=choices_of(Verdict), widget=forms.RadioSelect)
    reason = _lines(_("By what"), help_text=_("It stays on record with your name."))


class WatchForm(InCaseForm):
    """A new entry of the watch register."""

    basis = forms.CharField(label=_("Legal basis"), max_length=300, help_text=_("Act and section, or the order."))
    reason = _lines(_("Reason"))
    since = _day(_("Since"), required=True)
    review_on = _day(_("Look at it again on"), required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["since"].initial = clock.today()
        self.fields["review_on"].initial = clock.today() + timedelta(days=90)
        self.fields["review_on"].help_text = _("Within %(days)s days.") % {"days": rules.LONGEST_REVIEW.days}


class ReviewForm(UnitForm):
    """Why an entry stays."""

    reason = _lines(_("Why the person stays under watch"))
    review_on = _day(_("Look at it again on"), required=True)


class FilterForm(UnitForm):
    """Which roles are listed."""

    role = forms.ChoiceField(label=_("Role"), required=False, choices=choices_of(RoleKind, _("all roles")))
