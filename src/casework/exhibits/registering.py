"""Registering exhibits: the memo, the thing, its parts; correcting and withdrawing with a reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import custody, rules
from casework.exhibits.ledger import told
from casework.exhibits.models import Exhibit, Mark, Seizure, StoragePlace
from casework.exhibits.numbers import next_number
from casework.exhibits.reading import locked, state_of
from casework.exhibits.rules import FoundState, Isolation, Kind, Passcode
from casework.law.api import INDIA
from casework.lib import clock
from casework.lib.errors import RefusedError


@dataclass(frozen=True, kw_only=True)
class Witness:
    """One of the two independent persons of a search."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Details:
    """What is written down of a thing when it is registered."""

    kind: Kind
    description: str = ""
    make: str = ""
    model: str = ""
    colour: str = ""
    serial: str = ""
    imei_1: str = ""
    imei_2: str = ""
    imei_as_read: bool = False
    mac: str = ""
    other_mark: str = ""
    found_state: FoundState = FoundState.UNKNOWN
    isolation: Isolation = Isolation.NONE
    clock_offset: int | None = None
    clock_note: str = ""
    passcode_state: Passcode = Passcode.NOT_ASKED
    passcode: str = ""
    place_found: str = ""
    found_at: datetime | None = None
    owner: str = ""
    court_number: str = ""


_MARKED = ("serial", "imei_1", "imei_2", "mac", "other_mark", "court_number")
_SECRET = frozenset({"passcode"})
_PERSONAL = frozenset({"owner", "place_found", "description", "other_mark"})


@transaction.atomic
def record_seizure(
    *,
    acting: accounts.Account,
    case: UUID,
    memo: str,
    at: datetime,
    place: str,
    legal_route: str,
    witnesses: Sequence[Witness],
    officer: accounts.Account | None = None,
    copy_given_to: str = "",
    recording: str = "",
) -> Seizure:
    """Record a seizure memo; its lines are the exhibits registered on it."""
    accounts.check_may_work(acting, case)
    rules.check_times(at, clock.now())
    rules.check_reason(memo, "Give the number of the memo.")
    rules.check_reason(legal_route, "Say on what footing it was seized: warrant or section.")
    by = officer or acting
    seizure = Seizure(
        case_id=case,
        memo=memo.strip(),
        at=at,
        place=place,
        officer_name=by.name,
        officer_rank=by.rank,
        officer_unit=by.unit.name,
        legal_route=legal_route.strip(),
        witnesses=[dataclasses.asdict(one) for one in witnesses],
        copy_given_to=copy_given_to,
        recording=recording,
        made_by=acting,
    )
    try:
        with transaction.atomic():
            seizure.save()
    except IntegrityError as error:
        raise RefusedError("memo", "There is a memo of this number in the case already.") from error
    fields: audit.Fields = {"memo": seizure.memo, "witnesses": len(witnesses)}
    told(acting, "seizure_recorded", "seizure", seizure.pk, case, fields)
    return seizure


@transaction.atomic
def register_exhibit(
    *,
    acting: accounts.Account,
    case: UUID,
    details: Details,
    seizure: Seizure | None = None,
    memo_line: int | None = None,
    received_from: custody.Outside | None = None,
    place: StoragePlace | None = None,
    is_material: bool = False,
    taken_from: Exhibit | None = None,
) -> Exhibit:
    """Register a thing with the next number of the unit and of the case; who registers it holds it.

    ``received_from`` names another station or person who brought it, with their paper; otherwise it was seized.
    """
    accounts.check_may_work(acting, case)
    if seizure is not None and seizure.case_id != case:
        raise RefusedError("memo", "The memo belongs to another case.")
    if taken_from is not None and taken_from.case_id != case:
        raise RefusedError("copy", "What it was taken from belongs to another case.")
    values, passcode = _values(details, clock.now())
    year = clock.now().astimezone(INDIA).year
    exhibit = Exhibit(
        case_id=case,
        unit=acting.unit,
        year=year,
        register_no=next_number(f"exhibit/{acting.unit_id}/{year}"),
        case_no=next_number(f"exhibit of case/{case}"),
        seizure=seizure,
        memo_line=_line(seizure, memo_line),
        is_material=is_material or details.kind is Kind.MATERIAL_COPY,
        taken_from=taken_from,
        passcode=passcode,
        **values,
    )
    _save(exhibit)
    custody.begin(acting, exhibit, received_from=received_from, place=place)
    told(acting, "registered", "exhibit", exhibit.pk, case, _said(exhibit))
    exhibit.refresh_from_db(fields=["holder", "place", "custody_sequence"])
    return exhibit


@transaction.atomic
def register_part(*, acting: accounts.Account, whole: Exhibit, details: Details) -> Exhibit:
    """Register a part that lies in the whole (SIM, card) and moves with it until it is separated."""
    accounts.check_may_work(acting, whole.case_id)
    whole = locked(whole)
    rules.check_alive(state_of(whole))
    if whole.parent_id is not None:
        raise RefusedError("part", "A part has no parts of its own; register it as an exhibit.")
    values, passcode = _values(details, clock.now())
    part = Exhibit(
        case_id=whole.case_id,
        unit=whole.unit,
        year=whole.year,
        register_no=whole.register_no,
        part_no=next_number(f"part/{whole.pk}"),
        case_no=whole.case_no,
        parent=whole,
        seizure_id=whole.seizure_id,
        memo_line=whole.memo_line,
        passcode=passcode,
        **values,
    )
    _save(part)
    told(acting, "part_registered", "exhibit", part.pk, part.case_id, {**_said(part), "whole": str(whole.pk)})
    return part


@transaction.atomic
def correct(*, acting: accounts.Account, exhibit: Exhibit, changes: Mapping[str, Any], reason: str) -> Exhibit:
    """Mend what was written down of a thing; what stood there before stays in the ledger."""
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(reason, "Say what was wrong and how you know.")
    exhibit = locked(exhibit)
    rules.check_alive(state_of(exhibit))
    known = {field.name for field in dataclasses.fields(Details)}
    if strange := set(changes) - known:
        raise RefusedError("fields", f"There is no {', '.join(sorted(strange))} to correct.")
    before = {name: getattr(exhibit, name) for name in known}
    stood = {**before, "kind": Kind(exhibit.kind), "passcode": exhibit.passcode or ""}
    values, passcode = _values(Details(**{**stood, **changes}), clock.now())
    changed = [name for name in values if str(values[name]) != str(before[name])]
    if passcode != exhibit.passcode:
        changed.append("passcode")
    for name, value in {**values, "passcode": passcode}.items():
        setattr(exhibit, name, value)
    exhibit.save(update_fields=changed)
    _mark(exhibit)
    lines = [f"{name}: {_spoken(name, before[name])} > {_spoken(name, values.get(name))}" for name in sorted(changed)]
    told(acting, "corrected", "exhibit", exhibit.pk, exhibit.case_id, {"changed": lines}, purpose=reason.strip())
    return exhibit


@transaction.atomic
def withdraw(*, acting: accounts.Account, exhibit: Exhibit, reason: str) -> None:
    """Take an exhibit that was registered in error out of the register; its number stays taken."""
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(reason)
    exhibit = locked(exhibit)
    state = state_of(exhibit)
    rules.check_alive(state)
    if state.offered or state.in_locker or exhibit.custody_sequence > 1:
        raise RefusedError(
            "moved", "It has changed hands, is offered, or lies in the locker: it can no longer be withdrawn."
        )
    if exhibit.parts.filter(withdrawn_at=None).exists():
        raise RefusedError("parts", "It has parts; withdraw them first.")
    exhibit.withdrawn_at, exhibit.withdrawn_reason = clock.now(), reason.strip()
    exhibit.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    told(acting, "withdrawn", "exhibit", exhibit.pk, exhibit.case_id, purpose=reason.strip())


@transaction.atomic
def give_court_number(*, acting: accounts.Account, exhibit: Exhibit, number: str) -> None:
    """Write down the number the court's property register gave the exhibit."""
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(number, "Give the number as the court wrote it.")
    exhibit = locked(exhibit)
    rules.check_alive(state_of(exhibit))
    before, exhibit.court_number = exhibit.court_number, number.strip()
    exhibit.save(update_fields=["court_number"])
    _mark(exhibit)
    fields: audit.Fields = {"number": exhibit.court_number, "before": before}
    told(acting, "court_number_given", "exhibit", exhibit.pk, exhibit.case_id, fields)


@transaction.atomic
def read_passcode(*, acting: accounts.Account, exhibit: Exhibit, purpose: str) -> str:
    """Return the passcode in clear; the look, its purpose and the person go into the ledger first."""
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(purpose, "Say what you need the passcode for.")
    found = Exhibit.objects.only("passcode", "case_id").get(pk=exhibit.pk)
    if not found.passcode:
        raise RefusedError("passcode", "No passcode is on record.")
    told(acting, "passcode_read", "exhibit", exhibit.pk, exhibit.case_id, purpose=purpose.strip())
    return str(found.passcode)


def _values(details: Details, now: datetime) -> tuple[dict[str, Any], str | None]:
    rules.check_times(details.found_at, now)
    if details.passcode and details.passcode_state is not Passcode.GIVEN:
        raise RefusedError("passcode", "A passcode that is written down was given; choose so.")
    values = {field.name: getattr(details, field.name) for field in dataclasses.fields(details)}
    del values["passcode"]
    for name in ("kind", "found_state", "isolation", "passcode_state"):
        values[name] = str(values[name])
    for name in ("imei_1", "imei_2"):
        values[name] = rules.clean_imei(values[name], as_read=details.imei_as_read)
    values["mac"] = rules.clean_mac(details.mac)
    return values, details.passcode or None


def _line(seizure: Seizure | None, given: int | None) -> int | None:
    if seizure is None or given is not None:
        return given
    last = Exhibit.objects.filter(seizure=seizure, part_no=0).order_by("-memo_line").values_list("memo_line", flat=True)
    return (last.first() or 0) + 1


def _save(exhibit: Exhibit) -> None:
    try:
        with transaction.atomic():
            exhibit.save()
    except IntegrityError as error:
        if "memo_line" not in str(error):
            raise
        raise RefusedError("memo-line", "Another exhibit stands on this line of the memo.") from error
    _mark(exhibit)


def _mark(exhibit: Exhibit) -> None:
    wanted = {("number", rules.folded(exhibit.number))}
    wanted |= {(name, rules.folded(getattr(exhibit, name))) for name in _MARKED}
    wanted = {(kind, value) for kind, value in wanted if value}
    for mark in Mark.objects.filter(exhibit=exhibit).exclude(kind="seal"):
        if (mark.kind, mark.value) not in wanted:
            mark.delete()
        wanted.discard((mark.kind, mark.value))
    Mark.objects.bulk_create([Mark(exhibit=exhibit, kind=kind, value=value[:120]) for kind, value in sorted(wanted)])


def _said(exhibit: Exhibit) -> audit.Fields:
    return {
        "number": exhibit.number,
        "case_no": exhibit.case_no,
        "kind": exhibit.kind,
        "passcode": exhibit.passcode_state,
    }


def _spoken(name: str, value: Any) -> str:
    # The ledger is kept for ever: it says that these were changed, and keeps what they said to itself.
    return "(kept back)" if name in _SECRET | _PERSONAL else str(value)
