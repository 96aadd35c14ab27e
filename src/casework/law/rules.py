"""What follows from a date and a row of law; pure. Nothing here is settled because a machine says it.

Status of a row, as it was read: V the text, V2 a secondary source, M from memory, D derived. Whatever its status, a
row counts as verified only when a legal officer has put their name to it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")
NEW_CODES = date(2024, 7, 1)
POCSO_BEGINS = date(2012, 11, 14)
POCSO_AMENDED = date(2019, 8, 16)
JJ_CLASSES_CHANGED = date(2022, 9, 1)
# The days on which the law of an act changed: one on each side is another offence.
TURNS = (POCSO_BEGINS, POCSO_AMENDED, NEW_CODES)
# How a rule counts its days where it does not leave out the day of the event: that day is the first.
DAY_IN = "day-in"


class Status(StrEnum):
    """How the row came to be known."""

    READ = "V"
    SECONDARY = "V2"
    MEMORY = "M"
    DERIVED = "D"


class Sex(StrEnum):
    """Of the victim, as the statutes ask."""

    FEMALE = "female"
    MALE = "male"
    TRANSGENDER = "transgender"


class Fit(StrEnum):
    """Whether an offence can have been committed against this victim."""

    FITS = "fits"
    UNKNOWN = "unknown"
    NOT = "not"


class JjClass(StrEnum):
    """Classes of the Juvenile Justice Act; some offences fall between them."""

    HEINOUS = "heinous"
    SERIOUS = "serious"
    PETTY = "petty"
    UNCLASSIFIED = "unclassified"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, kw_only=True)
class Regime:
    """Which law an act of that day falls under."""

    penal_code: str
    pocso: str


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """Under which law a matter is investigated and proved."""

    procedure: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Victim:
    """What is known of the victim on the day of the act; None is not known."""

    sex: Sex | None = None
    age: int | None = None


@dataclass(frozen=True, kw_only=True)
class VictimTest:
    """What an offence demands of the victim."""

    sex: Sex | None = None
    age_from: int | None = None
    age_below: int | None = None


@dataclass(frozen=True, kw_only=True)
class Term:
    """A punishment as a number: months, life, or not a number at all."""

    months: int | None
    life: bool
    stated: bool


@dataclass(frozen=True, kw_only=True)
class Days:
    """A number of days, and whether it is beyond doubt."""

    days: int
    settled: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Limitation: so many months; None with ``settled`` is no bar, None without is not on record."""

    months: int | None
    settled: bool


def regime_on(day: date) -> Regime:
    """Return the substantive law of the day of the act."""
    pocso = "amended" if day >= POCSO_AMENDED else "original" if day >= POCSO_BEGINS else "not-in-force"
    return Regime(penal_code="BNS 2023" if day >= NEW_CODES else "IPC 1860", pocso=pocso)


def procedure_of(begun: date) -> Procedure:
    """Return the law of procedure and proof for a matter begun (FIR) on that day; what was pending stays."""
    if begun >= NEW_CODES:
        return Procedure(procedure="BNSS 2023", evidence="BSA 2023")
    return Procedure(procedure="CrPC 1973", evidence="Evidence Act 1872")


def age_on(born: date, day: date) -> int:
    """Return the age in full years; who was born on 29 February is a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def fit_of(test: VictimTest, victim: Victim) -> Fit:
    """Tell whether the offence can be charged for this victim; not knowing is not a no."""
    if test.sex is not None and victim.sex is not None and test.sex is not victim.sex:
        return Fit.NOT
    if victim.age is not None:
        too_young = test.age_from is not None and victim.age < test.age_from
        too_old = test.age_below is not None and victim.age >= test.age_below
        if too_young or too_old:
            return Fit.NOT
    asks_age = test.age_from is not None or test.age_below is not None
    if (test.sex is not None and victim.sex is None) or (asks_age and victim.age is None):
        return Fit.UNKNOWN
    return Fit.FITS


_SPAN_OF_LAW = re.compile(r"(\d+) (y|months?)\b")


def term_of(text: str) -> Term:
    """Return the punishment of a first offence as a number, where the text states one."""
    first = text.split("(2nd")[0]
    if "life" in first or "death" in first:
        return Term(months=None, life=True, stated=True)
    spans = _SPAN_OF_LAW.findall(first)
    if len(spans) != 1:
        # Two spans belong to two offences in one row; none is "as the offence", "per clause", "not stated".
        return Term(months=None, life=False, stated=first.strip() in ("-", "fine only"))
    number, unit = spans[0]
    return Term(months=int(number) * (12 if unit == "y" else 1), life=False, stated=True)


def default_bail_of(minimum: str, maximum: str) -> Days:
    """Return the days to default bail (BNSS 187(3)): 90 for death, life, ten years or more, else 60."""
    least, most = term_of(minimum), term_of(maximum)
    if most.life or (least.months or 0) >= 120:
        return Days(days=90, settled=True, reason="")
    if not most.stated:
        return Days(days=60, settled=False, reason="no maximum is stated: 60 or 90 days needs legal advice")
    if (most.months or 0) >= 120:
        return Days(
            days=60, settled=False, reason="ten years are the maximum, not the minimum: 60 or 90 needs legal advice"
        )
    return Days(days=60, settled=True, reason="")


def default_bail_of_all(terms: Iterable[tuple[str, str]]) -> Days:
    """Return the days for several offences together: the gravest governs, a doubt keeps the shorter term."""
    days = [default_bail_of(minimum, maximum) for minimum, maximum in terms]
    if not days:
        return Days(days=60, settled=False, reason="no offence is named")
    if any(one.settled and one.days == 90 for one in days):
        return Days(days=90, settled=True, reason="")
    return next((one for one in days if not one.settled), days[0])


def bar_of(limitation: str) -> Bar:
    """Return the limitation of one offence (BNSS 514)."""
    if limitation == "none":
        return Bar(months=None, settled=True)
    term = term_of(limitation)
    return Bar(months=term.months, settled=term.months is not None)


def bar_of_all(limitations: Iterable[str]) -> Bar:
    """Return the limitation of offences tried together: the gravest governs (BNSS 514(3))."""
    bars = [bar_of(limitation) for limitation in limitations]
    if any(bar.settled and bar.months is None for bar in bars):
        return Bar(months=None, settled=True)
    if not bars or not all(bar.settled for bar in bars):
        return Bar(months=None, settled=False)
    return Bar(months=max(bar.months or 0 for bar in bars), settled=True)


def jj_class_of(stored: str) -> JjClass:
    """Return the class as the row states it; a gap stays a gap: ask the Board."""
    if stored == "GAP":
        return JjClass.UNCLASSIFIED
    return JjClass(stored) if stored in ("heinous", "serious", "petty") else JjClass.NOT_STATED


def computed_jj_class(minimum: str, maximum: str) -> JjClass:
    """Return the class by the definitions since 01-09-2022 (JJ 2(33), 2(45), 2(54)); derived, to check the rows by."""
    least, most = term_of(minimum), term_of(maximum)
    floor = least.months or (10_000 if least.life else 0)
    if floor >= 84:
        return JjClass.HEINOUS
    if (most.months is not None and most.months <= 36) or maximum == "fine only":
        return JjClass.PETTY
    if floor > 36 or most.life or (most.months or 0) > 84:
        return JjClass.SERIOUS
    return JjClass.UNCLASSIFIED if most.stated else JjClass.NOT_STATED


def due_after(begun: datetime, span: str) -> datetime | None:
    """Return when a span such as ``24h``, ``14d``, ``2m`` ends; ``now`` ends at once, anything else has no end.

    Hours run on; days and months are counted in the Indian calendar and keep the time of day. A month without that
    day ends on its last one.
    """
    if begun.tzinfo is None:
        raise ValueError("A clock starts at an aware instant.")
    if span == "now":
        return begun
    found = re.fullmatch(r"(\d+)([hdm])", span)
    if found is None:
        return None
    number, unit = int(found[1]), found[2]
    if unit == "h":
        return begun + timedelta(hours=number)
    local = begun.astimezone(INDIA)
    return local + timedelta(days=number) if unit == "d" else _months_later(local, number)


def start_of_day(instant: datetime) -> datetime:
    """Return the beginning of that day in India: when the day of the event is the first, the days end there."""
    return datetime.combine(instant.astimezone(INDIA).date(), time.min, INDIA)


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or its last one."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def is_listed(act: str, section: str, listed: Sequence[str]) -> bool:
    """Tell whether a section is in ``listed`` (``POCSO 2012 4`` also names 4(1) and 4(2)); an empty list names all."""
    return not listed or f"{act} {section.partition('(')[0]}" in listed


def _months_later(local: datetime, months: int) -> datetime:
    return datetime.combine(months_after(local.date(), months), local.timetz())
