"""What each kind of paper is told, field by field; anything missing, misspelt or of the wrong kind is refused.

Texts that are not known are empty, never absent. ``Instant`` is ISO 8601 in UTC, ``Day`` is ISO 8601. A *slug* is a
word of a vocabulary, which the form turns into the paper's language. The error names the place in the values and
never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from casework.lib.errors import RefusedError
from casework.papers.rules import Kind

Text = Annotated[str, msgspec.Meta(max_length=8000)]
Line = Annotated[str, msgspec.Meta(max_length=1000)]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{0,60}$")]
Day = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Instant = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z)?$")]
SetDay = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
SetInstant = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$")]
FormDay = Annotated[str, msgspec.Meta(pattern=r"^(\d{2}/\d{2}/\d{4})?$")]
FormTime = Annotated[str, msgspec.Meta(pattern=r"^(\d{2}:\d{2})?$")]
Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{0,128}$")]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all shapes: every field must be there, and no other."""


class CaseLine(Shape, frozen=True, kw_only=True):
    """How the case is named outside."""

    number: Line
    fir: Line
    station: Line
    district: Line
    state: Line
    sections: Text
    court: Line


class Hand(Shape, frozen=True, kw_only=True):
    """A colleague."""

    name: Line
    rank: Line
    unit: Line


class Head(Shape, frozen=True, kw_only=True):
    """What every paper of a case begins with."""

    case: CaseLine
    unit: Line
    officer: Hand
    day: SetDay
    place: Line


class ExhibitLine(Shape, frozen=True, kw_only=True):
    """One exhibit in a list."""

    number: Line
    kind: Slug
    description: Text
    make: Line
    model: Line
    colour: Line
    serial: Line
    imei: list[Line]
    mac: Line
    other_id: Line
    state_when_found: Slug
    isolation: Slug
    clock_offset: Line
    place_found: Text
    found_at: Instant
    memo_line: Line
    owner: Line
    seal: Line
    court_number: Line
    parent: Line
    withdrawn: bool


class SeizedLine(ExhibitLine, frozen=True, kw_only=True):
    """One line of a seizure list."""

    number_in_list: int


class ForwardedLine(SeizedLine, frozen=True, kw_only=True):
    """One line of a forwarding note."""

    list_number: Line
    seal_kind: Slug
    seal_number: Line
    parcel: Line


class Part(ExhibitLine, frozen=True, kw_only=True):
    """A part of an exhibit, and whose custody it has."""

    custody: Slug


class Witness(Shape, frozen=True, kw_only=True):
    """Who saw the search."""

    name: Line
    address: Text


class SeizureList(Head, frozen=True, kw_only=True):
    """BNSS 103, 105, 106."""

    memo: Line
    seized_at: Instant
    seized_place: Text
    seized_by: Hand
    legal_route: Text
    witnesses: list[Witness]
    copy_given_to: Line
    recording: Text
    lines: list[SeizedLine]


class Receiver(Hand, frozen=True, kw_only=True):
    """A colleague, or somebody outside with an office and a document."""

    outside: bool
    office: Line
    document: Line


class CustodyEvent(Shape, frozen=True, kw_only=True):
    """One hand-over."""

    sequence: int
    at: Instant
    given_by: Hand
    received_by: Receiver
    place_from: Line
    place_to: Line
    purpose: Slug
    purpose_note: Text
    condition: Slug
    condition_note: Text
    seal_before: Line
    seal_after: Line
    hash_check: Slug
    giver_acknowledged_at: Instant
    receiver_acknowledged_at: Instant


class SealLine(Shape, frozen=True, kw_only=True):
    """One seal, from when until when."""

    number: Line
    kind: Slug
    applied_at: Instant
    applied_by: Line
    broken_at: Instant
    broken_by: Line
    break_reason: Text


class HashLine(Shape, frozen=True, kw_only=True):
    """One digest of a record."""

    of: Line
    algorithm: Line
    value: Hex
    at: Instant
    tool: Line
    result: Slug


class Holder(Hand, frozen=True, kw_only=True):
    """Who holds the exhibit now."""

    outside: bool
    office: Line


class CustodySequence(Head, frozen=True, kw_only=True):
    """BNSS 193(3)(i)(i)."""

    exhibit: ExhibitLine
    parts: list[Part]
    events: list[CustodyEvent]
    seals: list[SealLine]
    holder_now: Holder
    place_now: Line
    complete: bool
    gaps: int
    hashes: list[HashLine]


class Signer(Shape, frozen=True, kw_only=True):
    """Who certifies."""

    name: Line
    parent: Line
    address: Text


class Certificate(Head, frozen=True, kw_only=True):
    """What both parts of the Schedule ask."""

    signer: Signer
    source: Slug
    source_other: Line
    make_model: Line
    colour: Line
    serial: Line
    identifiers: Text
    other_details: Text
    hashes: list[HashLine]
    hash_report_enclosed: bool
    record: Text
    submission: Text
    certificate_of: Line
    date: FormDay
    time: FormTime


class CertificatePartA(Certificate, frozen=True, kw_only=True):
    """BSA 63(4)(c), Schedule, Part A."""

    relation: list[Slug]
    was_working: bool
    working_note: Text


class CertificatePartB(Certificate, frozen=True, kw_only=True):
    """BSA 63(4)(c), Schedule, Part B."""

    designation: Line
    qualification: Line
    part_a: Line


class Certificate65B(Head, frozen=True, kw_only=True):
    """Evidence Act 65B(4)."""

    signer: Signer
    designation: Line
    device: Text
    identifiers: Text
    record: Text
    produced_by: Text
    period_from: Day
    period_to: Day
    lawful_control: bool
    regular_use: bool
    was_working: bool
    working_note: Text
    hashes: list[HashLine]
    submission: Text
    certificate_of: Line
    date: FormDay
    time: FormTime


class Laboratory(Shape, frozen=True, kw_only=True):
    """Where it goes."""

    name: Line
    address: Text


class Specimen(Shape, frozen=True, kw_only=True):
    """The seal the laboratory compares with."""

    description: Text
    impression: Line


class Messenger(Shape, frozen=True, kw_only=True):
    """Who carries it."""

    name: Line
    rank: Line
    document: Line


class ForwardingNote(Head, frozen=True, kw_only=True):
    """To the laboratory."""

    forwarding: Line
    laboratory: Laboratory
    signed_by: Hand
    authority: Line
    history: Text
    questions: list[Text]
    lines: list[ForwardedLine]
    specimen: Specimen
    messenger: Messenger
    enclosures: list[Line]
    fir_copy: bool
    passcode_sent_sealed: bool


class Receipt(Head, frozen=True, kw_only=True):
    """Both hands."""

    receipt_of: Line
    lines: list[ExhibitLine]
    event: CustodyEvent
    returned: bool


class AuditHead(Shape, frozen=True, kw_only=True):
    """The end of the ledger on one day."""

    unit: Line
    day: SetDay
    row: int
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    made_at: SetInstant


class Label(Shape, frozen=True, kw_only=True):
    """One label; ``code`` is what its QR holds."""

    number: Line
    kind: Slug
    parent: Line
    seal: Line
    parcel: Line
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class LabelSheet(Head, frozen=True, kw_only=True):
    """Labels to stick on."""

    labels: list[Label]


SHAPES: Mapping[Kind, type[Shape]] = {
    Kind.SEIZURE_LIST: SeizureList,
    Kind.CUSTODY_SEQUENCE: CustodySequence,
    Kind.CERTIFICATE_63_A: CertificatePartA,
    Kind.CERTIFICATE_63_B: CertificatePartB,
    Kind.CERTIFICATE_65B: Certificate65B,
    Kind.FORWARDING_NOTE: ForwardingNote,
    Kind.RECEIPT: Receipt,
    Kind.AUDIT_HEAD: AuditHead,
    Kind.LABEL_SHEET: LabelSheet,
}


def checked(kind: Kind, values: Mapping[str, Any] | Shape) -> dict[str, Any]:
    """Return the values as plain JSON, held against the shape of their kind; line ends and tabs are made one kind.

    Raises:
        RefusedError: A field is missing, unknown, too long or of the wrong kind; the place is named, no value is.
    """
    plain = _smoothed(msgspec.to_builtins(values))
    try:
        shaped = msgspec.convert(plain, SHAPES[kind])
    except msgspec.ValidationError as error:
        place = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "the top"
        raise RefusedError("values", f"A {kind.value} cannot be made of this: {_fault(error)} ({place}).") from error
    built: dict[str, Any] = msgspec.to_builtins(shaped)
    return built


def _smoothed(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    if isinstance(value, dict):
        return {name: _smoothed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_smoothed(one) for one in value]
    return value


def _fault(error: msgspec.ValidationError) -> str:
    text = str(error).rpartition(" - at ")[0] or str(error)
    # msgspec names fields and types; only patterns would tell nothing to a person.
    return "a text is not in its form" if "matching regex" in text else text
