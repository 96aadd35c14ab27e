"""The forms of images, certificates, the laboratory, the locker and viewings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from casework.exhibits import acquiring, documents, locker, rules
from casework.exhibits.forms import (
    PaperForm,
    ReceivedForm,
    chosen,
    day,
    lines_of,
    moment,
    offer_choices,
    pairs_of,
    pick,
    text,
)
from casework.exhibits.models import HashRecord
from casework.exhibits.words import LABELS, choices
from casework.lib.forms import UnitForm
from casework.papers import api as papers

RELATIONS = ("owned", "maintained", "managed", "operated")
_SHOWN_ALGORITHMS = (("md5", "MD5"), ("sha1", "SHA-1"), ("sha256", "SHA-256"))


class ImageForm(UnitForm):
    """How an image was made."""

    tool = text(_("Tool"), size=120, required=True)
    tool_version = text(_("Version"), size=60, required=True)
    write_blocker = text(_("Write blocker"), size=120)
    method = pick(_("Method"), choices(rules.Method))
    form = text(_("Format"), size=60, required=True, hint=_("For example E01, raw."))
    started_at = moment(_("Begun"))
    ended_at = moment(_("Finished"))
    size = forms.IntegerField(label=_("Size in bytes"), min_value=1, max_value=2**62)
    segments = text(_("Segments"), size=20000, rows=3, hint=_("One a line: name; size in bytes."))
    read_errors = forms.IntegerField(label=_("Read errors"), min_value=0, max_value=2**31 - 1, initial=0)
    unread = text(_("Not read"), size=20000, rows=2, hint=_("One range a line: first byte; length in bytes."))
    md5 = text(_("MD5"), size=80)
    sha1 = text(_("SHA-1"), size=80)
    sha256 = text(_("SHA-256"), size=120)
    other = text(
        _("Other digests"), size=20000, rows=2, hint=_("One a line: algorithm; value; segment, if of a segment.")
    )
    kept_at = text(_("Where the image is kept"), required=True)
    carrier = pick(_("On which exhibit it lies"), [], required=False)
    note = text(_("Why imaged so, deviations"), size=4000, rows=3)

    def __init__(self, *args: Any, carriers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "carrier", carriers, _("on none"))

    def clean_segments(self) -> list[tuple[str, int]]:
        """Return names and sizes."""
        return [(name, _number(size)) for name, size in pairs_of(self.cleaned_data["segments"])]

    def clean_unread(self) -> list[tuple[int, int]]:
        """Return offsets and lengths in bytes."""
        return [(_number(offset), _number(length)) for offset, length in pairs_of(self.cleaned_data["unread"])]

    def made(self) -> acquiring.Made:
        """Return the form as the verb takes it."""
        given = self.cleaned_data
        names = ("tool", "tool_version", "write_blocker", "form", "started_at", "ended_at", "size", "segments")
        more = ("unread", "kept_at", "note")
        values = {name: given[name] for name in (*names, *more)}
        method, carrier = rules.Method(given["method"]), chosen(self, "carrier")
        return acquiring.Made(**values, errors=given["read_errors"], method=method, carrier=carrier)

    def computed(self) -> list[acquiring.Computed]:
        """Return the digests that were filled in."""
        given = self.cleaned_data
        found = [
            acquiring.Computed(algorithm=name, value=given[field]) for field, name in _SHOWN_ALGORITHMS if given[field]
        ]
        for line in lines_of(given["other"]):
            algorithm, value, of = ([part.strip() for part in line.split(";")] + ["", ""])[:3]
            found.append(acquiring.Computed(algorithm=algorithm, value=value, of=of))
        return found


class VerifyForm(UnitForm):
    """Digests computed again."""

    tool = text(_("Computed with"), size=180, required=True, hint=_("Tool and version."))

    def __init__(self, *args: Any, expected: Sequence[HashRecord], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = list(expected)
        for place, record in enumerate(self.expected):
            field = text(f"{record.algorithm}: {record.of}", size=200)
            field.widget.attrs["class"] = "form-control"
            self.fields[f"digest_{place}"] = field

    def computed(self) -> list[acquiring.Computed]:
        """Return the digests that were filled in."""
        return [
            acquiring.Computed(algorithm=record.algorithm, value=self.cleaned_data[f"digest_{place}"], of=record.of)
            for place, record in enumerate(self.expected)
            if self.cleaned_data[f"digest_{place}"]
        ]


class CertificateForm(PaperForm):
    """A certificate: of what, for whom, by whom."""

    kind = pick(_("Certificate"), [])
    record = text(_("Which record is certified"), size=1000, required=True, rows=2)
    to = text(_("Submitted to, and for what"), size=500, required=True)
    name = text(_("Who certifies"), size=200, required=True)
    parent = text(_("Son, daughter or spouse of"), size=200)
    address = text(_("Residing or employed at"), size=300)
    designation = text(_("Designation"), size=200)
    qualification = text(_("Qualification"), size=300, hint=_("For Part B: by which notification an expert."))
    relation = forms.MultipleChoiceField(
        label=_("The device was"),
        choices=[(word, LABELS[word]) for word in RELATIONS],
        required=False,
        widget=forms.CheckboxSelectMultiple(),
    )
    was_working = forms.BooleanField(label=_("It was working properly"), required=False, initial=True)
    working_note = text(_("When it was not"), size=1000, rows=2)
    lawful_control = forms.BooleanField(label=_("It was under lawful control"), required=False, initial=True)
    regular_use = forms.BooleanField(label=_("It was in regular use"), required=False, initial=True)
    produced_by = text(_("How the output was produced"), size=1000, rows=2)
    period_from = day(_("Period from"), required=False)
    period_to = day(_("Period to"), required=False)
    other_details = text(_("Other details of the device"), size=1000, rows=2)
    part_a = text(_("Number of the Part A it belongs to"), size=40)
    digests = text(
        _("Digests of the record, where it is not the image"),
        size=4000,
        rows=2,
        hint=_("One a line: algorithm; value; of what."),
    )

    field_order = ("kind", "language", "place")

    def __init__(self, *args: Any, kinds: Sequence[papers.Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.value, _CERTIFICATES[kind]) for kind in kinds]  # type: ignore[attr-defined]
        dropped = _OF_PART_63 if papers.Kind.CERTIFICATE_65B in kinds else _OF_65B
        for name in dropped:
            del self.fields[name]

    def certifier(self) -> documents.Certifier:
        """Return who certifies."""
        given = self.cleaned_data
        names = ("name", "parent", "address", "designation", "qualification", "was_working", "working_note")
        more = ("relation", "lawful_control", "regular_use")
        return documents.Certifier(**{name: given[name] for name in (*names, *more) if name in given})

    def submission(self) -> documents.Submission:
        """Return what is certified."""
        given = self.cleaned_data
        names = ("record", "to", "produced_by", "period_from", "period_to", "other_details", "part_a")
        rows = [([part.strip() for part in line.split(";")] + ["", ""])[:3] for line in lines_of(given["digests"])]
        computed = [acquiring.Computed(algorithm=algorithm, value=value, of=of) for algorithm, value, of in rows]
        return documents.Submission(**{name: given[name] for name in names if name in given}, digests=computed)


_CERTIFICATES = {
    papers.Kind.CERTIFICATE_63_A: _("BSA 63(4), Part A (party)"),
    papers.Kind.CERTIFICATE_63_B: _("BSA 63(4), Part B (expert)"),
    papers.Kind.CERTIFICATE_65B: _("Evidence Act 65B(4)"),
}
_OF_PART_63 = ("relation", "qualification", "other_details", "part_a")
_OF_65B = ("lawful_control", "regular_use", "produced_by", "period_from", "period_to")


class ForwardForm(UnitForm):
    """A forwarding to a laboratory."""

    exhibits = forms.MultipleChoiceField(
        label=_("Exhibits"), widget=forms.CheckboxSelectMultiple(), help_text=_("Only those you hold.")
    )
    laboratory = pick(_("Laboratory"), [])
    questions = text(_("Questions"), size=8000, required=True, rows=5, hint=_("One a line."))
    history = text(_("Short history of the case"), size=8000, required=True, rows=4)
    authority = text(_("Letter of authority"), hint=_("Number and day."))
    signed_by = pick(_("Signed by"), [])
    specimen = pick(_("Specimen of the seal"), [], required=False)
    fir_copy = forms.BooleanField(label=_("Copy of the FIR enclosed"), required=False)
    passcode = forms.BooleanField(label=_("Passcode enclosed in a sealed envelope"), required=False)
    enclosures = text(_("Other enclosures"), size=2000, rows=2, hint=_("One a line."))

    def __init__(
        self, *args: Any, exhibits: Any, laboratories: Any, signers: Any, specimens: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "exhibits", exhibits)
        offer_choices(self, "laboratory", laboratories)
        offer_choices(self, "signed_by", signers)
        offer_choices(self, "specimen", specimens, _("none"))

    def enclosed(self) -> list[str]:
        """Return what is enclosed."""
        given = self.cleaned_data
        found = [documents.FIR_COPY] if given["fir_copy"] else []
        found += [documents.SEALED_PASSCODE] if given["passcode"] else []
        return found + lines_of(given["enclosures"])


class SendForm(UnitForm):
    """The messenger."""

    messenger = text(_("Messenger"), size=200, required=True)
    messenger_rank = text(_("Rank"), size=40)
    document = text(_("Paper with which the messenger acknowledges"), required=True)


class LaboratoryReceiptForm(UnitForm):
    """What the laboratory says of its receipt."""

    number = text(_("Number of the laboratory"), size=80, required=True)
    document = text(_("Receipt of the laboratory"), required=True, hint=_("Number and day."))
    seals_intact = forms.ChoiceField(
        label=_("Seals"), choices=[("yes", _("Intact")), ("no", _("Broken"))], widget=forms.RadioSelect()
    )
    note = text(_("Remark of the laboratory"))


class LaboratoryBackForm(ReceivedForm):
    """Exhibits that come back from the laboratory."""

    document = text(_("Letter of the laboratory"), required=True, hint=_("Number and day."))


class LockerForm(UnitForm):
    """A line in the book of the locker."""

    place = pick(_("Locker"), [])
    reason = pick(_("What for"), choices(rules.LockerReason))
    document = text(_("Order"), hint=_("To take it out: the court and its order."))
    carried_by = text(_("Carried by"), size=200, required=True)
    witness = pick(_("Second officer"), [])
    note = text(_("Note"))

    def __init__(self, *args: Any, places: Any, witnesses: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self, "place", places)
        offer_choices(self, "witness", witnesses)


class OrderForm(UnitForm):
    """A court's order that named persons may view."""

    court = text(_("Court"), size=200, required=True)
    order = text(_("Number of the order"), size=120, required=True)
    ordered_on = day(_("Ordered on"))
    valid_from = day(_("Holds from"))
    valid_to = day(_("Holds until"), required=False)
    persons = text(_("Who may view"), size=4000, required=True, rows=3, hint=_("One a line: name; as what."))
    conditions = text(_("Conditions"), size=4000, rows=3)

    def verb_arguments(self) -> dict[str, Any]:
        """Return what the verb takes."""
        given = dict(self.cleaned_data)
        persons = [locker.Present(name=name, capacity=capacity) for name, capacity in pairs_of(given.pop("persons"))]
        return {**given, "persons": persons}


class ViewingForm(UnitForm):
    """A viewing as it was."""

    started_at = moment(_("Begun"))
    ended_at = moment(_("Ended"))
    place = text(_("Place"), size=200, required=True)
    persons = forms.MultipleChoiceField(
        label=_("Who was there"), widget=forms.CheckboxSelectMultiple(), help_text=_("Those the order names.")
    )
    expert = text(_("Expert present"), size=200, required=True)
    devices_kept_out = forms.BooleanField(label=_("Nobody brought a device in"), required=False)
    seal_before = pick(_("Seal before the viewing"), [], required=False)
    note = text(_("Note"), size=2000, rows=2)

    def __init__(self, *args: Any, ordered: Sequence[dict[str, str]], seals: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ordered = list(ordered)
        options = [(str(place), f"{one['name']}, {one['capacity']}") for place, one in enumerate(self.ordered)]
        self.fields["persons"].choices = options  # type: ignore[attr-defined]
        offer_choices(self, "seal_before", seals, _("it was not sealed"))

    def verb_arguments(self) -> dict[str, Any]:
        """Return what the verb takes."""
        given = dict(self.cleaned_data)
        present = [self.ordered[int(place)] for place in given.pop("persons")]
        persons = [locker.Present(name=one["name"], capacity=one["capacity"]) for one in present]
        return {**given, "persons": persons, "seal_before": chosen(self, "seal_before")}


def _number(given: str) -> int:
    if not (given.isascii() and given.isdigit()):
        raise ValidationError(_("Write two values on a line, with a semicolon between; bytes are whole numbers."))
    return int(given)
