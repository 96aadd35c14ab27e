"""Custody: every passing of an exhibit from one pair of hands to another, acknowledged on both sides.

Between colleagues the giver offers and the receiver acknowledges, or declines; until then the giver holds it, and may
withdraw. Outside the house the other side acknowledges on paper, and the paper is named. Where a colleague cannot hand
over any more, the lead of the case does so on a paper of their own, and the event says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import digests, rules
from casework.exhibits.ledger import told
from casework.exhibits.models import CustodyEvent, Exhibit, HandOver, Party, Seal, StoragePlace
from casework.exhibits.reading import images_of, locked, locked_all, party_of, state_of, whole_seal_of
from casework.exhibits.rules import Condition, HashCheck, OfferState, Office, Purpose
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Hands that are not of this house, and the paper with which they acknowledge."""

    name: str
    office: Office
    office_name: str = ""
    document: str


@dataclass(frozen=True, kw_only=True)
class Received:
    """How an exhibit was when it arrived: where it went, its condition, its seal, the digests of its images."""

    place: StoragePlace | None = None
    place_note: str = ""
    condition: Condition = Condition.AS_BEFORE
    condition_note: str = ""
    seal_intact: bool = True
    seal_note: str = ""
    digests: Sequence[digests.Digest] = ()
    digest_note: str = ""


@dataclass(frozen=True, kw_only=True)
class _Hands:
    party: Party | None
    name: str
    rank: str = ""
    unit: str = ""
    document: str = ""


def begin(
    acting: accounts.Account, exhibit: Exhibit, *, received_from: Outside | None, place: StoragePlace | None
) -> CustodyEvent:
    """Write the first event of an exhibit that was just registered; the verb that registers it tells the ledger."""
    if received_from is None:
        purpose, giver = Purpose.SEIZURE, _Hands(party=None, name="")
    else:
        rules.check_document(received_from.document)
        purpose = Purpose.RECEIPT
        giver = _Hands(
            party=None, name=received_from.name, unit=received_from.office_name, document=received_from.document
        )
    received = Received(place=place, digest_note="registered just now")
    return _write(acting, exhibit, giver, _colleague(acting), purpose, "", clock.now(), received)


@transaction.atomic
def offer(
    *,
    acting: accounts.Account,
    exhibits: Sequence[Exhibit],
    to: accounts.Account,
    purpose: Purpose,
    note: str = "",
    condition: Condition = Condition.AS_BEFORE,
    condition_note: str = "",
    document: str = "",
) -> list[HandOver]:
    """Offer exhibits to a colleague, who has to acknowledge; the giver holds them until then.

    ``document`` lets the lead of the case hand over in place of a holder who cannot: it names the order to do so.
    """
    batch, made = uuid.uuid4(), []
    for exhibit in _batch(exhibits):
        accounts.check_may_work(acting, exhibit.case_id)
        check_can_receive(to, exhibit)
        instead = bool(document.strip()) and _may_act_for_holder(acting, exhibit)
        giver, receiver = party_of(acting), party_of(to)
        rules.check_offer(state_of(exhibit), str(giver.pk), str(receiver.pk), in_place_of_holder=instead)
        holder = exhibit.holder or giver
        made.append(
            HandOver.objects.create(
                exhibit=exhibit,
                batch=batch,
                after_sequence=exhibit.custody_sequence,
                giver=holder,
                receiver=to,
                offered_by=acting,
                offered_at=clock.now(),
                purpose=purpose.value,
                purpose_note=note.strip(),
                condition=condition.value,
                condition_note=condition_note.strip(),
                seal=whole_seal_of(exhibit),
                giver_document=document.strip() if instead else "",
            )
        )
    for one in made:
        fields: audit.Fields = {
            "to": str(to.pk),
            "purpose": purpose.value,
            "in_place_of_holder": bool(one.giver_document),
        }
        told(acting, "hand_over_offered", "exhibit", one.exhibit_id, one.exhibit.case_id, fields)
    return made


@transaction.atomic
def acknowledge(*, acting: accounts.Account, offers: Sequence[HandOver], received: Received) -> list[CustodyEvent]:
    """Take exhibits that were offered into one's hands, saying how they arrived."""
    by_exhibit = {one.exhibit_id: one for one in offers}
    events = []
    for exhibit in _batch([one.exhibit for one in offers]):
        accounts.check_may_work(acting, exhibit.case_id)
        one = _open(by_exhibit[exhibit.pk])
        rules.check_acknowledge(state_of(exhibit), str(one.receiver_id), str(acting.pk), one.after_sequence)
        _close(one, acting, OfferState.ACKNOWLEDGED, "")
        giver = _holder(exhibit, document=one.giver_document)
        purpose, note = Purpose(one.purpose), one.purpose_note
        events.append(
            _write(
                acting, exhibit, giver, _colleague(acting), purpose, note, one.offered_at, received,
                before=one.seal, hand_over=one,
            )
        )  # fmt: skip
    return _tell(acting, events)


@transaction.atomic
def withdraw_offer(*, acting: accounts.Account, offer: HandOver, reason: str) -> None:
    """Take back an offer nobody has acknowledged; who offered it does so, or the lead of the case."""
    exhibit = locked(offer.exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(reason)
    leads = accounts.check_may_read(acting, exhibit.case_id) is accounts.Capacity.LEAD
    if acting.pk != offer.offered_by_id and not leads:
        raise RefusedError("not-giver", "Only who offered it withdraws it, or who leads the case.")
    _close(_open(offer), acting, OfferState.WITHDRAWN, reason)
    told(acting, "hand_over_withdrawn", "exhibit", exhibit.pk, exhibit.case_id, purpose=reason.strip())


@transaction.atomic
def decline(*, acting: accounts.Account, offer: HandOver, reason: str) -> None:
    """Refuse to take what was offered; it stays where it is."""
    exhibit = locked(offer.exhibit)
    accounts.check_may_read(acting, exhibit.case_id)
    rules.check_reason(reason)
    if acting.pk != offer.receiver_id:
        raise RefusedError("not-receiver", "Only the receiver who was named declines.")
    _close(_open(offer), acting, OfferState.DECLINED, reason)
    told(acting, "hand_over_declined", "exhibit", exhibit.pk, exhibit.case_id, purpose=reason.strip())


@transaction.atomic
def hand_over_outside(
    *,
    acting: accounts.Account,
    exhibits: Sequence[Exhibit],
    to: Outside,
    purpose: Purpose,
    note: str = "",
    received: Received | None = None,
    final: bool = False,
) -> list[CustodyEvent]:
    """Give exhibits to someone outside (court, messenger, laboratory, owner), who acknowledges on paper.

    ``final``: they are given back for good; nothing happens to them in this register afterwards.
    """
    rules.check_document(to.document)
    rules.check_reason(to.name, "Say who receives it.")
    if final and purpose is not Purpose.RETURN:
        raise RefusedError("final", "Given back for good is a return.")
    events, given = [], clock.now()
    for exhibit in _batch(exhibits):
        accounts.check_may_work(acting, exhibit.case_id)
        state = state_of(exhibit)
        if state.holder_outside:
            rules.check_receive(state)
        else:
            rules.check_hand_over(state, str(party_of(acting).pk))
        receiver = _outsider(to)
        giver = _holder(exhibit, document=to.document if state.holder_outside else "")
        how = received or Received(digest_note="given on paper")
        events.append(_write(acting, exhibit, giver, receiver, purpose, note, given, how, final=final))
        if final:
            Exhibit.objects.filter(pk=exhibit.pk).update(returned_at=given)
    return _tell(acting, events)


@transaction.atomic
def receive_from_outside(
    *,
    acting: accounts.Account,
    exhibits: Sequence[Exhibit],
    document: str,
    purpose: Purpose,
    received: Received,
    note: str = "",
) -> list[CustodyEvent]:
    """Take exhibits back into the house from whoever outside holds them, on their paper."""
    rules.check_document(document)
    events, given = [], clock.now()
    for exhibit in _batch(exhibits):
        accounts.check_may_work(acting, exhibit.case_id)
        rules.check_receive(state_of(exhibit))
        giver = _holder(exhibit, document=document)
        events.append(_write(acting, exhibit, giver, _colleague(acting), purpose, note, given, received))
    return _tell(acting, events)


@transaction.atomic
def move(*, acting: accounts.Account, exhibit: Exhibit, place: StoragePlace, note: str = "") -> CustodyEvent:
    """Put an exhibit one holds into another storage place; an event of its own, with the same hands on both sides."""
    exhibit = locked(exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_hand_over(state_of(exhibit), str(party_of(acting).pk))
    if place.closed_at is not None:
        raise RefusedError("place", "The storage place is out of use.")
    received = Received(place=place, digest_note="not moved between hands")
    mine = _colleague(acting)
    return _tell(acting, [_write(acting, exhibit, mine, mine, Purpose.STORAGE, note, clock.now(), received)])[0]


@transaction.atomic
def separate(*, acting: accounts.Account, part: Exhibit, reason: str) -> CustodyEvent:
    """Take a part out of its whole: from now on it has custody, seals and papers of its own."""
    rules.check_reason(reason, "Say why the part is taken out.")
    if part.parent is None:
        raise RefusedError("no-part", "This is a whole, not a part.")
    whole, part = locked(part.parent), locked(part)
    accounts.check_may_work(acting, part.case_id)
    rules.check_separate(state_of(part), state_of(whole), str(party_of(acting).pk))
    received = Received(place=whole.place, digest_note="separated from its whole")
    mine = _colleague(acting)
    event = _write(
        acting, part, mine, mine, Purpose.SEPARATION, reason.strip(), clock.now(), received,
        whole_sequence=whole.custody_sequence,
    )  # fmt: skip
    return _tell(acting, [event])[0]


def check_can_receive(to: accounts.Account, exhibit: Exhibit) -> None:
    """Refuse a receiver who does not work on the case, in the same words whatever the cause."""
    try:
        accounts.check_may_work(to, exhibit.case_id)
    except (AbsentError, RefusedError) as error:
        raise RefusedError(
            "receiver", "This person does not work on the case; whoever leads it can name them a member."
        ) from error


def _write(
    acting: accounts.Account,
    exhibit: Exhibit,
    giver: _Hands,
    receiver: _Hands,
    purpose: Purpose,
    note: str,
    offered_at: datetime,
    received: Received,
    *,
    before: Seal | None = None,
    hand_over: HandOver | None = None,
    final: bool = False,
    whole_sequence: int | None = None,
) -> CustodyEvent:
    if receiver.party is None:
        raise RefusedError("receiver", "Say who receives it.")
    now, seal = clock.now(), whole_seal_of(exhibit)
    before, after = before or seal, seal
    condition = received.condition
    if seal is not None and not received.seal_intact:
        rules.check_reason(received.seal_note, "Say how the seal is broken.")
        _break_on_the_way(seal, acting, received.seal_note, now)
        after, condition = None, Condition.SEAL_BROKEN
    records = digests.compared(acting, exhibit, received.digests, now)
    check = _check_images(exhibit, records, received)
    event = CustodyEvent.objects.create(
        exhibit=exhibit,
        sequence=exhibit.custody_sequence + 1,
        whole_sequence=whole_sequence,
        from_party=giver.party,
        to_party=receiver.party,
        giver_name=giver.name,
        giver_rank=giver.rank,
        giver_unit=giver.unit,
        receiver_name=receiver.name,
        receiver_rank=receiver.rank,
        receiver_unit=receiver.unit,
        receiver_outside=receiver.party.outside,
        place=received.place,
        place_note=received.place_note.strip(),
        purpose=purpose.value,
        purpose_note=note.strip(),
        condition=condition.value,
        condition_note=received.condition_note.strip() or received.seal_note.strip(),
        seal_before=before,
        seal_after=after,
        hash_check=check.value,
        hash_note=received.digest_note.strip() if check is HashCheck.NOT_CHECKED else "",
        offered_at=offered_at,
        received_at=now,
        giver_document=giver.document,
        receiver_document=receiver.document,
        recorded_by=acting,
        hand_over=hand_over,
        final=final,
    )
    digests.keep(records, event)
    return event


def _check_images(exhibit: Exhibit, records: Sequence[Any], received: Received) -> HashCheck:
    if not images_of(exhibit).exists():
        return HashCheck.NO_IMAGE
    check = rules.worst([rules.HashResult(record.result) for record in records])
    rules.check_images_answered(state_of(exhibit), check, received.digest_note)
    return check


def _break_on_the_way(seal: Seal, acting: accounts.Account, note: str, now: datetime) -> None:
    reason = f"found broken on receipt: {note.strip()}"[:500]
    Seal.objects.filter(pk=seal.pk).update(broken_at=now, broken_by=acting, broken_reason=reason)


def _batch(exhibits: Sequence[Exhibit]) -> list[Exhibit]:
    if not exhibits:
        raise RefusedError("nothing", "Choose at least one exhibit.")
    return locked_all({one.pk: one for one in exhibits}.values())


def _open(offer: HandOver) -> HandOver:
    found = HandOver.objects.select_related("seal", "giver__account__unit").get(pk=offer.pk)
    if found.state != OfferState.OPEN:
        raise RefusedError("closed", f"The hand-over is closed already: {found.state}.")
    return found


def _close(offer: HandOver, acting: accounts.Account, state: OfferState, reason: str) -> None:
    HandOver.objects.filter(pk=offer.pk, state=OfferState.OPEN).update(
        state=state.value, closed_at=clock.now(), closed_by=acting, closed_reason=reason.strip()
    )


def _may_act_for_holder(acting: accounts.Account, exhibit: Exhibit) -> bool:
    holder = exhibit.holder.account if exhibit.holder else None
    if holder is None or holder.pk == acting.pk:
        return False
    if accounts.check_may_read(acting, exhibit.case_id) is not accounts.Capacity.LEAD:
        return False
    try:
        accounts.check_may_work(holder, exhibit.case_id)
    except (AbsentError, RefusedError):
        return True
    return False


def _colleague(account: accounts.Account, document: str = "") -> _Hands:
    party = party_of(account)
    return _Hands(party=party, name=account.name, rank=account.rank, unit=account.unit.name, document=document)


def _outsider(to: Outside) -> _Hands:
    party = Party.objects.create(name=to.name.strip(), office=to.office.value, office_name=to.office_name.strip())
    return _Hands(party=party, name=party.name, unit=party.office_name, document=to.document.strip())


def _holder(exhibit: Exhibit, *, document: str = "") -> _Hands:
    holder = exhibit.holder
    if holder is None:
        raise RefusedError("part", "A part moves with the whole; separate it first.")
    if holder.account is not None:
        account = holder.account
        return _Hands(
            party=holder, name=account.name, rank=account.rank, unit=account.unit.name, document=document.strip()
        )
    return _Hands(party=holder, name=holder.name, unit=holder.office_name, document=document.strip())


def _tell(acting: accounts.Account, events: list[CustodyEvent]) -> list[CustodyEvent]:
    for event in events:
        fields: audit.Fields = {
            "sequence": event.sequence,
            "from": str(event.from_party_id or ""),
            "to": str(event.to_party_id),
            "purpose": event.purpose,
            "seal_before": str(event.seal_before or ""),
            "seal_after": str(event.seal_after or ""),
            "digests": event.hash_check,
            "final": event.final,
        }
        told(acting, "custody_passed", "exhibit", event.exhibit_id, event.exhibit.case_id, fields)
    return events
