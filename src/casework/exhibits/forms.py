"""The forms of the register and of custody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from casework.exhibits import custody, digests, registering, rules
from casework.exhibits.models import Acquisition, HashRecord, StoragePlace
from casework.exhibits.words import choices
from casework.lib.forms import DayInput, MomentInput, UnitForm
from casework.papers import api as papers

PICTURE_AT_MOST = 20 * 1024 * 1024
_INDIA_TIME = _("India time.")
_OFFSET = re.compile(r"([+-])(\d{1,3}):([0-5]\d):([0-5]\d)\Z")
LANGUAGES = [
    (papers.Language.ENGLISH.value, "English"),
    (papers.Language.HINDI.value, "हिन्दी"),
    (papers.Language.MALAYALAM.value, "മലയാളം"),
]


def text(label: Any, *, size: int = 300, required: bool = False, hint: Any = "", rows: int = 0) -> forms.CharField:
    """Return a field of text; ``rows`` makes it a box."""
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=size, required=required, help_text=hint, widget=widget)


def pick(label: Any, options: Any, *, required: bool = True, hint: Any = "", initial: str = "") -> forms.ChoiceField:
    """Return a field of one choice."""
    return forms.ChoiceField(label=label, choices=options, required=required, help_text=hint, initial=initial)


def moment(label: Any, *, required: bool = True) -> forms.DateTimeField:
    """Return a field of a day and a time."""
    return forms.DateTimeField(label=label, required=required, widget=MomentInput(), help_text=_INDIA_TIME)


def day(label: Any, *, required: bool = True) -> forms.DateField:
    """Return a field of a day."""
    return forms.DateField(label=label, required=required, widget=DayInput())


def lines_of(given: str) -> list[str]:
    """Return the lines of a box that hold something."""
    return [line.strip() for line in given.splitlines() if line.strip()]


def pairs_of(given: str) -> list[tuple[str, str]]:
    """Return lines of the form ``one; other``."""
    parts = [line.partition(";") for line in lines_of(given)]
    return [(one.strip(), other.strip()) for one, _semicolon, other in parts]


class PictureField(forms.FileField):
    """A photograph, read whole; how it is decoded is the business of the house."""

    widget = forms.ClearableFileInput(attrs={"accept": "image/*"})

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the bytes, or nothing."""
        file = super().clean(data, initial)
        if not isinstance(file, UploadedFile):
            return b""
        if (file.size or 0) > PICTURE_AT_MOST:
            raise ValidationError(_("A photograph is at most 20 MB."))
        return file.read()


class ReasonForm(UnitForm):
    """Why."""

    reason = text(_("Reason"), size=500, required=True)


class SeizureForm(UnitForm):
    """A seizure memo."""

    memo = text(_("Number of the memo"), size=60, required=True)
    at = moment(_("Seized at"))
    place = text(_("Place"), required=True)
    legal_route = text(
        _("On what footing"), size=200, required=True, hint=_("Warrant or section, for example BNSS 185.")
    )
    witnesses = text(
        _("Witnesses"), size=1000, rows=2, hint=_("One a line: name; address. Two independent persons (BNSS 103).")
    )
    copy_given_to = text(_("Copy given to"), size=200)
    recording = text(_("Recording"), hint=_("Where the audio-video recording is kept (BNSS 105)."))

    def verb_arguments(self) -> dict[str, Any]:
        """Return what the verb takes."""
        given = dict(self.cleaned_data)
        pairs = pairs_of(given.pop("witnesses"))
        return {**given, "witnesses": [registering.Witness(name=name, address=address) for name, address in pairs]}


class DetailsForm(UnitForm):
    """What is written down of a thing."""

    kind = pick(_("Kind"), choices(rules.Kind))
    description = text(_("Description"))
    make = text(_("Make"), size=80)
    model = text(_("Model"), size=80)
    colour = text(_("Colour"), size=40)
    serial = text(_("Serial number"), size=80)
    imei_1 = text(_("IMEI 1"), size=25)
    imei_2 = text(_("IMEI 2"), size=25)
    imei_as_read = forms.BooleanField(
        label=_("The device shows an IMEI whose check digit does not fit"), required=False
    )
    mac = text(_("Hardware address (MAC)"), size=25)
    other_mark = text(_("Other mark"), size=120)
    found_state = pick(_("State when found"), choices(rules.FoundState), initial="unknown")
    isolation = pick(_("Isolated by"), choices(rules.Isolation), initial="none")
    clock_offset = text(
        _("Clock offset"), size=12, hint=_("Device minus true time, as +00:03:10; leave empty if nobody looked.")
    )
    clock_note = text(_("Note on the clock"), size=120)
    passcode_state = pick(_("Passcode"), choices(rules.Passcode), initial="not-asked")
    passcode = text(_("The passcode, if given"), size=120, hint=_("Kept sealed; every look at it is recorded."))
    place_found = text(_("Where exactly it was found"))
    found_at = moment(_("Found at"), required=False)
    owner = text(_("Who says it is theirs"), size=200)

    def clean_clock_offset(self) -> int | None:
        """Return seconds."""
        given = self.cleaned_data["clock_offset"].strip()
        if not given:
            return None
        match = _OFFSET.match(given)
        if match is None:
            raise ValidationError(_("Write the offset as +00:03:10 or -01:00:00."))
        sign, hours, minutes, seconds = match.groups()
        return (-1 if sign == "-" else 1) * (int(hours) * 3600 + int(minutes) * 60 + int(seconds))

    def details(self) -> registering.Details:
        """Return the form as the verbs take it."""
        given = {name: value for name, value in self.cleaned_data.items() if name in DetailsForm.base_fields}
        for name, word in (
            ("kind", rules.Kind),
            ("found_state", rules.FoundState),
            ("isolation", rules.Isolation),
            ("passcode_state", rules.Passcode),
        ):
            given[name] = word(given[name])
        return registering.Details(**given)


class RegisterForm(DetailsForm):
    """A new exhibit: the thing, and how it came."""

    seizure = pick(_("Seizure memo"), [], required=False)
    memo_line = forms.IntegerField(
        label=_("Line of the memo"), required=False, min_value=1, max_value=9999, help_text=_("Empty: the next line.")
    )
    place = pick(_("Put into"), [], required=False)
    from_name = text(_("Brought by, if not seized by us"), size=200)
    from_office = text(_("Their office"), size=200)
    from_document = text(_("Their paper"), hint=_("Number and day."))
    taken_from = pick(_("Taken from exhibit"), [], required=False, hint=_("For a copy of the material itself."))

    field_order = ("seizure", "memo_line", *DetailsForm.base_fields)

    def __init__(self, *args: Any, seizures: Any, places: Any, exhibits: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "seizure", seizures, _("none"))
        offer_choices(self, "place", places, _("stays with me"))
        offer_choices(self, "taken_from", exhibits, _("none"))

    def received_from(self) -> custody.Outside | None:
        """Return who brought it, or nothing where it was seized."""
        given = self.cleaned_data
        if not given["from_name"]:
            return None
        return custody.Outside(
            name=given["from_name"],
            office=rules.Office.STATION,
            office_name=given["from_office"],
            document=given["from_document"],
        )


class CorrectForm(DetailsForm):
    """What should stand there, and why."""

    reason = text(_("What was wrong, and how you know"), size=500, required=True)


class CourtNumberForm(UnitForm):
    """The court's number."""

    number = text(_("Number in the court's property register"), size=60, required=True)


class PurposeForm(UnitForm):
    """What for."""

    purpose = text(_("What you need it for"), size=300, required=True, hint=_("It is recorded with your name."))


class PhotographForm(UnitForm):
    """A photograph of the exhibit."""

    picture = PictureField(
        label=_("Photograph"), help_text=_("Of the thing, its marks or its seal; never of the material.")
    )
    caption = text(_("What it shows"), size=200)


class OfferForm(UnitForm):
    """To whom, and for what."""

    to = pick(_("Receiver"), [], hint=_("Members who work on the case."))
    purpose = pick(_("Purpose"), choices(rules.HAND_OVER_PURPOSES))
    note = text(_("Note"))
    condition = pick(_("Condition"), choices(rules.Condition))
    condition_note = text(_("What is different"))
    document = text(
        _("Order to hand over in place of the holder"),
        hint=_("Only where the lead of the case does so because the holder cannot any more."),
    )

    def __init__(self, *args: Any, receivers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "to", receivers)


class ReceivedForm(UnitForm):
    """How exhibits arrived; asks for the seal only where there is one, and for digests only where there are images."""

    place = pick(_("Put into"), [], required=False)
    place_note = text(_("Place, if not a storage place"))
    condition = pick(_("Condition"), choices(rules.Condition))
    condition_note = text(_("What is different"))

    def __init__(
        self,
        *args: Any,
        places: Iterable[StoragePlace],
        sealed: bool,
        expected: Sequence[HashRecord] = (),
        images: Sequence[Acquisition] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "place", places, _("stays with me"))
        self.expected = list(expected)
        if sealed:
            intact = [("yes", _("Intact")), ("no", _("Broken"))]
            self.fields["seal_intact"] = forms.ChoiceField(label=_("Seal"), choices=intact, widget=forms.RadioSelect())
            self.fields["seal_note"] = text(_("How the seal is broken"))
        if images:
            for place, record in enumerate(self.expected):
                label = f"{record.algorithm}: {record.acquisition}, {record.of}"
                self.fields[f"digest_{place}"] = text(label, size=200)
            self.fields["digest_tool"] = text(_("Digests computed with"), size=180, hint=_("Tool and version."))
            self.fields["digest_note"] = text(_("Why no digests were computed"))
        _dress(self)

    def received(self) -> custody.Received:
        """Return the form as the verbs take it."""
        given = self.cleaned_data
        places = {str(place.pk): place for place in self.fields["place"].places}  # type: ignore[attr-defined]
        return custody.Received(
            place=places.get(given["place"]),
            place_note=given["place_note"],
            condition=rules.Condition(given["condition"]),
            condition_note=given["condition_note"],
            seal_intact=given.get("seal_intact", "yes") == "yes",
            seal_note=given.get("seal_note", ""),
            digests=self.digests(),
            digest_note=given.get("digest_note", ""),
        )

    def digests(self) -> list[digests.Digest]:
        """Return the digests that were filled in."""
        given = self.cleaned_data
        return [
            digests.Digest(
                acquisition=record.acquisition,
                algorithm=record.algorithm,
                value=given[f"digest_{place}"],
                tool=given.get("digest_tool", ""),
                of=record.of,
            )
            for place, record in enumerate(self.expected)
            if given.get(f"digest_{place}")
        ]


class BackForm(ReceivedForm):
    """Exhibits that come back from outside."""

    document = text(_("Paper with which they give it back"), required=True, hint=_("Kind, number, day."))
    purpose = pick(_("Purpose"), choices((rules.Purpose.STORAGE, rules.Purpose.EXAMINATION, rules.Purpose.OTHER)))


class OutsideForm(UnitForm):
    """To somebody outside the house."""

    name = text(_("Receiver"), size=200, required=True, hint=_("Name and rank of the person who takes it."))
    office = pick(_("Of"), choices(rules.Office))
    office_name = text(_("Name of the court, laboratory or station"), size=200)
    document = text(_("Paper with which they acknowledge"), required=True, hint=_("Kind, number, day."))
    purpose = pick(_("Purpose"), choices(rules.OUTSIDE_PURPOSES))
    note = text(_("Note"))
    final = forms.BooleanField(
        label=_("Given back for good"), required=False, help_text=_("Nothing can be entered afterwards.")
    )


class MoveForm(UnitForm):
    """Into another storage place."""

    place = pick(_("Put into"), [])
    note = text(_("Note"))

    def __init__(self, *args: Any, places: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "place", places)


class SealForm(UnitForm):
    """A new seal."""

    kind = pick(_("Kind of seal"), choices(rules.SealKind))
    mark = text(_("Number printed on the bag"), size=80)
    specimen = pick(_("Seal used"), [], required=False, hint=_("For wax: which seal of the unit."))
    reason = text(_("What for"), required=True)
    picture = PictureField(label=_("Photograph of the seal"), required=False)

    def __init__(self, *args: Any, specimens: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "specimen", specimens, _("none"))


class BreakForm(ReasonForm):
    """Why the seal is broken."""

    picture = PictureField(label=_("Photograph of the broken seal"), required=False)


class PaperForm(UnitForm):
    """In which language, and where it is signed."""

    language = pick(_("Language"), LANGUAGES)
    place = text(_("Place of signing"), size=120)


class PlaceForm(UnitForm):
    """A storage place."""

    room = text(_("Room"), size=80, required=True)
    shelf = text(_("Shelf"), size=40)
    locker = text(_("Locker"), size=40)
    for_material = forms.BooleanField(label=_("A locker for the material itself"), required=False)


class SpecimenForm(UnitForm):
    """A seal of the unit."""

    name = text(_("Name of the seal"), size=80, required=True)
    says = text(_("What stands on it"), size=200, required=True)
    kept_by = text(_("Kept by"), size=200, required=True)


class LaboratoryForm(UnitForm):
    """A laboratory."""

    name = text(_("Laboratory"), size=200, required=True)
    address = text(_("Address"), required=True)


class FilterForm(UnitForm):
    """What the list shows."""

    which = pick(
        _("Show"),
        [("", _("all I may see")), ("mine", _("what I hold")), ("outside", _("what is outside the house"))],
        required=False,
    )
    kind = pick(_("Kind"), [("", _("any kind")), *choices(rules.Kind)], required=False)


def offer_choices(form: forms.Form, name: str, rows: Iterable[Any], empty: Any = None) -> None:
    """Fill a field of choices with rows; ``empty`` is what no choice is called."""
    field = form.fields[name]
    listed = list(rows)
    options: list[tuple[str, Any]] = [(str(row.pk), str(row)) for row in listed]
    field.choices = ([("", empty)] if empty is not None else []) + options  # type: ignore[attr-defined]
    field.places = listed  # type: ignore[attr-defined]


def chosen(form: forms.Form, name: str) -> Any:
    """Return the row behind a choice, or None."""
    given = form.cleaned_data[name]
    return next((row for row in form.fields[name].places if str(row.pk) == given), None)  # type: ignore[attr-defined]


def _dress(form: forms.Form) -> None:
    for field in form.fields.values():
        if isinstance(field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            continue
        field.widget.attrs.setdefault(
            "class", "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
        )
