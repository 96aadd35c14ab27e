"""Charges: the picker, which knows the day and the victim; laying, stepping, withdrawing; elements of proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import clocks, persons, rules
from casework.cases.access import lock_case, told
from casework.cases.models import Case, Charge, ChargeStep, Element, Support
from casework.cases.vocabulary import Outcome, Stage
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people

OLD_CODE = "IPC 1860"


@dataclass(frozen=True, kw_only=True)
class Pick:
    """An offence that can be charged for these days and this victim, or could be if more were known."""

    offence: law.Offence
    fit: law.Fit
    jj_class: law.JjClass
    verified: bool


@dataclass(frozen=True, kw_only=True)
class Picks:
    """What stands open for a range of days.

    ``old_sections`` are those of the Penal Code, known by number only, where its days are in the range. ``turns`` are
    the days in the range on which the law changed: an offence on both sides of one is charged once for each.
    """

    regimes: tuple[law.Regime, ...]
    offences: tuple[Pick, ...]
    missing: tuple[law.Missing, ...]
    old_sections: tuple[law.Correspondence, ...]
    turns: tuple[date, ...]
    ages: tuple[int, int] | None


@transaction.atomic
def picks_for(*, asking: accounts.Account, case: UUID, victim: UUID | None, first: date, last: date) -> Picks:
    """Return the offences that were in force on all of the days and that the victim's sex and age do not rule out.

    A victim whose birth is known to the year only may have two ages; an offence that fits one and not the other is
    said to be unknown, never left out.
    """
    accounts.check_may_read(asking, case)
    rules.check_days(first, last, clock.today())
    person = persons.in_case(case, victim) if victim else None
    sex = law.Sex(person.sex) if person is not None and person.sex else None
    ages = _ages(person, first, last)
    rules.check_born(ages)
    opened = law.offences_open(first, law.Victim(sex=sex))
    found = []
    for one in opened.offences:
        held = one.offence.valid_to is None or one.offence.valid_to >= last
        fit = rules.fit_over(one.offence.victim_test, sex, ages) if person is not None else one.fit
        if held and fit is not law.Fit.NOT:
            found.append(Pick(offence=one.offence, fit=fit, jj_class=one.jj_class, verified=one.verified))
    regimes = tuple(dict.fromkeys((law.regime_on(first), law.regime_on(last))))
    old = law.old_sections() if opened.regime.penal_code == OLD_CODE and len(_codes(regimes)) == 1 else ()
    missing = tuple(dict.fromkeys((*opened.missing, *law.offences_open(last, law.Victim(sex=sex)).missing)))
    turns = tuple(day for day in law.TURNS if first < day <= last)
    return Picks(regimes=regimes, offences=tuple(found), missing=missing, old_sections=old, turns=turns, ages=ages)


@transaction.atomic
def lay_charge(
    *,
    acting: accounts.Account,
    case: UUID,
    person: UUID,
    victim: UUID | None,
    first: date,
    last: date,
    offence: UUID | None = None,
    old_section: str = "",
) -> Charge:
    """Return a new charge; its elements are those of the row of law, its regime that of the days.

    Either ``offence``, a row of law, or ``old_section``, the number of a section of the Penal Code.

    Raises:
        RefusedError: The offence was not in force on all of the days, or the victim's sex or age rules it out.
    """
    found = lock_case(case, acting=acting)
    accused = persons.in_case(case, person)
    rules.check_born(people.ages_on(accused, last))
    open_ones = picks_for(asking=acting, case=case, victim=victim, first=first, last=last)
    row, act, section, fit = _chosen(open_ones, offence, old_section)
    regime = open_ones.regimes[-1]
    charge = Charge.objects.create(
        case=found, person=accused, victim_id=victim, offence=row, act=act, section=section, first_day=first,
        last_day=last, penal_code=regime.penal_code, pocso=regime.pocso, fit=fit,
    )  # fmt: skip
    ChargeStep.objects.create(charge=charge, stage=Stage.ALLEGED, on=clock.today(), entered_by=acting)
    elements = [
        Element(charge=charge, position=position, text=text[:300], from_law=True)
        for position, text in enumerate(row.elements if row is not None else (), start=1)
    ]
    Element.objects.bulk_create(elements)
    clocks.recount(acting, found)
    fields: audit.Fields = {
        "charge": str(charge.pk), "person": str(accused.pk), "offence": str(charge), "from": first.isoformat(),
        "to": last.isoformat(), "fit": str(fit),
    }  # fmt: skip
    told(acting, "charge_laid", found, fields)
    return charge


@transaction.atomic
def step_charge(
    *,
    acting: accounts.Account,
    case: UUID,
    charge: UUID,
    stage: Stage,
    on: date,
    outcome: Outcome | None = None,
    document: str = "",
    note: str = "",
) -> Charge:
    """Write down the next step of a charge: in the police report, framed, decided with its outcome, dropped."""
    found, standing = _standing(acting, case, charge)
    rules.check_step(Stage(standing.stage), stage, outcome, note, on, clock.today())
    ChargeStep.objects.create(
        charge=standing, stage=stage, outcome=outcome or "", on=on, document=document.strip(), note=note.strip(),
        entered_by=acting,
    )  # fmt: skip
    standing.stage, standing.outcome = stage, outcome or ""
    standing.save(update_fields=["stage", "outcome"])
    clocks.recount(acting, found)
    fields: audit.Fields = {"charge": str(charge), "stage": stage.value, "outcome": outcome.value if outcome else ""}
    told(acting, "charge_stepped", found, fields)
    return standing


@transaction.atomic
def withdraw_charge(*, acting: accounts.Account, case: UUID, charge: UUID, reason: str) -> None:
    """Withdraw a charge that was laid by mistake; it stays on record and counts no longer."""
    found, standing = _standing(acting, case, charge)
    rules.check_reason(reason)
    ChargeStep.objects.create(
        charge=standing, stage=Stage.DROPPED, on=clock.today(), note=reason.strip(), entered_by=acting
    )
    standing.stage, standing.withdrawn_at = Stage.DROPPED, clock.now()
    standing.save(update_fields=["stage", "withdrawn_at"])
    clocks.recount(acting, found)
    told(acting, "charge_withdrawn", found, {"charge": str(charge)})


@transaction.atomic
def add_element(*, acting: accounts.Account, case: UUID, charge: UUID, text: str) -> Element:
    """Add what has to be proved and is not in the row of law."""
    found, standing = _standing(acting, case, charge)
    if not text.strip():
        raise RefusedError("element", "Say what has to be proved.")
    last = standing.elements.order_by("-position").values_list("position", flat=True).first() or 0
    made = Element.objects.create(charge=standing, position=last + 1, text=text.strip(), from_law=False)
    told(acting, "element_added", found, {"charge": str(charge), "element": str(made.pk)})
    return made


@transaction.atomic
def support(
    *, acting: accounts.Account, case: UUID, element: UUID, statement: str, finding: UUID | None = None
) -> Support:
    """Put a finding to an element of proof: what it says, and its id where findings stand in this house."""
    found = lock_case(case, acting=acting)
    proved = Element.objects.filter(pk=element, charge__case=found).first()
    if proved is None:
        raise AbsentError("element")
    if not statement.strip():
        raise RefusedError("statement", "Say what the finding says.")
    made = Support.objects.create(element=proved, finding=finding, statement=statement.strip(), entered_by=acting)
    told(acting, "element_supported", found, {"element": str(element), "finding": str(finding or "")})
    return made


@transaction.atomic
def end_support(*, acting: accounts.Account, case: UUID, support: UUID, reason: str) -> None:
    """Take a finding away from an element; it stays on record with the reason."""
    found = lock_case(case, acting=acting)
    rules.check_reason(reason)
    ended = {"ended_at": clock.now(), "ended_reason": reason.strip()}
    if not Support.objects.filter(pk=support, element__charge__case=found, ended_at=None).update(**ended):
        raise AbsentError("support")
    told(acting, "support_ended", found, {"support": str(support)}, purpose=reason)


def _chosen(picks: Picks, offence: UUID | None, old_section: str) -> tuple[law.Offence | None, str, str, law.Fit]:
    if offence is not None:
        for one in picks.offences:
            if one.offence.pk == offence:
                return one.offence, one.offence.act, one.offence.section, one.fit
        raise RefusedError(
            "offence",
            "This offence was not in force on all of these days, or the sex or age of the victim rules it out. "
            "Where the law changed between the days, lay one charge for each side.",
        )
    numbers = {number for row in picks.old_sections for number in rules.numbers_in(row.ipc)}
    if old_section not in numbers:
        raise RefusedError("offence", "Choose an offence that stands open for these days.")
    return None, OLD_CODE, old_section, law.Fit.UNKNOWN


def _ages(person: people.Person | None, first: date, last: date) -> tuple[int, int] | None:
    """Return the least and the greatest age the victim can have had in the range of days."""
    if person is None:
        return None
    early, late = people.ages_on(person, first), people.ages_on(person, last)
    return (early[0], late[1]) if early and late else None


def _codes(regimes: tuple[law.Regime, ...]) -> set[str]:
    return {regime.penal_code for regime in regimes}


def _standing(acting: accounts.Account, case: UUID, charge: UUID) -> tuple[Case, Charge]:
    found = lock_case(case, acting=acting)
    standing = Charge.objects.filter(pk=charge, case=found, withdrawn_at=None).first()
    if standing is None:
        raise AbsentError("charge")
    return found, standing
