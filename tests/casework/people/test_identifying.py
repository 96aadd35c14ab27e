"""Identifiers: one normal form, whose they are, and who else has met them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people
from casework.people import identifying
from casework.people.models import Enquiry, Identifier, Sighting
from casework.people.normalising import check_digit, normalise
from casework.people.rules import IdentifierKind
from tests.casework.conftest import THE_CASE
from tests.casework.people.conftest import CARLAS_CASE, House, enter, phone


@pytest.mark.parametrize(
    ("kind", "given", "normal"),
    [
        ("phone", "09447 123456", "+919447123456"),
        ("phone", "+91-9447123456", "+919447123456"),
        ("phone", "9447123456", "+919447123456"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
        ("e-mail", " Some.One@EXAMPLE.org ", "some.one@example.org"),
        ("e-mail", "a@bücher.example", "a@xn--bcher-kva.example"),
        ("account", "@Oora_Thevan", "oora_thevan"),
        ("ip", "2001:DB8:0:0::7", "2001:db8::7"),
        ("ip", "::ffff:192.0.2.1", "192.0.2.1"),
        ("imei", "35 693803 564380 9", "356938035643809"),
        ("imei", "35693803564380", "356938035643809"),
        ("imei", "3569380356438012", "356938035643809"),
        ("imsi", "404 45 1234567890", "404451234567890"),
        ("serial", "c39 xk2", "C39XK2"),
        ("upi", "Thevakkan@ExampleBank", "thevakkan@examplebank"),
        ("wallet", "0xAbC1", "0xabc1"),
        ("wallet", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("vehicle", "kl-7 ab 45", "KL07AB0045"),
        ("vehicle", "22 BH 1234 AA", "22BH1234AA"),
        ("address", "Poovam House,  Kara P.O.", "poovam house kara p o"),
        ("address", "കര, പൂവം", "കര പൂവം"),
    ],
)
def test_identifiers_have_one_normal_form(kind: str, given: str, normal: str) -> None:
    assert normalise(IdentifierKind(kind), given) == normal
    assert normalise(IdentifierKind(kind), normal) == normal


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("phone", "12345"), ("phone", "no number"), ("e-mail", "nobody"), ("e-mail", "a@b"), ("ip", "300.1.1.1"),
        ("imei", "356938035643808"), ("imei", "12"), ("imsi", "40445"), ("upi", "name@"), ("vehicle", "KERALA 7"),
        ("account", "@"), ("serial", "  "), ("address", "--"), ("e-mail", "a@" + "b" * 300),
    ],
)  # fmt: skip
def test_what_is_no_identifier_is_refused_with_the_remedy(kind: str, given: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        normalise(IdentifierKind(kind), given)

    assert refusal.value.rule == "identifier"


@given(st.from_regex(r"[0-9]{14}", fullmatch=True), st.integers(0, 14), st.integers(1, 9))
def test_luhn_finds_every_single_wrong_digit(body: str, place: int, by: int) -> None:
    right = body + check_digit(body)
    wrong = right[:place] + str((int(right[place]) + by) % 10) + right[place + 1 :]

    assert normalise(IdentifierKind.IMEI, right) == right
    with pytest.raises(RefusedError):
        normalise(IdentifierKind.IMEI, wrong)


@given(st.sampled_from(list(IdentifierKind)), st.text(max_size=60))
def test_normalising_twice_changes_nothing_and_ends_in_a_value_or_our_refusal(kind: IdentifierKind, text: str) -> None:
    try:
        once = normalise(kind, text)
    except RefusedError:
        return

    assert normalise(kind, once) == once


@pytest.mark.django_db
class TestInCases:
    """With the tables."""

    def test_one_value_is_one_row_and_every_case_keeps_what_it_was_given(self, house: House) -> None:
        phone(house.inga, "09447 123456")
        phone(house.carla, "+91 9447123456", CARLAS_CASE)

        assert Identifier.objects.get().value == "+919447123456"
        assert {row.as_given for row in Sighting.objects.all()} == {"09447 123456", "+91 9447123456"}

    def test_an_identifier_is_known_where_it_came_up(self, house: House) -> None:
        number = phone(house.inga, "9447123456")

        assert people.get_identifier(house.bashir, number.pk) == number
        for outsider in (house.carla, house.dora, house.esther):
            with pytest.raises(AbsentError):
                people.get_identifier(outsider, number.pk)

    def test_a_time_of_unknown_zone_stays_as_it_was_given(self, house: House) -> None:
        given = people.Given(
            kind=IdentifierKind.IP, value="192.0.2.7", port=50123, time_as_given="2/11/26 9:14 pm", source="provider"
        )
        row = people.enter_identifier(acting=house.inga, case=THE_CASE, given=given)

        assert (row.at, row.zone, row.time_as_given) == (None, "", "2/11/26 9:14 pm")
        for wrong in (
            people.Given(kind=IdentifierKind.IP, value="192.0.2.7", at=datetime(2026, 11, 2, tzinfo=UTC), source="x y"),
            people.Given(kind=IdentifierKind.PHONE, value="9447123456", port=1, source="x y"),
            people.Given(kind=IdentifierKind.IP, value="192.0.2.7", port=70000, source="x y"),
            people.Given(kind=IdentifierKind.ACCOUNT, value="x", source="x y z"),
            people.Given(kind=IdentifierKind.PHONE, value="9447123456", source=" "),
        ):
            with pytest.raises(RefusedError):
                people.enter_identifier(acting=house.inga, case=THE_CASE, given=wrong)

    def test_an_attribution_is_contested_and_taken_back_and_stays_on_record(self, house: House) -> None:
        number, person = phone(house.inga, "9447123456"), enter(house.inga, "Thevakkan")
        said = people.attribute(
            acting=house.wasim, identifier=number, person=person, case=THE_CASE, basis=people.Basis.STATEMENT,
            confidence=people.Confidence.POSSIBLE,
        )  # fmt: skip

        people.contest(acting=house.inga, attribution=said, reason="the brother uses it")
        with pytest.raises(RefusedError, match="already"):
            people.contest(acting=house.inga, attribution=said, reason="the brother uses it")
        people.withdraw_attribution(acting=house.inga, attribution=said, reason="subscriber answered")

        said.refresh_from_db()
        assert said.contested_reason == "the brother uses it"
        assert said.withdrawn_reason == "subscriber answered"
        with pytest.raises(AbsentError):
            identifying.get_attribution(house.inga, said.pk)

    def test_only_what_is_known_in_a_case_is_attributed_in_it(self, house: House) -> None:
        number, person = phone(house.carla, "9447123456", CARLAS_CASE), enter(house.inga, "Thevakkan")
        basis, sure = people.Basis.STATEMENT, people.Confidence.POSSIBLE

        for acting, case in ((house.inga, THE_CASE), (house.carla, CARLAS_CASE), (house.carla, THE_CASE)):
            with pytest.raises(AbsentError):
                people.attribute(
                    acting=acting, identifier=number, person=person, case=case, basis=basis, confidence=sure
                )


@pytest.mark.django_db
class TestSeenBefore:
    """Deconfliction."""

    def test_who_has_no_right_is_told_whom_to_talk_to_and_nothing_else(self, house: House) -> None:
        phone(house.inga, "9447123456")
        number = phone(house.carla, "9447123456", CARLAS_CASE)

        answer = people.identifier_seen_before(
            acting=house.carla, identifier=number, case=CARLAS_CASE, purpose="target"
        )

        assert answer.cases == ()
        assert answer.talk_to == (people.TalkTo(name="Inga", unit="Cell of the north"),)

    def test_both_sides_have_it_on_record_and_the_lead_is_told(self, house: House) -> None:
        phone(house.inga, "9447123456")
        number = phone(house.carla, "9447123456", CARLAS_CASE)
        people.identifier_seen_before(acting=house.carla, identifier=number, case=CARLAS_CASE, purpose="target")
        people.identifier_seen_before(acting=house.carla, identifier=number, case=CARLAS_CASE, purpose="target")

        mine = Entry.objects.filter(act="people.seen_before_asked", case=str(CARLAS_CASE))
        theirs = Entry.objects.filter(act="people.seen_before_enquired", case=str(THE_CASE))
        assert (mine.count(), theirs.count(), Enquiry.objects.count()) == (2, 2, 1)
        [told] = people.waiting_for(house.inga)
        assert told.hint == "Carla of Cell of the south asked"
        assert people.waiting_for(house.carla) == people.waiting_for(house.dora) == []
        people.acknowledge(acting=house.inga, enquiry=Enquiry.objects.get().pk)
        assert people.waiting_for(house.inga) == []

    def test_who_is_excluded_from_a_case_is_not_led_to_it_and_its_lead_is_told(self, house: House) -> None:
        accounts.declare_conflict(acting=house.inga, of=house.carla, case=THE_CASE, reason="is the suspect")
        phone(house.inga, "9447123456")
        number = phone(house.carla, "9447123456", CARLAS_CASE)

        answer = people.identifier_seen_before(acting=house.carla, identifier=number, case=CARLAS_CASE, purpose="mine")

        assert answer == people.SeenBefore(cases=(), talk_to=())
        assert Enquiry.objects.get().answered is False
        assert Entry.objects.get(act="people.seen_before_asked").fields == '{"open":0,"talk_to":0}'

    def test_who_may_open_the_other_case_is_shown_it(self, house: House) -> None:
        number = phone(house.inga, "9447123456")
        phone(house.carla, "9447123456", CARLAS_CASE)
        reader = accounts.Capacity.READER
        accounts.assign(acting=house.carla, to=house.inga, case=CARLAS_CASE, capacity=reader, purpose="joint")

        answer = people.identifier_seen_before(acting=house.inga, identifier=number, case=THE_CASE, purpose="target")

        assert answer == people.SeenBefore(cases=(CARLAS_CASE,), talk_to=())
        assert not Enquiry.objects.exists()

    def test_a_person_is_asked_for_through_candidates_and_the_other_side_is_told_of_its_own(self, house: House) -> None:
        mine = enter(house.inga, "Thevakkan Oorappil", year=1988, parent="Nirappan")
        theirs = enter(house.carla, "തേവക്കൻ ഊരപ്പിൽ", case=CARLAS_CASE, year=1988, parent="നിരപ്പൻ")
        for name in range(300):
            enter(house.carla, f"Noise{chr(97 + name % 26)}{name % 7}", case=CARLAS_CASE)
        people.seek(mine.pk)

        answer = people.person_seen_before(acting=house.inga, person=mine, case=THE_CASE, purpose="target")

        assert answer.talk_to == (people.TalkTo(name="Carla", unit="Cell of the south"),)
        assert Enquiry.objects.get().person_id == theirs.pk

    def test_asking_needs_a_purpose_and_a_right(self, house: House) -> None:
        number = phone(house.inga, "9447123456")

        with pytest.raises(RefusedError, match="what you ask for"):
            people.identifier_seen_before(acting=house.inga, identifier=number, case=THE_CASE, purpose=" ")
        for outsider, case in ((house.carla, THE_CASE), (house.carla, CARLAS_CASE), (house.dora, THE_CASE)):
            with pytest.raises(AbsentError):
                people.identifier_seen_before(acting=outsider, identifier=number, case=case, purpose="target")
