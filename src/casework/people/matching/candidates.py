"""The job that looks for the same person: for one person at a time, by indexed keys, whatever the size of the house.

It writes candidates and nothing else. A candidate whose pair a person has judged keeps that word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from casework.jobs import api as jobs
from casework.lib import clock
from casework.people.matching.keys import TOO_COMMON, TOO_MANY, number_of
from casework.people.matching.linking import LIKELY, STRONG, is_doubtful, merged
from casework.people.matching.profiles import keys_of, profiles_of
from casework.people.matching.scoring import VERSION, Profile, Score, Share, compare
from casework.people.models import Attribution, Candidate, Person, PersonText
from casework.people.rules import Verdict

JOB = "people.seek"
_MOST_OTHERS = 300
_MOST_DOUBTFUL = 60
_MOST_COUNTED = 5000

Pair = tuple[UUID, UUID]


def seek_due(most: int = 1000) -> int:
    """Look for the same person wherever a look is due, the oldest first; return how many were looked for."""
    due = list(Person.objects.filter(sought_at=None).order_by("created_at").values_list("pk", flat=True)[:most])
    for person in due:
        seek(person)
    return len(due)


@transaction.atomic
def seek(person: UUID) -> int:
    """Look for others who may be this person, keep candidates, and return how many are likely."""
    Person.objects.filter(pk=person).update(sought_at=clock.now())
    profiles = profiles_of([person])
    if person not in profiles:
        return 0
    others = _others(person, profiles[person])
    profiles |= profiles_of(others)
    share, total = _share_and_total()
    found = {other: compare(profiles[person], profiles[other], share, total) for other in others if other in profiles}
    found |= _second_look(person, found, profiles, share, total)
    likely = {_pair(person, other): score for other, score in found.items() if score.probability >= LIKELY}
    _lower(person, {_pair(person, other): score for other, score in found.items()}, likely)
    _make_neighbours_due(person, found)
    _keep(likely)
    return len(likely)


def _second_look(
    person: UUID, found: dict[UUID, Score], profiles: dict[UUID, Profile], share: Share, total: int
) -> dict[UUID, Score]:
    """Return new scores of doubtful pairs, each side read together with rows that surely are the same person."""
    doubtful = sorted(
        (other for other, score in found.items() if is_doubtful(score.probability)),
        key=lambda other: -found[other].probability,
    )[:_MOST_DOUBTFUL]
    near = _near(doubtful)
    near[person] = {other for other, score in found.items() if score.probability >= STRONG}
    profiles |= profiles_of({pk for lenders in near.values() for pk in lenders} - set(profiles))
    looked: dict[UUID, Score] = {}
    for other in doubtful:
        sides = []
        for side, against in ((person, other), (other, person)):
            lenders = sorted(near.get(side, set()) - {against})
            sides.append(merged(profiles[side], [profiles[pk] for pk in lenders if pk in profiles]))
        if sides != [profiles[person], profiles[other]]:
            looked[other] = compare(sides[0], sides[1], share, total)
    return looked


def _near(persons: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return who surely is the same as each of the persons, as far as it was found before."""
    near: dict[UUID, set[UUID]] = {}
    strong = Candidate.objects.filter(score__gte=STRONG).exclude(verdict=Verdict.DIFFERENT)
    wanted = set(persons)
    rows = strong.filter(Q(one__in=wanted) | Q(other__in=wanted)).values_list("one", "other")
    for one, other in rows:
        for side, against in ((one, other), (other, one)):
            if side in wanted:
                near.setdefault(side, set()).add(against)
    return near


def _make_neighbours_due(person: UUID, found: dict[UUID, Score]) -> None:
    """Who newly is surely the same may now be told from others: look for them again, once for each new pair."""
    strong = {other for other, score in found.items() if score.probability >= STRONG}
    rows = Candidate.objects.filter(Q(one=person) | Q(other=person)).values_list("one", "other")
    fresh = strong - {side for pair in rows for side in pair}
    if fresh:
        Person.objects.filter(pk__in=fresh).update(sought_at=None)
        jobs.ask_for(JOB, acting=None, unique_key=JOB)


def _others(person: UUID, profile: Profile) -> list[UUID]:
    """Return who shares keys or identifiers, those who share most first."""
    keys = keys_of(profile)
    shared: dict[UUID, int] = {}
    for others in (
        *_members(keys.combined, TOO_MANY),
        *_members(keys.alone, TOO_COMMON),
        _holders(profile.identifiers),
    ):
        for other in others:
            shared[other] = shared.get(other, 0) + 1
    shared.pop(person, None)
    return sorted(shared, key=lambda other: (-shared[other], other))[:_MOST_OTHERS]


def _members(keys: Collection[int], most: int) -> list[list[UUID]]:
    """Return who stands under each key, leaving out keys under which more than ``most`` stand; one query."""
    if not keys:
        return []
    # Each part reads at most so many rows of the index: a common key costs no more than a rare one.
    part = "SELECT * FROM (SELECT key, person_id FROM people_blockingkey WHERE key = %s LIMIT %s) AS part"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([part] * len(keys)), [value for key in keys for value in (key, most + 1)])
        rows = cursor.fetchall()
    members: dict[int, list[UUID]] = {}
    for key, person in rows:
        members.setdefault(key, []).append(person if isinstance(person, UUID) else UUID(person))
    return [found for found in members.values() if len(found) <= most]


def _holders(identifiers: Iterable[object]) -> list[UUID]:
    said = Attribution.objects.filter(identifier__in=list(identifiers), withdrawn_at=None, contested_at=None)
    holders = list(said.values_list("person", flat=True)[: TOO_MANY + 1])
    return holders if len(holders) <= TOO_MANY else []


def _share_and_total() -> tuple[Share, int]:
    """Return how common a key of words alone is, counted no further than needed, and how many persons there are."""
    last = PersonText.objects.order_by("-id").values_list("id", flat=True).first() or 1
    known: dict[str, float] = {}

    def share(text: str) -> float:
        if text not in known:
            bounded = "SELECT COUNT(*) FROM (SELECT 1 FROM people_blockingkey WHERE key = %s LIMIT %s) AS part"
            with connection.cursor() as cursor:
                cursor.execute(bounded, [number_of(text), _MOST_COUNTED])
                known[text] = cursor.fetchone()[0] / last
        return known[text]

    return share, last


def _keep(likely: dict[Pair, Score]) -> None:
    rows = [
        Candidate(
            one_id=one, other_id=other, score=round(score.probability, 4), criteria=told(score), scored_by=VERSION
        )
        for (one, other), score in likely.items()
    ]
    Candidate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["one", "other"],
        update_fields=["score", "criteria", "scored_by", "scored_at"],
    )


def _lower(person: UUID, found: dict[Pair, Score], likely: dict[Pair, Score]) -> None:
    """Where a pair was a candidate and is none any more, the row stays, with the score it has now."""
    for row in Candidate.objects.filter(Q(one=person) | Q(other=person)):
        pair = (row.one_id, row.other_id)
        if pair not in likely:
            score = found.get(pair)
            row.score = round(score.probability, 4) if score else 0.0
            row.criteria, row.scored_by, row.scored_at = told(score) if score else [], VERSION, clock.now()
            row.save(update_fields=["score", "criteria", "scored_by", "scored_at"])


def told(score: Score) -> list[dict[str, str | float]]:
    """Return the criteria of a score as they are kept: no name, no date, only what was found and its weight in bits."""
    return [
        {"criterion": each.criterion, "finding": each.finding, "bits": round(each.bits, 1)} for each in score.evidence
    ]


def _pair(one: UUID, other: UUID) -> Pair:
    return (one, other) if one < other else (other, one)
