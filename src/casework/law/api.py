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
    old_sections,
    sections_for,
    starts_a_clock,
    unlisted,
)
from casework.law.models import ClockRule, Correspondence, LawRow, Offence, OverwrittenLawError, in_force
from casework.law.rules import (
    INDIA,
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
    "INDIA",
    "Bar",
    "ClockRule",
    "Correspondence",
    "Days",
    "Due",
    "Fit",
    "JjClass",
    "LawRow",
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
    "in_force",
    "limitation",
    "offences_open",
    "old_sections",
    "procedure_of",
    "regime_on",
    "router",
    "sections_for",
    "seed",
    "starts_a_clock",
    "supersede",
    "unlisted",
]
