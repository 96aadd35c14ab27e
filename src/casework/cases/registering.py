"""Verbs of the register: open, rename, withdraw, reopen; first information reports; ties to other things."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import clocks, rules
from casework.cases.access import check_leads, lock_case, told
from casework.cases.happening import enter
from casework.cases.models import Case, Fir, Link, Register
from casework.cases.vocabulary import Classification, Happened, LinkKind, State
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@transaction.atomic
def open_case(
    *,
    acting: accounts.Account,
    title: str,
    classification: Classification,
    purpose: str,
    summary: str = "",
    first_known_at: datetime | None = None,
) -> Case:
    """Return a new case with the next number of the unit's year, led by who opens it.

    ``first_known_at`` is when the offence first became known to the police: limitation runs from it (BNSS 514, 515).
    """
    rules.check_open(accounts.standing_of(acting), title)
    now = clock.now()
    year = now.astimezone(law.INDIA).year
    number = _next_number(acting.unit_id, year)
    case = Case.objects.create(
        unit_id=acting.unit_id, year=year, number=number, register_no=rules.register_number(number, year),
        title=title.strip(), summary=summary.strip(), classification=classification, opened_by=acting,
    )  # fmt: skip
    accounts.assign(acting=acting, to=acting, case=case.pk, capacity=accounts.Capacity.LEAD, purpose=purpose)
    enter(acting=acting, case=case, happened=Happened.OPENED, at=now)
    if first_known_at is not None:
        enter(acting=acting, case=case, happened=Happened.OFFENCE_KNOWN, at=first_known_at)
    fields: audit.Fields = {"register_no": case.register_no, "classification": classification.value}
    told(acting, "case_opened", case, fields, purpose=purpose)
    return case


@transaction.atomic
def rename_case(
    *, acting: accounts.Account, case: UUID, title: str, classification: Classification, summary: str, reason: str
) -> Case:
    """Change what the register says of the case; a change of class is an event of its own."""
    found = lock_case(case, acting=acting)
    rules.check_title(title)
    rules.check_reason(reason)
    if found.classification != classification:
        enter(acting=acting, case=found, happened=Happened.RECLASSIFIED, at=clock.now(), note=reason)
    changed = [
        name
        for name, value in (("title", title.strip()), ("classification", classification), ("summary", summary.strip()))
        if getattr(found, name) != value
    ]
    found.title, found.classification, found.summary = title.strip(), classification, summary.strip()
    found.save(update_fields=["title", "classification", "summary"])
    told(acting, "case_renamed", found, {"changed": changed, "classification": classification.value}, purpose=reason)
    return found


@transaction.atomic
def end_case(*, acting: accounts.Account, case: UUID, how: Happened, reason: str, document: str = "") -> Case:
    """Close a case, hand it over to another unit, or withdraw it; it stays in the register, and can be reopened."""
    found = lock_case(case, acting=acting)
    check_leads(acting, case)
    rules.check_end(how, reason)
    enter(acting=acting, case=found, happened=how, at=clock.now(), note=reason, document=document)
    told(acting, "case_ended", found, {"how": how.value}, purpose=reason)
    return found


@transaction.atomic
def reopen_case(*, acting: accounts.Account, case: UUID, reason: str) -> Case:
    """Take an ended case up again."""
    found = lock_case(case, acting=acting)
    check_leads(acting, case)
    rules.check_reopen(State(found.state), reason)
    enter(acting=acting, case=found, happened=Happened.REOPENED, at=clock.now(), note=reason)
    told(acting, "case_reopened", found, {}, purpose=reason)
    return found


@transaction.atomic
def register_fir(
    *,
    acting: accounts.Account,
    case: UUID,
    state: str,
    district: str,
    station: str,
    number: str,
    year: int,
    registered_at: datetime,
    is_zero: bool = False,
    diary_entry: str = "",
) -> Fir:
    """Enter a first information report; where there is one already, the new one is what a transfer made of it.

    The day the matter began is that of the first report: a zero FIR that is numbered anew does not begin again.
    """
    found = lock_case(case, acting=acting)
    before = found.firs.order_by("-created_at").first()
    registered_on = registered_at.astimezone(law.INDIA).date()
    follows = before.registered_at.astimezone(law.INDIA).date() if before else None
    rules.check_fir(station=station, number=number, year=year, registered_on=registered_on, follows=follows)
    fir = Fir.objects.create(
        case=found, state=state.strip(), district=district.strip(), station=station.strip(), number=number.strip(),
        year=year, is_zero=is_zero, registered_at=registered_at, diary_entry=diary_entry.strip(), follows=before,
        entered_by=acting,
    )  # fmt: skip
    if before is None:
        found.begun_on = registered_on
        found.save(update_fields=["begun_on"])
        # Which code of procedure holds is known only now.
        clocks.recount(acting, found)
    happened = Happened.FIR_TRANSFERRED if before else Happened.REGISTRATION
    enter(acting=acting, case=found, happened=happened, at=registered_at, document=f"FIR {fir}")
    told(acting, "fir_registered", found, {"fir": str(fir), "zero": is_zero, "transfer": before is not None})
    return fir


@transaction.atomic
def link(*, acting: accounts.Account, case: UUID, kind: LinkKind, target: UUID, label: str, reason: str) -> Link:
    """Tie the case to a thing of another context; whether a person may see that thing is that context's business."""
    found = lock_case(case, acting=acting)
    rules.check_reason(reason)
    try:
        with transaction.atomic():
            made = Link.objects.create(
                case=found, kind=kind, target=target, label=label.strip(), reason=reason.strip(), linked_by=acting
            )
    except IntegrityError as error:
        raise RefusedError("linked", "The case is tied to this already.") from error
    told(acting, "link_made", found, {"kind": kind.value, "target": str(target)}, purpose=reason)
    return made


@transaction.atomic
def unlink(*, acting: accounts.Account, case: UUID, link: UUID, reason: str) -> None:
    """End a tie; it stays on record with its reason."""
    found = lock_case(case, acting=acting)
    rules.check_reason(reason)
    ended = {"ended_at": clock.now(), "ended_reason": reason.strip()}
    if not Link.objects.filter(pk=link, case=found, ended_at=None).update(**ended):
        raise AbsentError("link")
    told(acting, "link_ended", found, {"link": str(link)}, purpose=reason)


def _next_number(unit: UUID, year: int) -> int:
    """Return the next number; the row stays locked until the case stands or is rolled back, so none is lost."""
    register = Register.objects.select_for_update().filter(unit_id=unit, year=year).first()
    if register is None:
        # Two first cases of a year at once: one waits here for the other's row, and then reads it.
        Register.objects.get_or_create(unit_id=unit, year=year)
        register = Register.objects.select_for_update().get(unit_id=unit, year=year)
    register.last += 1
    register.save(update_fields=["last"])
    return register.last
