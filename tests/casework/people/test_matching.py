"""Sounds across scripts, the score, the job that looks for the same person, and what it never does."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.people import api as people
from casework.people.matching import candidates, linking, scoring
from casework.people.matching.keys import keys_from
from casework.people.matching.profiles import profiles_of
from casework.people.models import BlockingKey, Candidate, Person
from casework.people.scripts import romanise, script_of, words_of
from casework.people.sounds import folded, sound_of, sound_of_word
from demonstration import persons as invented
from tests.casework.conftest import THE_CASE
from tests.casework.people.conftest import House, enter, phone

SAME_SOUND = [
    ("ശ്രീജിത്ത്", "श्रीजित", "Sreejith", "Srijit", "Shreejit"),
    ("ലക്ഷ്മി", "लक्ष्मी", "Lakshmi", "Laxmi"),
    ("വർഗീസ്", "Varghese", "Vargheese", "Vargis"),
    ("മുഹമ്മദ്", "मुहम्मद", "Mohammed", "Muhammad", "Mohamad"),
    ("ആലപ്പുഴ", "Alappuzha", "Alapuzha"),
    ("ഭാസ്കരൻ", "भास्करन", "Bhaskaran", "Baskaran"),
    ("ജോസഫ്", "Joseph", "Josaf"),
    ("സംഗീത", "संगीता", "Sangeetha", "Sangita"),
]
SHARE = 0.0005


@pytest.mark.parametrize("writings", SAME_SOUND)
def test_one_name_has_one_sound_in_every_script(writings: tuple[str, ...]) -> None:
    assert len({sound_of_word(word) for writing in writings for word in words_of(writing)}) == 1


def test_different_names_sound_different() -> None:
    names = [
        "Sreejith",
        "Lakshmi",
        "Varghese",
        "Mohammed",
        "Bhaskaran",
        "Joseph",
        "Sangeetha",
        "Thomas",
        "Rajan",
        "Anil",
    ]

    assert len({sound_of(name) for name in names}) == len(names)


def test_words_of_indic_names_stay_whole() -> None:
    assert words_of("കുട്ടി അമ്മ") == ["കുട്ടി", "അമ്മ"]
    assert words_of("किशोर, कु.") == ["किशोर", "कु"]
    assert [script_of(text) for text in ("കുട്ടി", "किशोर", "José", "எழில்", "...")] == [
        "malayalam",
        "devanagari",
        "latin",
        "tamil",
        "other",
    ]
    assert romanise("ഗൗരി നമ്പ്യാർ") == "gauri nampyar"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_has_words_a_latin_writing_and_a_sound(text: str) -> None:
    for word in words_of(text):
        assert folded(word) == folded(word)
        assert sound_of_word(word).isascii()
    assert isinstance(romanise(text), str)


@given(st.text(max_size=8), st.text(max_size=8))
def test_steps_are_a_distance(one: str, other: str) -> None:
    assert scoring.steps(one, other) == scoring.steps(other, one)
    assert (scoring.steps(one, other) == 0) == (one == other)
    assert scoring.steps(one, other) <= max(len(one), len(other))


def profile(name: str, year: int = 0, *, parent: str = "", phones: str = "", sex: str = "") -> scoring.Profile:
    return scoring.Profile(
        names=(tuple(words_of(name)),), parents=(tuple(words_of(parent)),) if parent else (),
        born=(date(year, 1, 1), date(year, 12, 31)) if year else None, sex=sex,
        identifiers=frozenset(phones.split()),
    )  # fmt: skip


def likely(one: scoring.Profile, other: scoring.Profile) -> float:
    return scoring.compare(one, other, lambda _text: SHARE, 20_000).probability


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (profile("Thevakkan Oorappil", 1988), profile("തേവക്കൻ ഊരപ്പിൽ", 1988)),
        (profile("Oorappil Thevakkan", 1988), profile("Tewakan Urappil", 1988)),
        (profile("O. Thevakkan", 1988, parent="Nirappan"), profile("Thevakkan Oorappil", 1988, parent="നിരപ്പൻ")),
        (profile("Thevakkan Oorappil", phones="1"), profile("Thevakkn Oorapil", phones="1 2")),
    ],
)
def test_the_same_person_is_likely(one: scoring.Profile, other: scoring.Profile) -> None:
    assert likely(one, other) > 0.9
    assert likely(other, one) == pytest.approx(likely(one, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Brothers: house, parent and phone are shared, the given name is not.
        (
            profile("Thevakkan Oorappil", 1988, parent="Nirappan", phones="1"),
            profile("Kuravan Oorappil", 1990, parent="Nirappan", phones="1"),
        ),
        (profile("Thevakkan Oorappil", 1988), profile("Thevakkan Oorappil", 1960)),
        (profile("Thevakkan Oorappil", 1988, sex="male"), profile("Thevakkan Oorappil", 1960, sex="female")),
        (profile("Thevakkan"), profile("Thevakkan Oorappil")),
        (profile("Thevakkan Oorappil"), profile("Mazhanila Poovam")),
    ],
)  # fmt: skip
def test_kin_namesakes_and_the_poorly_known_are_not_likely(one: scoring.Profile, other: scoring.Profile) -> None:
    assert likely(one, other) < linking.LIKELY


def test_a_rare_name_says_more_than_a_common_one() -> None:
    one, other = profile("Thevakkan Oorappil"), profile("Thevakkan Oorappil")

    rare = scoring.compare(one, other, lambda _text: 0.0001, 20_000).probability
    common = scoring.compare(one, other, lambda _text: 0.02, 20_000).probability

    assert rare > 0.9 > 0.1 > common


@given(st.permutations(["thevakkan", "oorappil", "nirappan"]))
def test_the_order_of_words_makes_no_other_key(words: list[str]) -> None:
    assert set(keys_from([" ".join(words)], [], None).combined) == set(
        keys_from(["Thevakkan Oorappil Nirappan"], [], None).combined
    )


def test_what_is_found_among_three_thousand_is_nearly_all_and_nearly_right() -> None:
    written = invented.records(3000, seed=5)
    truth = invented.pairs(written)
    profiles = {
        record.number: scoring.Profile(
            names=(tuple(words_of(record.name)),),
            parents=(tuple(words_of(record.parent)),) if record.parent else (),
            born=days(record),
            sex=record.sex,
            identifiers=frozenset(record.phones),
        )
        for record in written
    }

    found = set(linking.candidates_among(profiles))

    assert len(found & truth) / len(truth) > 0.93
    assert len(found & truth) / len(found) > 0.98


def days(record: invented.Written) -> tuple[date, date] | None:
    if record.born is None:
        return None
    return (record.born, record.born.replace(month=12, day=31) if record.only_year else record.born)


@pytest.mark.django_db
class TestTheJob:
    """With the tables."""

    def crowd(self, house: House) -> None:
        """Names enough that one name is rare."""
        made = invented.records(120, seed=3, persons=1.0)
        for record in made:
            enter(house.inga, record.name, parent=record.parent)

    def test_a_candidate_is_kept_with_score_and_criteria_and_without_a_name(self, house: House) -> None:
        self.crowd(house)
        one = enter(house.inga, "Thevakkan Oorappil", year=1988)
        other = enter(house.inga, "തേവക്കൻ ഊരപ്പിൽ", year=1988)

        assert people.seek(other.pk) == 1

        row = Candidate.objects.get()
        assert {row.one_id, row.other_id} == {one.pk, other.pk}
        assert row.score > 0.9
        assert [each["criterion"] for each in row.criteria] == ["name", "birth"]
        assert "Theva" not in str(row.criteria)
        assert row.scored_by == scoring.VERSION
        assert Person.objects.get(pk=one.pk).cluster != Person.objects.get(pk=other.pk).cluster

    def test_what_speaks_against_it_lowers_the_score_and_the_row_stays(self, house: House) -> None:
        self.crowd(house)
        one = enter(house.inga, "Thevakkan Oorappil")
        other = enter(house.inga, "Thevakkan Oorappil")
        for person, year in ((one, 1950), (other, 1999)):
            people.seek(other.pk)
            born = people.Born(day=date(year, 5, 5), precision=people.Precision.DAY, proof=people.Proof.SCHOOL_RECORD)
            people.record_birth(acting=house.inga, person=person, born=born)
        people.seek(other.pk)

        assert Candidate.objects.get().score < linking.LIKELY

    def test_a_shared_phone_brings_two_together_unless_it_is_contested(self, house: House) -> None:
        self.crowd(house)
        one, other = enter(house.inga, "Thevakkan Oorappil"), enter(house.inga, "Tevakan Urapil")
        number = phone(house.inga, "9447123456")
        said = [
            people.attribute(
                acting=house.inga, identifier=number, person=person, case=THE_CASE, basis=people.Basis.DEVICE,
                confidence=people.Confidence.CONFIRMED,
            )
            for person in (one, other)
        ]  # fmt: skip
        people.seek(one.pk)
        criteria = Candidate.objects.get().criteria
        assert {"criterion": "identifier", "finding": "1 shared"}.items() <= criteria[-1].items()
        people.contest(acting=house.inga, attribution=said[0], reason="the brother's")
        people.seek(one.pk)

        assert "identifier" not in {each["criterion"] for each in Candidate.objects.get().criteria}

    def test_a_protected_person_is_never_compared(self, house: House) -> None:
        enter(house.inga, "Mazhanila Poovam", year=2013)
        victim = enter(house.inga, "Mazhanila Poovam", year=2013, role=people.RoleKind.VICTIM)

        assert people.seek(victim.pk) == 0
        assert not BlockingKey.objects.filter(person=victim).exists()
        assert not Candidate.objects.exists()

    def test_the_job_finds_what_is_found_in_memory(self, house: House) -> None:
        written = invented.records(150, seed=8)
        ids = {
            record.number: enter(
                house.inga, record.name, parent=record.parent, year=record.born.year if record.born else None
            ).pk
            for record in written
        }
        assert people.seek_due() == 150
        while people.seek_due():
            pass

        by_id = profiles_of(ids.values())
        in_memory = linking.candidates_among({number: by_id[pk] for number, pk in ids.items()})
        numbers = {pk: number for number, pk in ids.items()}
        rows = Candidate.objects.filter(score__gte=linking.LIKELY)
        in_tables = {tuple(sorted((numbers[row.one_id], numbers[row.other_id]))) for row in rows}
        assert len(in_memory) > 20
        assert len(in_tables ^ set(in_memory)) <= len(in_memory) * 0.05

    def test_a_look_takes_few_queries(self, house: House, django_assert_max_num_queries: object) -> None:
        self.crowd(house)
        person = enter(house.inga, "Thevakkan Oorappil", year=1988)
        enter(house.inga, "തേവക്കൻ ഊരപ്പിൽ", year=1988)

        with django_assert_max_num_queries(30):  # type: ignore[operator]  # pytest-django's fixture
            candidates.seek(person.pk)
