"""Numbers, the frozen text, what a scanner reads, states; without a database."""

from __future__ import annotations

from datetime import date

import pytest

from casework.lib.errors import RefusedError
from casework.papers import rules
from casework.papers.rules import Kind, State


def test_a_number_says_kind_office_year_and_serial() -> None:
    assert rules.number_of(Kind.SEIZURE_LIST, 1, 2026, 7) == "SL/01/2026/0007"
    assert rules.number_of(Kind.RECEIPT, 12, 2026, 12345) == "RC/12/2026/12345"
    assert len(set(rules.CODES.values())) == len(Kind)


def test_the_frozen_text_is_one_whatever_the_order_of_its_parts() -> None:
    one = rules.canonical({"b": [1, "ക്രൈം"], "a": True})

    assert one == '{"a":true,"b":[1,"ക്രൈം"]}'
    assert one == rules.canonical({"a": True, "b": [1, "ക്രൈം"]})
    assert rules.digest_of(one) == "1d76ad9b7f0288e2a384b41a99da85ba47fa901b781f0432de09d9bf091d235f"


def test_a_scanned_address_gives_number_and_digest() -> None:
    address = rules.check_address("https://kaval.example/papers/check/", "SL/01/2026/0007", "ab" * 32)

    assert address == f"https://kaval.example/papers/check/?number=SL/01/2026/0007&digest={'ab' * 16}"
    assert rules.read_check(address, "") == ("SL/01/2026/0007", "ab" * 16)


def test_what_is_typed_may_have_spaces_and_small_letters() -> None:
    typed = " ".join("ABCDEF01" for _ in range(4))

    assert rules.read_check(" sl/01/2026/0007 ", typed) == ("SL/01/2026/0007", "abcdef01" * 4)


@pytest.mark.parametrize(
    ("number", "digest", "rule"),
    [
        ("0007", "ab" * 16, "number"),
        ("", "", "number"),
        ("SL/01/2026/0007", "ab" * 15, "digest"),
        ("SL/01/2026/0007", "xy" * 16, "digest"),
        ("https://elsewhere.example/?x=1", "", "number"),
    ],
)
def test_what_does_not_read_like_number_and_digest_is_refused(number: str, digest: str, rule: str) -> None:
    with pytest.raises(RefusedError) as refused:
        rules.read_check(number, digest)

    assert refused.value.rule == rule


def test_withdrawn_is_said_before_superseded() -> None:
    assert rules.state_of(withdrawn=False, superseded=False) is State.GENUINE
    assert rules.state_of(withdrawn=False, superseded=True) is State.SUPERSEDED
    assert rules.state_of(withdrawn=True, superseded=True) is State.WITHDRAWN


def test_a_paper_is_superseded_once_by_its_own_kind_with_a_reason() -> None:
    rules.check_supersede(State.GENUINE, same_kind=True, same_case=True, reason="a line was missing")
    for state, same_kind, same_case, reason in (
        (State.SUPERSEDED, True, True, "x"),
        (State.WITHDRAWN, True, True, "x"),
        (State.GENUINE, False, True, "x"),
        (State.GENUINE, True, False, "x"),
        (State.GENUINE, True, True, "  "),
    ):
        with pytest.raises(RefusedError):
            rules.check_supersede(state, same_kind=same_kind, same_case=same_case, reason=reason)


def test_the_day_of_a_seizure_is_that_of_the_clock_in_india() -> None:
    today = date(2026, 11, 24)

    # Nineteen hours on the last day of June in London is half past midnight here, under the new code.
    assert rules.form_day(Kind.SEIZURE_LIST, {"seized_at": "2024-06-30T19:00:00Z"}, today) == date(2024, 7, 1)
    assert rules.form_day(Kind.SEIZURE_LIST, {"seized_at": "2024-06-30T18:00:00Z"}, today) == date(2024, 6, 30)
    assert rules.form_day(Kind.SEIZURE_LIST, {"seized_at": ""}, today) == today
    assert rules.form_day(Kind.RECEIPT, {}, today) == today


def test_a_paper_nobody_could_bind_is_refused_with_the_remedy() -> None:
    rules.check_size({"events": [0] * rules.MOST_LINES})
    with pytest.raises(RefusedError, match="10,001 lines"):
        rules.check_size({"events": [0] * (rules.MOST_LINES + 1)})
    with pytest.raises(RefusedError, match="in parts"):
        rules.check_size({"history": "x" * (rules.LARGEST_VALUES + 1)})
