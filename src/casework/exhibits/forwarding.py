"""Forwarding to a laboratory: the note with its questions, the way there by a messenger, the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import custody, practice, rules
from casework.exhibits.ledger import told
from casework.exhibits.models import Exhibit, Forwarding, ForwardingLine, Laboratory, Specimen
from casework.exhibits.numbers import next_number
from casework.exhibits.reading import locked_all, party_of, state_of, whole_seal_of
from casework.exhibits.rules import Office, Purpose
from casework.exhibits.storing import check_keeps_house
from casework.law.api import INDIA
from casework.lib import clock
from casework.lib.errors import RefusedError


@transaction.atomic
def keep_laboratory(*, acting: accounts.Account, name: str, address: str) -> Laboratory:
    """Put a laboratory on record."""
    check_keeps_house(acting)
    rules.check_reason(name, "Name the laboratory.")
    laboratory = Laboratory(name=name.strip(), address=address.strip())
    try:
        with transaction.atomic():
            laboratory.save()
    except IntegrityError as error:
        raise RefusedError("name", "There is a laboratory of this name.") from error
    subject = audit.Subject(kind="laboratory", id=str(laboratory.pk))
    audit.append(actor=accounts.actor(acting), act="exhibits.laboratory_kept", subject=subject, fields={"name": name})
    return laboratory


@transaction.atomic
def draft_forwarding(
    *,
    acting: accounts.Account,
    case: UUID,
    exhibits: Sequence[Exhibit],
    laboratory: Laboratory,
    questions: Sequence[str],
    history: str,
    authority: str,
    signed_by: accounts.Account,
    specimen: Specimen | None = None,
    enclosures: Sequence[str] = (),
    parcels: Mapping[UUID, str] | None = None,
) -> Forwarding:
    """Draft a forwarding of exhibits one holds, with the next number of the unit's year."""
    accounts.check_may_work(acting, case)
    _check_signer(signed_by, questions, history)
    wanted = locked_all({one.pk: one for one in exhibits}.values())
    if not wanted:
        raise RefusedError("nothing", "Choose at least one exhibit.")
    mine, today = str(party_of(acting).pk), clock.now().astimezone(INDIA).date()
    for exhibit in wanted:
        if exhibit.case_id != case:
            raise RefusedError("case", "The exhibits of one forwarding belong to one case.")
        rules.check_hand_over(state_of(exhibit), mine)
    made = Forwarding.objects.create(
        case_id=case,
        unit=acting.unit,
        year=today.year,
        number=next_number(f"forwarding/{acting.unit_id}/{today.year}"),
        laboratory=laboratory,
        questions=[question.strip() for question in questions if question.strip()],
        history=history.strip(),
        authority=authority.strip(),
        specimen=specimen,
        signed_by=signed_by,
        enclosures=[one.strip() for one in enclosures if one.strip()],
    )
    for line, exhibit in enumerate(sorted(wanted, key=lambda one: (one.case_no, one.part_no)), start=1):
        parcel = (parcels or {}).get(exhibit.pk, "")
        ForwardingLine.objects.create(
            forwarding=made, line=line, exhibit=exhibit, parcel=parcel, seal=whole_seal_of(exhibit)
        )
    fields: audit.Fields = {"forwarding": str(made), "exhibits": [str(one.pk) for one in wanted]}
    told(acting, "forwarding_drafted", "forwarding", made.pk, case, fields)
    return made


@transaction.atomic
def send_forwarding(
    *, acting: accounts.Account, forwarding: Forwarding, messenger: str, messenger_rank: str, document: str
) -> Forwarding:
    """Give the exhibits to the messenger, who acknowledges on paper; every one must lie under a seal."""
    found = _locked(forwarding)
    accounts.check_may_work(acting, found.case_id)
    _check_open(found, sent=False)
    exhibits = _exhibits_of(found)
    for line in found.lines.select_related("exhibit"):
        seal = whole_seal_of(line.exhibit)
        if seal is None:
            raise RefusedError("unsealed", f"{line.exhibit} is not sealed; nothing goes to a laboratory unsealed.")
        if seal.pk != line.seal_id:
            raise RefusedError("seal", f"{line.exhibit} lies under another seal than the note says; draft it anew.")
    to = custody.Outside(
        name=f"{messenger_rank} {messenger}".strip(), office=Office.MESSENGER, office_name="", document=document
    )
    custody.hand_over_outside(
        acting=acting, exhibits=exhibits, to=to, purpose=Purpose.FORWARDING, note=f"{found} to {found.laboratory}"
    )
    found.messenger_name, found.messenger_rank = messenger.strip(), messenger_rank.strip()
    found.messenger_document, found.sent_at = document.strip(), clock.now()
    found.save(update_fields=["messenger_name", "messenger_rank", "messenger_document", "sent_at"])
    told(acting, "forwarding_sent", "forwarding", found.pk, found.case_id, {"forwarding": str(found)})
    return found


@transaction.atomic
def record_laboratory_receipt(
    *, acting: accounts.Account, forwarding: Forwarding, number: str, document: str, seals_intact: bool, note: str = ""
) -> Forwarding:
    """Record that the laboratory took the parcels from the messenger, under which number, and how the seals were."""
    found = _locked(forwarding)
    accounts.check_may_work(acting, found.case_id)
    _check_open(found, sent=True)
    if found.received_at is not None:
        raise RefusedError("received", "The receipt of the laboratory is on record already.")
    rules.check_reason(number, "Give the number of the laboratory.")
    to = custody.Outside(
        name="Receiving officer", office=Office.LABORATORY, office_name=found.laboratory.name, document=document
    )
    received = custody.Received(
        seal_intact=seals_intact,
        seal_note="" if seals_intact else note or "as the laboratory reports",
        condition_note=note,
        digest_note="in the laboratory",
    )
    custody.hand_over_outside(
        acting=acting,
        exhibits=_exhibits_of(found),
        to=to,
        purpose=Purpose.EXAMINATION,
        note=f"laboratory number {number.strip()}",
        received=received,
    )
    found.laboratory_number, found.received_at, found.seals_intact = number.strip(), clock.now(), seals_intact
    found.save(update_fields=["laboratory_number", "received_at", "seals_intact"])
    fields: audit.Fields = {"forwarding": str(found), "seals_intact": seals_intact}
    told(acting, "laboratory_received", "forwarding", found.pk, found.case_id, fields)
    return found


@transaction.atomic
def take_back_from_laboratory(
    *, acting: accounts.Account, forwarding: Forwarding, document: str, received: custody.Received
) -> Forwarding:
    """Take the exhibits of a forwarding back into the house."""
    found = _locked(forwarding)
    accounts.check_may_work(acting, found.case_id)
    _check_open(found, sent=True)
    custody.receive_from_outside(
        acting=acting,
        exhibits=_exhibits_of(found),
        document=document,
        purpose=Purpose.STORAGE,
        received=received,
        note=f"back from {found.laboratory}",
    )
    found.returned_at = clock.now()
    found.save(update_fields=["returned_at"])
    told(acting, "forwarding_returned", "forwarding", found.pk, found.case_id, {"forwarding": str(found)})
    return found


@transaction.atomic
def withdraw_forwarding(*, acting: accounts.Account, forwarding: Forwarding, reason: str) -> None:
    """Withdraw a forwarding that was not sent; its number stays taken."""
    found = _locked(forwarding)
    accounts.check_may_work(acting, found.case_id)
    rules.check_reason(reason)
    _check_open(found, sent=False)
    found.withdrawn_at, found.withdrawn_reason = clock.now(), reason.strip()
    found.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    told(acting, "forwarding_withdrawn", "forwarding", found.pk, found.case_id, purpose=reason.strip())


def _check_signer(signed_by: accounts.Account, questions: Sequence[str], history: str) -> None:
    row = practice.practice_on(clock.now().astimezone(INDIA).date(), "forwarding-rank")
    enough = row is None or accounts.Rank(signed_by.rank).at_least(accounts.Rank(row.value))
    rules.check_forwarding(questions, history, rank_needed=row.value if row else "", rank_enough=enough)


def _check_open(forwarding: Forwarding, *, sent: bool) -> None:
    if forwarding.withdrawn_at is not None:
        raise RefusedError("withdrawn", "The forwarding is withdrawn.")
    if forwarding.returned_at is not None:
        raise RefusedError("returned", "The exhibits came back already.")
    if (forwarding.sent_at is not None) is not sent:
        raise RefusedError("sent", "It has not been sent yet." if sent else "It was sent already.")


def _locked(forwarding: Forwarding) -> Forwarding:
    Forwarding.objects.select_for_update().values_list("pk").get(pk=forwarding.pk)
    return Forwarding.objects.select_related("laboratory", "unit", "signed_by").get(pk=forwarding.pk)


def _exhibits_of(forwarding: Forwarding) -> list[Exhibit]:
    return [line.exhibit for line in forwarding.lines.select_related("exhibit").order_by("line")]
