"""Whatever anybody does, in whatever order and at the same time: never a gap, never two holders.

Hypothesis picks the acts. Many of them are refused, which is the point; what is asked after each is whether the line
of custody still leads from the first hands to the last. The same on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import api as exhibits
from casework.exhibits.models import CustodyEvent, Exhibit, HandOver, Party, Seal
from casework.lib import clock
from casework.lib.errors import AbsentError, CaseworkError, RefusedError
from tests.casework.exhibits.conftest import Store, details, telephone

ACTS = (
    "offer", "offer", "acknowledge", "acknowledge", "withdraw", "decline", "outside", "back", "seal", "break", "move",
    "separate", "forge", "skip",
)  # fmt: skip
ACT = st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.booleans())
COURT = exhibits.Outside(name="Clerk Vasu", office=exhibits.Office.COURT, document="T 14/2026")


def check(things: Sequence[Exhibit]) -> None:
    """Assert that each line is whole, and that each thing has one holder."""
    for thing in things:
        found = Exhibit.objects.get(pk=thing.pk)
        events = list(CustodyEvent.objects.filter(exhibit=thing).order_by("sequence"))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        for before, after in pairwise(events):
            assert after.from_party_id == before.to_party_id
            assert after.received_at >= before.received_at
        assert found.holder_id == (events[-1].to_party_id if events else None)
        assert found.custody_sequence == len(events)
        assert HandOver.objects.filter(exhibit=thing, state="open").count() <= 1
        assert Seal.objects.filter(exhibit=thing, broken_at=None).count() <= 1
        done = HandOver.objects.filter(exhibit=thing, state="acknowledged").count()
        assert done == sum(event.hand_over_id is not None for event in events)
        if thing.parent_id is not None and events:
            assert events[0].whole_sequence is not None
            whole = CustodyEvent.objects.get(exhibit=thing.parent_id, sequence=events[0].whole_sequence)
            assert events[0].from_party_id == whole.to_party_id


def act(store: Store, things: Sequence[Exhibit], choice: tuple[str, int, int, int, bool]) -> None:
    """Do one act, or be refused."""
    verb, who, to, which, flag = choice
    people: list[accounts.Account] = [store.inga, store.hari, store.malini]
    person, other, thing = people[who], people[to], Exhibit.objects.get(pk=things[which].pk)
    offer = HandOver.objects.filter(exhibit=thing).order_by("-offered_at").first()
    acts: dict[str, Callable[[], object]] = {
        "offer": lambda: exhibits.offer(
            acting=person, exhibits=[thing], to=other, purpose=exhibits.Purpose.STORAGE, document="o" if flag else ""
        ),
        "acknowledge": lambda: offer
        and exhibits.acknowledge(
            acting=person, offers=[offer], received=exhibits.Received(seal_intact=flag, seal_note="torn")
        ),
        "withdraw": lambda: offer and exhibits.withdraw_offer(acting=person, offer=offer, reason="x"),
        "decline": lambda: offer and exhibits.decline(acting=person, offer=offer, reason="x"),
        "outside": lambda: exhibits.hand_over_outside(
            acting=person, exhibits=[thing], to=COURT, purpose=exhibits.Purpose.PRODUCTION
        ),
        "back": lambda: exhibits.receive_from_outside(
            acting=person, exhibits=[thing], document="d", purpose=exhibits.Purpose.STORAGE,
            received=exhibits.Received(seal_intact=flag, seal_note="torn"),
        ),
        "seal": lambda: exhibits.seal(acting=person, exhibit=thing, kind=exhibits.SealKind.WAX, reason="x"),
        "break": lambda: exhibits.break_seal(acting=person, exhibit=thing, reason="x"),
        "separate": lambda: exhibits.separate(acting=person, part=thing, reason="x"),
        "forge": lambda: forge(thing, person, who),
        "move": lambda: None,
        "skip": lambda: forge(thing, person, who + 2),
    }  # fmt: skip
    acts[verb]()


def forge(thing: Exhibit, person: accounts.Account, ahead: int) -> None:
    """Write an event past the verbs, from hands that may or may not be right."""
    party, _made = Party.objects.get_or_create(account=person)
    now = clock.now()
    values: dict[str, Any] = {
        "exhibit": thing, "sequence": thing.custody_sequence + ahead, "from_party": party, "to_party": party,
        "receiver_name": "x", "purpose": "other", "condition": "as-before", "hash_check": "no-image",
        "offered_at": now, "received_at": now, "recorded_by": person,
    }  # fmt: skip
    CustodyEvent.objects.create(**values)


def three_things(store: Store) -> list[Exhibit]:
    whole = telephone(store)
    part = exhibits.register_part(acting=store.inga, whole=whole, details=exhibits.Details(kind=exhibits.Kind.SIM_CARD))
    return [whole, part, telephone(store)]


@pytest.mark.django_db
@given(choices=st.lists(ACT, min_size=4, max_size=24))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_order_of_acts_makes_a_gap(store: Store, choices: list[tuple[str, int, int, int, bool]]) -> None:
    with transaction.atomic():
        things = three_things(store)
        for choice in choices:
            try:
                with transaction.atomic():
                    act(store, things, choice)
            except (RefusedError, AbsentError, DatabaseError):
                pass
            check(things)
        transaction.set_rollback(True)


def together(jobs: Sequence[Callable[[], object]]) -> list[BaseException | None]:
    """Run the jobs at the same time, each on a connection of its own, and return what stopped each."""
    stopped: list[BaseException | None] = [None] * len(jobs)
    barrier = threading.Barrier(len(jobs))

    def run(place: int, job: Callable[[], object]) -> None:
        try:
            barrier.wait()
            job()
        except (CaseworkError, DatabaseError) as fault:
            stopped[place] = fault
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return stopped


@pytest.mark.usefixtures("committed")
@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_people_acting_at_the_same_time_make_no_gap(store: Store, seed: int) -> None:
    things = three_things(store)
    chance = random.Random(seed)
    plans = [
        [
            (chance.choice(ACTS), chance.randrange(3), chance.randrange(3), chance.randrange(3), chance.random() < 0.5)
            for _ in range(10)
        ]
        for _ in range(4)
    ]

    def work(plan: list[tuple[str, int, int, int, bool]]) -> None:
        for choice in plan:
            try:
                act(store, things, choice)
            except (CaseworkError, DatabaseError):
                continue

    assert together([partial(work, plan) for plan in plans]) == [None] * 4
    check(things)


@pytest.mark.usefixtures("committed")
def test_of_two_who_take_the_same_exhibit_one_gets_it(store: Store) -> None:
    def offer(thing: Exhibit, to: accounts.Account) -> object:
        return exhibits.offer(acting=store.inga, exhibits=[thing], to=to, purpose=exhibits.Purpose.STORAGE)

    def produce(thing: Exhibit) -> object:
        return exhibits.hand_over_outside(
            acting=store.inga, exhibits=[thing], to=COURT, purpose=exhibits.Purpose.PRODUCTION
        )

    for _round in range(4):
        thing = telephone(store)
        stopped = together(
            [partial(offer, thing, store.hari), partial(offer, thing, store.malini), partial(produce, thing)]
        )

        assert sum(fault is None for fault in stopped) == 1
        assert all(isinstance(fault, RefusedError) for fault in stopped if fault is not None)
        check([thing])


@pytest.mark.usefixtures("committed")
def test_an_offer_is_acknowledged_once_whoever_is_quicker(store: Store) -> None:
    for _round in range(4):
        thing = telephone(store)
        [offer] = exhibits.offer(acting=store.inga, exhibits=[thing], to=store.hari, purpose=exhibits.Purpose.STORAGE)

        def take(offer: HandOver = offer) -> object:
            return exhibits.acknowledge(acting=store.hari, offers=[offer], received=exhibits.Received())

        def call_back(offer: HandOver = offer) -> object:
            return exhibits.withdraw_offer(acting=store.inga, offer=offer, reason="x")

        stopped = together([take, take, call_back])

        assert sum(fault is None for fault in stopped) == 1
        check([thing])


@pytest.mark.usefixtures("committed")
def test_forged_events_at_the_same_time_leave_one(store: Store) -> None:
    thing = telephone(store)
    stopped = together([lambda: forge(thing, store.inga, 1)] * 4)

    assert sum(fault is None for fault in stopped) == 1
    check([thing])


@pytest.mark.usefixtures("committed")
def test_numbers_taken_at_the_same_time_have_no_gap_and_one_thrown_away_comes_back(store: Store) -> None:
    def register() -> None:
        for _ in range(4):
            exhibits.register_exhibit(acting=store.inga, case=store.case, details=details())

    def fail() -> None:
        for _ in range(4):
            with transaction.atomic():
                telephone(store)
                transaction.set_rollback(True)

    assert together([register, register, fail]) == [None] * 3
    numbers = list(Exhibit.objects.order_by("register_no").values_list("register_no", "case_no"))
    assert numbers == [(number, number) for number in range(1, 9)]
    assert audit.verify().broken is None
