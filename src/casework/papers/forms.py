"""The forms of the pages of papers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from casework.lib.forms import UnitForm
from casework.papers.models import Form
from casework.papers.rules import Language
from casework.papers.uploads import Digested
from casework.papers.wording import LONGEST_WORDING
from casework.papers.words import LANGUAGES


class CheckForm(UnitForm):
    """What stands at the foot of a sheet, typed or scanned."""

    number = forms.CharField(
        label=_("Number"),
        max_length=500,
        help_text=_(
            "As at the foot of each page. A scanner may put the whole address here; then leave the digest empty."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    digest = forms.CharField(
        label=_("Digest"), max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class FileForm(UnitForm):
    """A file to compare."""

    file = forms.FileField(
        label=_("PDF file"),
        allow_empty_file=True,
        help_text=_("It is compared byte for byte and not kept. A scan or a printed copy never compares."),
    )

    def clean_file(self) -> str:
        """Return the digest of the upload."""
        upload: Digested = self.cleaned_data["file"]
        return upload.digest


class WithdrawForm(UnitForm):
    """Why a paper no longer counts."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class LanguageForm(UnitForm):
    """The language of a paper."""

    language = forms.ChoiceField(
        label=_("Language"), choices=[(language.value, name) for language, name in LANGUAGES.items()]
    )

    def clean_language(self) -> Language:
        """Return the language."""
        return Language(self.cleaned_data["language"])


class ConfirmFormForm(UnitForm):
    """What the legal officer has held the words against."""

    reason = forms.CharField(label=_("Checked against"), max_length=500, help_text=_("Gazette, page, day."))


class RewordForm(UnitForm):
    """The words of a form, part by part; the places in braces are filled by the layout."""

    source = forms.CharField(label=_("Source"), max_length=300)
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def __init__(self, form: Form, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = list(form.words)
        for name, text in form.words.items():
            rows = min(8, 1 + len(text) // 70)
            widget = forms.Textarea(attrs={"rows": rows, "class": "form-control", "lang": form.language})
            self.fields[f"word_{name}"] = forms.CharField(
                label=name.replace("_", " "), max_length=LONGEST_WORDING, widget=widget
            )
            self.initial.setdefault(f"word_{name}", text)
        self.initial.setdefault("source", form.source)
        self.order_fields([*(f"word_{name}" for name in self.parts), "source", "reason"])

    def words(self) -> dict[str, str]:
        """Return the words as given."""
        return {name: self.cleaned_data[f"word_{name}"].strip() for name in self.parts}
