"""The forms of the law pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from casework.law.rules import Sex
from casework.lib.forms import UnitForm


class PickForm(UnitForm):
    """The day of the act, and what is known of the victim."""

    day = forms.DateField(label=_("Day of the act"), widget=forms.DateInput(attrs={"type": "date"}))
    sex = forms.ChoiceField(
        label=_("Sex of the victim"),
        required=False,
        choices=[("", _("not known"))] + [(sex.value, sex.value) for sex in Sex],
    )
    age = forms.IntegerField(label=_("Age on that day"), required=False, min_value=0, max_value=120)


class ConfirmRowForm(UnitForm):
    """What the legal officer has checked."""

    reason = forms.CharField(label=_("Checked against"), max_length=500, help_text=_("Gazette, page, day."))


class SupersedeForm(UnitForm):
    """The texts a legal officer may put in the place of the present ones."""

    what = forms.CharField(label=_("Offence"), max_length=400)
    minimum = forms.CharField(label=_("Minimum"), max_length=80, required=False)
    maximum = forms.CharField(label=_("Maximum"), max_length=80, required=False)
    fine = forms.CharField(label=_("Fine"), max_length=80, required=False)
    cognizable = forms.CharField(label=_("Cognizable"), max_length=40, required=False)
    bailable = forms.CharField(label=_("Bailable"), max_length=80, required=False)
    court = forms.CharField(label=_("Court"), max_length=120, required=False)
    jj_class = forms.CharField(label=_("Class of the Juvenile Justice Act"), max_length=40, required=False)
    limitation = forms.CharField(label=_("Limitation"), max_length=40, required=False)
    elements = forms.CharField(
        label=_("Elements of proof"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("One on each line."),
    )
    valid_to = forms.DateField(label=_("Held until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    source = forms.CharField(label=_("Source"), max_length=300)
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def clean_elements(self) -> list[str]:
        """Return the lines."""
        return [line.strip() for line in self.cleaned_data["elements"].splitlines() if line.strip()]
