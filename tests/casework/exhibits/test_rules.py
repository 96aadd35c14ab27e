"""The pure rules: what may happen, and how numbers are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.exhibits import rules
from casework.exhibits.rules import Direction, HashCheck, HashResult, Kind, Ordered, Source, State
from casework.lib.errors import RefusedError

HELD = State(
    holder="inga", holder_outside=False, sequence=3, offered=False, sealed=False, withdrawn=False, returned=False,
    inherits=False, in_locker=False, has_images=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "giver", "rule"),
    [
        ({"withdrawn": True}, "inga", "withdrawn"),
        ({"returned": True}, "inga", "returned"),
        ({"inherits": True}, "inga", "part"),
        ({}, "hari", "not-holder"),
        ({"offered": True}, "inga", "offered"),
        ({"in_locker": True}, "inga", "in-locker"),
    ],
)
def test_a_hand_over_is_refused(changes: dict[str, bool], giver: str, rule: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        rules.check_hand_over(replace(HELD, **changes), giver)  # type: ignore[arg-type]
    assert refusal.value.rule == rule


def test_a_hand_over_by_the_holder_passes() -> None:
    rules.check_hand_over(HELD, "inga")
    rules.check_hand_over(HELD, "esther", in_place_of_holder=True)


def test_what_is_outside_is_not_offered_and_only_that_comes_back() -> None:
    outside = replace(HELD, holder="court", holder_outside=True)

    rules.check_receive(outside)
    with pytest.raises(RefusedError):
        rules.check_receive(HELD)
    with pytest.raises(RefusedError):
        rules.check_offer(outside, "court", "hari")


def test_a_seal_is_put_on_once_and_by_the_holder() -> None:
    rules.check_apply(HELD, "inga")
    for state, acting in ((replace(HELD, sealed=True), "inga"), (HELD, "hari"), (replace(HELD, offered=True), "inga")):
        with pytest.raises(RefusedError):
            rules.check_apply(state, acting)


def test_a_sealed_or_offered_thing_is_not_imaged() -> None:
    rules.check_acquire(HELD, HELD, "inga")
    for state in (replace(HELD, sealed=True), replace(HELD, offered=True), replace(HELD, holder="hari")):
        with pytest.raises(RefusedError):
            rules.check_acquire(HELD, state, "inga")


@pytest.mark.parametrize(
    ("last", "direction", "sealed", "document", "passes"),
    [
        (None, Direction.IN, True, "", True),
        (None, Direction.OUT, True, "order", False),
        (None, Direction.IN, False, "", False),
        (Direction.IN, Direction.OUT, True, "order", True),
        (Direction.IN, Direction.OUT, True, " ", False),
        (Direction.IN, Direction.IN, True, "", False),
        (Direction.OUT, Direction.IN, True, "", True),
    ],
)
def test_the_locker_is_booked_in_turn_sealed_and_out_on_an_order(
    last: Direction | None, direction: Direction, sealed: bool, document: str, passes: bool
) -> None:
    state = replace(HELD, sealed=sealed)
    if passes:
        rules.check_locker_entry(last, direction, state, "inga", document)
    else:
        with pytest.raises(RefusedError):
            rules.check_locker_entry(last, direction, state, "inga", document)


ORDER = Ordered(
    persons=frozenset({"ADVOCATEDEVI"}), valid_from=date(2026, 11, 1), valid_to=date(2026, 11, 30), withdrawn=False
)


def test_a_viewing_is_what_the_court_ordered() -> None:
    day, people = date(2026, 11, 24), ["Advocate Devi"]
    rules.check_viewing(ORDER, day, people, expert=True, devices_kept_out=True)
    wrong = [
        (replace(ORDER, withdrawn=True), day, people, True, True),
        (ORDER, date(2026, 10, 31), people, True, True),
        (ORDER, date(2026, 12, 1), people, True, True),
        (ORDER, day, [], True, True),
        (ORDER, day, [*people, "Somebody Else"], True, True),
        (ORDER, day, people, False, True),
        (ORDER, day, people, True, False),
    ]

    for order, when, who, expert, kept_out in wrong:
        with pytest.raises(RefusedError):
            rules.check_viewing(order, when, who, expert=expert, devices_kept_out=kept_out)


def test_a_refusal_of_a_stranger_does_not_say_the_name() -> None:
    with pytest.raises(RefusedError) as refusal:
        rules.check_viewing(ORDER, date(2026, 11, 24), ["Nila Nilavan"], expert=True, devices_kept_out=True)
    assert "Nila" not in refusal.value.reason


@given(st.integers(0, 10**14 - 1))
def test_one_check_digit_in_ten_fits(number: int) -> None:
    digits = f"{number:014d}"

    assert sum(rules.passes_luhn(digits + str(last)) for last in range(10)) == 1


def test_an_imei_is_read_in_any_spelling_and_checked() -> None:
    assert rules.clean_imei("49-015420-323751-8") == "490154203237518"
    assert rules.clean_imei(" ") == ""
    for wrong in ("49015420323751", "490154203237519", "49015420323751X", "४९०१५४२०३२३७५१८"):
        with pytest.raises(RefusedError):
            rules.clean_imei(wrong)
    assert rules.clean_imei("490154203237519", as_read=True) == "490154203237519"


def test_a_hardware_address_has_one_spelling() -> None:
    assert rules.clean_mac("AA-bb-00.11:22 33") == "aa:bb:00:11:22:33"
    with pytest.raises(RefusedError):
        rules.clean_mac("aa:bb:00:11:22")


def test_a_digest_fits_its_algorithm() -> None:
    assert rules.clean_digest("SHA-256", "AB " * 32) == "ab" * 32
    assert rules.clean_digest("Tiger", "0123456789") == "0123456789"
    for algorithm, value in (("MD5", "ab" * 32), ("SHA-256", "zz" * 32), ("Tiger", "012")):
        with pytest.raises(RefusedError):
            rules.clean_digest(algorithm, value)


@pytest.mark.parametrize("ranges", [((0, 0),), ((90, 20),), ((10, 5), (12, 1)), ((-1, 2),)])
def test_what_was_not_read_lies_inside_the_image_in_order(ranges: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(RefusedError):
        rules.check_unread(100, ranges)
    rules.check_unread(100, ((0, 10), (10, 90)))


def test_one_digest_that_differs_decides() -> None:
    assert rules.worst([]) is HashCheck.NOT_CHECKED
    assert rules.worst([HashResult.MATCHED, HashResult.RECORDED]) is HashCheck.MATCHED
    assert rules.worst([HashResult.MATCHED, HashResult.DIFFERED]) is HashCheck.DIFFERED


def test_numbers_and_offsets_as_they_are_written() -> None:
    assert rules.shown_number(7, 0, 2026) == "0007/2026"
    assert rules.shown_number(7, 2, 2026) == "0007.2/2026"
    assert rules.shown_offset(None) == ""
    assert rules.shown_offset(190) == "+00:03:10"
    assert rules.shown_offset(-3600) == "-01:00:00"
    assert rules.folded("QM-9 00451/क") == "QM900451क"


def test_what_a_certificate_ticks() -> None:
    assert rules.source_of(Kind.MOBILE_PHONE) is Source.MOBILE
    assert rules.source_of(Kind.DVR) is Source.DVR
    assert rules.source_of(Kind.ROUTER) is Source.OTHER
    assert rules.certificate_law("BSA 2023") == "63"
    assert rules.certificate_law("Evidence Act 1872") == "65b"


def test_nothing_is_found_in_the_future() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    rules.check_times(now, now)
    rules.check_times(None, now)
    with pytest.raises(RefusedError):
        rules.check_times(datetime(2026, 11, 25, tzinfo=UTC), now)
