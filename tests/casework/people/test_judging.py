"""A person's word on a pair: it makes clusters, it can be taken back, and nothing is lost or contradicted."""

from __future__ import annotations

import itertools

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.audit.models import Entry
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people
from casework.people.judging import judgements_on
from casework.people.models import Candidate, Judgement, Person, PersonName
from tests.casework.conftest import THE_CASE
from tests.casework.people.conftest import CARLAS_CASE, House, enter, phone

pytestmark = pytest.mark.django_db

SAME, DIFFERENT, OPEN = people.Verdict.SAME, people.Verdict.DIFFERENT, people.Verdict.OPEN


def judge(house: House, one: people.Person, other: people.Person, verdict: people.Verdict) -> Judgement:
    return people.judge(acting=house.inga, one=one, other=other, verdict=verdict, reason="same paper")


def cluster(person: people.Person) -> set[str]:
    found = Person.objects.filter(cluster=Person.objects.get(pk=person.pk).cluster)
    return {str(pk) for pk in found.values_list("pk", flat=True)}


def test_a_judgement_joins_and_taking_it_back_parts_and_no_row_is_lost(house: House) -> None:
    one, other, third = (enter(house.inga, name) for name in ("Thevakkan", "Tewakan", "Oorappil"))
    judge(house, one, other, SAME)
    judge(house, other, third, SAME)

    assert cluster(one) == {str(person.pk) for person in (one, other, third)}
    judge(house, one, other, OPEN)
    assert cluster(one) == {str(one.pk)}
    assert cluster(other) == {str(other.pk), str(third.pk)}
    assert [row.verdict for row in judgements_on(house.inga, one)] == ["open", "same"]
    assert PersonName.objects.count() == Person.objects.count() == 3
    assert Entry.objects.filter(act="people.pair_judged").count() == 6


def test_what_contradicts_is_refused(house: House) -> None:
    one, other, third = (enter(house.inga, name) for name in ("Thevakkan", "Tewakan", "Oorappil"))
    judge(house, one, other, SAME)
    judge(house, other, third, SAME)

    with pytest.raises(RefusedError, match="through other judgements"):
        judge(house, one, third, DIFFERENT)
    judge(house, other, third, DIFFERENT)
    with pytest.raises(RefusedError, match="judged different"):
        judge(house, one, third, SAME)
    with pytest.raises(RefusedError, match="stands already"):
        judge(house, one, other, SAME)
    with pytest.raises(RefusedError, match="by what"):
        people.judge(acting=house.inga, one=one, other=third, verdict=DIFFERENT, reason=" ")
    with pytest.raises(RefusedError, match="two persons"):
        judge(house, one, one, SAME)


def test_only_who_knows_both_judges(house: House) -> None:
    mine, theirs = enter(house.inga, "Thevakkan"), enter(house.carla, "Tewakan", case=CARLAS_CASE)

    for acting in (house.inga, house.carla, house.dora, house.esther):
        with pytest.raises(AbsentError):
            people.judge(acting=acting, one=mine, other=theirs, verdict=SAME, reason="alike")
    other = enter(house.inga, "Tewakan")
    with pytest.raises(RefusedError, match="not change it"):
        people.judge(acting=house.bashir, one=mine, other=other, verdict=SAME, reason="alike")


def test_reading_goes_through_the_cluster_as_far_as_one_may_know(house: House) -> None:
    mine, theirs = enter(house.inga, "Thevakkan"), enter(house.carla, "Tewakan", case=CARLAS_CASE)
    from casework.accounts import api as accounts

    for case, lead, guest in ((THE_CASE, house.inga, house.carla), (CARLAS_CASE, house.carla, house.inga)):
        worker = accounts.Capacity.WORKER
        accounts.assign(acting=lead, to=guest, case=case, capacity=worker, purpose="joint")
    judge(house, mine, theirs, SAME)
    shown = people.get_person(house.bashir, mine.pk)

    assert people.cluster_of(house.inga, shown) == [mine, theirs]
    assert people.cluster_of(house.bashir, shown) == [mine]


def test_that_a_named_person_is_a_protected_one_is_told_only_where_the_identity_is_opened(house: House) -> None:
    named, victim = enter(house.inga, "Mazhanila"), enter(house.inga, "Mazhanila", role=people.RoleKind.VICTIM)
    with pytest.raises(AbsentError):
        people.judge(acting=house.wasim, one=named, other=victim, verdict=SAME, reason="same paper")
    judge(house, named, victim, SAME)
    named, victim = (people.get_person(house.inga, person.pk) for person in (named, victim))

    for account in (house.inga, house.bashir, house.vimala):
        assert people.cluster_of(account, named) == [named]
        assert people.cluster_of(account, victim) == [victim]
        assert judgements_on(account, named) == judgements_on(account, victim) == []
    identity = people.unmask(acting=house.vimala, person=victim, case=THE_CASE, purpose="statement")
    assert [(part.kind.value, part.words) for part in identity.parts] == [("name", "Mazhanila"), ("other", "Mazhanila")]


def test_who_is_shut_away_is_nobodys_candidate_any_more(house: House) -> None:
    one, other = enter(house.inga, "Thevakkan Oorappil", year=1988), enter(house.inga, "Thevakkan Oorappil", year=1988)
    first, second = sorted((one, other), key=lambda person: person.pk)
    Candidate.objects.create(one=first, other=second, score=0.97, criteria=[{"criterion": "name"}], scored_by="x")
    people.give_role(acting=house.inga, person=one, case=THE_CASE, role=people.RoleKind.VICTIM)
    people.seek(other.pk)

    assert list(Candidate.objects.values_list("score", "criteria")) == [(0.0, [])]


def test_the_candidate_keeps_the_word(house: House) -> None:
    one, other = enter(house.inga, "Thevakkan Oorappil", year=1988), enter(house.inga, "തേവക്കൻ ഊരപ്പിൽ", year=1988)
    number = phone(house.inga, "9447123456")
    for person in (one, other):
        people.attribute(
            acting=house.inga, identifier=number, person=person, case=THE_CASE, basis=people.Basis.DEVICE,
            confidence=people.Confidence.CONFIRMED,
        )  # fmt: skip
    for index in range(40):
        enter(house.inga, f"Crowd{index} Filler{chr(97 + index % 26)}")
    people.seek(one.pk)
    judge(house, one, other, DIFFERENT)
    people.seek(other.pk)

    assert Candidate.objects.get().verdict == "different"


def test_the_database_refuses_to_change_or_remove_a_judgement(house: House) -> None:
    judge(house, enter(house.inga, "Thevakkan"), enter(house.inga, "Tewakan"), SAME)

    for statement in ("UPDATE people_judgement SET verdict = 'open'", "DELETE FROM people_judgement"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Judgement.objects.get().verdict == "same"


WORDS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([SAME, DIFFERENT, OPEN])), min_size=1, max_size=12
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=WORDS)
def test_clusters_always_follow_from_what_stands(house: House, said: list[tuple[int, int, people.Verdict]]) -> None:
    with transaction.atomic():
        persons = [enter(house.inga, f"Person{index}") for index in range(5)]
        standing: dict[tuple[int, int], people.Verdict] = {}
        for one, other, verdict in said:
            if one != other:
                pair = (min(one, other), max(one, other))
                try:
                    judge(house, persons[one], persons[other], verdict)
                    standing[pair] = verdict
                except RefusedError:
                    continue
        reached = {index: {index} for index in range(5)}
        for _round in range(5):
            for (one, other), verdict in standing.items():
                if verdict is SAME:
                    joined = reached[one] | reached[other]
                    for index in joined:
                        reached[index] = joined

        for index, person in enumerate(persons):
            assert cluster(person) == {str(persons[at].pk) for at in reached[index]}
        for one, other in itertools.combinations(range(5), 2):
            if standing.get((one, other)) is DIFFERENT:
                assert other not in reached[one]
        transaction.set_rollback(True)
