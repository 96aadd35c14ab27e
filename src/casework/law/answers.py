"""Answers by date: which offences stand open, which clocks run, and whether a person has verified the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from casework.law import rules
from casework.law.models import ClockRule, Correspondence, Gap, Offence, in_force
from casework.law.rules import Bar, Days, Fit, JjClass, Regime, Victim


@dataclass(frozen=True, kw_only=True)
class OpenOffence:
    """An offence that can be charged, or could be if more were known of the victim."""

    offence: Offence
    fit: Fit
    verified: bool
    jj_class: JjClass


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Law that held on the day and is not on record here."""

    act: str
    section: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class OpenOffences:
    """What stands open on a day, and what these tables cannot tell."""

    regime: Regime
    offences: tuple[OpenOffence, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, kw_only=True)
class Due:
    """A duty that runs; without ``due_at`` the text gives no number, and ``limit`` is what it says."""

    rule: ClockRule
    due_at: datetime | None
    limit: str
    condition: str
    settled: bool
    verified: bool


def offences_open(day: date, victim: Victim) -> OpenOffences:
    """Return the offences in force on the day of the act that this victim does not rule out, by act and section."""
    found = []
    for offence in Offence.objects.filter(in_force(day)).order_by("act", "section"):
        fit = rules.fit_of(offence.victim_test, victim)
        if fit is not Fit.NOT:
            jj_class = rules.jj_class_of(offence.jj_class)
            found.append(OpenOffence(offence=offence, fit=fit, verified=offence.is_verified, jj_class=jj_class))
    missing = (
        Missing(act=gap.act, section=gap.section, reason=gap.missing)
        for gap in Gap.objects.filter(in_force(day)).order_by("act", "section")
    )
    return OpenOffences(regime=rules.regime_on(day), offences=tuple(found), missing=tuple(missing))


def clocks_from(
    event: str, at: datetime, offences: Sequence[Offence] = (), begun: date | None = None
) -> tuple[Due, ...]:
    """Return the duties an event starts, soonest first, those without a number last.

    A rule that holds for certain sections only is left out where ``offences`` are named and none of them is among
    those. ``begun`` is the day of the first report: what was pending on 01-07-2024 stays under the old code of
    procedure (BNSS 531), whatever the day of the event; without it the day of the event decides.
    """
    if not starts_a_clock(event):
        raise ValueError(f"No clock starts with {event!r}.")
    found = [
        _due(rule, at, offences)
        for rule in _rules_of(event, at.astimezone(rules.INDIA).date(), begun)
        if not offences or any(rules.is_listed(one.act, one.section, rule.only_for) for one in offences)
    ]
    return tuple(sorted(found, key=lambda due: (due.due_at is None, due.due_at or at, due.rule.key)))


def starts_a_clock(event: str) -> bool:
    """Tell whether any rule on record starts with the event."""
    return ClockRule.objects.filter(event=event).exists()


def unlisted(act: str, section: str) -> Offence:
    """Return an offence known by its number only, for the other answers; it is never kept.

    Its punishment is not on record, so every answer that rests on it is unsettled.
    """
    return Offence(act=act, section=section, status=rules.Status.MEMORY)


def newest_offences(rows: Sequence[Offence]) -> dict[UUID, Offence]:
    """Return for each row, by its id, the one that stands in its place now; itself where nothing supersedes it."""
    newest = {row.pk: row for row in rows}
    while True:
        held = {row.pk for row in newest.values()}
        successors = {row.supersedes_id: row for row in Offence.objects.filter(supersedes__in=held)}
        if not successors:
            return newest
        newest = {pk: successors.get(row.pk, row) for pk, row in newest.items()}


def old_sections() -> tuple[Correspondence, ...]:
    """Return the sections of the Penal Code that are on record by their numbers, with where they stand now."""
    return tuple(Correspondence.objects.filter(superseded_by=None).exclude(ipc="-").order_by("ipc"))


def default_bail(offences: Sequence[Offence]) -> Days:
    """Return the days of default bail for these offences together."""
    return rules.default_bail_of_all((one.minimum, one.maximum) for one in offences)


def limitation(offences: Sequence[Offence]) -> Bar:
    """Return the limitation for these offences tried together."""
    return rules.bar_of_all(one.limitation for one in offences)


def sections_for(ipc: str) -> tuple[Correspondence, ...]:
    """Return where a section of the Penal Code stands in the BNS; rows may name several sections on either side."""
    rows = Correspondence.objects.filter(superseded_by=None).order_by("bns")
    return tuple(row for row in rows if ipc in row.ipc.replace("/", ", ").split(", "))


def _rules_of(event: str, day: date, begun: date | None) -> list[ClockRule]:
    held = list(ClockRule.objects.filter(in_force(day), event=event))
    if begun is None:
        return held
    code = rules.procedure_of(begun).procedure
    mine = [rule for rule in held if rule.procedure in ("", code)]
    keys = {rule.key for rule in mine}
    # The old code holds on for what was pending; the new one was not yet there when its matter became known.
    then = ClockRule.objects.filter(in_force(begun), event=event, procedure=code)
    return mine + [rule for rule in then if rule.key not in keys]


def _due(rule: ClockRule, at: datetime, offences: Sequence[Offence]) -> Due:
    due_at, condition, settled = rules.due_after(at, rule.span), rule.condition, True
    if rule.only_for and not offences:
        condition, settled = "only for " + ", ".join(rule.only_for), False
    if rule.key == "default-bail":
        days = default_bail(offences)
        due_at, condition, settled = rules.due_after(at, f"{days.days}d"), days.reason, days.settled
    if rule.counting == rules.DAY_IN and due_at is not None:
        due_at = rules.start_of_day(due_at)
    if rule.key == "limitation":
        bar = limitation(offences)
        due_at = rules.due_after(at, f"{bar.months}m") if bar.months else None
        condition = condition or ("no bar" if bar.settled and bar.months is None else "")
        settled = bar.settled
    return Due(
        rule=rule, due_at=due_at, limit=rule.limit, condition=condition, settled=settled, verified=rule.is_verified
    )
