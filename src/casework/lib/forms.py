"""Forms as this house shows them: one field below the other, faults first as a summary, then beside the field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting

_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, ""),
    (forms.RadioSelect, ""),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)


class DayInput(forms.DateInput):
    """A day, picked from the browser's calendar."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """A day and a time to the minute, in the zone of the unit; say the zone in the help text."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class UnitRenderer(TemplatesSetting):
    """Renders forms and fields through the templates of `casework.lib`."""

    form_template_name = "lib/form.html"
    field_template_name = "lib/field.html"


class UnitForm(forms.Form):
    """A form whose widgets carry the classes of the theme."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            wanted = next(name for kind, name in _CLASSES if isinstance(field.widget, kind))
            if wanted:
                field.widget.attrs.setdefault("class", wanted)
