"""The search: any script, beginnings, sounds, fragments; rights; nobody shut away. The same on both databases."""

from __future__ import annotations

import pytest

from casework.people import api as people
from casework.people.models import IdentifierText, PersonText
from tests.casework.conftest import THE_CASE
from tests.casework.people.conftest import CARLAS_CASE, House, enter, phone

pytestmark = pytest.mark.django_db


def found(account: object, words: str) -> list[str]:
    return [one.title for one in people.find(account, words, purpose="")]  # type: ignore[arg-type]  # an account


@pytest.fixture
def crowd(house: House) -> House:
    enter(house.inga, "തേവക്കൻ ഊരപ്പിൽ")
    enter(house.inga, "Thevan Kurup")
    enter(house.inga, "श्रीजित नायक")
    enter(house.inga, "हिन्दी मल")
    return house


@pytest.mark.parametrize("words", ["തേവക്കൻ", "Thevakkan", "tevakkan", "Tewakan", "तेवक्कन", "Oorappil", "തേവക്ക", "ഊരപ്പി"])
def test_a_name_is_found_in_any_script_and_by_its_beginning(crowd: House, words: str) -> None:
    assert "തേവക്കൻ ഊരപ്പിൽ" in found(crowd.inga, words)


def test_all_words_have_to_answer(crowd: House) -> None:
    assert found(crowd.inga, "thevakkan urappil") == ["തേവക്കൻ ഊരപ്പിൽ"]
    assert found(crowd.inga, "thevakkan kurup") == []
    assert found(crowd.inga, "sreejith") == found(crowd.inga, "ശ്രീജിത്ത്") == ["श्रीजित नायक"]


def test_words_are_not_torn_at_their_marks(crowd: House) -> None:
    assert found(crowd.inga, "हिन्दी") == ["हिन्दी मल"]
    assert found(crowd.inga, "दी") == []


def test_the_nearest_comes_first(crowd: House) -> None:
    enter(crowd.inga, "Kurupan Meleth")

    assert found(crowd.inga, "kurup")[0] == "Thevan Kurup"


@pytest.mark.parametrize("words", ["", " ", "*", '"', "'", "a OR b", "x'y\"z*", "%", "\\", "-", "(", "തേ*"])
def test_any_words_are_answered(crowd: House, words: str) -> None:
    assert isinstance(found(crowd.inga, words), list)


def test_nobody_finds_what_is_not_theirs(crowd: House) -> None:
    phone(crowd.inga, "9447123456")

    for outsider in (crowd.carla, crowd.dora, crowd.esther):
        assert found(outsider, "thevakkan") == found(outsider, "944712") == []
    assert len(found(crowd.bashir, "thevakkan")) == len(found(crowd.bashir, "944712")) == 1


def test_a_protected_person_is_found_by_the_code_only(crowd: House) -> None:
    victim = enter(crowd.inga, "Mazhanila", role=people.RoleKind.VICTIM)

    assert found(crowd.inga, "mazhanila") == []
    for words in (victim.code, victim.code.lower(), victim.code.replace("-", "")):
        assert found(crowd.inga, words) == [victim.code]
    assert found(crowd.carla, victim.code) == []
    assert PersonText.objects.count() == 4


def test_a_number_is_found_by_any_part_of_it_and_of_a_protected_holder_nothing_is_said(crowd: House) -> None:
    number, other = phone(crowd.inga, "09447 123456"), phone(crowd.inga, "9447999999")
    victim, suspect = enter(crowd.inga, "Mazhanila", role=people.RoleKind.VICTIM), enter(crowd.inga, "Kuravan")
    for identifier, person in ((number, victim), (other, suspect)):
        people.attribute(
            acting=crowd.inga, identifier=identifier, person=person, case=THE_CASE, basis=people.Basis.STATEMENT,
            confidence=people.Confidence.CONFIRMED,
        )  # fmt: skip

    for words in ("09447 123456", "+91 9447 123456", "123456", "71234"):
        assert found(crowd.inga, words) == ["+919447123456"]
    assert [one.hint for one in people.find(crowd.inga, "123456", purpose="")] == ["phone"]
    assert [one.hint for one in people.find(crowd.inga, "999999", purpose="")] == ["phone, Kuravan"]


def test_accounts_are_found_by_fragments(crowd: House) -> None:
    given = people.Given(
        kind=people.IdentifierKind.ACCOUNT, value="@Oora_Thevan", platform="Examplegram", source="tip 7"
    )
    people.enter_identifier(acting=crowd.carla, case=CARLAS_CASE, given=given)

    assert found(crowd.carla, "ra_the") == found(crowd.carla, "examplegram") == ["oora_thevan (examplegram)"]
    assert found(crowd.carla, "raxthe") == []
    assert IdentifierText.objects.count() == 1


def test_a_changed_name_is_found_as_it_is_now(crowd: House) -> None:
    person = enter(crowd.inga, "Ilavath")
    people.add_name(acting=crowd.inga, person=person, name=people.Name(text="Chennoor"))

    assert found(crowd.inga, "chennoor") == found(crowd.inga, "ilavath") == ["Ilavath"]
    people.give_role(acting=crowd.inga, person=person, case=THE_CASE, role=people.RoleKind.VICTIM)
    assert found(crowd.inga, "chennoor") == found(crowd.inga, "ilavath") == []
