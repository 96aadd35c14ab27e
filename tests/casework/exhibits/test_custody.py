"""Custody in order: both hands, one holder, nothing between; and what the database refuses to those past the verbs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import api as exhibits
from casework.exhibits.models import Counter, CustodyEvent, Exhibit, HandOver, Party, Seal
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.exhibits.conftest import Store, pass_on, telephone

pytestmark = pytest.mark.django_db

COURT = exhibits.Outside(
    name="Bench clerk Vasu", office=exhibits.Office.COURT, office_name="Special Court, Nowhere", document="T 14/2026"
)


def holder_of(exhibit: exhibits.Exhibit) -> str:
    found = Exhibit.objects.select_related("holder__account").get(pk=exhibit.pk)
    return str(found.holder)


def test_who_registers_an_exhibit_holds_it(store: Store) -> None:
    exhibit = telephone(store)

    [event] = exhibits.custody_line(exhibit)
    assert (event.sequence, event.from_party, event.purpose) == (1, None, "seizure")
    assert holder_of(exhibit) == "Inga"


def test_a_hand_over_takes_both_hands(store: Store) -> None:
    exhibit = telephone(store)
    [offer] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.malini, purpose=exhibits.Purpose.STORAGE)

    assert holder_of(exhibit) == "Inga"
    [event] = exhibits.acknowledge(acting=store.malini, offers=[offer], received=exhibits.Received())
    assert holder_of(exhibit) == "Malini"
    assert (event.sequence, event.giver_name, event.receiver_name) == (2, "Inga", "Malini")
    entries = list(audit.of_subject("exhibit", str(exhibit.pk)).values_list("act", flat=True))
    assert entries == ["exhibits.registered", "exhibits.hand_over_offered", "exhibits.custody_passed"]


def test_only_who_holds_it_offers_it_and_only_the_receiver_acknowledges(store: Store) -> None:
    exhibit = telephone(store)

    with pytest.raises(RefusedError, match="do not hold"):
        exhibits.offer(acting=store.hari, exhibits=[exhibit], to=store.malini, purpose=exhibits.Purpose.STORAGE)
    [offer] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.malini, purpose=exhibits.Purpose.STORAGE)
    with pytest.raises(RefusedError, match="Only the receiver"):
        exhibits.acknowledge(acting=store.hari, offers=[offer], received=exhibits.Received())
    with pytest.raises(RefusedError, match="waits for its receiver"):
        exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.STORAGE)


def test_an_offer_is_withdrawn_or_declined_with_a_reason_and_cannot_be_acknowledged_then(store: Store) -> None:
    exhibit = telephone(store)
    [first] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.malini, purpose=exhibits.Purpose.STORAGE)

    with pytest.raises(RefusedError, match="Say why"):
        exhibits.withdraw_offer(acting=store.inga, offer=first, reason=" ")
    exhibits.withdraw_offer(acting=store.inga, offer=first, reason="wrong receiver")
    with pytest.raises(RefusedError, match="withdrawn"):
        exhibits.acknowledge(acting=store.malini, offers=[first], received=exhibits.Received())
    [second] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.STORAGE)
    with pytest.raises(RefusedError, match="Only the receiver"):
        exhibits.decline(acting=store.malini, offer=second, reason="not mine")
    exhibits.decline(acting=store.hari, offer=second, reason="the bag is torn")
    assert holder_of(exhibit) == "Inga"
    assert [row.state for row in HandOver.objects.order_by("offered_at")] == ["withdrawn", "declined"]


def test_a_receiver_outside_the_case_is_refused_in_words_that_tell_nothing(store: Store) -> None:
    exhibit = telephone(store)
    accounts.declare_conflict(acting=store.inga, of=store.hari, case=store.case, reason="a neighbour")
    said = set()

    for stranger in (store.cast.carla, store.cast.dora, store.cast.bashir, store.hari):
        with pytest.raises(RefusedError) as refusal:
            exhibits.offer(acting=store.inga, exhibits=[exhibit], to=stranger, purpose=exhibits.Purpose.STORAGE)
        said.add(refusal.value.reason)
    assert len(said) == 1


def test_rights_are_asked_again_when_it_is_acknowledged(store: Store) -> None:
    exhibit = telephone(store)
    [offer] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.malini, purpose=exhibits.Purpose.STORAGE)
    accounts.dismiss(acting=store.inga, member=store.malini, case=store.case, reason="moved on")

    with pytest.raises(AbsentError):
        exhibits.acknowledge(acting=store.malini, offers=[offer], received=exhibits.Received())


def test_the_lead_hands_over_in_place_of_a_colleague_who_cannot(store: Store) -> None:
    exhibit = telephone(store)
    pass_on(store, exhibit, store.inga, store.malini)
    order = "order 7/2026 of 24-11-2026"

    with pytest.raises(RefusedError, match="do not hold"):
        exhibits.offer(
            acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.STORAGE, document=order
        )
    accounts.dismiss(acting=store.inga, member=store.malini, case=store.case, reason="moved on")
    [offer] = exhibits.offer(
        acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.STORAGE, document=order
    )
    [event] = exhibits.acknowledge(acting=store.hari, offers=[offer], received=exhibits.Received())
    assert (event.giver_name, event.giver_document, event.receiver_name) == ("Malini", order, "Hari")


def test_outside_hands_acknowledge_on_a_paper_that_is_named(store: Store) -> None:
    exhibit = telephone(store)

    with pytest.raises(RefusedError, match="Name the paper"):
        exhibits.hand_over_outside(
            acting=store.inga,
            exhibits=[exhibit],
            to=exhibits.Outside(name="Vasu", office=exhibits.Office.COURT, document=" "),
            purpose=exhibits.Purpose.PRODUCTION,
        )
    exhibits.hand_over_outside(acting=store.inga, exhibits=[exhibit], to=COURT, purpose=exhibits.Purpose.PRODUCTION)
    assert holder_of(exhibit) == "Bench clerk Vasu, Special Court, Nowhere"
    with pytest.raises(RefusedError):
        exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.STORAGE)
    [event] = exhibits.receive_from_outside(
        acting=store.hari,
        exhibits=[exhibit],
        document="returned on T 14/2026",
        purpose=exhibits.Purpose.STORAGE,
        received=exhibits.Received(),
    )
    assert (event.sequence, event.giver_name, event.giver_document) == (3, "Bench clerk Vasu", "returned on T 14/2026")
    assert holder_of(exhibit) == "Hari"


def test_what_was_given_back_for_good_moves_no_more(store: Store) -> None:
    exhibit = telephone(store)
    owner = exhibits.Outside(name="Owner Appu", office=exhibits.Office.OWNER, document="order 3/2026")
    with pytest.raises(RefusedError, match="is a return"):
        exhibits.hand_over_outside(
            acting=store.inga, exhibits=[exhibit], to=owner, purpose=exhibits.Purpose.PRODUCTION, final=True
        )
    exhibits.hand_over_outside(
        acting=store.inga, exhibits=[exhibit], to=owner, purpose=exhibits.Purpose.RETURN, final=True
    )

    for act in (
        lambda: exhibits.receive_from_outside(
            acting=store.inga,
            exhibits=[exhibit],
            document="x",
            purpose=exhibits.Purpose.STORAGE,
            received=exhibits.Received(),
        ),
        lambda: exhibits.give_court_number(acting=store.inga, exhibit=exhibit, number="MO 4"),
    ):
        with pytest.raises(RefusedError, match="for good"):
            act()


def test_a_part_shares_the_line_of_its_whole_until_it_is_separated(store: Store) -> None:
    whole = telephone(store)
    part = exhibits.register_part(
        acting=store.inga, whole=whole, details=exhibits.Details(kind=exhibits.Kind.SIM_CARD, serial="8991 000 111")
    )
    pass_on(store, whole, store.inga, store.hari)

    assert part.number == whole.number.replace("/", ".1/")
    assert [event.sequence for event in exhibits.custody_line(part)] == [1, 2]
    with pytest.raises(RefusedError, match="moves with the whole"):
        exhibits.offer(acting=store.hari, exhibits=[part], to=store.malini, purpose=exhibits.Purpose.STORAGE)
    with pytest.raises(RefusedError, match="Only who holds the whole"):
        exhibits.separate(acting=store.inga, part=part, reason="to be read apart")
    exhibits.separate(acting=store.hari, part=part, reason="to be read apart")
    part.refresh_from_db()
    pass_on(store, whole, store.hari, store.inga)
    pass_on(store, part, store.hari, store.malini)
    line = exhibits.custody_line(part)
    assert [(event.exhibit_id == part.pk, event.sequence) for event in line] == [
        (False, 1), (False, 2), (True, 1), (True, 2),
    ]  # fmt: skip
    assert (line[2].whole_sequence, line[2].purpose) == (2, "separation")
    assert (holder_of(whole), holder_of(part)) == ("Inga", "Malini")


def test_several_exhibits_are_offered_and_acknowledged_together_or_not_at_all(store: Store) -> None:
    first, second = telephone(store), telephone(store)
    theirs = telephone(store)
    pass_on(store, theirs, store.inga, store.hari)

    with pytest.raises(RefusedError):
        exhibits.offer(
            acting=store.inga, exhibits=[first, second, theirs], to=store.malini, purpose=exhibits.Purpose.STORAGE
        )
    assert not HandOver.objects.filter(state="open").exists()
    offers = exhibits.offer(
        acting=store.inga, exhibits=[first, second, first], to=store.malini, purpose=exhibits.Purpose.STORAGE
    )
    events = exhibits.acknowledge(acting=store.malini, offers=offers, received=exhibits.Received())
    assert {event.exhibit_id for event in events} == {first.pk, second.pk}


def test_a_seal_found_broken_on_receipt_is_broken_in_the_register_and_the_event_says_so(store: Store) -> None:
    exhibit = telephone(store)
    seal = exhibits.seal(acting=store.inga, exhibit=exhibit, kind=exhibits.SealKind.WAX, reason="for the store")
    [offer] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.malini, purpose=exhibits.Purpose.STORAGE)
    with pytest.raises(RefusedError, match="how the seal is broken"):
        exhibits.acknowledge(acting=store.malini, offers=[offer], received=exhibits.Received(seal_intact=False))
    [event] = exhibits.acknowledge(
        acting=store.malini, offers=[offer], received=exhibits.Received(seal_intact=False, seal_note="wax is cracked")
    )

    seal.refresh_from_db()
    assert (event.seal_before_id, event.seal_after_id, event.condition) == (seal.pk, None, "seal-broken")
    assert seal.broken_reason == "found broken on receipt: wax is cracked"


def test_seals_are_the_holders_and_stand_still_while_it_is_offered(store: Store) -> None:
    exhibit = telephone(store)
    with pytest.raises(RefusedError, match="number printed"):
        exhibits.seal(acting=store.inga, exhibit=exhibit, kind=exhibits.SealKind.TAMPER_BAG, reason="transport")
    with pytest.raises(RefusedError, match="Only who holds"):
        exhibits.seal(acting=store.hari, exhibit=exhibit, kind=exhibits.SealKind.WAX, reason="transport")
    first = exhibits.seal(
        acting=store.inga, exhibit=exhibit, kind=exhibits.SealKind.TAMPER_BAG, mark="B 77 001", reason="transport"
    )
    with pytest.raises(RefusedError, match="is sealed"):
        exhibits.seal(acting=store.inga, exhibit=exhibit, kind=exhibits.SealKind.WAX, reason="twice")
    exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.EXAMINATION)
    with pytest.raises(RefusedError, match="waits for its receiver"):
        exhibits.break_seal(acting=store.inga, exhibit=exhibit, reason="to look")
    exhibits.acknowledge(acting=store.hari, offers=list(HandOver.objects.all()), received=exhibits.Received())
    broken = exhibits.break_seal(acting=store.hari, exhibit=exhibit, reason="examination")
    again = telephone(store)
    with pytest.raises(RefusedError, match="used before"):
        exhibits.seal(
            acting=store.inga, exhibit=again, kind=exhibits.SealKind.TAMPER_BAG, mark="B 77 001", reason="transport"
        )
    second = exhibits.seal(acting=store.hari, exhibit=exhibit, kind=exhibits.SealKind.PAPER, reason="after examination")

    assert broken.pk == first.pk
    assert (first.number, second.number) == (1, 2)


# ---- past the verbs -----------------------------------------------------------------------------------------------


def raw_event(exhibit: exhibits.Exhibit, **changes: Any) -> CustodyEvent:
    last = CustodyEvent.objects.filter(exhibit=exhibit).order_by("-sequence").first()
    assert last is not None
    now = clock.now()
    values: dict[str, Any] = {
        "exhibit": exhibit, "sequence": last.sequence + 1, "from_party": last.to_party, "to_party": last.to_party,
        "receiver_name": "x", "purpose": "other", "condition": "as-before", "hash_check": "no-image",
        "offered_at": now, "received_at": now, "recorded_by": last.recorded_by,
    }  # fmt: skip
    return CustodyEvent(**{**values, **changes})


def test_the_database_takes_a_right_event_and_writes_the_holder(store: Store) -> None:
    exhibit = telephone(store)
    stranger = Party.objects.create(name="Stranger", office="other")
    raw_event(exhibit, to_party=stranger).save(force_insert=True)

    assert holder_of(exhibit) == "Stranger"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sequence": 3}, "missing or stands twice"),
        ({"sequence": 1}, "stands twice|comes from nobody"),
        ({"from_party": None}, "not who received last"),
        ({"from_party": "stranger"}, "not who received last"),
        ({"received_at": "before"}, "before"),
        ({"whole_sequence": 1}, "only a part"),
        ({"seal_after": "seal"}, "under this seal"),
    ],
)
def test_the_database_refuses_a_gap(store: Store, changes: dict[str, Any], said: str) -> None:
    exhibit = telephone(store)
    other = telephone(store)
    stranger = Party.objects.create(name="Stranger", office="other")
    seal = exhibits.seal(acting=store.inga, exhibit=other, kind=exhibits.SealKind.WAX, reason="x")
    known = {"stranger": stranger, "before": clock.now() - timedelta(days=1), "seal": seal}
    values = {name: known.get(value, value) if isinstance(value, str) else value for name, value in changes.items()}
    if changes.get("received_at") == "before":
        values["offered_at"] = values["received_at"]

    with pytest.raises(IntegrityError, match=said), transaction.atomic():
        raw_event(exhibit, **values).save(force_insert=True)
    assert holder_of(exhibit) == "Inga"


def test_the_database_refuses_to_take_a_seal_away_in_an_event(store: Store) -> None:
    exhibit = telephone(store)
    exhibits.seal(acting=store.inga, exhibit=exhibit, kind=exhibits.SealKind.WAX, reason="x")

    with pytest.raises(IntegrityError, match="under this seal"), transaction.atomic():
        raw_event(exhibit).save(force_insert=True)


def test_the_database_keeps_what_was_written(store: Store) -> None:
    exhibit = telephone(store)
    seal = exhibits.seal(acting=store.inga, exhibit=exhibit, kind=exhibits.SealKind.WAX, reason="x")
    stranger = Party.objects.create(name="Stranger", office="other")
    [offer] = exhibits.offer(acting=store.inga, exhibits=[exhibit], to=store.hari, purpose=exhibits.Purpose.STORAGE)
    event = CustodyEvent.objects.get(exhibit=exhibit)
    rows = Exhibit.objects.filter(pk=exhibit.pk)
    attempts: list[Callable[[], object]] = [
        lambda: CustodyEvent.objects.filter(pk=event.pk).update(purpose="other"),
        lambda: CustodyEvent.objects.filter(pk=event.pk)._raw_delete("default"),
        lambda: rows.update(holder=stranger),
        lambda: rows.update(custody_sequence=F("custody_sequence") + 1),
        lambda: rows.update(register_no=77),
        lambda: rows.update(case_id=uuid.uuid4()),
        lambda: rows._raw_delete("default"),
        lambda: Seal.objects.filter(pk=seal.pk).update(mark="other"),
        lambda: Seal.objects.filter(pk=seal.pk).update(broken_at=clock.now(), broken_by=store.inga),
        lambda: Seal.objects.filter(pk=seal.pk)._raw_delete("default"),
        lambda: HandOver.objects.filter(pk=offer.pk).update(receiver=store.malini),
        lambda: HandOver.objects.filter(pk=offer.pk)._raw_delete("default"),
        lambda: Party.objects.filter(pk=stranger.pk).update(name="Other"),
        lambda: Counter.objects.filter(pk__startswith="exhibit/").update(last=F("last") + 2),
        lambda: Counter.objects.filter(pk__startswith="exhibit/").update(last=0),
    ]

    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()


def test_the_database_refuses_a_number_out_of_turn(store: Store) -> None:
    exhibit = telephone(store)
    values = {
        name: getattr(exhibit, name)
        for name in ("case_id", "unit", "year", "kind", "found_state", "isolation", "passcode_state")
    }
    for numbers, said in (
        ({"register_no": 3, "case_no": 2}, "the register has no gaps"),
        ({"register_no": 2, "case_no": 3}, "numbers of a case"),
        ({"register_no": 1, "case_no": 1, "part_no": 2, "parent": exhibit}, "parts are numbered"),
        ({"register_no": 9, "case_no": 1, "part_no": 1, "parent": exhibit}, "number of its whole"),
        ({"register_no": 2, "case_no": 2, "custody_sequence": 1}, "written by custody"),
    ):
        with pytest.raises(IntegrityError, match=said), transaction.atomic():
            Exhibit(**values, **numbers).save(force_insert=True)
