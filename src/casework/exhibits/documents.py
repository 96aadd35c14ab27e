"""What the papers on exhibits say: the values of each kind, gathered from the register, and their issue.

`papers` freezes, numbers and prints them. Here nothing is worded; a passcode never enters a paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import api as cases
from casework.exhibits import rules
from casework.exhibits.acquiring import Computed
from casework.exhibits.models import Acquisition, CustodyEvent, Exhibit, Forwarding, HashRecord, Seal, Seizure
from casework.exhibits.reading import custody_line, offset_shown, open_offer_of, whole_of, whole_seal_of
from casework.exhibits.rules import Kind, Source
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import RefusedError
from casework.papers import api as papers

Values = dict[str, Any]
FIR_COPY = "copy of the FIR"
SEALED_PASSCODE = "passcode in a sealed envelope"


@dataclass(frozen=True, kw_only=True)
class Certifier:
    """Who signs a certificate, and what they say of the device."""

    name: str
    parent: str
    address: str
    designation: str = ""
    qualification: str = ""
    relation: Sequence[str] = ()
    was_working: bool = True
    working_note: str = ""
    lawful_control: bool = True
    regular_use: bool = True


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Which record is certified, to whom it is submitted, and how it was produced; one certificate for each."""

    record: str
    to: str
    produced_by: str = ""
    other_details: str = ""
    hash_report_enclosed: bool = True
    period_from: date | None = None
    period_to: date | None = None
    part_a: str = ""
    digests: Sequence[Computed] = ()


def issue_seizure_list(
    *, acting: accounts.Account, seizure: Seizure, language: papers.Language, place: str
) -> papers.Paper:
    """Issue the list of what was seized on a memo, in the order of its lines."""
    values = _head(acting, seizure.case_id, place)
    lines = list(_with_seals(Exhibit.objects.filter(seizure=seizure).order_by("memo_line", "part_no")))
    if not lines:
        raise RefusedError("empty", "Nothing is registered on this memo yet.")
    values |= {
        "memo": seizure.memo,
        "seized_at": _instant(seizure.at),
        "seized_place": seizure.place,
        "seized_by": {"name": seizure.officer_name, "rank": seizure.officer_rank, "unit": seizure.officer_unit},
        "legal_route": seizure.legal_route,
        "witnesses": [{"name": one["name"], "address": one["address"]} for one in seizure.witnesses],
        "copy_given_to": seizure.copy_given_to,
        "recording": seizure.recording,
        "lines": [{**_line(one, seal), "number_in_list": place} for place, (one, seal) in enumerate(lines, start=1)],
    }
    return _issue(acting, papers.Kind.SEIZURE_LIST, seizure.case_id, language, values, ("seizure", seizure.pk))


def issue_custody_sequence(
    *, acting: accounts.Account, exhibit: Exhibit, language: papers.Language, place: str
) -> papers.Paper:
    """Issue the sequence of custody for the police report (BNSS 193(3)(i)(i))."""
    values = _head(acting, exhibit.case_id, place) | custody_values(exhibit)
    return _issue(acting, papers.Kind.CUSTODY_SEQUENCE, exhibit.case_id, language, values, ("exhibit", exhibit.pk))


def custody_values(exhibit: Exhibit) -> Values:
    """Return the whole line of custody of an exhibit as values: events, seals, parts, digests, who holds it now."""
    line = custody_line(exhibit)
    if not line:
        raise RefusedError("empty", "There is no event of custody yet.")
    events = [_event(event, place, line) for place, event in enumerate(line, start=1)]
    # The first hands took it from where it lay.
    events[0]["place_from"] = (exhibit.parent or exhibit).place_found
    last = line[-1]
    holds = {"name": last.receiver_name, "rank": last.receiver_rank, "unit": last.receiver_unit}
    parts = Exhibit.objects.filter(parent=exhibit, withdrawn_at=None).order_by("part_no")
    return {
        "exhibit": _line(exhibit, whole_seal_of(whole_of(exhibit))),
        "parts": [
            {**_line(part, seal), "custody": "inherits" if part.inherits else "separated"}
            for part, seal in _with_seals(parts)
        ],
        "events": events,
        "seals": _seals_of(exhibit),
        "holder_now": {**holds, "outside": last.receiver_outside, "office": _office(last)},
        "place_now": _place(last),
        "complete": open_offer_of(whole_of(exhibit)) is None,
        "gaps": 0,
        "hashes": _hashes_of(exhibit),
    }


def issue_certificate(
    *,
    acting: accounts.Account,
    exhibit: Exhibit,
    kind: papers.Kind,
    language: papers.Language,
    certifier: Certifier,
    submission: Submission,
    place: str,
) -> papers.Paper:
    """Issue a certificate for an electronic record: BSA 63(4), Part A or B, or Evidence Act 65B for old matters."""
    if kind not in certificates_for(exhibit, person=acting):
        raise RefusedError("evidence-law", "This matter falls under the other law of evidence.")
    rules.check_reason(submission.record, "Say which record is certified.")
    rules.check_reason(submission.to, "Say to which court, and for what, it is submitted.")
    rules.check_reason(certifier.name, "Say who certifies.")
    hashes = _certified(exhibit, submission)
    if not hashes:
        raise RefusedError("digest", "A certificate names the digest of the record; record an image with its digests.")
    now = clock.now().astimezone(law.INDIA)
    values = _head(acting, exhibit.case_id, place) | {
        "signer": {"name": certifier.name, "parent": certifier.parent, "address": certifier.address},
        "identifiers": _identifiers(exhibit),
        "hashes": hashes,
        "record": submission.record,
        "submission": submission.to,
        "certificate_of": exhibit.number,
        "date": f"{now:%d/%m/%Y}",
        "time": f"{now:%H:%M}",
    }
    if kind is papers.Kind.CERTIFICATE_65B:
        values |= _old_certificate(exhibit, certifier, submission)
    else:
        values |= _new_certificate(exhibit, kind, certifier, submission)
    return _issue(acting, kind, exhibit.case_id, language, values, ("exhibit", exhibit.pk))


def certificates_for(exhibit: Exhibit, *, person: accounts.Account) -> tuple[papers.Kind, ...]:
    """Return the certificates that can be issued: the law of evidence follows the day the matter began."""
    case = cases.get_case(exhibit.case_id, person=person)
    begun = case.begun_on or clock.now().astimezone(law.INDIA).date()
    if rules.certificate_law(law.procedure_of(begun).evidence) == "63":
        return (papers.Kind.CERTIFICATE_63_A, papers.Kind.CERTIFICATE_63_B)
    return (papers.Kind.CERTIFICATE_65B,)


def issue_forwarding_note(
    *, acting: accounts.Account, forwarding: Forwarding, language: papers.Language, place: str
) -> papers.Paper:
    """Issue the note with which exhibits go to a laboratory."""
    rows = forwarding.lines.select_related("exhibit__parent", "exhibit__seizure", "seal").order_by("line")
    signed, specimen = forwarding.signed_by, forwarding.specimen
    enclosures = list(forwarding.enclosures)
    values = _head(acting, forwarding.case_id, place) | {
        "forwarding": str(forwarding),
        "laboratory": {"name": forwarding.laboratory.name, "address": forwarding.laboratory.address},
        "signed_by": _hand(signed),
        "authority": forwarding.authority,
        "history": forwarding.history,
        "questions": list(forwarding.questions),
        "lines": [
            {
                **_line(row.exhibit, row.seal),
                "number_in_list": row.line,
                "list_number": _memo_line(row.exhibit),
                "seal_kind": row.seal.kind if row.seal else "",
                "seal_number": _seal_shown(row.seal),
                "parcel": row.parcel,
            }
            for row in rows
        ],
        "specimen": {
            "description": specimen.text if specimen else "",
            "impression": specimen.name if specimen else "",
        },
        "messenger": {
            "name": forwarding.messenger_name,
            "rank": forwarding.messenger_rank,
            "document": forwarding.messenger_document,
        },
        "enclosures": enclosures,
        "fir_copy": FIR_COPY in enclosures,
        "passcode_sent_sealed": SEALED_PASSCODE in enclosures,
    }
    about = ("forwarding", forwarding.pk)
    return _issue(acting, papers.Kind.FORWARDING_NOTE, forwarding.case_id, language, values, about)


def issue_receipt(
    *, acting: accounts.Account, event: CustodyEvent, language: papers.Language, place: str
) -> papers.Paper:
    """Issue the receipt of one hand-over, for both hands."""
    exhibit = event.exhibit
    line = custody_line(exhibit)
    at = next(place for place, one in enumerate(line) if one.pk == event.pk)
    values = _head(acting, exhibit.case_id, place) | {
        "receipt_of": f"{exhibit.number}, {at + 1}",
        "lines": [_line(exhibit, event.seal_after)],
        "event": _event(line[at], at + 1, line),
        "returned": event.final,
    }
    return _issue(acting, papers.Kind.RECEIPT, exhibit.case_id, language, values, ("exhibit", exhibit.pk))


def issue_labels(
    *,
    acting: accounts.Account,
    case: UUID,
    exhibits: Sequence[Exhibit],
    language: papers.Language,
    place: str,
    addresses: Mapping[UUID, str],
) -> papers.Paper:
    """Issue a sheet of labels; the QR of each holds the address of its exhibit, and nothing about it."""
    if not exhibits:
        raise RefusedError("nothing", "Choose at least one exhibit.")
    labels = [
        {
            "number": one.number,
            "kind": one.kind,
            "parent": one.parent.number if one.parent else "",
            "seal": str(seal or ""),
            "parcel": "",
            "code": addresses[one.pk],
        }
        for one, seal in _with_seals(exhibits)
    ]
    values = _head(acting, case, place) | {"labels": labels}
    return _issue(acting, papers.Kind.LABEL_SHEET, case, language, values, ("case", case))


def _issue(
    acting: accounts.Account,
    kind: papers.Kind,
    case: UUID,
    language: papers.Language,
    values: Values,
    about: tuple[str, UUID],
) -> papers.Paper:
    subject = subject_of(*about, case)
    return papers.issue(acting=acting, kind=kind, case=case, language=language, values=values, subject=subject)


def subject_of(kind: str, about: UUID, case: UUID) -> audit.Subject:
    """Return what a paper is about, as `papers` keeps it."""
    return audit.Subject(kind=kind, id=str(about), case=str(case))


def _head(acting: accounts.Account, case_id: UUID, place: str) -> Values:
    case = cases.get_case(case_id, person=acting)
    fir = case.firs.order_by("-created_at").first()
    charges = case.charges.filter(withdrawn_at=None).order_by("act", "section").values_list("act", "section")
    sitting = case.sittings.order_by("-created_at").first()
    return {
        "case": {
            "number": case.register_no,
            "fir": f"{fir.number}/{fir.year}" if fir else "",
            "station": fir.station if fir else "",
            "district": fir.district if fir else "",
            "state": fir.state if fir else "",
            "sections": ", ".join(dict.fromkeys(f"{act} {section}" for act, section in charges)),
            "court": sitting.court if sitting else "",
        },
        "unit": acting.unit.name,
        "officer": _hand(acting),
        "day": clock.now().astimezone(law.INDIA).date().isoformat(),
        "place": place.strip(),
    }


def _hand(account: accounts.Account) -> Values:
    return {"name": account.name, "rank": account.rank, "unit": account.unit.name}


def _line(exhibit: Exhibit, seal: Seal | None) -> Values:
    return {
        "number": exhibit.number,
        "kind": exhibit.kind,
        "description": exhibit.description,
        "make": exhibit.make,
        "model": exhibit.model,
        "colour": exhibit.colour,
        "serial": exhibit.serial,
        "imei": [imei for imei in (exhibit.imei_1, exhibit.imei_2) if imei],
        "mac": exhibit.mac,
        "other_id": exhibit.other_mark,
        "state_when_found": exhibit.found_state,
        "isolation": exhibit.isolation,
        "clock_offset": offset_shown(exhibit),
        "place_found": exhibit.place_found,
        "found_at": _instant(exhibit.found_at),
        "memo_line": _memo_line(exhibit),
        "owner": exhibit.owner,
        "seal": _seal_shown(seal),
        "court_number": exhibit.court_number,
        "parent": exhibit.parent.number if exhibit.parent else "",
        "withdrawn": exhibit.withdrawn_at is not None,
    }


def _with_seals(exhibits: Iterable[Exhibit]) -> Iterable[tuple[Exhibit, Seal | None]]:
    listed = list(exhibits)
    whole = {seal.exhibit_id: seal for seal in Seal.objects.filter(exhibit__in=listed, broken_at=None)}
    parents = {one.parent_id for one in listed if one.parent_id}
    inherited = {seal.exhibit_id: seal for seal in Seal.objects.filter(exhibit__in=parents, broken_at=None)}
    for one in listed:
        yield one, inherited.get(one.parent_id) if one.inherits and one.parent_id else whole.get(one.pk)


def _memo_line(exhibit: Exhibit) -> str:
    return f"{exhibit.seizure.memo}, {exhibit.memo_line}" if exhibit.seizure else ""


def _seal_shown(seal: Seal | None) -> str:
    if seal is None:
        return ""
    return f"{seal} ({seal.mark})" if seal.mark else str(seal)


def _event(event: CustodyEvent, place: int, line: Sequence[CustodyEvent]) -> Values:
    before = line[place - 2] if place > 1 else None
    return {
        "sequence": place,
        "at": _instant(event.received_at),
        "given_by": {"name": event.giver_name, "rank": event.giver_rank, "unit": event.giver_unit},
        "received_by": {
            "name": event.receiver_name,
            "rank": event.receiver_rank,
            "unit": "" if event.receiver_outside else event.receiver_unit,
            "outside": event.receiver_outside,
            "office": _office(event),
            "document": event.receiver_document or event.giver_document,
        },
        "place_from": _place(before) if before else "",
        "place_to": _place(event),
        "purpose": event.purpose,
        "purpose_note": event.purpose_note,
        "condition": event.condition,
        "condition_note": event.condition_note,
        "seal_before": _seal_shown(event.seal_before),
        "seal_after": _seal_shown(event.seal_after),
        "hash_check": event.hash_check,
        "giver_acknowledged_at": _instant(event.offered_at),
        "receiver_acknowledged_at": _instant(event.received_at),
    }


def _office(event: CustodyEvent) -> str:
    return event.receiver_unit if event.receiver_outside else ""


def _place(event: CustodyEvent) -> str:
    return ", ".join(part for part in (str(event.place) if event.place else "", event.place_note) if part)


def _seals_of(exhibit: Exhibit) -> list[Values]:
    wanted = [exhibit.pk] + ([exhibit.parent_id] if exhibit.parent_id else [])
    rows = Seal.objects.filter(exhibit__in=wanted).select_related("applied_by", "broken_by").order_by("applied_at")
    return [
        {
            "number": _seal_shown(seal),
            "kind": seal.kind,
            "applied_at": _instant(seal.applied_at),
            "applied_by": seal.applied_by.name,
            "broken_at": _instant(seal.broken_at),
            "broken_by": seal.broken_by.name if seal.broken_by else "",
            "break_reason": seal.broken_reason,
        }
        for seal in rows
    ]


def _hashes_of(exhibit: Exhibit) -> list[Values]:
    images = Acquisition.objects.filter(exhibit=exhibit).values_list("pk", flat=True)
    rows = HashRecord.objects.filter(acquisition__in=list(images)).select_related("acquisition__exhibit")
    return [
        {
            "of": f"{row.of} {row.acquisition}",
            "algorithm": row.algorithm,
            "value": row.value,
            "at": _instant(row.at),
            "tool": row.tool,
            "result": row.result,
        }
        for row in rows.order_by("at", "pk")
    ]


def _certified(exhibit: Exhibit, submission: Submission) -> list[Values]:
    now = _instant(clock.now())
    given = [
        {
            "of": one.of or submission.record[:200],
            "algorithm": one.algorithm,
            "value": rules.clean_digest(one.algorithm, one.value),
            "at": now,
            "tool": "",
            "result": rules.HashResult.RECORDED.value,
        }
        for one in submission.digests
    ]
    return given or [row for row in _hashes_of(exhibit) if row["result"] == rules.HashResult.RECORDED]


def _identifiers(exhibit: Exhibit) -> str:
    named = (
        ("IMEI", exhibit.imei_1),
        ("IMEI", exhibit.imei_2),
        ("MAC", exhibit.mac),
        ("", exhibit.other_mark),
    )
    return ", ".join(f"{name} {value}".strip() for name, value in named if value)


def _new_certificate(exhibit: Exhibit, kind: papers.Kind, certifier: Certifier, submission: Submission) -> Values:
    source = rules.source_of(Kind(exhibit.kind))
    values: Values = {
        "source": source.value,
        "source_other": exhibit.description if source is Source.OTHER else "",
        "make_model": " ".join(part for part in (exhibit.make, exhibit.model) if part),
        "colour": exhibit.colour,
        "serial": exhibit.serial,
        "other_details": submission.other_details,
        "hash_report_enclosed": submission.hash_report_enclosed,
    }
    if kind is papers.Kind.CERTIFICATE_63_A:
        if not certifier.relation:
            raise RefusedError("relation", "Say whether the device was owned, maintained, managed or operated.")
        return values | {
            "relation": list(certifier.relation),
            "was_working": certifier.was_working,
            "working_note": certifier.working_note,
        }
    return values | {
        "designation": certifier.designation,
        "qualification": certifier.qualification,
        "part_a": submission.part_a,
    }


def _old_certificate(exhibit: Exhibit, certifier: Certifier, submission: Submission) -> Values:
    return {
        "designation": certifier.designation,
        "device": " ".join(part for part in (exhibit.make, exhibit.model, exhibit.serial) if part),
        "produced_by": submission.produced_by,
        "period_from": submission.period_from.isoformat() if submission.period_from else "",
        "period_to": submission.period_to.isoformat() if submission.period_to else "",
        "lawful_control": certifier.lawful_control,
        "regular_use": certifier.regular_use,
        "was_working": certifier.was_working,
        "working_note": certifier.working_note,
    }


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
