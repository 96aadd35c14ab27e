"""The door of the law."""

from __future__ import annotations

from casework.law.answers import (
    Due,
    Missing,
    OpenOffence,
    OpenOffences,
    clocks_from,
    default_bail,
    limitation,
    offences_open,
    sections_for,
)
from casework.law.models import ClockRule, Correspondence, Offence, OverwrittenLawError
from casework.law.rules import (
    Bar,
    Days,
    Fit,
    JjClass,
    Procedure,
    Regime,
    Sex,
    Status,
    Victim,
    age_on,
    procedure_of,
    regime_on,
)
from casework.law.seeding import seed
from casework.law.superseding import confirm, supersede

__all__ = [
    "Bar",
    "ClockRule",
    "Correspondence",
    "Days",
    "Due",
    "Fit",
    "JjClass",
    "Missing",
    "Offence",
    "OpenOffence",
    "OpenOffences",
    "OverwrittenLawError",
    "Procedure",
    "Regime",
    "Sex",
    "Status",
    "Victim",
    "age_on",
    "clocks_from",
    "confirm",
    "default_bail",
    "limitation",
    "offences_open",
    "procedure_of",
    "regime_on",
    "sections_for",
    "seed",
    "supersede",
]
